-- What waits for a person is counted for metrics, however long the ledger is.

-- +goose NO TRANSACTION
-- +goose Up
DROP INDEX CONCURRENTLY IF EXISTS deliveries_for_a_person;
CREATE INDEX CONCURRENTLY deliveries_for_a_person ON deliveries (state) WHERE state IN ('held', 'unknown');

-- +goose Down
DROP INDEX CONCURRENTLY deliveries_for_a_person;
