-- A later run leaves out what is possibly the same message as one of an earlier run. A version that does not know of it prints
-- the bare word.

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
        'too_late', 'test_call', 'breaker_open', 'sent_before', 'perhaps_sent_before')
$$;
-- +goose StatementEnd

-- +goose Down
UPDATE deliveries SET reason = 'sent_before' WHERE reason = 'perhaps_sent_before';
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
