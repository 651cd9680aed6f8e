-- Events are decided: each as a conversation of its own.

-- +goose Up
-- Which call such an event is about, by the platform's id of it: the call may not have come yet.
CREATE TABLE beside_calls (
    conversation_id uuid PRIMARY KEY REFERENCES conversations (id) ON DELETE CASCADE,
    account_id      text NOT NULL,
    call_id         text NOT NULL
);
CREATE INDEX beside_calls_by_call ON beside_calls (account_id, call_id);
SELECT guard_rows('beside_calls', 'account_id');

-- Deliveries of an event that wait for the end of its call.
CREATE TABLE awaited_ends (
    delivery_id     uuid PRIMARY KEY REFERENCES deliveries (id) ON DELETE CASCADE,
    conversation_id uuid NOT NULL,
    account_id      text NOT NULL,
    call_id         text NOT NULL
);
CREATE INDEX awaited_ends_by_conversation ON awaited_ends (conversation_id);
SELECT guard_rows('awaited_ends', 'account_id');

-- What automations count that fire for several. One row for each that was counted, until nothing that may still come in could be
-- counted with it.
CREATE TABLE counted (
    conversation_id uuid        NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    automation      text        NOT NULL,
    account_id      text        NOT NULL,
    key             bytea       NOT NULL, -- HMAC of account, automation and what it is counted by, under the key of erasure_keys
    at              timestamptz NOT NULL, -- when it happened
    fired_from      timestamptz,          -- when the first and the last of those happened with which the automation fired;
    fired_to        timestamptz,          -- null: it has not yet
    keep_until      timestamptz NOT NULL,
    PRIMARY KEY (conversation_id, automation)
);
CREATE INDEX counted_by_key ON counted (key, at);
CREATE INDEX counted_by_age ON counted (keep_until);
SELECT guard_rows('counted', 'account_id');

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION known_reason(code text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT code IN (
        'disabled', 'muted', 'wrong_event', 'wrong_attempt', 'filtered_status', 'filtered_direction', 'filtered_channel',
        'filtered_agent', 'filtered_time', 'filtered_metadata', 'too_short', 'no_transcript', 'too_few', 'already_fired',
        'always', 'fired', 'condition_not_met', 'unsure', 'evidence_not_found', 'wrong_speaker',
        'model_unavailable', 'model_refused', 'answer_invalid', 'budget_exceeded', 'work_failed',
        'condition_false', 'required_variable_missing', 'variable_missing_for_customer', 'recipients_empty',
        'recipient_invalid', 'recipient_not_allowed', 'premium_number', 'opted_out', 'bounced', 'sender_not_allowed', 'text_too_long',
        'render_failed', 'waiting', 'outside_window', 'too_late', 'test_call', 'breaker_open', 'sent_before', 'perhaps_sent_before')
$$;
-- +goose StatementEnd

-- +goose Down
UPDATE decisions SET reason = 'wrong_event' WHERE reason IN ('wrong_attempt', 'too_few', 'already_fired');
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION known_reason(code text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT code IN (
        'disabled', 'muted', 'wrong_event', 'filtered_status', 'filtered_direction', 'filtered_channel',
        'filtered_agent', 'filtered_time', 'filtered_metadata', 'too_short', 'no_transcript',
        'always', 'fired', 'condition_not_met', 'unsure', 'evidence_not_found', 'wrong_speaker',
        'model_unavailable', 'model_refused', 'answer_invalid', 'budget_exceeded', 'work_failed',
        'condition_false', 'required_variable_missing', 'variable_missing_for_customer', 'recipients_empty',
        'recipient_invalid', 'recipient_not_allowed', 'premium_number', 'opted_out', 'bounced', 'sender_not_allowed', 'text_too_long',
        'render_failed', 'waiting', 'outside_window', 'too_late', 'test_call', 'breaker_open', 'sent_before', 'perhaps_sent_before')
$$;
-- +goose StatementEnd
DROP TABLE counted;
DROP TABLE awaited_ends;
DROP TABLE beside_calls;
