-- name: LoadConversations :many
-- With what earlier work on them left: the run's final decisions, and the answers that are used.
SELECT c.id, asked.run::integer AS run, c.account_id, c.source, c.revision_id, c.content, c.state, c.version, c.accepted_at,
       ARRAY(SELECT d.automation FROM decisions AS d
             WHERE d.conversation_id = c.id AND d.run = asked.run AND d.verdict <> 'waiting')::text[] AS decided,
       ARRAY(SELECT i.part FROM interviews AS i
             WHERE i.conversation_id = c.id AND i.revision_id = c.revision_id AND i.chosen ORDER BY i.part)::text[] AS parts,
       ARRAY(SELECT i.answer FROM interviews AS i
             WHERE i.conversation_id = c.id AND i.revision_id = c.revision_id AND i.chosen ORDER BY i.part)::bytea[] AS answers
FROM (SELECT unnest(@ids::uuid[]) AS id, unnest(@runs::integer[]) AS run) AS asked
JOIN conversations AS c ON c.id = asked.id;

-- name: LockConversations :many
-- In one order for everybody, so that two writers wait for each other and never cross.
SELECT id, account_id, version, restored FROM conversations WHERE id = ANY(@ids::uuid[]) ORDER BY id FOR NO KEY UPDATE;

-- name: InsertDecisions :exec
-- Only a decision that waits is written over.
INSERT INTO decisions (conversation_id, run, automation, account_id, revision_id, verdict, reason, evidence, detail,
    review, actions)
SELECT unnest(@conversation_ids::uuid[]), unnest(@runs::integer[]), unnest(@automations::text[]),
       unnest(@account_ids::text[]), unnest(@revision_ids::uuid[]), unnest(@verdicts::text[]), unnest(@reasons::text[]),
       unnest(@evidences::jsonb[]), unnest(@details::text[]), unnest(@reviews::boolean[]), unnest(@actions::integer[])
ON CONFLICT (conversation_id, run, automation) DO UPDATE
SET verdict = excluded.verdict, reason = excluded.reason, evidence = excluded.evidence, detail = excluded.detail,
    review = excluded.review, actions = excluded.actions, revision_id = excluded.revision_id, decided_at = now()
WHERE decisions.verdict = 'waiting';

-- name: InsertValues :exec
-- A value once stated stays; what was not known may be filled in by a later plan of the same run.
INSERT INTO variable_values (conversation_id, run, name, account_id, type, status, raw, value, evidence, problem)
SELECT unnest(@conversation_ids::uuid[]), unnest(@runs::integer[]), unnest(@names::text[]), unnest(@account_ids::text[]),
       unnest(@types::text[]), unnest(@statuses::text[]), unnest(@raws::text[]), unnest(@values::text[]),
       unnest(@evidences::jsonb[]), unnest(@problems::text[])
ON CONFLICT (conversation_id, run, name) DO UPDATE
SET type = excluded.type, status = excluded.status, raw = excluded.raw, value = excluded.value,
    evidence = excluded.evidence, problem = excluded.problem
WHERE variable_values.status <> 'stated';

-- name: InsertDeliveries :many
-- The key is the message's identity: what is planned already is not planned again, and not returned. What its planner
-- sends at once is claimed in the same breath.
INSERT INTO deliveries (id, account_id, conversation_id, run, automation, action, recipient, channel, customer, state,
    reason, detail, due_at, deadline_at, test, content, attempt, worker_id, claim_id, claimed_at)
SELECT n.id, n.account_id, n.conversation_id, n.run, n.automation, n.action, n.recipient, n.channel, n.customer, n.state,
       n.reason, n.detail, nullif(n.due_at, '0001-01-01 00:00:00+00'), nullif(n.deadline_at, '0001-01-01 00:00:00+00'),
       n.test, n.content, CASE WHEN n.state = 'sending' THEN 1 ELSE 0 END, n.worker_id,
       CASE WHEN n.state = 'sending' THEN @claim_id::uuid END, CASE WHEN n.state = 'sending' THEN now() END
