-- Events that are decided as conversations of their own are looked through when a customer is erased: only their data may say whom
-- they are about. Built while calls come in, as in step 20.

-- +goose NO TRANSACTION
-- +goose Up
-- What a build that was broken off has left is good for nothing.
-- +goose StatementBegin
DO $$
DECLARE
    broken regclass;
BEGIN
    FOR broken IN SELECT indexrelid FROM pg_index WHERE NOT indisvalid AND indrelid = 'conversations'::regclass LOOP
        EXECUTE format('DROP INDEX %s', broken);
    END LOOP;
END $$;
-- +goose StatementEnd
SET lock_timeout = '1min'; -- for nobody waits behind this
CREATE INDEX CONCURRENTLY IF NOT EXISTS conversations_events ON conversations (account_id, id) WHERE left(external_id, 6) = 'event:';
RESET lock_timeout;

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS conversations_events;
