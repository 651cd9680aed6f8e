-- What people do about a call: runs that they ask for, what they settled and how, what they say of a decision, and jobs that
-- do one thing to many. A version that does not know of it decides and delivers on: it meets runs and copies that look like
-- those it makes, and prints a reason or a status that it does not know as the bare word.

-- +goose Up
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION known_reason(code text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT code IN (
        'disabled', 'muted', 'wrong_event', 'filtered_status', 'filtered_direction', 'filtered_channel',
        'filtered_agent', 'filtered_time', 'filtered_metadata', 'too_short', 'no_transcript',
        'always', 'fired', 'condition_not_met', 'unsure', 'evidence_not_found', 'wrong_speaker',
        'model_unavailable', 'model_refused', 'answer_invalid', 'budget_exceeded', 'work_failed',
        'condition_false', 'required_variable_missing', 'variable_missing_for_customer', 'recipients_empty',
        'recipient_invalid', 'recipient_not_allowed', 'opted_out', 'render_failed', 'waiting', 'outside_window',
        'too_late', 'test_call', 'breaker_open', 'sent_before')
$$;
-- +goose StatementEnd

-- How a review ended. A decision that needs one and has none of these waits for a person.
ALTER TABLE decisions
    ADD COLUMN settled_as  text,
    ADD COLUMN settled_run integer, -- that took over
    ADD COLUMN settled_by  text,    -- as they were known then
    ADD COLUMN settled_at  timestamptz;

-- No row has one yet, and nobody need look.
ALTER TABLE decisions ADD CONSTRAINT decisions_settled_as_check
    CHECK (settled_as IN ('approved', 'fixed', 'dismissed', 'replayed')) NOT VALID;

-- A value may be given by a person. What is there passed the narrower check.
ALTER TABLE variable_values DROP CONSTRAINT variable_values_status_check;
ALTER TABLE variable_values ADD CONSTRAINT variable_values_status_check
    CHECK (status IN ('stated', 'not_stated', 'default', 'rejected', 'conflict', 'given')) NOT VALID;

-- Every run but the first decision, which needs no row.
CREATE TABLE runs (
    conversation_id uuid        NOT NULL,
    run             integer     NOT NULL CHECK (run > 1),
    account_id      text        NOT NULL,
    cause           text        NOT NULL CHECK (cause IN ('replay', 'fix', 'approve')),
    of_run          integer     NOT NULL, -- that it puts right
    automation      text        NOT NULL, -- '': all of them
    sandbox         boolean     NOT NULL, -- it goes to the capture sink, and later runs take no notice of it
    revision_id     uuid        NOT NULL,
    state           text        NOT NULL CHECK (state IN ('asked', 'done', 'failed')),
    problem         text        NOT NULL DEFAULT '', -- why it failed, or what it waits for
    person_id       uuid,
    person          text        NOT NULL, -- as they were known then
    asked_at        timestamptz NOT NULL DEFAULT now(),
    done_at         timestamptz,
    PRIMARY KEY (conversation_id, run),
    CHECK ((state = 'asked') = (done_at IS NULL))
);
CREATE INDEX runs_asked ON runs (account_id, asked_at) WHERE state = 'asked';

-- What a person did to a delivery, once of each kind. The audit log tells it; this is what the ledger is checked against.
CREATE TABLE settlements (
    delivery_id     uuid        NOT NULL,
    settled         text        NOT NULL CHECK (settled IN ('sent', 'failed', 'cancelled', 'released', 'superseded', 'resent')),
    account_id      text        NOT NULL,
    conversation_id uuid        NOT NULL,
    run             integer     NOT NULL, -- that took over; 0: none did
    person_id       uuid,
    person          text        NOT NULL, -- as they were known then
    at              timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (delivery_id, settled)
);
CREATE INDEX settlements_by_conversation ON settlements (conversation_id);

-- What people say of a decision, for precision and for test cases. The last word counts.
CREATE TABLE marks (
    conversation_id uuid        NOT NULL,
    run             integer     NOT NULL,
    automation      text        NOT NULL,
    account_id      text        NOT NULL,
    wrong           boolean     NOT NULL,
    note            text        NOT NULL,
    person_id       uuid,
    person          text        NOT NULL,
    marked_at       timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (conversation_id, run, automation)
);
CREATE INDEX marks_by_automation ON marks (account_id, automation, conversation_id);

-- One action for all that a filter finds, in the order of ids. The cursor moves in the transaction of each item, so that a
-- worker that goes on after a crash does none twice.
CREATE TABLE bulk_jobs (
    id         uuid        PRIMARY KEY,
    account_id text        NOT NULL,
    request    jsonb       NOT NULL, -- the action and the filter
    person_id  uuid,
    person     text        NOT NULL,
    address    text        NOT NULL,
    state      text        NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done', 'aborted')),
    counted    integer     NOT NULL, -- what the filter found when it was asked for
    more       boolean     NOT NULL, -- it was more than that
    at_item    uuid        NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000', -- the last that was done
    done       integer     NOT NULL DEFAULT 0,
    refused    integer     NOT NULL DEFAULT 0,
    failed     integer     NOT NULL DEFAULT 0,
    asked_at   timestamptz NOT NULL DEFAULT now(),
    ended_at   timestamptz,
    ended_by   text        NOT NULL DEFAULT '', -- who aborted it
    CHECK ((state = 'running') = (ended_at IS NULL))
);
CREATE INDEX bulk_jobs_by_account ON bulk_jobs (account_id, id);

CREATE TABLE bulk_items (
    bulk_id         uuid        NOT NULL REFERENCES bulk_jobs (id),
    item            uuid        NOT NULL, -- a delivery, or a conversation that is decided anew
    account_id      text        NOT NULL,
    conversation_id uuid        NOT NULL,
    result          text        NOT NULL CHECK (result IN ('done', 'refused', 'failed')),
    detail          text        NOT NULL, -- the sentence that refused it
    made            text        NOT NULL, -- the new delivery's id, or the new run
    at              timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (bulk_id, item)
);
CREATE INDEX bulk_items_by_conversation ON bulk_items (conversation_id);

SELECT guard_rows('runs', 'account_id');
SELECT guard_rows('settlements', 'account_id');
SELECT guard_rows('marks', 'account_id');
SELECT guard_rows('bulk_jobs', 'account_id');
SELECT guard_rows('bulk_items', 'account_id');

-- +goose Down
DROP TABLE bulk_items;
DROP TABLE bulk_jobs;
DROP TABLE marks;
DROP TABLE settlements;
DROP TABLE runs;
-- What a person gave was stated, by somebody.
UPDATE variable_values SET status = 'stated' WHERE status = 'given';
ALTER TABLE variable_values DROP CONSTRAINT variable_values_status_check;
ALTER TABLE variable_values ADD CONSTRAINT variable_values_status_check
    CHECK (status IN ('stated', 'not_stated', 'default', 'rejected', 'conflict')) NOT VALID;
ALTER TABLE decisions DROP COLUMN settled_at, DROP COLUMN settled_by, DROP COLUMN settled_run, DROP COLUMN settled_as;
-- The message stays skipped, under the reason that comes nearest.
UPDATE deliveries SET reason = 'too_late' WHERE reason = 'sent_before';
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION known_reason(code text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT code IN (
        'disabled', 'muted', 'wrong_event', 'filtered_status', 'filtered_direction', 'filtered_channel',
        'filtered_agent', 'filtered_time', 'filtered_metadata', 'too_short', 'no_transcript',
        'always', 'fired', 'condition_not_met', 'unsure', 'evidence_not_found', 'wrong_speaker',
        'model_unavailable', 'model_refused', 'answer_invalid', 'budget_exceeded', 'work_failed',
        'condition_false', 'required_variable_missing', 'variable_missing_for_customer', 'recipients_empty',
        'recipient_invalid', 'recipient_not_allowed', 'opted_out', 'render_failed', 'waiting', 'outside_window',
        'too_late', 'test_call', 'breaker_open')
$$;
-- +goose StatementEnd
