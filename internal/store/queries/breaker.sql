-- What each automation does by the hour, and what keeps one from going on.

-- name: CountDecisions :many
-- Adds to the row of the hour that this process has to itself. Of what fired it returns what had fired in the hour before this statement,
-- by every process, and whether a breaker is open.
WITH told AS (
    SELECT unnest(@account_ids::text[]) AS account_id, unnest(@automations::text[]) AS automation,
           unnest(@evaluated::bigint[]) AS evaluated, unnest(@fired::bigint[]) AS fired, unnest(@unsure::bigint[]) AS unsure,
           unnest(@held::bigint[]) AS held, unnest(@failed::bigint[]) AS failed
), counted AS (
    INSERT INTO automation_hours AS h (account_id, automation, hour, lane, evaluated, fired, unsure, held, failed)
    SELECT t.account_id, t.automation, date_trunc('hour', now()), @lane::smallint, t.evaluated, t.fired, t.unsure, t.held, t.failed
    FROM told AS t ORDER BY t.account_id, t.automation
    ON CONFLICT (account_id, automation, hour, lane) DO UPDATE
    SET evaluated = h.evaluated + excluded.evaluated, fired = h.fired + excluded.fired, unsure = h.unsure + excluded.unsure,
        held = h.held + excluded.held, failed = h.failed + excluded.failed
)
SELECT t.account_id::text AS account_id, t.automation::text AS automation,
       coalesce((SELECT sum(h.fired) FROM automation_hours AS h
                 WHERE h.account_id = t.account_id AND h.automation = t.automation AND h.hour = date_trunc('hour', now())), 0)::bigint AS fired,
       coalesce(b.closed_at IS NULL AND (b.until IS NULL OR b.until > now()) AND b.opened_at IS NOT NULL, false)::boolean AS open,
       coalesce(CASE WHEN b.spared_hour = date_trunc('hour', now()) THEN b.spared END, 0)::bigint AS spared
FROM told AS t LEFT JOIN breakers AS b ON b.account_id = t.account_id AND b.automation = t.automation
WHERE t.fired > 0;

-- name: CountToday :many
-- One row for every process, so that the limit holds to the call: whoever comes second waits for the first to commit.
INSERT INTO automation_days AS d (account_id, automation, day, fired)
SELECT n.account_id, n.automation, n.day, n.fired
FROM (SELECT unnest(@account_ids::text[]) AS account_id, unnest(@automations::text[]) AS automation,
             unnest(@days::text[])::date AS day, unnest(@fired::bigint[]) AS fired) AS n
ORDER BY n.account_id, n.automation
ON CONFLICT (account_id, automation, day) DO UPDATE SET fired = d.fired + excluded.fired
RETURNING d.account_id, d.automation, d.fired, d.spared;

-- name: CountStopped :exec
UPDATE automation_hours AS h SET stopped = h.stopped + n.stopped
FROM (SELECT unnest(@account_ids::text[]) AS account_id, unnest(@automations::text[]) AS automation,
             unnest(@stopped::bigint[]) AS stopped) AS n
WHERE h.account_id = n.account_id AND h.automation = n.automation AND h.hour = date_trunc('hour', now()) AND h.lane = @lane::smallint;

-- name: OpenBreakers :many
-- Returned are those that were not open; of two processes that open one the second waits, and opens nothing.
INSERT INTO breakers AS b (account_id, automation, cause, fired, allowed, until)
SELECT n.account_id, n.automation, n.cause, n.fired, n.allowed, nullif(n.until, '0001-01-01 00:00:00+00')
FROM (SELECT unnest(@account_ids::text[]) AS account_id, unnest(@automations::text[]) AS automation, unnest(@causes::text[]) AS cause,
             unnest(@fired::bigint[]) AS fired, unnest(@allowed::bigint[]) AS allowed, unnest(@untils::timestamptz[]) AS until) AS n
ORDER BY n.account_id, n.automation
ON CONFLICT (account_id, automation) DO UPDATE
SET cause = excluded.cause, fired = excluded.fired, allowed = excluded.allowed, until = excluded.until, opened_at = now(), closed_at = NULL
WHERE b.closed_at IS NOT NULL OR b.until <= now()
RETURNING b.account_id, b.automation;

