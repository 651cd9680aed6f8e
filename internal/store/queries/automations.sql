-- What the pages about automations and usage read: sums of the hours, and the newest decisions of one automation.

-- name: AutomationSums :many
-- The hours of each automation are walked once.
SELECT a.automation::text AS automation, w.evaluated, w.fired, w.unsure, w.held, w.failed, w.stopped, w.fired_before, w.fired_day,
       m.marked, m.wrong,
       coalesce(l.decided_at, '0001-01-01 00:00:00+00')::timestamptz AS last_fired_at
FROM unnest(@automations::text[]) AS a (automation)
CROSS JOIN LATERAL (
    SELECT coalesce(sum(h.evaluated) FILTER (WHERE h.hour >= @since::timestamptz), 0)::bigint AS evaluated,
           coalesce(sum(h.fired) FILTER (WHERE h.hour >= @since::timestamptz), 0)::bigint AS fired,
           coalesce(sum(h.unsure) FILTER (WHERE h.hour >= @since::timestamptz), 0)::bigint AS unsure,
           coalesce(sum(h.held) FILTER (WHERE h.hour >= @since::timestamptz), 0)::bigint AS held,
           coalesce(sum(h.failed) FILTER (WHERE h.hour >= @since::timestamptz), 0)::bigint AS failed,
           coalesce(sum(h.stopped) FILTER (WHERE h.hour >= @since::timestamptz), 0)::bigint AS stopped,
           coalesce(sum(h.fired) FILTER (WHERE h.hour < @since::timestamptz), 0)::bigint AS fired_before,
           coalesce(sum(h.fired) FILTER (WHERE h.hour >= @day::timestamptz), 0)::bigint AS fired_day
    FROM automation_hours AS h
    WHERE h.account_id = @account_id AND h.automation = a.automation AND h.hour >= @earliest::timestamptz) AS w
CROSS JOIN LATERAL (
    SELECT count(*)::bigint AS marked, count(*) FILTER (WHERE k.wrong)::bigint AS wrong FROM marks AS k
    WHERE k.account_id = @account_id AND k.automation = a.automation AND k.marked_at >= @earliest::timestamptz) AS m
LEFT JOIN LATERAL (
    SELECT d.decided_at FROM decisions AS d
    WHERE d.account_id = @account_id AND d.automation = a.automation AND d.verdict = 'fires'
      AND (d.run = 1 OR NOT EXISTS (SELECT 1 FROM runs AS r WHERE r.conversation_id = d.conversation_id AND r.run = d.run AND r.sandbox))
    ORDER BY d.conversation_id DESC LIMIT 1) AS l ON true;

-- name: AutomationHours :many
SELECT h.hour, sum(h.evaluated)::bigint AS evaluated, sum(h.fired)::bigint AS fired, sum(h.unsure)::bigint AS unsure,
       sum(h.held)::bigint AS held, sum(h.failed)::bigint AS failed, sum(h.stopped)::bigint AS stopped
FROM automation_hours AS h
WHERE h.account_id = @account_id AND h.automation = @automation AND h.hour >= @since
GROUP BY h.hour ORDER BY h.hour;

-- name: RecentActivations :many
SELECT v.revision_id, r.digest, v.activated_at, v.activated_by, v.message
FROM activations AS v JOIN revisions AS r ON r.id = v.revision_id AND r.account_id = v.account_id
WHERE v.account_id = @account_id AND v.activated_at >= @since
ORDER BY v.id DESC LIMIT @most::integer;

-- name: FiredDecisions :many
SELECT d.conversation_id, d.run, d.verdict, d.reason, d.detail, d.evidence, d.decided_at, c.customer_name, c.customer_number,
       CASE WHEN left(c.external_id, 6) = 'event:' THEN c.status ELSE '' END::text AS event
FROM decisions AS d JOIN conversations AS c ON c.id = d.conversation_id
WHERE d.account_id = @account_id AND d.automation = @automation AND d.verdict = 'fires'
  AND (d.run = 1 OR NOT EXISTS (SELECT 1 FROM runs AS r WHERE r.conversation_id = d.conversation_id AND r.run = d.run AND r.sandbox))
ORDER BY d.conversation_id DESC LIMIT @most::integer;

-- name: NearDecisions :many
-- What the words left open, and a yes that did not hold.
SELECT d.conversation_id, d.run, d.verdict, d.reason, d.detail, d.evidence, d.decided_at, c.customer_name, c.customer_number,
       CASE WHEN left(c.external_id, 6) = 'event:' THEN c.status ELSE '' END::text AS event
FROM decisions AS d JOIN conversations AS c ON c.id = d.conversation_id
WHERE d.account_id = @account_id AND d.automation = @automation AND d.reason IN ('unsure', 'evidence_not_found', 'wrong_speaker')
  AND (d.run = 1 OR NOT EXISTS (SELECT 1 FROM runs AS r WHERE r.conversation_id = d.conversation_id AND r.run = d.run AND r.sandbox))
ORDER BY d.conversation_id DESC LIMIT @most::integer;

-- name: WrongDecisions :many
-- What people marked as wrong.
SELECT d.conversation_id, d.run, d.verdict, d.reason, k.note AS detail, d.evidence, d.decided_at, c.customer_name, c.customer_number,
       CASE WHEN left(c.external_id, 6) = 'event:' THEN c.status ELSE '' END::text AS event
FROM marks AS k
JOIN decisions AS d ON d.conversation_id = k.conversation_id AND d.run = k.run AND d.automation = k.automation
JOIN conversations AS c ON c.id = k.conversation_id
WHERE k.account_id = @account_id AND k.automation = @automation AND k.wrong
ORDER BY k.conversation_id DESC LIMIT @most::integer;

-- name: UsageOfAccount :many
-- An hour counts for the day in which it begins.
SELECT (t.hour AT TIME ZONE @zone::text)::date::text AS day, t.automation, t.model, sum(t.tokens_in)::bigint AS tokens_in,
       sum(t.tokens_cached)::bigint AS tokens_cached, sum(t.tokens_out)::bigint AS tokens_out
FROM token_hours AS t
WHERE t.account_id = @account_id AND t.hour >= @since
GROUP BY 1, t.automation, t.model ORDER BY 1, t.automation, t.model;

-- name: UsageByAccount :many
SELECT a.id AS account_id, u.model, u.tokens_in, u.tokens_cached, u.tokens_out
FROM accounts AS a CROSS JOIN LATERAL (
    SELECT t.model, sum(t.tokens_in)::bigint AS tokens_in, sum(t.tokens_cached)::bigint AS tokens_cached,
           sum(t.tokens_out)::bigint AS tokens_out
    FROM token_hours AS t WHERE t.account_id = a.id AND t.hour >= @since GROUP BY t.model) AS u
WHERE @every::boolean OR a.id = ANY(@account_ids::text[])
ORDER BY a.id, u.model;

-- name: SpentOn :many
SELECT spent, reserved FROM spending WHERE account_id = @account_id AND day = to_date(@day::text, 'YYYY-MM-DD');
