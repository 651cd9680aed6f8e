-- Pop-ups on their way to a softphone: whose, until when, and whether one took it. What they say stands in the delivery. They are
-- numbered in the order in which they can be seen, so that a softphone that comes back names the last one it had.

-- +goose Up
CREATE TABLE popups (
    seq         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id  text        NOT NULL,
    delivery_id uuid        NOT NULL UNIQUE REFERENCES deliveries (id) ON DELETE CASCADE,
    agent       text        NOT NULL, -- the platform's id of the agent, or the user id of a person
    until       timestamptz NOT NULL,
    taken_at    timestamptz
);
CREATE INDEX popups_by_agent ON popups (account_id, agent, until);
SELECT guard_rows('popups', 'account_id');

ALTER TABLE api_keys DROP CONSTRAINT api_keys_scopes_check;
ALTER TABLE api_keys ADD CONSTRAINT api_keys_scopes_check
    CHECK (cardinality(scopes) > 0 AND scopes <@ ARRAY['post', 'read', 'tasks', 'operate', 'erase', 'cti']) NOT VALID;

-- +goose Down
UPDATE api_keys SET revoked_at = coalesce(revoked_at, now()), scopes = CASE WHEN scopes = '{cti}' THEN '{post}' ELSE array_remove(scopes, 'cti') END
WHERE 'cti' = ANY(scopes);
ALTER TABLE api_keys DROP CONSTRAINT api_keys_scopes_check;
ALTER TABLE api_keys ADD CONSTRAINT api_keys_scopes_check
    CHECK (cardinality(scopes) > 0 AND scopes <@ ARRAY['post', 'read', 'tasks', 'operate', 'erase']) NOT VALID;
DROP TABLE popups;
