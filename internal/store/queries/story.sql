-- name: FindByID :many
SELECT account_id, id FROM conversations WHERE id = @id AND (@every::boolean OR account_id = ANY(@account_ids::text[]));

-- name: FindByExternalID :many
SELECT account_id, id FROM conversations
WHERE external_id = @external_id AND (@every::boolean OR account_id = ANY(@account_ids::text[]))
ORDER BY id DESC LIMIT 20;

-- name: FindEventsOf :many
-- The events of a call that has not come in itself.
SELECT b.account_id, b.conversation_id AS id FROM beside_calls AS b
WHERE b.call_id = @call_id AND b.account_id IN (SELECT a.id FROM accounts AS a WHERE @every::boolean OR a.id = ANY(@account_ids::text[]))
ORDER BY b.conversation_id DESC LIMIT 20;

-- name: StoryBeside :many
-- The call that an event is about, its events that are decided as conversations of their own, and those that nobody waits for.
SELECT p.id::uuid AS id, p.what::text AS what, p.at::timestamptz AS at, p.alone::boolean AS alone FROM (
    SELECT c.id, c.status AS what, c.started_at AS at, false AS alone FROM (
        SELECT b.conversation_id AS id FROM beside_calls AS b WHERE b.account_id = @account_id AND b.call_id = @call_id
        UNION
        SELECT x.id FROM conversations AS x WHERE x.external_id = @call_id AND x.account_id = @account_id) AS n
    JOIN conversations AS c ON c.id = n.id AND c.account_id = @account_id
    UNION ALL
    (SELECT e.id, e.type, e.received_at, true FROM events AS e
     WHERE e.account_id = @account_id AND e.call_id = @call_id AND e.call_id <> '' AND e.conversation_id IS NULL
     ORDER BY e.id LIMIT @most::integer)) AS p
WHERE p.id <> @id::uuid
ORDER BY p.id LIMIT @most::integer;

-- name: StoryConversation :one
SELECT c.id, c.account_id, c.source, c.content, c.revision_id, r.digest, r.message, r.git_sha, r.created_at AS stored_at, c.state,
       c.decide_at, c.accepted_at, c.decided_at, c.summary, c.simulated
FROM conversations AS c JOIN revisions AS r ON r.id = c.revision_id
WHERE c.id = @conversation_id AND c.account_id = @account_id;

-- name: StoryEvents :many
-- With the beginning of each body.
SELECT e.id, e.type, e.source, e.content_type, e.received_at, e.accepted_at, octet_length(e.body)::integer AS bytes,
       substring(e.body FROM 1 FOR @head::integer)::bytea AS head,
       (SELECT count(*) FROM (SELECT 1 FROM event_conflicts AS x WHERE x.event_id = e.id LIMIT 100) AS n)::integer AS conflicts
FROM events AS e
WHERE e.conversation_id = @conversation_id AND e.account_id = @account_id
ORDER BY e.received_at, e.id LIMIT @most::integer;

-- name: StoryEventBody :one
SELECT type, content_type, body FROM events
WHERE id = @id AND conversation_id = @conversation_id AND account_id = @account_id;

-- name: StoryDecisions :many
SELECT d.run, d.automation, d.revision_id, d.verdict, d.reason, d.evidence, d.detail, d.review, d.decided_at,
       coalesce(d.settled_as, '')::text AS settled_as, coalesce(d.settled_run, 0)::integer AS settled_run,
       coalesce(d.settled_by, '')::text AS settled_by, d.settled_at,
       coalesce(m.wrong, false)::boolean AS wrong, coalesce(m.note, '')::text AS note, coalesce(m.person, '')::text AS marked_by, m.marked_at
FROM decisions AS d
LEFT JOIN marks AS m ON m.conversation_id = d.conversation_id AND m.run = d.run AND m.automation = d.automation
WHERE d.conversation_id = @conversation_id AND d.account_id = @account_id AND (@run::integer = 0 OR d.run = @run)
ORDER BY d.run DESC, d.automation LIMIT @most::integer;

-- name: StoryDecided :many
-- The runs that have decided something.
SELECT run, min(revision_id::text)::text AS revision_id, max(decided_at)::timestamptz AS decided_at, (count(*) FILTER (WHERE verdict = 'fires'))::integer AS fired
FROM decisions WHERE conversation_id = @conversation_id AND account_id = @account_id
GROUP BY run ORDER BY run DESC LIMIT @most::integer;

-- name: StoryValues :many
SELECT run, name, type, status, raw, value, evidence, problem
FROM variable_values WHERE conversation_id = @conversation_id AND account_id = @account_id AND (@run::integer = 0 OR run = @run)
ORDER BY run DESC, name LIMIT @most::integer;

