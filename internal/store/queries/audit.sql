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
UNION
SELECT r.conversation_id::text FROM runs AS r
WHERE NOT EXISTS (SELECT 1 FROM conversations AS c WHERE c.id = r.conversation_id AND c.account_id = r.account_id)
UNION
SELECT m.conversation_id::text FROM marks AS m
WHERE NOT EXISTS (SELECT 1 FROM decisions AS d WHERE d.conversation_id = m.conversation_id AND d.run = m.run
                    AND d.automation = m.automation AND d.account_id = m.account_id)
UNION
SELECT s.delivery_id::text FROM settlements AS s
WHERE NOT EXISTS (SELECT 1 FROM deliveries AS d WHERE d.id = s.delivery_id AND d.account_id = s.account_id)
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
-- Where no answer was kept, the word of a person stands for it.
SELECT d.id::text FROM deliveries AS d
WHERE d.state IN ('sent', 'delivered') AND d.channel <> 'task'
  AND (SELECT count(*) FROM attempts AS a WHERE a.delivery_id = d.id AND a.state = 'sent')
      + (SELECT count(*) FROM settlements AS s WHERE s.delivery_id = d.id AND s.settled = 'sent') <> 1
LIMIT @most::integer;

-- name: AuditReceiptWithoutSent :many
-- But for what its provider lost afterwards.
SELECT d.id::text FROM deliveries AS d
WHERE d.state NOT IN ('sent', 'delivered') AND d.reported <> 'failed'
  AND EXISTS (SELECT 1 FROM attempts AS a WHERE a.delivery_id = d.id AND a.state = 'sent')
LIMIT @most::integer;

-- name: AuditReportIgnored :many
-- Nothing else says that a message was delivered, and what was reported last is where it stands.
SELECT d.id::text FROM deliveries AS d
WHERE d.reported <> '' AND d.state NOT IN ('sending', d.reported) OR d.state = 'delivered' AND d.reported <> 'delivered'
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
-- A chain has one link after another, and each was asked for by somebody.
SELECT d.id::text FROM deliveries AS d LEFT JOIN deliveries AS o ON o.id = d.resend_of
WHERE d.resend_of IS NOT NULL
  AND ((o.account_id, o.conversation_id, o.run, o.automation, o.action, o.recipient, o.channel, o.test, o.copy + 1)
       IS DISTINCT FROM (d.account_id, d.conversation_id, d.run, d.automation, d.action, d.recipient, d.channel, d.test, d.copy)
       OR o.state IN ('planned', 'sending', 'retrying', 'held')
       OR o.state = 'skipped' AND o.reason <> 'perhaps_sent_before'
       OR NOT EXISTS (SELECT 1 FROM settlements AS s WHERE s.delivery_id = o.id AND s.settled = 'resent'))
LIMIT @most::integer;

-- name: AuditSentInTwoRuns :many
-- What a later run sends must not have gone out, or perhaps have gone out, in an earlier one.
SELECT min(d.id::text)::text FROM deliveries AS d
LEFT JOIN runs AS r ON r.conversation_id = d.conversation_id AND r.run = d.run
WHERE d.resend_of IS NULL AND d.state IN ('sending', 'sent', 'delivered', 'unknown') AND NOT coalesce(r.sandbox, false)
GROUP BY d.conversation_id, d.automation, d.action, d.recipient HAVING count(*) > 1
LIMIT @most::integer;

-- name: AuditSettledByNobody :many
-- Nothing but a person moves a delivery out of a doubt that no answer has ended.
SELECT d.id::text FROM deliveries AS d
WHERE d.state NOT IN ('unknown', 'sending')
  AND EXISTS (SELECT 1 FROM attempts AS a WHERE a.delivery_id = d.id AND a.attempt = d.attempt AND a.state = 'unknown')
  AND NOT EXISTS (SELECT 1 FROM settlements AS s WHERE s.delivery_id = d.id AND s.settled IN ('sent', 'failed') AND s.person <> '')
LIMIT @most::integer;

