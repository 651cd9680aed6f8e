-- The conservation rules of the ledger: each query returns the ids of what breaks one. They read whole tables; the audit
-- is asked for by a person, never by a page.

-- name: AuditConversationWithoutEvent :many
SELECT c.id::text FROM conversations AS c
WHERE NOT EXISTS (SELECT 1 FROM events AS e WHERE e.conversation_id = c.id)
LIMIT @most::integer;

-- name: AuditEventOfForeignAccount :many
SELECT e.id::text FROM events AS e JOIN conversations AS c ON c.id = e.conversation_id
WHERE c.account_id <> e.account_id
LIMIT @most::integer;

-- name: AuditOwnerless :many
-- What the foreign keys would say that the ledger does without (migrations/00008). A delivery without its decision is
-- looked for below.
SELECT d.conversation_id::text FROM decisions AS d
WHERE NOT EXISTS (SELECT 1 FROM conversations AS c WHERE c.id = d.conversation_id)
UNION
SELECT v.conversation_id::text FROM variable_values AS v
WHERE NOT EXISTS (SELECT 1 FROM conversations AS c WHERE c.id = v.conversation_id)
UNION
SELECT a.delivery_id::text FROM attempts AS a
WHERE NOT EXISTS (SELECT 1 FROM deliveries AS d WHERE d.id = a.delivery_id)
LIMIT @most::integer;

-- name: AuditDecidedButWaiting :many
SELECT DISTINCT c.id::text FROM conversations AS c JOIN decisions AS d ON d.conversation_id = c.id AND d.run = c.run
WHERE c.state = 'decided' AND d.verdict = 'waiting'
LIMIT @most::integer;

-- name: AuditWaitingForNothing :many
SELECT c.id::text FROM conversations AS c
WHERE c.state = 'waiting'
  AND NOT EXISTS (SELECT 1 FROM decisions AS d
                  WHERE d.conversation_id = c.id AND d.run = c.run AND d.verdict = 'waiting')
LIMIT @most::integer;

-- name: AuditDecidedBeforeItsPlan :many
SELECT DISTINCT c.id::text FROM conversations AS c JOIN decisions AS d ON d.conversation_id = c.id
WHERE c.state = 'accepted' AND d.run = c.run
LIMIT @most::integer;

-- name: AuditActionsWithoutDelivery :many
SELECT DISTINCT d.conversation_id::text FROM decisions AS d
WHERE d.verdict = 'fires'
  AND d.actions > (SELECT count(DISTINCT x.action) FROM deliveries AS x
                   WHERE x.conversation_id = d.conversation_id AND x.run = d.run AND x.automation = d.automation)
LIMIT @most::integer;

-- name: AuditDeliveryWithoutDecision :many
SELECT x.id::text FROM deliveries AS x
WHERE NOT EXISTS (SELECT 1 FROM decisions AS d
                  WHERE d.conversation_id = x.conversation_id AND d.run = x.run AND d.automation = x.automation
                    AND d.verdict = 'fires')
LIMIT @most::integer;

-- name: AuditForeignAccount :many
SELECT x.id::text FROM deliveries AS x JOIN conversations AS c ON c.id = x.conversation_id
WHERE c.account_id <> x.account_id
   OR EXISTS (SELECT 1 FROM attempts AS a WHERE a.delivery_id = x.id AND a.account_id <> x.account_id)
LIMIT @most::integer;

-- name: AuditSentWithoutReceipt :many
SELECT d.id::text FROM deliveries AS d
WHERE d.state IN ('sent', 'delivered') AND d.channel <> 'task'
  AND (SELECT count(*) FROM attempts AS a WHERE a.delivery_id = d.id AND a.state = 'sent') <> 1
LIMIT @most::integer;

-- name: AuditReceiptWithoutSent :many
SELECT d.id::text FROM deliveries AS d
WHERE d.state NOT IN ('sent', 'delivered')
  AND EXISTS (SELECT 1 FROM attempts AS a WHERE a.delivery_id = d.id AND a.state = 'sent')
LIMIT @most::integer;

-- name: AuditSentTwice :many
SELECT a.delivery_id::text FROM attempts AS a
WHERE a.state IN ('sent', 'unknown')
GROUP BY a.delivery_id HAVING count(*) > 1
LIMIT @most::integer;

-- name: AuditUnknownWithoutAttempt :many
SELECT d.id::text FROM deliveries AS d
WHERE d.state = 'unknown'
  AND NOT EXISTS (SELECT 1 FROM attempts AS a
                  WHERE a.delivery_id = d.id AND a.attempt = d.attempt AND a.state = 'unknown')
LIMIT @most::integer;

