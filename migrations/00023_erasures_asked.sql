-- Programs ask for an erasure, and a worker does it. Until it is done its row says what is to be erased; then that goes, too,
-- for it may be a number or an address. An older version asks for none, and leaves those that are there to newer workers.

-- +goose Up
ALTER TABLE erasures
    ADD COLUMN wish      jsonb,   -- what is to be erased; NULL when it is, and where nobody waits for a worker
    ADD COLUMN person_id uuid,    -- of whoever asked: the key's
    ADD COLUMN found     integer; -- conversations when it was asked for

ALTER TABLE api_keys DROP CONSTRAINT api_keys_scopes_check;
ALTER TABLE api_keys ADD CONSTRAINT api_keys_scopes_check
    CHECK (cardinality(scopes) > 0 AND scopes <@ ARRAY['post', 'read', 'tasks', 'operate', 'erase']) NOT VALID;

-- +goose Down
UPDATE api_keys SET revoked_at = coalesce(revoked_at, now()), scopes = '{post}' WHERE scopes = '{erase}';
UPDATE api_keys SET scopes = array_remove(scopes, 'erase') WHERE 'erase' = ANY (scopes);
ALTER TABLE api_keys DROP CONSTRAINT api_keys_scopes_check;
ALTER TABLE api_keys ADD CONSTRAINT api_keys_scopes_check
    CHECK (cardinality(scopes) > 0 AND scopes <@ ARRAY['post', 'read', 'tasks', 'operate']) NOT VALID;
ALTER TABLE erasures DROP COLUMN found, DROP COLUMN person_id, DROP COLUMN wish;
