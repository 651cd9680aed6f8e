-- What providers say of messages afterwards, and who is not to be written to any more.

-- +goose Up
-- What a provider reported last of a message that it had taken, which may be earlier than the sender's own word is written
-- down: '' nothing, sent (it has it), delivered, failed. A version that does not know of it leaves it alone.
ALTER TABLE deliveries ADD COLUMN reported text NOT NULL DEFAULT '', ADD COLUMN reported_at timestamptz;
ALTER TABLE deliveries ADD CONSTRAINT deliveries_reported CHECK (reported IN ('', 'sent', 'delivered', 'failed')) NOT VALID;

-- Addresses that are left out, by channel. They are known by a keyed hash, as what was erased is: nobody reads from it whose
-- number it was, and it outlives the calls.
CREATE TABLE suppressions (
    account_id text        NOT NULL REFERENCES accounts (id),
    channel    text        NOT NULL,
    address    bytea       NOT NULL, -- HMAC of account, channel and address, under the key of erasure_keys
    reason     text        NOT NULL CHECK (reason IN ('opted_out', 'bounced')),
    source     text        NOT NULL, -- who said so: the recipient, or a provider by its name
    since      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, channel, address)
);
SELECT guard_rows('suppressions', 'account_id');

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

-- +goose Down
UPDATE deliveries SET reason = 'recipient_invalid' WHERE reason IN ('premium_number', 'bounced');
UPDATE deliveries SET reason = 'recipient_not_allowed' WHERE reason = 'sender_not_allowed';
UPDATE deliveries SET reason = 'variable_missing_for_customer' WHERE reason = 'text_too_long';
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION known_reason(code text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT code IN (
        'disabled', 'muted', 'wrong_event', 'filtered_status', 'filtered_direction', 'filtered_channel',
        'filtered_agent', 'filtered_time', 'filtered_metadata', 'too_short', 'no_transcript',
        'always', 'fired', 'condition_not_met', 'unsure', 'evidence_not_found', 'wrong_speaker',
        'model_unavailable', 'model_refused', 'answer_invalid', 'budget_exceeded', 'work_failed',
        'condition_false', 'required_variable_missing', 'variable_missing_for_customer', 'recipients_empty',
        'recipient_invalid', 'recipient_not_allowed', 'opted_out', 'render_failed', 'waiting', 'outside_window',
        'too_late', 'test_call', 'breaker_open', 'sent_before', 'perhaps_sent_before')
$$;
-- +goose StatementEnd
DROP TABLE suppressions;
ALTER TABLE deliveries DROP COLUMN reported, DROP COLUMN reported_at;
