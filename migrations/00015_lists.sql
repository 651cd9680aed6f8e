-- The searches that a person keeps.

-- +goose Up
-- For one account or, '', for all of theirs. A machine that signs in by itself is nobody: ''.
CREATE TABLE saved_views (
    id         uuid        PRIMARY KEY,
    person     text        NOT NULL,
    account_id text        NOT NULL,
    name       text        NOT NULL,
    query      text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (person, account_id, name)
);
SELECT guard_rows('saved_views', 'account_id');

-- +goose Down
DROP TABLE saved_views;
