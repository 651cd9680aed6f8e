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
SELECT run, automation, verdict, reason, evidence, detail, review, decided_at
FROM decisions WHERE conversation_id = @conversation_id AND account_id = @account_id
ORDER BY run, automation;

-- name: StoryValues :many
SELECT DISTINCT ON (name) name, type, status, raw, value, evidence, problem
FROM variable_values WHERE conversation_id = @conversation_id AND account_id = @account_id
ORDER BY name, run DESC;

-- name: StoryDeliveries :many
SELECT id, run, automation, action, channel, recipient, customer, state, reason, detail, due_at, deadline_at, test,
       content, address, provider, provider_id, updated_at
FROM deliveries WHERE conversation_id = @conversation_id AND account_id = @account_id
ORDER BY run, automation, action, recipient, copy;

-- name: StoryAttempts :many
SELECT a.delivery_id, a.attempt, a.state, a.class, a.detail, a.status, a.started_at, a.finished_at
FROM deliveries AS d JOIN attempts AS a ON a.delivery_id = d.id
WHERE d.conversation_id = @conversation_id AND d.account_id = @account_id
ORDER BY a.delivery_id, a.attempt;

-- name: StoryTasks :many
SELECT id, automation, action, title, description, priority, assignee, due_at, state
FROM tasks WHERE conversation_id = @conversation_id AND account_id = @account_id
ORDER BY run, automation, action;

-- name: StoryCalls :many
SELECT revision_id, part, purpose, prompt_hash, schema_hash, valid, error_kind, status, model, endpoint, simulated,
       tokens_in, tokens_cached, tokens_out, finish_reason, request_id, fingerprint, latency_ms, called_at
FROM interviews WHERE conversation_id = @conversation_id AND account_id = @account_id
ORDER BY called_at, id;
