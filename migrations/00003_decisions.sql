-- What was decided about a conversation, and on what grounds.

-- +goose Up
-- The closed list of package reason. A test compares the two.
-- +goose StatementBegin
CREATE FUNCTION known_reason(code text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT code IN (
        'disabled', 'muted', 'wrong_event', 'filtered_status', 'filtered_direction', 'filtered_channel',
        'filtered_agent', 'filtered_time', 'filtered_metadata', 'too_short', 'no_transcript',
        'always', 'fired', 'condition_not_met', 'unsure', 'evidence_not_found', 'wrong_speaker',
        'model_unavailable', 'model_refused', 'answer_invalid', 'budget_exceeded',
        'condition_false', 'required_variable_missing', 'variable_missing_for_customer', 'recipients_empty',
        'recipient_invalid', 'recipient_not_allowed', 'opted_out', 'render_failed', 'waiting', 'outside_window',
        'too_late', 'test_call', 'breaker_open')
$$;
-- +goose StatementEnd

-- Every model call. Of the valid answers to one part of a form, one is chosen: the first, for ever.
CREATE TABLE interviews (
    id              uuid        PRIMARY KEY,
    account_id      text        NOT NULL,
    conversation_id uuid        NOT NULL REFERENCES conversations (id),
    revision_id     uuid        NOT NULL,
    part            text        NOT NULL,
    purpose         text        NOT NULL,
    prompt_hash     text        NOT NULL,
    schema_hash     text        NOT NULL,
    valid           boolean     NOT NULL,
    chosen          boolean     NOT NULL,
    answer          bytea,                -- the JSON as answered, byte for byte
    error_kind      text        NOT NULL,
    status          integer     NOT NULL,
    model           text        NOT NULL,
    endpoint        text        NOT NULL,
    simulated       boolean     NOT NULL,
    tokens_in       integer     NOT NULL,
    tokens_cached   integer     NOT NULL,
    tokens_out      integer     NOT NULL,
    finish_reason   text        NOT NULL,
    request_id      text        NOT NULL,
    fingerprint     text        NOT NULL,
    latency_ms      integer     NOT NULL,
    called_at       timestamptz NOT NULL,
    CHECK (NOT chosen OR (valid AND answer IS NOT NULL))
);
CREATE UNIQUE INDEX interviews_chosen ON interviews (conversation_id, revision_id, part) WHERE chosen;
CREATE INDEX interviews_by_conversation ON interviews (conversation_id);

CREATE TABLE decisions (
    conversation_id uuid        NOT NULL REFERENCES conversations (id),
    run             integer     NOT NULL,
    automation      text        NOT NULL,
    account_id      text        NOT NULL,
    revision_id     uuid        NOT NULL,
    verdict         text        NOT NULL CHECK (verdict IN ('fires', 'no', 'unsure', 'skipped', 'waiting')),
    reason          text        NOT NULL CHECK (known_reason(reason)),
    evidence        jsonb       NOT NULL,
    detail          text        NOT NULL,
    review          boolean     NOT NULL,
    actions         integer     NOT NULL, -- how many actions the automation had, if it fired
    decided_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (conversation_id, run, automation)
);
CREATE INDEX decisions_fired ON decisions (account_id, automation, conversation_id) WHERE verdict = 'fires';

CREATE TABLE variable_values (
    conversation_id uuid    NOT NULL REFERENCES conversations (id),
    run             integer NOT NULL,
    name            text    NOT NULL,
    account_id      text    NOT NULL,
    type            text    NOT NULL,
    status          text    NOT NULL CHECK (status IN ('stated', 'not_stated', 'default', 'rejected', 'conflict')),
    raw             text    NOT NULL,
    value           text    NOT NULL,
    evidence        jsonb   NOT NULL,
    problem         text    NOT NULL,
    PRIMARY KEY (conversation_id, run, name)
);

-- +goose Down
DROP TABLE variable_values;
DROP TABLE decisions;
DROP TABLE interviews;
DROP FUNCTION known_reason(text);
