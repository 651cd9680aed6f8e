-- name: LockSpending :many
-- In one order for everybody. Every reservation a live process made is settled within its job's time; one that stands
-- longer than that belongs to a process that died (see stale).
SELECT s.account_id, s.day::text AS day, s.spent, s.reserved, s.warned_limit, s.stopped_limit,
       (s.reserved_at < now() - interval '3 minutes')::boolean AS stale
FROM spending AS s
WHERE (s.account_id, s.day) IN (SELECT unnest(@account_ids::text[]), unnest(@days::text[])::date)
ORDER BY s.account_id, s.day
FOR NO KEY UPDATE OF s;

-- name: BeginSpending :exec
-- The first call of an account's day.
INSERT INTO spending (account_id, day)
SELECT DISTINCT n.account_id, n.day
FROM (SELECT unnest(@account_ids::text[]) AS account_id, unnest(@days::text[])::date AS day) AS n
ORDER BY n.account_id, n.day
ON CONFLICT (account_id, day) DO NOTHING;

-- name: UpdateSpending :exec
UPDATE spending AS s
SET spent = n.spent, reserved = n.reserved,
    reserved_at = CASE WHEN n.granted THEN now() ELSE s.reserved_at END,
    warned_at = CASE WHEN n.warned_limit > s.warned_limit THEN now() ELSE s.warned_at END, warned_limit = n.warned_limit,
    stopped_at = CASE WHEN n.stopped_limit > s.stopped_limit THEN now() ELSE s.stopped_at END, stopped_limit = n.stopped_limit
FROM (SELECT unnest(@account_ids::text[]) AS account_id, unnest(@days::text[])::date AS day, unnest(@spents::bigint[]) AS spent,
             unnest(@reserveds::bigint[]) AS reserved, unnest(@granteds::boolean[]) AS granted,
             unnest(@warned_limits::bigint[]) AS warned_limit, unnest(@stopped_limits::bigint[]) AS stopped_limit) AS n
WHERE s.account_id = n.account_id AND s.day = n.day;

-- name: StoppedSpending :many
-- Of the last two days, because "today" is another day in another zone.
SELECT account_id, day::text AS day, spent, stopped_at::timestamptz AS stopped_at, stopped_limit
FROM spending
WHERE stopped_at > now() - interval '2 days' AND (@every::boolean OR account_id = ANY(@account_ids::text[]))
ORDER BY stopped_at DESC
LIMIT @most;
