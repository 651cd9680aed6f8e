-- What waits for a person is counted for metrics, however long the ledger is.

-- +goose Up
CREATE INDEX deliveries_for_a_person ON deliveries (state) WHERE state IN ('held', 'unknown');

-- +goose Down
DROP INDEX deliveries_for_a_person;
