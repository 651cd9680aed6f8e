-- Erasures that a worker is to do are looked for with each sweep, and the oldest of them by the metrics. Built while calls come in,
-- as in step 20.

-- +goose NO TRANSACTION
-- +goose Up
-- What a build that was broken off has left is good for nothing.
-- +goose StatementBegin
DO $$
DECLARE
    broken regclass;
BEGIN
    FOR broken IN SELECT indexrelid FROM pg_index WHERE NOT indisvalid AND indrelid = 'erasures'::regclass LOOP
        EXECUTE format('DROP INDEX %s', broken);
    END LOOP;
END $$;
-- +goose StatementEnd
SET lock_timeout = '1min'; -- for nobody waits behind this
CREATE INDEX CONCURRENTLY IF NOT EXISTS erasures_waiting ON erasures (began_at) WHERE wish IS NOT NULL;
RESET lock_timeout;

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS erasures_waiting;