-- name: AuditAttemptsMiscounted :many
-- Every claim ends in one attempt; only the one under way has none yet.
SELECT d.id::text FROM deliveries AS d
LEFT JOIN (SELECT a.delivery_id, count(*) AS tries, max(a.attempt) AS latest
           FROM attempts AS a GROUP BY a.delivery_id) AS t ON t.delivery_id = d.id
WHERE coalesce(t.tries, 0) <> d.attempt - (d.state = 'sending')::integer OR coalesce(t.latest, 0) > d.attempt
LIMIT @most::integer;

-- name: AuditDoubledKey :many
SELECT min(d.id::text)::text FROM deliveries AS d
WHERE d.resend_of IS NULL
GROUP BY d.conversation_id, d.run, d.automation, d.action, d.recipient HAVING count(*) > 1
LIMIT @most::integer;

-- name: AuditResendOfAnotherKey :many
SELECT d.id::text FROM deliveries AS d JOIN deliveries AS o ON o.id = d.resend_of
WHERE (o.conversation_id, o.automation, o.action, o.recipient)
      IS DISTINCT FROM (d.conversation_id, d.automation, d.action, d.recipient)
LIMIT @most::integer;

-- name: AuditHeldWithoutReason :many
SELECT d.id::text FROM deliveries AS d
WHERE d.state IN ('held', 'skipped') AND d.reason = ''
LIMIT @most::integer;

-- name: AuditTaskWithoutRow :many
SELECT d.id::text FROM deliveries AS d
WHERE d.channel = 'task' AND d.state IN ('sent', 'delivered') AND d.resend_of IS NULL
  AND NOT EXISTS (SELECT 1 FROM tasks AS t
                  WHERE t.conversation_id = d.conversation_id AND t.run = d.run AND t.automation = d.automation
                    AND t.action = d.action)
LIMIT @most::integer;

-- name: AuditRowWithoutTask :many
SELECT t.id::text FROM tasks AS t
WHERE NOT EXISTS (SELECT 1 FROM deliveries AS d
                  WHERE d.conversation_id = t.conversation_id AND d.run = t.run AND d.automation = t.automation
                    AND d.action = t.action AND d.channel = 'task' AND d.state IN ('sent', 'delivered'))
LIMIT @most::integer;

-- name: AuditAlertMissing :many
SELECT d.id::text FROM deliveries AS d
WHERE d.channel = 'team_alert' AND d.state IN ('sent', 'delivered') AND d.provider <> 'capture'
  AND NOT EXISTS (SELECT 1 FROM alerts AS a WHERE a.delivery_id = d.id)
LIMIT @most::integer;

-- name: AuditAlertOfNothing :many
SELECT a.id::text FROM alerts AS a JOIN deliveries AS d ON d.id = a.delivery_id
WHERE d.channel <> 'team_alert' OR d.state IN ('planned', 'held', 'skipped', 'cancelled')
LIMIT @most::integer;

-- name: AuditCaptureMissing :many
SELECT d.id::text FROM deliveries AS d
WHERE d.state IN ('sent', 'delivered') AND d.provider = 'capture'
  AND NOT EXISTS (SELECT 1 FROM captured AS m WHERE m.delivery_id = d.id)
LIMIT @most::integer;

-- name: AuditCaptureOfSent :many
SELECT m.id::text FROM captured AS m JOIN deliveries AS d ON d.id = m.delivery_id
WHERE (d.state IN ('sent', 'delivered') AND d.provider <> 'capture')
   OR d.state IN ('planned', 'held', 'skipped', 'cancelled')
LIMIT @most::integer;

-- name: AuditTally :one
SELECT (SELECT count(*) FROM events)::integer AS events,
       (SELECT count(*) FROM conversations)::integer AS conversations,
       (SELECT count(*) FROM conversations WHERE state <> 'decided')::integer AS undecided,
       (SELECT count(*) FROM decisions)::integer AS decisions,
       (SELECT count(*) FROM decisions WHERE verdict = 'fires')::integer AS fired,
       (SELECT count(*) FROM tasks)::integer AS tasks,
       (SELECT count(*) FROM alerts)::integer AS alerts,
       (SELECT count(*) FROM interviews)::integer AS calls,
       (SELECT count(*) FROM interviews WHERE simulated)::integer AS simulated_calls,
       (SELECT count(*) FROM deliveries AS d
        WHERE d.state = 'sending'
          AND NOT EXISTS (SELECT 1 FROM workers AS w
                          WHERE w.id = d.worker_id AND w.beat_at > now() - @lease::interval))::integer AS orphaned;

-- name: AuditDeliveries :many
SELECT state, count(*)::integer AS count FROM deliveries GROUP BY state ORDER BY state;
