-- What a person does to one delivery, and to one decision. Whoever acts locks the conversation first, as whoever plans does,
-- and then the row, so that two people, or a person and a plan, take turns; a claim takes neither and is left to go first.

-- name: LockConversationOf :many
SELECT c.id, c.state FROM deliveries AS d JOIN conversations AS c ON c.id = d.conversation_id AND c.account_id = d.account_id
WHERE d.id = @delivery_id AND d.account_id = @account_id
FOR NO KEY UPDATE OF c;

-- name: LockConversation :many
SELECT id, state, run, revision_id FROM conversations WHERE id = @id AND account_id = @account_id FOR NO KEY UPDATE;

-- name: LockDelivery :one
SELECT d.id, d.conversation_id, d.run, d.automation, d.action, d.recipient, d.copy, d.channel, d.customer, d.state, d.reason,
       d.due_at, d.test,
       EXISTS (SELECT 1 FROM alerts AS a WHERE a.delivery_id = d.id)::boolean AS posted,
       EXISTS (SELECT 1 FROM captured AS m WHERE m.delivery_id = d.id)::boolean AS kept
FROM deliveries AS d WHERE d.id = @id AND d.account_id = @account_id
FOR NO KEY UPDATE OF d;

-- name: SameMessage :many
-- The other deliveries of a message, in the runs that take notice of each other.
SELECT d.id, d.run, d.copy, d.state, coalesce(d.resend_of::text, '')::text AS resend_of, d.created_at
FROM deliveries AS d
LEFT JOIN runs AS r ON r.conversation_id = d.conversation_id AND r.run = d.run
LEFT JOIN runs AS own ON own.conversation_id = d.conversation_id AND own.run = @run::integer
WHERE d.conversation_id = @conversation_id AND d.account_id = @account_id AND d.automation = @automation
  AND d.action = @action AND d.recipient = @recipient AND d.id <> @id
  AND (coalesce(r.sandbox, false) = false AND coalesce(own.sandbox, false) = false OR d.run = @run::integer)
ORDER BY d.run, d.copy;

-- name: InsertResend :exec
-- As it stands: the text was rendered once.
INSERT INTO deliveries (id, account_id, conversation_id, run, automation, action, recipient, copy, resend_of, channel, customer,
    state, reason, detail, due_at, deadline_at, test, content)
SELECT @new_id::uuid, d.account_id, d.conversation_id, d.run, d.automation, d.action, d.recipient, d.copy + 1, d.id, d.channel,
       d.customer, 'planned', CASE WHEN d.test THEN 'test_call' ELSE '' END, '', @due_at::timestamptz,
       @deadline_at::timestamptz, d.test, d.content
FROM deliveries AS d WHERE d.id = @id AND d.account_id = @account_id;

-- name: ForgetClaim :exec
-- Of an unknown delivery that a person sends again: a late word of its sender that nothing went out must not send it a third
-- time (see RecordOutcomes).
UPDATE deliveries SET claim_id = NULL, updated_at = now() WHERE id = @id AND account_id = @account_id AND state = 'unknown';

-- name: SettleDelivery :execrows
-- What was captured without a receipt was captured.
UPDATE deliveries AS d
SET state = @state, reason = CASE WHEN d.test THEN 'test_call' ELSE '' END, detail = 'Settled by a person.', claim_id = NULL,
    updated_at = now(), provider = CASE WHEN @captured::boolean THEN 'capture' ELSE d.provider END
WHERE d.id = @id AND d.account_id = @account_id AND d.state = 'unknown';

-- name: CancelDelivery :execrows
-- Its reason stays: a message that showed a gap shows it still.
UPDATE deliveries SET state = 'cancelled', detail = 'Called off by a person.', updated_at = now()
WHERE id = @id AND account_id = @account_id AND state IN ('planned', 'retrying', 'held');

-- name: ReleaseDelivery :execrows
UPDATE deliveries
SET state = @state, reason = CASE WHEN test THEN 'test_call' ELSE @reason::text END, detail = rtrim('Released by a person. ' || @detail::text), due_at = @due_at::timestamptz,
    deadline_at = @deadline_at::timestamptz, updated_at = now()
