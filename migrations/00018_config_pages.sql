-- Which revision of each account a worker knows as the active one, so that it can be seen whether all have taken a new one.
-- A version that does not know the column leaves it empty: it says nothing.

-- +goose Up
ALTER TABLE workers ADD COLUMN revisions jsonb NOT NULL DEFAULT '{}'; -- account → id of the revision

-- +goose Down
ALTER TABLE workers DROP COLUMN revisions;
