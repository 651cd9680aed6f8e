-- name: FindByID :many
SELECT account_id, id FROM conversations WHERE id = @id AND (@every::boolean OR account_id = ANY(@account_ids::text[]));

-- name: FindByExternalID :many
SELECT account_id, id FROM conversations
WHERE external_id = @external_id AND (@every::boolean OR account_id = ANY(@account_ids::text[]))
ORDER BY id DESC LIMIT 20;

-- name: StoryConversation :one
SELECT c.id, c.account_id, c.source, c.content, c.revision_id, r.digest, c.state, c.accepted_at, c.decided_at, c.summary,
       c.simulated
FROM conversations AS c JOIN revisions AS r ON r.id = c.revision_id
WHERE c.id = @conversation_id AND c.account_id = @account_id;

-- name: StoryEvents :many
SELECT e.type, e.source, e.received_at, octet_length(e.body)::integer AS bytes,
       (SELECT count(*) FROM event_conflicts AS x WHERE x.event_id = e.id)::integer AS conflicts
FROM events AS e
WHERE e.conversation_id = @conversation_id AND e.account_id = @account_id
ORDER BY e.received_at, e.id;

-- name: StoryDecisions :many
SELECT d.run, d.automation, d.verdict, d.reason, d.evidence, d.detail, d.review, d.decided_at,
       coalesce(d.settled_as, '')::text AS settled_as, coalesce(d.settled_run, 0)::integer AS settled_run,
       coalesce(d.settled_by, '')::text AS settled_by, d.settled_at,
       coalesce(m.wrong, false)::boolean AS wrong, coalesce(m.note, '')::text AS note, coalesce(m.person, '')::text AS marked_by, m.marked_at
FROM decisions AS d
LEFT JOIN marks AS m ON m.conversation_id = d.conversation_id AND m.run = d.run AND m.automation = d.automation
WHERE d.conversation_id = @conversation_id AND d.account_id = @account_id
ORDER BY d.run, d.automation;

-- name: StoryValues :many
SELECT DISTINCT ON (name) name, type, status, raw, value, evidence, problem
FROM variable_values WHERE conversation_id = @conversation_id AND account_id = @account_id
ORDER BY name, run DESC;

-- name: StoryDeliveries :many
SELECT id, run, automation, action, channel, recipient, customer, state, reason, detail, due_at, deadline_at, test,
       content, address, provider, provider_id, updated_at, copy, coalesce(resend_of::text, '')::text AS resend_of
FROM deliveries WHERE conversation_id = @conversation_id AND account_id = @account_id
ORDER BY run, automation, action, recipient, copy;

-- name: StoryAttempts :many
SELECT a.delivery_id, a.attempt, a.state, a.class, a.detail, a.status, a.started_at, a.finished_at
FROM deliveries AS d JOIN attempts AS a ON a.delivery_id = d.id
WHERE d.conversation_id = @conversation_id AND d.account_id = @account_id
ORDER BY a.delivery_id, a.attempt;

-- name: StorySettlements :many
SELECT delivery_id, settled, run, person, at FROM settlements
WHERE conversation_id = @conversation_id AND account_id = @account_id ORDER BY at;

-- name: StoryTasks :many
SELECT id, automation, action, title, description, priority, assignee, due_at, state
FROM tasks WHERE conversation_id = @conversation_id AND account_id = @account_id
ORDER BY run, automation, action;

-- name: StoryCalls :many
SELECT revision_id, part, purpose, prompt_hash, schema_hash, valid, error_kind, status, model, endpoint, simulated,
       tokens_in, tokens_cached, tokens_out, finish_reason, request_id, fingerprint, latency_ms, called_at
FROM interviews WHERE conversation_id = @conversation_id AND account_id = @account_id
ORDER BY called_at, id;