FROM (SELECT unnest(@ids::uuid[]) AS id, unnest(@account_ids::text[]) AS account_id,
             unnest(@conversation_ids::uuid[]) AS conversation_id, unnest(@runs::integer[]) AS run,
             unnest(@automations::text[]) AS automation, unnest(@actions::integer[]) AS action,
             unnest(@recipients::text[]) AS recipient, unnest(@channels::text[]) AS channel,
             unnest(@customers::boolean[]) AS customer, unnest(@states::text[]) AS state,
             unnest(@reasons::text[]) AS reason, unnest(@details::text[]) AS detail,
             unnest(@due_ats::timestamptz[]) AS due_at, unnest(@deadline_ats::timestamptz[]) AS deadline_at,
             unnest(@tests::boolean[]) AS test, unnest(@contents::jsonb[]) AS content,
             unnest(@worker_ids::text[]) AS worker_id) AS n
ON CONFLICT (conversation_id, run, automation, action, recipient, copy) DO NOTHING
RETURNING id;

-- name: InsertTasks :exec
INSERT INTO tasks (id, account_id, conversation_id, run, automation, action, title, description, priority, assignee, due_at)
SELECT n.id, n.account_id, n.conversation_id, n.run, n.automation, n.action, n.title, n.description, n.priority,
       n.assignee, nullif(n.due_at, '0001-01-01 00:00:00+00')
FROM (SELECT unnest(@ids::uuid[]) AS id, unnest(@account_ids::text[]) AS account_id,
             unnest(@conversation_ids::uuid[]) AS conversation_id, unnest(@runs::integer[]) AS run,
             unnest(@automations::text[]) AS automation, unnest(@actions::integer[]) AS action,
             unnest(@titles::text[]) AS title, unnest(@descriptions::text[]) AS description,
             unnest(@priorities::text[]) AS priority, unnest(@assignees::text[]) AS assignee,
             unnest(@due_ats::timestamptz[]) AS due_at) AS n
ON CONFLICT (conversation_id, run, automation, action) DO NOTHING;

-- name: AdvanceConversations :exec
UPDATE conversations AS c
SET version = c.version + 1, state = p.state, run = greatest(c.run, p.run),
    decided_at = CASE WHEN p.state = 'decided' THEN coalesce(c.decided_at, now()) END, -- a later run leaves the first decision's
    summary = CASE WHEN p.summary <> '' AND c.summary = '' THEN p.summary ELSE c.summary END,
    simulated = c.simulated OR p.simulated, restored = c.restored AND p.state <> 'decided'
FROM (SELECT unnest(@ids::uuid[]) AS id, unnest(@account_ids::text[]) AS account_id, unnest(@runs::integer[]) AS run,
             unnest(@states::text[]) AS state, unnest(@summaries::text[]) AS summary,
             unnest(@simulated::boolean[]) AS simulated) AS p
WHERE c.id = p.id AND c.account_id = p.account_id;

-- name: ChosenAnswers :many
SELECT part, answer FROM interviews WHERE conversation_id = @conversation_id AND revision_id = @revision_id AND chosen;

-- name: InsertCalls :many
-- Of the valid answers to one part the first is chosen. A call that came too late to be chosen is not returned.
INSERT INTO interviews (id, account_id, conversation_id, revision_id, part, purpose, prompt_hash, schema_hash, valid,
    chosen, answer, error_kind, status, model, endpoint, simulated, tokens_in, tokens_cached, tokens_out, finish_reason,
    request_id, fingerprint, latency_ms, called_at)
SELECT unnest(@ids::uuid[]), unnest(@account_ids::text[]), unnest(@conversation_ids::uuid[]), unnest(@revision_ids::uuid[]),
       unnest(@parts::text[]), unnest(@purposes::text[]), unnest(@prompt_hashes::text[]), unnest(@schema_hashes::text[]),
       unnest(@valids::boolean[]), unnest(@chosens::boolean[]), unnest(@answers::bytea[]), unnest(@error_kinds::text[]),
       unnest(@statuses::integer[]), unnest(@models::text[]), unnest(@endpoints::text[]), unnest(@simulateds::boolean[]),
       unnest(@tokens_in::integer[]), unnest(@tokens_cached::integer[]), unnest(@tokens_out::integer[]),
       unnest(@finish_reasons::text[]), unnest(@request_ids::text[]), unnest(@fingerprints::text[]),
       unnest(@latencies_ms::integer[]), unnest(@called_ats::timestamptz[])