-- name: SpareToday :exec
-- What has fired today is not counted any more. Before CloseBreaker, in the order in which plans take these rows.
UPDATE automation_days SET spared = fired
WHERE account_id = @account_id AND automation = @automation AND day >= now()::date - 1;

-- name: CloseBreaker :execrows
UPDATE breakers AS b
SET closed_at = now(), spared_hour = date_trunc('hour', now()),
    spared = coalesce((SELECT sum(h.fired) FROM automation_hours AS h
                       WHERE h.account_id = @account_id AND h.automation = @automation AND h.hour = date_trunc('hour', now())), 0)
WHERE b.account_id = @account_id AND b.automation = @automation AND b.closed_at IS NULL AND (b.until IS NULL OR b.until > now());

-- name: ListBreakers :many
-- Those that are open, and those that closed by themselves and left something held.
SELECT b.account_id, b.automation, b.cause, b.fired, b.allowed, b.opened_at, b.until,
       (b.closed_at IS NULL AND (b.until IS NULL OR b.until > now()))::boolean AS open, s.some AS stopped,
       s.since::timestamptz AS held_since
FROM breakers AS b CROSS JOIN LATERAL (
    SELECT count(*)::integer AS some, coalesce(min(few.created_at), '0001-01-01 00:00:00+00') AS since FROM (
        SELECT d.created_at FROM deliveries AS d
        WHERE d.account_id = b.account_id AND d.automation = b.automation AND d.state = 'held' AND d.reason = 'breaker_open'
        ORDER BY d.id LIMIT @most_held::integer) AS few) AS s
WHERE (@every::boolean OR b.account_id = ANY(@account_ids::text[]))
  AND (b.closed_at IS NULL AND (b.until IS NULL OR b.until > now()) OR s.some > 0)
ORDER BY b.opened_at DESC LIMIT @most::integer;

-- name: BusiestHours :many
-- Of complete hours in the last seven days, what went past the breaker; nothing of what is known for less than a day.
SELECT a.automation::text AS automation, w.busiest::bigint AS busiest
FROM unnest(@automations::text[]) AS a (automation) CROSS JOIN LATERAL (
    SELECT max(t.fired) AS busiest, min(t.hour) AS since
    FROM (SELECT h.hour, sum(h.fired - h.stopped) AS fired FROM automation_hours AS h
          WHERE h.account_id = @account_id AND h.automation = a.automation
            AND h.hour >= now() - interval '7 days' AND h.hour < date_trunc('hour', now())
          GROUP BY h.hour) AS t) AS w
WHERE w.since <= now() - interval '1 day';

-- name: SetMute :exec
INSERT INTO mutes (account_id, automation, until, reason, muted_by)
VALUES (@account_id, @automation, @until, @reason, @muted_by)
ON CONFLICT (account_id, automation) DO UPDATE
SET until = excluded.until, reason = excluded.reason, muted_by = excluded.muted_by, muted_at = now();

-- name: DropMute :execrows
DELETE FROM mutes WHERE account_id = @account_id AND automation = @automation AND until > now();

-- name: ListMutes :many
SELECT account_id, automation, until, reason, muted_by, muted_at FROM mutes
WHERE until > now() AND (@every::boolean OR account_id = ANY(@account_ids::text[]))
ORDER BY account_id, automation;

-- name: AddTokens :exec
INSERT INTO token_hours AS h (account_id, hour, automation, model, lane, tokens_in, tokens_cached, tokens_out)
SELECT n.account_id, date_trunc('hour', now()), n.automation, n.model, @lane::smallint, n.tokens_in, n.tokens_cached, n.tokens_out
FROM (SELECT unnest(@account_ids::text[]) AS account_id, unnest(@automations::text[]) AS automation, unnest(@models::text[]) AS model,
             unnest(@tokens_in::bigint[]) AS tokens_in, unnest(@tokens_cached::bigint[]) AS tokens_cached,
             unnest(@tokens_out::bigint[]) AS tokens_out) AS n
ORDER BY n.account_id, n.automation, n.model
ON CONFLICT (account_id, hour, automation, model, lane) DO UPDATE
SET tokens_in = h.tokens_in + excluded.tokens_in, tokens_cached = h.tokens_cached + excluded.tokens_cached,
    tokens_out = h.tokens_out + excluded.tokens_out;