-- name: StoryDeliveries :many
-- Without the HTML, which a page shows in a frame of its own, and with the beginning of the text: a hundred messages that
-- each quote a long transcript would make a page that nobody can load.
SELECT id, run, automation, action, channel, recipient, customer, state, reason, detail, due_at, deadline_at, test, copy,
       coalesce(resend_of::text, '')::text AS resend_of, attempt, worker_id, claimed_at, created_at,
       ((content - 'html') - 'text')::jsonb AS content, left(coalesce(content ->> 'text', ''), @text_head::integer)::text AS text,
       octet_length(coalesce(content ->> 'text', ''))::integer AS text_bytes, (content ? 'html')::boolean AS has_html,
       address, provider, provider_id, reported, reported_at, updated_at
FROM deliveries WHERE conversation_id = @conversation_id AND account_id = @account_id AND (@run::integer = 0 OR run = @run)
  AND (sqlc.narg('delivery')::uuid IS NULL OR id = sqlc.narg('delivery'))
ORDER BY run DESC, automation, action, recipient, copy LIMIT @most::integer;

-- name: StoryMessage :one
SELECT content FROM deliveries
WHERE id = @id AND conversation_id = @conversation_id AND account_id = @account_id;

-- name: StoryAttempts :many
SELECT a.delivery_id, a.attempt, a.state, a.class, a.detail, a.status, a.worker_id, a.started_at, a.finished_at
FROM deliveries AS d JOIN attempts AS a ON a.delivery_id = d.id
WHERE d.conversation_id = @conversation_id AND d.account_id = @account_id AND (@run::integer = 0 OR d.run = @run)
  AND (sqlc.narg('delivery')::uuid IS NULL OR d.id = sqlc.narg('delivery'))
ORDER BY a.started_at DESC, a.delivery_id, a.attempt LIMIT @most::integer;

-- name: StorySettlements :many
SELECT s.delivery_id, s.settled, s.run, s.person, s.at
FROM settlements AS s JOIN deliveries AS d ON d.id = s.delivery_id
WHERE s.conversation_id = @conversation_id AND s.account_id = @account_id AND (@run::integer = 0 OR d.run = @run)
  AND (sqlc.narg('delivery')::uuid IS NULL OR s.delivery_id = sqlc.narg('delivery'))
ORDER BY s.at DESC LIMIT @most::integer;

-- name: StoryRuns :many
SELECT run, cause, of_run, automation, sandbox, revision_id, state, problem, person, asked_at, done_at
FROM runs WHERE conversation_id = @conversation_id AND account_id = @account_id
ORDER BY run DESC LIMIT @most::integer;

-- name: StoryTasks :many
-- Those of programs belong to no run.
SELECT id, run, automation, action, title, description, priority, assignee, due_at, state
FROM tasks WHERE conversation_id = @conversation_id AND account_id = @account_id AND (@run::integer = 0 OR run = @run OR automation = '')
ORDER BY run DESC, automation, action LIMIT @most::integer;

-- name: StoryCalls :many
SELECT id, revision_id, part, purpose, prompt_hash, schema_hash, valid, error_kind, status, model, endpoint, simulated,
       tokens_in, tokens_cached, tokens_out, finish_reason, request_id, fingerprint, latency_ms, called_at
FROM interviews WHERE conversation_id = @conversation_id AND account_id = @account_id
ORDER BY called_at, id LIMIT @most::integer;

-- name: StoryAnswer :one
-- What one call was answered, if its answer was kept.
SELECT answer FROM interviews
WHERE id = @id AND conversation_id = @conversation_id AND account_id = @account_id;

-- name: StoryJobs :many
-- River keeps finished jobs for a day. They are found by their arguments before they are put in order: the other way around,
-- the newest jobs of everybody would be looked through.
WITH own AS MATERIALIZED (
    SELECT j.id, j.kind, j.queue, j.state, j.attempt, j.max_attempts, j.created_at, j.scheduled_at, j.attempted_at, j.finalized_at,
           coalesce(j.errors[array_upper(j.errors, 1)] ->> 'error', '')::text AS fault,
           coalesce(j.args ->> 'channel', '')::text AS channel, coalesce((j.args ->> 'run')::integer, 0)::integer AS run
    FROM conversations AS c JOIN river_job AS j ON j.args @> jsonb_build_object('conversation_id', c.id::text)
    WHERE c.id = @conversation_id AND c.account_id = @account_id
)
SELECT id, kind, queue, state, attempt, max_attempts, created_at, scheduled_at, attempted_at, finalized_at, fault, channel, run
FROM own ORDER BY id DESC LIMIT @most::integer;