ON CONFLICT (conversation_id, revision_id, part) WHERE chosen DO NOTHING
RETURNING id;

-- name: ChosenAnswersOf :many
SELECT i.conversation_id, i.revision_id, i.part, i.answer
FROM (SELECT unnest(@conversation_ids::uuid[]) AS conversation_id, unnest(@revision_ids::uuid[]) AS revision_id,
             unnest(@parts::text[]) AS part, unnest(@account_ids::text[]) AS account_id) AS asked
JOIN interviews AS i ON i.conversation_id = asked.conversation_id AND i.revision_id = asked.revision_id
    AND i.part = asked.part AND i.account_id = asked.account_id AND i.chosen;

-- name: LockCounts :exec
-- Whoever counts under a key waits for whoever does. In the order given.
SELECT pg_advisory_xact_lock(k) FROM unnest(@keys::bigint[]) AS k;

-- name: ReadCounted :many
-- What was counted about the time of each that is to be counted: what has not fired, up to as many as can matter, and from when on
-- spans that have.
SELECT DISTINCT f.key::bytea AS key, f.conversation_id::text AS conversation_id, f.automation::text AS automation,
       f.at::timestamptz AS at, f.fired_from::timestamptz AS fired_from, f.fired_to::timestamptz AS fired_to
FROM (SELECT unnest(@keys::bytea[]) AS key, unnest(@account_ids::text[]) AS account_id, unnest(@froms::timestamptz[]) AS since,
             unnest(@untils::timestamptz[]) AS before, unnest(@most::integer[]) AS most) AS n
CROSS JOIN LATERAL (
    (SELECT c.key, c.conversation_id::text AS conversation_id, c.automation, c.at, '0001-01-01 00:00:00+00'::timestamptz AS fired_from,
            '0001-01-01 00:00:00+00'::timestamptz AS fired_to FROM counted AS c
     WHERE c.key = n.key AND c.account_id = n.account_id AND c.at > n.since AND c.at < n.before AND c.fired_from IS NULL
     ORDER BY c.at LIMIT n.most)
    UNION ALL
    (SELECT DISTINCT n.key, '', '', c.fired_from, c.fired_from, c.fired_to FROM counted AS c
     WHERE c.key = n.key AND c.account_id = n.account_id AND c.at > n.since AND c.at < n.before AND c.fired_from IS NOT NULL)) AS f
ORDER BY f.at, f.conversation_id, f.automation;

-- name: InsertCounted :exec
INSERT INTO counted (conversation_id, automation, account_id, key, at, fired_from, fired_to, keep_until)
SELECT n.conversation_id, n.automation, n.account_id, n.key, n.at, nullif(n.fired_from, '0001-01-01 00:00:00+00'),
       nullif(n.fired_to, '0001-01-01 00:00:00+00'), n.keep_until
FROM (SELECT unnest(@conversation_ids::uuid[]) AS conversation_id, unnest(@automations::text[]) AS automation,
             unnest(@account_ids::text[]) AS account_id, unnest(@keys::bytea[]) AS key, unnest(@ats::timestamptz[]) AS at,
             unnest(@froms::timestamptz[]) AS fired_from, unnest(@tos::timestamptz[]) AS fired_to, unnest(@keep_untils::timestamptz[]) AS keep_until) AS n
ON CONFLICT (conversation_id, automation) DO NOTHING;

-- name: SettleCounted :exec
UPDATE counted AS c SET fired_from = n.fired_from, fired_to = n.fired_to
FROM (SELECT unnest(@conversation_ids::uuid[]) AS conversation_id, unnest(@automations::text[]) AS automation,
             unnest(@account_ids::text[]) AS account_id, unnest(@froms::timestamptz[]) AS fired_from, unnest(@tos::timestamptz[]) AS fired_to) AS n
WHERE c.conversation_id = n.conversation_id AND c.automation = n.automation AND c.account_id = n.account_id;

-- name: InsertAwaitedEnds :exec
-- Deliveries that wait for the end of the call that their event is about.
INSERT INTO awaited_ends (delivery_id, conversation_id, account_id, call_id)
SELECT unnest(@delivery_ids::uuid[]), unnest(@conversation_ids::uuid[]), unnest(@account_ids::text[]), unnest(@call_ids::text[]);
