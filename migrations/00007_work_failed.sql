-- One more reason: the program failed each time it worked on a conversation. A version that does not know it prints the bare
-- code.

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
        'too_late', 'test_call', 'breaker_open')
$$;
-- +goose StatementEnd

-- +goose Down
-- The decision stays, for review as before, under the reason that comes nearest.
UPDATE decisions SET reason = 'answer_invalid' WHERE reason = 'work_failed';
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION known_reason(code text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
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
