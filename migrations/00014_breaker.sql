-- How often each automation fires and what the model costs, by the hour; and what keeps one from going on: a mute, which a
-- person sets, and a breaker, which opens by itself (docs/adr/0017-breaker.md). All of it stands beside what was there: a
-- version that does not know it works on, counts nothing and holds nothing.

-- +goose Up
-- Counted in the transaction that decides, so it is exact. Every process writes to a lane of its own: two of them never
-- wait for each other here. First runs only: what a person asks for is no sign of how often an automation fires.
CREATE TABLE automation_hours (
    account_id text        NOT NULL,
    automation text        NOT NULL,
    hour       timestamptz NOT NULL,
    lane       smallint    NOT NULL,
    evaluated  bigint      NOT NULL, -- decided past the gate
    fired      bigint      NOT NULL,
    unsure     bigint      NOT NULL,
    held       bigint      NOT NULL, -- fired, and something of it was held, though not by a breaker
    failed     bigint      NOT NULL, -- could not be judged, or fired and could not be written out
    stopped    bigint      NOT NULL DEFAULT 0, -- fired, and held by a breaker
    PRIMARY KEY (account_id, automation, hour, lane)
) WITH (fillfactor = 50); -- a row is written over and over for an hour: room for its next version on the same page

-- Written in the transaction that records the model calls.
CREATE TABLE token_hours (
    account_id    text        NOT NULL,
    hour          timestamptz NOT NULL,
    automation    text        NOT NULL, -- '': nobody's in particular
    model         text        NOT NULL, -- that says it answered
    lane          smallint    NOT NULL,
    tokens_in     bigint      NOT NULL,
    tokens_cached bigint      NOT NULL, -- of tokens_in
    tokens_out    bigint      NOT NULL,
    PRIMARY KEY (account_id, hour, automation, model, lane)
) WITH (fillfactor = 50);

-- Only automations with a limit of their own: one row for all processes, because the limit holds to the call.
CREATE TABLE automation_days (
    account_id text   NOT NULL,
    automation text   NOT NULL,
    day        date   NOT NULL, -- in the account's time zone
    fired      bigint NOT NULL,
    spared     bigint NOT NULL DEFAULT 0, -- fired when somebody last closed the breaker: not counted against the limit
    PRIMARY KEY (account_id, automation, day)
) WITH (fillfactor = 50);

CREATE TABLE breakers (
    account_id  text        NOT NULL,
    automation  text        NOT NULL,
    cause       text        NOT NULL CHECK (cause IN ('jump', 'day')),
    fired       bigint      NOT NULL, -- in the hour, or the day, when it opened
    allowed     bigint      NOT NULL,
    opened_at   timestamptz NOT NULL DEFAULT now(),
    until       timestamptz,          -- it closes by itself then; NULL: a person closes it
    closed_at   timestamptz,
    spared      bigint      NOT NULL DEFAULT 0, -- fired in spared_hour when somebody closed it: not counted against the limit
    spared_hour timestamptz,
    PRIMARY KEY (account_id, automation)
);

CREATE TABLE mutes (
    account_id text        NOT NULL REFERENCES accounts (id),
    automation text        NOT NULL,
    until      timestamptz NOT NULL,
    reason     text        NOT NULL CHECK (reason <> ''),
    muted_by   text        NOT NULL,
    muted_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, automation)
);

SELECT guard_rows('automation_hours', 'account_id');
SELECT guard_rows('token_hours', 'account_id');
SELECT guard_rows('automation_days', 'account_id');
SELECT guard_rows('breakers', 'account_id');
SELECT guard_rows('mutes', 'account_id');

-- +goose Down
DROP TABLE mutes;
DROP TABLE breakers;
DROP TABLE automation_days;
DROP TABLE token_hours;
DROP TABLE automation_hours;
