-- What waits for the end of a call is found by the call that came in. Built while calls come in, as in step 20.

-- +goose NO TRANSACTION
-- +goose Up
-- What a build that was broken off has left is good for nothing.
-- +goose StatementBegin
DO $$
DECLARE
    broken regclass;
BEGIN
    FOR broken IN SELECT indexrelid FROM pg_index WHERE NOT indisvalid AND indrelid = 'awaited_ends'::regclass LOOP
        EXECUTE format('DROP INDEX %s', broken);
    END LOOP;
END $$;
-- +goose StatementEnd
SET lock_timeout = '1min'; -- for nobody waits behind this
CREATE INDEX CONCURRENTLY IF NOT EXISTS awaited_ends_by_call ON awaited_ends (account_id, call_id, delivery_id);
RESET lock_timeout;

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS awaited_ends_by_call;
