-- Team alerts on the screens of those who ask for it. A subscription is a browser of a person's, and no account's: the role of the
-- pages sees none. What became of each alert in each of them is written before it is sent.

-- +goose Up
CREATE TABLE push_subscriptions (
    id         uuid        PRIMARY KEY,
    person_id  uuid        REFERENCES people (id), -- NULL: a machine that signs in by itself
    endpoint   text        NOT NULL,               -- '': nothing leaves this installation, what would is captured
    p256dh     text        NOT NULL,
    auth       text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX push_subscriptions_by_endpoint ON push_subscriptions (endpoint) WHERE endpoint <> '';
CREATE INDEX push_subscriptions_by_person ON push_subscriptions (person_id, id);

CREATE TABLE pushes (
    alert_id        uuid        NOT NULL REFERENCES alerts (id) ON DELETE CASCADE,
    subscription_id uuid        NOT NULL, -- which may be gone
    account_id      text        NOT NULL,
    state           text        NOT NULL CHECK (state IN ('sending', 'retrying', 'sent', 'failed', 'unknown')),
    attempt         integer     NOT NULL DEFAULT 1,
    class           text        NOT NULL DEFAULT '',
    status          integer     NOT NULL DEFAULT 0,
    due_at          timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (alert_id, subscription_id)
);
SELECT guard_rows('pushes', 'account_id');

-- +goose Down
DROP TABLE pushes;
DROP TABLE push_subscriptions;