-- name: AuditCancelledByNobody :many
SELECT d.id::text FROM deliveries AS d
WHERE d.state = 'cancelled'
  AND NOT EXISTS (SELECT 1 FROM settlements AS s
                  WHERE s.delivery_id = d.id AND s.settled IN ('cancelled', 'superseded') AND s.person <> '')
LIMIT @most::integer;

-- name: AuditTakenOverByNothing :many
-- What was cancelled because a run takes over has a line of the same action in that run.
SELECT s.delivery_id::text FROM settlements AS s JOIN deliveries AS d ON d.id = s.delivery_id
WHERE s.settled = 'superseded'
  AND NOT EXISTS (SELECT 1 FROM deliveries AS n
                  WHERE n.conversation_id = d.conversation_id AND n.run = s.run AND n.automation = d.automation
                    AND n.action = d.action)
LIMIT @most::integer;

-- name: AuditRunWithoutDecision :many
-- A run that is done decided something, unless its config decides nothing, one that is not done decided nothing, and there is no
-- later run that nobody asked for.
SELECT r.conversation_id::text FROM runs AS r
WHERE (r.state = 'done' AND r.cause <> 'replay' OR r.state <> 'done')
  AND (r.state = 'done') <> EXISTS (SELECT 1 FROM decisions AS d WHERE d.conversation_id = r.conversation_id AND d.run = r.run)
UNION
SELECT d.conversation_id::text FROM decisions AS d
WHERE d.run > 1 AND NOT EXISTS (SELECT 1 FROM runs AS r WHERE r.conversation_id = d.conversation_id AND r.run = d.run)
LIMIT @most::integer;

-- name: AuditSandboxLeaked :many
SELECT d.id::text FROM deliveries AS d JOIN runs AS r ON r.conversation_id = d.conversation_id AND r.run = d.run
WHERE r.sandbox AND (d.state <> 'skipped' AND d.state <> 'failed' AND NOT d.test
                     OR d.state IN ('sent', 'delivered') AND d.provider <> 'capture'
                        AND NOT EXISTS (SELECT 1 FROM settlements AS s WHERE s.delivery_id = d.id AND s.settled = 'sent'))
LIMIT @most::integer;

-- name: AuditReviewSettledByNothing :many
SELECT d.conversation_id::text FROM decisions AS d
WHERE (d.settled_as IS NULL) <> (d.settled_at IS NULL)
   OR d.settled_as IN ('approved', 'fixed', 'replayed')
      AND NOT EXISTS (SELECT 1 FROM decisions AS n
                      WHERE n.conversation_id = d.conversation_id AND n.run = d.settled_run AND n.automation = d.automation
                        AND (n.verdict = 'fires' OR d.settled_as = 'replayed'))
LIMIT @most::integer;

-- name: AuditBulkMiscounted :many
SELECT b.id::text FROM bulk_jobs AS b
LEFT JOIN (SELECT i.bulk_id, count(*) FILTER (WHERE i.result = 'done') AS done, count(*) FILTER (WHERE i.result = 'refused') AS refused,
                  count(*) FILTER (WHERE i.result = 'failed') AS failed
           FROM bulk_items AS i GROUP BY i.bulk_id) AS t ON t.bulk_id = b.id
WHERE (coalesce(t.done, 0), coalesce(t.refused, 0), coalesce(t.failed, 0)) <> (b.done, b.refused, b.failed)
LIMIT @most::integer;

