-- name: EnsureAccount :exec
INSERT INTO accounts (id) VALUES (@account_id) ON CONFLICT (id) DO NOTHING;

-- name: InsertRevision :many
-- Nothing is returned if the account has a revision with this digest.
INSERT INTO revisions (id, account_id, digest, format, files, created_by)
VALUES (@id, @account_id, @digest, @format, @files, @created_by)
ON CONFLICT (account_id, digest) DO NOTHING
RETURNING id;

-- name: RevisionByDigest :one
SELECT id FROM revisions WHERE account_id = @account_id AND digest = @digest;

-- name: Revision :one
SELECT id, account_id, digest, format, files, created_at FROM revisions WHERE id = @id;

-- name: LockAccount :one
SELECT id FROM accounts WHERE id = @account_id FOR NO KEY UPDATE;

-- name: ActiveRevision :many
SELECT revision_id FROM active_revisions WHERE account_id = @account_id;

-- name: SetActiveRevision :exec
INSERT INTO active_revisions (account_id, revision_id, activated_by)
VALUES (@account_id, @revision_id, @activated_by)
ON CONFLICT (account_id) DO UPDATE
SET revision_id = excluded.revision_id, activated_by = excluded.activated_by, activated_at = now();

-- name: LogActivation :exec
INSERT INTO activations (account_id, revision_id, activated_by) VALUES (@account_id, @revision_id, @activated_by);

-- name: ForeignSources :many
-- Source ids that belong to another account.
SELECT source_id FROM sources
WHERE source_id = ANY(@source_ids::text[]) AND account_id <> @account_id
ORDER BY source_id;

-- name: DropSources :exec
DELETE FROM sources WHERE account_id = @account_id AND source_id <> ALL(@source_ids::text[]);

-- name: AddSources :exec
-- A source id that another account has is left as it is; the caller looks afterwards.
INSERT INTO sources (source_id, account_id)
SELECT s.source_id, @account_id::text FROM unnest(@source_ids::text[]) AS s (source_id) ORDER BY s.source_id
ON CONFLICT (source_id) DO NOTHING;

-- name: AnnounceActivation :exec
SELECT pg_notify('aftercall_activations', @account_id::text);

-- name: ActiveRevisions :many
SELECT a.account_id, a.revision_id, r.digest, a.activated_at, a.activated_by
FROM active_revisions AS a JOIN revisions AS r ON r.id = a.revision_id AND r.account_id = a.account_id
ORDER BY a.account_id;

-- name: InsertKey :exec
INSERT INTO api_keys (id, account_id, name, prefix, hash) VALUES (@id, @account_id, @name, @prefix, @hash);

-- name: KeyAccount :one
SELECT account_id FROM api_keys WHERE hash = @hash AND revoked_at IS NULL;
