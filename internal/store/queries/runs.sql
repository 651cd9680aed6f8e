-- Runs beside the first decision.

-- name: ListRuns :many
-- The newest first.
SELECT run, cause, of_run, automation, sandbox, revision_id, state, problem, person, asked_at,
       coalesce(done_at, '0001-01-01 00:00:00+00')::timestamptz AS done_at
FROM runs WHERE conversation_id = @conversation_id AND account_id = @account_id ORDER BY run DESC;

-- name: InsertRun :exec
INSERT INTO runs (conversation_id, run, account_id, cause, of_run, automation, sandbox, revision_id, state, person_id, person, done_at)
VALUES (@conversation_id, @run, @account_id, @cause, @of_run, @automation, @sandbox, @revision_id, @state, @person_id, @person,
        CASE WHEN @state::text = 'asked' THEN NULL ELSE now() END);

-- name: RunToDecide :one
SELECT r.account_id, r.revision_id, r.sandbox, r.state, r.person, r.asked_at, c.source, c.content
FROM runs AS r JOIN conversations AS c ON c.id = r.conversation_id AND c.account_id = r.account_id
WHERE r.conversation_id = @conversation_id AND r.run = @run;

-- name: EndRun :execrows
-- Only one that is still to be done, and only once.
UPDATE runs SET state = @state, problem = @problem, done_at = now()
WHERE conversation_id = @conversation_id AND account_id = @account_id AND run = @run AND state = 'asked';

-- name: RunWaits :exec
UPDATE runs SET problem = @problem
WHERE conversation_id = @conversation_id AND account_id = @account_id AND run = @run AND state = 'asked' AND problem <> @problem;

-- name: SupersedeOpen :many
-- What an automation has open in earlier runs and a new one takes over. A claim that was faster has it; what was posted or kept
-- already only lacks its receipt.
WITH waiting AS (
    SELECT d.id FROM deliveries AS d
    LEFT JOIN runs AS r ON r.conversation_id = d.conversation_id AND r.run = d.run
    WHERE d.conversation_id = @conversation_id AND d.account_id = @account_id AND d.automation = @automation
      AND d.run < @run::integer AND coalesce(d.state, '') IN ('held', 'planned', 'retrying') AND NOT coalesce(r.sandbox, false)
      AND NOT EXISTS (SELECT 1 FROM alerts AS a WHERE a.delivery_id = d.id)
      AND NOT EXISTS (SELECT 1 FROM captured AS m WHERE m.delivery_id = d.id)
    ORDER BY d.id FOR UPDATE OF d
), cancelled AS (
    UPDATE deliveries AS d
    SET state = 'cancelled', detail = 'Taken over by run ' || @run::integer || '.', updated_at = now()
    FROM waiting WHERE d.id = waiting.id AND d.state IN ('held', 'planned', 'retrying')
    RETURNING d.id, d.account_id, d.conversation_id
)
INSERT INTO settlements (delivery_id, settled, account_id, conversation_id, run, person_id, person)
SELECT id, 'superseded', account_id, conversation_id, @run::integer, @person_id, @person FROM cancelled
RETURNING delivery_id;

-- name: BeforeRun :many
-- What went out, may have gone out or waits, in every other run that was no sandbox.
SELECT d.run, x.revision_id, d.automation, d.action, d.recipient, d.channel, d.address, d.state, d.content FROM deliveries AS d
JOIN decisions AS x ON x.conversation_id = d.conversation_id AND x.run = d.run AND x.automation = d.automation
LEFT JOIN runs AS r ON r.conversation_id = d.conversation_id AND r.run = d.run
WHERE d.conversation_id = @conversation_id AND d.account_id = @account_id AND d.run <> @run
  AND coalesce(d.state, '') IN ('planned', 'sending', 'retrying', 'held', 'sent', 'delivered', 'unknown')
  AND NOT coalesce(r.sandbox, false)
ORDER BY d.run, d.copy;

-- name: SettleReplayed :exec
-- Reviews that a later decision about the same automation takes over.
UPDATE decisions AS d SET settled_as = 'replayed', settled_run = @run::integer, settled_by = @person::text, settled_at = now()
WHERE d.conversation_id = @conversation_id AND d.account_id = @account_id AND d.run < @run::integer AND d.automation = ANY(@automations::text[])
  AND d.verdict = 'unsure' AND d.review AND d.settled_at IS NULL
  AND NOT EXISTS (SELECT 1 FROM runs AS r WHERE r.conversation_id = d.conversation_id AND r.run = d.run AND r.sandbox);

-- name: BreakOffRuns :exec
-- After a restore: the original may have done them.
UPDATE runs SET state = 'failed', problem = 'The data was restored from a backup; ask again if it is still wanted.', done_at = now()
WHERE state = 'asked';

-- name: BreakOffBulks :exec
UPDATE bulk_jobs SET state = 'aborted', ended_at = now(), ended_by = 'a restore from a backup' WHERE state = 'running';
