-- name: EnsureAccount :exec
INSERT INTO accounts (id) VALUES (@account_id) ON CONFLICT (id) DO NOTHING;

-- name: InsertRevision :many
-- Nothing is returned if the account has a revision with this digest.
INSERT INTO revisions (id, account_id, digest, format, files, created_by, message, git_sha, origin)
VALUES (@id, @account_id, @digest, @format, @files, @created_by, @message, @git_sha, @origin)
ON CONFLICT (account_id, digest) DO NOTHING
RETURNING id;

-- name: RevisionByDigest :one
SELECT id FROM revisions WHERE account_id = @account_id AND digest = @digest;

-- name: Revision :one
SELECT id, account_id, digest, format, files, created_at, message, git_sha, origin FROM revisions
WHERE id = @id AND (@every::boolean OR account_id = ANY(@account_ids::text[]));

-- name: ListRevisions :many
-- The newest first, each with the last time it was made active.
SELECT r.id, r.digest, r.format, r.message, r.git_sha, r.origin, r.created_by, r.created_at,
       EXISTS (SELECT 1 FROM active_revisions AS a WHERE a.account_id = r.account_id AND a.revision_id = r.id)::boolean AS active,
       coalesce(l.activated_at, '0001-01-01 00:00:00+00')::timestamptz AS activated_at,
       coalesce(l.activated_by, '')::text AS activated_by, coalesce(l.message, '')::text AS activation_message
FROM revisions AS r LEFT JOIN LATERAL (
    SELECT v.activated_at, v.activated_by, v.message FROM activations AS v
    WHERE v.account_id = r.account_id AND v.revision_id = r.id
    ORDER BY v.id DESC LIMIT 1) AS l ON true
WHERE r.account_id = @account_id AND r.id < @before::uuid
ORDER BY r.id DESC LIMIT @most::integer;

-- name: FindRevisions :many
-- By id, or by the beginning of the digest; an empty beginning finds nothing.
SELECT id, account_id, digest FROM revisions
WHERE (@every::boolean OR account_id = ANY(@account_ids::text[]))
  AND (id::text = @ref::text OR @prefix::text <> '' AND starts_with(digest, @prefix::text))
ORDER BY id DESC LIMIT 3;

-- name: LockAccount :one
SELECT id, authority, authority_by, authority_at FROM accounts WHERE id = @account_id FOR NO KEY UPDATE;

-- name: ListAccounts :many
SELECT id, authority, authority_by, authority_at FROM accounts
WHERE @every::boolean OR id = ANY(@account_ids::text[])
ORDER BY id;

-- name: SetAuthority :execrows
UPDATE accounts SET authority = @authority, authority_by = @authority_by, authority_at = now() WHERE id = @account_id;

-- name: ActiveRevision :many
SELECT a.revision_id, r.digest, a.activated_at, a.activated_by
FROM active_revisions AS a JOIN revisions AS r ON r.id = a.revision_id AND r.account_id = a.account_id
WHERE a.account_id = @account_id;

-- name: SetActiveRevision :exec
INSERT INTO active_revisions (account_id, revision_id, activated_by)
VALUES (@account_id, @revision_id, @activated_by)
ON CONFLICT (account_id) DO UPDATE
SET revision_id = excluded.revision_id, activated_by = excluded.activated_by, activated_at = now();

-- name: LogActivation :exec
INSERT INTO activations (account_id, revision_id, activated_by, message, origin)
VALUES (@account_id, @revision_id, @activated_by, @message, @origin);

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
WHERE @every::boolean OR a.account_id = ANY(@account_ids::text[])
ORDER BY a.account_id;

-- name: TryWatch :one
-- Held by the connection until it ends.
SELECT pg_try_advisory_lock(@kind::integer, hashtext(@account_id::text)) AS mine;

-- name: RecordConfigAttempt :exec
INSERT INTO config_attempts (account_id, folder, host, state, problems, first_problem, digest)
VALUES (@account_id, @folder, @host, @state, @problems, @first_problem, @digest)
ON CONFLICT (account_id) DO UPDATE
SET folder = excluded.folder, host = excluded.host, state = excluded.state, problems = excluded.problems,
    first_problem = excluded.first_problem, digest = excluded.digest, attempted_at = now(),
    since = CASE WHEN config_attempts.state = excluded.state THEN config_attempts.since ELSE now() END;

-- name: ConfigTroubles :many
-- Folders of which the last look was not applied, where folders count.
SELECT t.account_id, t.folder, t.host, t.state, t.problems, t.first_problem, t.digest, t.since, t.attempted_at
FROM config_attempts AS t
WHERE (@every::boolean OR t.account_id = ANY(@account_ids::text[])) AND t.state <> 'applied'
  AND NOT EXISTS (SELECT 1 FROM accounts AS a WHERE a.id = t.account_id AND a.authority = 'cli')
ORDER BY t.account_id LIMIT @most::integer;

-- name: ListActivations :many
-- What was made active when, by whom and through which door, the newest first.
SELECT v.id, v.revision_id, r.digest, v.activated_at, v.activated_by, v.message, v.origin
FROM activations AS v JOIN revisions AS r ON r.id = v.revision_id AND r.account_id = v.account_id
WHERE v.account_id = @account_id AND v.id < @before::bigint
ORDER BY v.id DESC LIMIT @most::integer;

-- name: ReadConfigAttempt :many
-- What became of the last look at the account's watched folder; none, if it has none.
SELECT t.account_id, t.folder, t.host, t.state, t.problems, t.first_problem, t.digest, t.since, t.attempted_at
FROM config_attempts AS t WHERE t.account_id = @account_id;