WHERE id = @id AND account_id = @account_id AND state = 'held';

-- name: NoteSettlement :exec
INSERT INTO settlements (delivery_id, settled, account_id, conversation_id, run, person_id, person)
VALUES (@delivery_id, @settled, @account_id, @conversation_id, @run, @person_id, @person)
ON CONFLICT (delivery_id, settled) DO UPDATE
SET run = excluded.run, person_id = excluded.person_id, person = excluded.person, at = excluded.at;

-- name: WasSettled :one
SELECT EXISTS (SELECT 1 FROM settlements AS s
               WHERE s.delivery_id = @delivery_id AND s.account_id = @account_id AND s.settled = @settled) AS settled;

-- name: CancelHeld :many
-- Of one automation in one run: what a person has dismissed.
WITH waiting AS (
    SELECT d.id FROM deliveries AS d
    WHERE d.conversation_id = @conversation_id AND d.account_id = @account_id AND d.run = @run AND d.automation = @automation
      AND coalesce(d.state, '') = 'held'
    ORDER BY d.id FOR UPDATE
)
UPDATE deliveries AS d SET state = 'cancelled', detail = 'Dismissed by a person.', updated_at = now()
FROM waiting WHERE d.id = waiting.id AND d.state = 'held'
RETURNING d.id;

-- name: LockDecision :many
SELECT d.revision_id, d.verdict, d.reason, d.evidence, d.detail, d.review, d.decided_at, coalesce(d.settled_as, '')::text AS settled_as,
       coalesce(d.settled_run, 0)::integer AS settled_run, d.settled_at, coalesce(r.sandbox, false)::boolean AS sandbox
FROM decisions AS d LEFT JOIN runs AS r ON r.conversation_id = d.conversation_id AND r.run = d.run
WHERE d.conversation_id = @conversation_id AND d.account_id = @account_id AND d.run = @run AND d.automation = @automation
FOR NO KEY UPDATE OF d;

-- name: SettleDecision :exec
UPDATE decisions SET settled_as = @settled_as::text, settled_run = nullif(@settled_run::integer, 0), settled_by = @person::text, settled_at = now()
WHERE conversation_id = @conversation_id AND account_id = @account_id AND run = @run AND automation = @automation;

-- name: MarkDecision :exec
INSERT INTO marks (conversation_id, run, automation, account_id, wrong, note, person_id, person)
VALUES (@conversation_id, @run, @automation, @account_id, @wrong, @note, @person_id, @person)
ON CONFLICT (conversation_id, run, automation) DO UPDATE
SET wrong = excluded.wrong, note = excluded.note, person_id = excluded.person_id, person = excluded.person,
    marked_at = excluded.marked_at;

-- name: FindDelivery :many
SELECT account_id, conversation_id FROM deliveries
WHERE id = @id AND (@every::boolean OR account_id = ANY(@account_ids::text[]));

-- name: ReadDelivery :one
SELECT d.conversation_id, d.run, d.automation, d.action, d.recipient, d.channel, d.customer, d.state, d.reason, d.test, d.content,
       x.revision_id
FROM deliveries AS d
JOIN decisions AS x ON x.conversation_id = d.conversation_id AND x.run = d.run AND x.automation = d.automation
WHERE d.id = @id AND d.account_id = @account_id;

-- name: ReadDecision :one
SELECT d.revision_id, d.verdict, d.reason, d.evidence, d.detail, d.review,
       coalesce(r.sandbox, false)::boolean AS sandbox, c.state
FROM decisions AS d JOIN conversations AS c ON c.id = d.conversation_id
LEFT JOIN runs AS r ON r.conversation_id = d.conversation_id AND r.run = d.run
WHERE d.conversation_id = @conversation_id AND d.account_id = @account_id AND d.run = @run AND d.automation = @automation;

-- name: ReadValues :many
SELECT name, type, status, raw, value, evidence, problem FROM variable_values
WHERE conversation_id = @conversation_id AND account_id = @account_id AND run = @run ORDER BY name;
