-- Messages to a customer whose words read like instructions to a machine are held, for a reason of their own and with a list of their own.
-- The index holds those alone, and is built while calls come in; the step may be taken again where it was broken off.

-- +goose NO TRANSACTION
-- +goose Up
-- What a build that was broken off has left is good for nothing.
-- +goose StatementBegin
DO $$
BEGIN
    IF EXISTS (SELECT 1 FROM pg_index WHERE NOT indisvalid AND indexrelid = to_regclass('deliveries_suspicious')) THEN
        DROP INDEX deliveries_suspicious;
    END IF;
END $$;
-- +goose StatementEnd
SET lock_timeout = '1min'; -- for nobody waits behind it
CREATE INDEX CONCURRENTLY IF NOT EXISTS deliveries_suspicious ON deliveries (account_id, conversation_id)
    WHERE state = 'held' AND reason = 'suspicious' AND NOT test;
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION known_reason(code text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT code IN (
        'disabled', 'muted', 'wrong_event', 'wrong_attempt', 'filtered_status', 'filtered_direction', 'filtered_channel',
        'filtered_agent', 'filtered_time', 'filtered_metadata', 'too_short', 'no_transcript', 'too_few', 'already_fired',
        'always', 'fired', 'condition_not_met', 'unsure', 'evidence_not_found', 'wrong_speaker',
        'model_unavailable', 'model_refused', 'answer_invalid', 'budget_exceeded', 'work_failed',
        'condition_false', 'required_variable_missing', 'variable_missing_for_customer', 'recipients_empty',
        'recipient_invalid', 'recipient_not_allowed', 'premium_number', 'opted_out', 'bounced', 'sender_not_allowed', 'text_too_long', 'suspicious',
        'render_failed', 'waiting', 'outside_window', 'too_late', 'test_call', 'breaker_open', 'sent_before', 'perhaps_sent_before')
$$;
-- +goose StatementEnd

-- +goose Down
UPDATE deliveries SET reason = 'text_too_long' WHERE reason = 'suspicious';
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
DROP INDEX CONCURRENTLY IF EXISTS deliveries_suspicious;
