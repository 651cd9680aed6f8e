-- What a program may do with its key, and the answers it was given to what it asked once. Keys that are there may go on
-- posting calls, as they always could, and nothing else; so may one that an older version makes meanwhile.

-- +goose Up
ALTER TABLE api_keys ADD COLUMN scopes text[] NOT NULL DEFAULT '{post}'
    CHECK (cardinality(scopes) > 0 AND scopes <@ ARRAY['post', 'read', 'tasks', 'operate']);

-- An Idempotency-Key as its API key sent it, only as a hash: who makes them may put anything into them. An answer has ids in
-- it and nothing that was said.
CREATE TABLE idempotent_answers (
    key_id     uuid        NOT NULL REFERENCES api_keys (id),
    token      bytea       NOT NULL,
    account_id text        NOT NULL,
    request    bytea       NOT NULL, -- hash of what was asked: the same token with another request is a mistake
    status     integer     NOT NULL DEFAULT 0, -- of the answer; 0: it is being done, or nobody knows whether it was
    body       text        NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (key_id, token)
);
CREATE INDEX idempotent_answers_by_time ON idempotent_answers (created_at);
SELECT guard_rows('idempotent_answers', 'account_id');

-- +goose Down
DROP TABLE idempotent_answers;
ALTER TABLE api_keys DROP COLUMN scopes;
