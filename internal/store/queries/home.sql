-- name: WhichServer :one
-- The log's file name begins with its timeline. The control file has the timeline too, but tells of a failover only after
-- the next checkpoint.
SELECT s.system_identifier::bigint AS system_identifier,
       ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint AS timeline
FROM pg_control_system() AS s;

-- name: WhichTable :one
-- What every server tells everybody.
SELECT d.oid::bigint AS database_oid, 'homes'::regclass::oid::bigint AS table_oid
FROM pg_catalog.pg_database AS d WHERE d.datname = current_database();

-- name: Home :many
-- One row, or none before the first start.
SELECT system_identifier, timeline, database_oid, table_oid FROM homes;

-- name: LockHome :exec
SELECT pg_advisory_xact_lock(@key::bigint);

-- name: SetHome :exec
INSERT INTO homes (system_identifier, timeline, database_oid, table_oid, restored_at)
VALUES (@system_identifier, @timeline, @database_oid, @table_oid, CASE WHEN @restored::boolean THEN now() END)
ON CONFLICT (only_one) DO UPDATE
SET system_identifier = excluded.system_identifier, timeline = excluded.timeline, database_oid = excluded.database_oid,
    table_oid = excluded.table_oid, recorded_at = now(), restored_at = coalesce(excluded.restored_at, homes.restored_at);

-- name: LiveWorkers :many
SELECT id FROM workers WHERE beat_at > now() - @ttl::interval ORDER BY id;

-- name: DropLeases :execrows
DELETE FROM workers;

-- name: MarkUndecided :execrows
-- The original may have decided them, and sent what came of it.
UPDATE conversations SET restored = true WHERE state <> 'decided' AND NOT restored;

-- name: UnfinishedConversations :many
SELECT d.conversation_id FROM deliveries AS d WHERE d.state IN ('planned', 'retrying')
UNION
SELECT d.conversation_id FROM deliveries AS d WHERE d.state = 'sending';

-- name: DoubtRestored :execrows
-- An attempt that nobody here saw is counted, so that every doubt has the attempt that left it so. Without its claim a
-- delivery takes no word any more that nothing was sent (see RecordOutcomes): the original may have tried again since.
WITH unfinished AS (
    SELECT d.id, d.state = 'sending' AS claimed FROM deliveries AS d
    WHERE d.conversation_id = ANY(@conversation_ids::uuid[]) AND d.state IN ('planned', 'retrying', 'sending')
    ORDER BY d.id FOR UPDATE
), doubted AS (
    UPDATE deliveries AS d
    SET state = CASE d.reported WHEN '' THEN 'unknown' ELSE d.reported END, reason = '', claim_id = NULL, updated_at = now(),
        detail = CASE d.reported WHEN '' THEN 'Restored from a backup; it may have gone out after the backup was made.' ELSE d.detail END,
        attempt = CASE WHEN u.claimed THEN d.attempt ELSE d.attempt + 1 END,
        worker_id = CASE WHEN u.claimed THEN d.worker_id ELSE '' END,
        claimed_at = CASE WHEN u.claimed THEN d.claimed_at ELSE now() END
    FROM unfinished AS u WHERE d.id = u.id
    RETURNING d.id, d.attempt, d.account_id, d.worker_id, d.claimed_at, d.state
)
INSERT INTO attempts (delivery_id, attempt, account_id, worker_id, state, class, status, detail, provider, provider_id,
    started_at, finished_at)
SELECT id, attempt, account_id, worker_id, CASE state WHEN 'unknown' THEN state ELSE 'sent' END, 'restored', 0, 'The data was restored from a backup.', '', '',
       claimed_at, now()
FROM doubted;
