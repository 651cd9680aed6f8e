-- When each word on an address was last said, so that it does not matter in which order they are heard: an address is left out if the
-- last word that it must not be written to came after the last that it may. A row of before says it by its reason, and since.

-- +goose Up
ALTER TABLE suppressions ADD COLUMN opted_out_at timestamptz, ADD COLUMN bounced_at timestamptz, ADD COLUMN lifted_at timestamptz;

-- +goose Down
ALTER TABLE suppressions DROP COLUMN opted_out_at, DROP COLUMN bounced_at, DROP COLUMN lifted_at;
