-- name: Tell :exec
-- Each payload names an account_id. It is never part of another transaction: commits that notify wait for each other.
SELECT pg_notify('aftercall_live', told.payload) FROM unnest(@payloads::text[]) AS told (payload);
