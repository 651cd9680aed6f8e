-- API keys: only their beginning and their hash are kept, and the pages see no hash.

-- name: InsertKey :exec
INSERT INTO api_keys (id, account_id, name, prefix, hash) VALUES (@id, @account_id, @name, @prefix, @hash);

-- name: KeyAccount :one
SELECT account_id FROM api_keys WHERE hash = @hash AND revoked_at IS NULL;

-- name: ListKeys :many
-- Those that open something first, each kind the newest first.
SELECT id, account_id, name, prefix, created_at, revoked_at FROM api_keys
WHERE @every::boolean OR account_id = ANY(@account_ids::text[])
ORDER BY revoked_at IS NOT NULL, id DESC LIMIT @most::integer;

-- name: RevokeKey :execrows
UPDATE api_keys SET revoked_at = now() WHERE id = @id AND account_id = @account_id AND revoked_at IS NULL;
