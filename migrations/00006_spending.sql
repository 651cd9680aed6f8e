-- What each account has spent on the model in a day, for accounts that have a budget. Added beside everything else: a
-- version that does not know it works on without it, and what it spends is then not counted.

-- +goose Up
CREATE TABLE spending (
    account_id    text        NOT NULL REFERENCES accounts (id),
    day           date        NOT NULL, -- in the account's time zone
    spent         bigint      NOT NULL DEFAULT 0 CHECK (spent >= 0),    -- tokens, as the provider reported them
    reserved      bigint      NOT NULL DEFAULT 0 CHECK (reserved >= 0), -- tokens set aside for calls without an outcome yet
    reserved_at   timestamptz NOT NULL DEFAULT now(),                   -- the last time any were
    warned_at     timestamptz,                                          -- 80 % passed
    warned_limit  bigint      NOT NULL DEFAULT 0,                       -- of which limit
    stopped_at    timestamptz,                                          -- nothing more fits
    stopped_limit bigint      NOT NULL DEFAULT 0,
    PRIMARY KEY (account_id, day)
) WITH (fillfactor = 50); -- one row takes all of an account's calls: room for its next version on the same page
CREATE INDEX spending_stopped ON spending (stopped_at) WHERE stopped_at IS NOT NULL;

-- +goose Down
DROP TABLE spending;
