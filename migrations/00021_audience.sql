-- Team alerts by whom they are for, so that whoever reads those to everybody and their own finds the newest however many went to
-- others. Built while alerts come in, as in step 20.

-- +goose NO TRANSACTION
-- +goose Up
-- +goose StatementBegin
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_index WHERE NOT indisvalid AND indexrelid = to_regclass('alerts_by_audience')) THEN
        DROP INDEX alerts_by_audience; -- a build that was broken off
    END IF;
END $$;
-- +goose StatementEnd
SET lock_timeout = '1min';
CREATE INDEX CONCURRENTLY IF NOT EXISTS alerts_by_audience ON alerts (account_id, audience, id);
RESET lock_timeout;

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS alerts_by_audience;