-- name: AuditActionWithoutLine :many
-- Each change by a person stands in the audit log: settlements under the delivery, or under the call that was decided about.
SELECT s.delivery_id::text FROM settlements AS s
WHERE NOT EXISTS (SELECT 1 FROM audit_log AS l
                  WHERE l.account_id = s.account_id AND l.target IN (s.delivery_id::text, s.conversation_id::text)
                    AND l.act = CASE s.settled WHEN 'sent' THEN 'settled' WHEN 'failed' THEN 'settled' WHEN 'superseded' THEN l.act
                                               WHEN 'cancelled' THEN l.act ELSE s.settled END
                    AND l.act IN ('settled', 'resent', 'released', 'cancelled', 'dismissed', 'fixed', 'approved', 'erased'))
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
-- A task that a program wrote has no automation, and no delivery.
SELECT t.id::text FROM tasks AS t
WHERE t.automation <> '' AND NOT EXISTS (SELECT 1 FROM deliveries AS d
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
WHERE m.channel <> 'push' AND d.state IN ('sent', 'delivered') AND d.provider <> 'capture' -- a push goes beside its alert
   OR d.state IN ('planned', 'held', 'skipped', 'cancelled')
LIMIT @most::integer;

-- name: AuditErasedAndThere :many
SELECT x.id::text FROM erased_conversations AS x JOIN conversations AS c ON c.id = x.id
UNION SELECT x.id::text FROM erased_conversations AS x JOIN events AS e ON e.conversation_id = x.id
UNION SELECT x.id::text FROM erased_conversations AS x JOIN interviews AS i ON i.conversation_id = x.id
UNION SELECT x.id::text FROM erased_conversations AS x JOIN decisions AS d ON d.conversation_id = x.id
UNION SELECT x.id::text FROM erased_conversations AS x JOIN variable_values AS v ON v.conversation_id = x.id
UNION SELECT x.id::text FROM erased_conversations AS x JOIN deliveries AS d ON d.conversation_id = x.id
UNION SELECT x.id::text FROM erased_conversations AS x JOIN runs AS r ON r.conversation_id = x.id
UNION SELECT x.id::text FROM erased_conversations AS x JOIN settlements AS s ON s.conversation_id = x.id
UNION SELECT x.id::text FROM erased_conversations AS x JOIN marks AS k ON k.conversation_id = x.id
UNION SELECT x.id::text FROM erased_conversations AS x JOIN tasks AS t ON t.conversation_id = x.id
UNION SELECT x.id::text FROM erased_conversations AS x JOIN alerts AS a ON a.conversation_id = x.id
UNION SELECT x.id::text FROM erased_conversations AS x JOIN captured AS m ON m.conversation_id = x.id
LIMIT @most::integer;

-- name: AuditErasedAndForgotten :many
SELECT x.id::text FROM erased_conversations AS x
WHERE NOT EXISTS (SELECT 1 FROM erased_hashes AS h WHERE h.conversation_id = x.id)
LIMIT @most::integer;

-- name: AuditErasureMiscounted :many
SELECT e.id::text FROM erasures AS e
LEFT JOIN (SELECT x.erasure_id, count(*) AS conversations FROM erased_conversations AS x GROUP BY x.erasure_id) AS t
       ON t.erasure_id = e.id
WHERE coalesce(t.conversations, 0) <> e.conversations
LIMIT @most::integer;

-- name: AuditTally :one
SELECT (SELECT count(*) FROM events)::integer AS events,
       (SELECT count(*) FROM conversations)::integer AS conversations,
       (SELECT count(*) FROM conversations WHERE state <> 'decided')::integer AS undecided,
       (SELECT count(*) FROM decisions)::integer AS decisions,
       (SELECT count(*) FROM decisions WHERE verdict = 'fires')::integer AS fired,
       (SELECT count(*) FROM tasks)::integer AS tasks,
       (SELECT count(*) FROM alerts)::integer AS alerts,
       (SELECT count(*) FROM erased_conversations)::integer AS erased,
       (SELECT count(*) FROM interviews)::integer AS calls,
       (SELECT count(*) FROM interviews WHERE simulated)::integer AS simulated_calls,
       (SELECT count(*) FROM deliveries AS d
        WHERE d.state = 'sending'
          AND NOT EXISTS (SELECT 1 FROM workers AS w
                          WHERE w.id = d.worker_id AND w.beat_at > now() - @lease::interval))::integer AS orphaned;

-- name: AuditDeliveries :many
SELECT state, count(*)::integer AS count FROM deliveries GROUP BY state ORDER BY state;
