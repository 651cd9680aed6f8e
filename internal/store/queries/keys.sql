-- API keys: only their beginning and their hash are kept, and the pages see no hash.

-- name: InsertKey :exec
INSERT INTO api_keys (id, account_id, name, prefix, hash, scopes) VALUES (@id, @account_id, @name, @prefix, @hash, @scopes);

-- name: FindKey :one
SELECT id, account_id, name, prefix, scopes FROM api_keys WHERE hash = @hash AND revoked_at IS NULL;

-- name: ListKeys :many
-- Those that open something first, each kind the newest first.
SELECT id, account_id, name, prefix, scopes, created_at, revoked_at FROM api_keys
WHERE @every::boolean OR account_id = ANY(@account_ids::text[])
ORDER BY revoked_at IS NOT NULL, id DESC LIMIT @most::integer;

-- name: RevokeKey :execrows
UPDATE api_keys SET revoked_at = now() WHERE id = @id AND account_id = @account_id AND revoked_at IS NULL;

-- name: ClaimAnswer :execrows
INSERT INTO idempotent_answers (key_id, token, account_id, request) VALUES (@key_id, @token, @account_id, @request)
ON CONFLICT (key_id, token) DO NOTHING;

-- name: FindAnswer :one
SELECT request, status, body, created_at FROM idempotent_answers
WHERE key_id = @key_id AND token = @token AND account_id = @account_id;

-- name: KeepAnswer :exec
UPDATE idempotent_answers SET status = @status, body = @body
WHERE key_id = @key_id AND token = @token AND account_id = @account_id;

-- name: ForgetAnswer :exec
DELETE FROM idempotent_answers WHERE key_id = @key_id AND token = @token AND account_id = @account_id AND status = 0;

-- name: DropOldAnswers :execrows
DELETE FROM idempotent_answers
WHERE (key_id, token) IN (SELECT a.key_id, a.token FROM idempotent_answers AS a
                          WHERE a.created_at < @before::timestamptz ORDER BY a.created_at LIMIT @most::integer FOR UPDATE SKIP LOCKED);
