-- name: EventsByIdentity :many
-- The events of a batch that were accepted before.
SELECT e.id, e.account_id, e.source, e.identity, e.digest, e.conversation_id
FROM (SELECT unnest(@account_ids::text[]) AS account_id, unnest(@sources::text[]) AS source,
             unnest(@identities::text[]) AS identity) AS asked
JOIN events AS e ON e.account_id = asked.account_id AND e.source = asked.source AND e.identity = asked.identity;

-- name: InsertEvents :many
-- An event that somebody else accepted in the meantime is not returned, nor is one of a call that was erased. A subquery of
-- its own for each event is one look-up by the key whatever the planner believes about the table. What is no call has more
-- hashes, of 32 bytes each, and a look-up for each of them.
INSERT INTO events (id, account_id, source, identity, type, content_type, body, digest, received_at, conversation_id, call_id)
SELECT n.id, n.account_id, n.source, n.identity, n.type, n.content_type, n.body, n.digest, n.received_at,
       nullif(n.conversation_id, '')::uuid, n.call_id
FROM (SELECT unnest(@ids::uuid[]) AS id, unnest(@account_ids::text[]) AS account_id, unnest(@sources::text[]) AS source,
             unnest(@identities::text[]) AS identity, unnest(@types::text[]) AS type,
             unnest(@content_types::text[]) AS content_type, unnest(@bodies::bytea[]) AS body,
             unnest(@digests::bytea[]) AS digest, unnest(@received_ats::timestamptz[]) AS received_at,
             unnest(@conversation_ids::text[]) AS conversation_id, unnest(@call_ids::text[]) AS call_id,
             unnest(@hashes::bytea[]) AS hash, unnest(@more_hashes::bytea[]) AS more_hashes) AS n
WHERE (SELECT x.hash FROM erased_hashes AS x WHERE x.hash = n.hash) IS NULL
  AND (n.more_hashes = '' OR NOT EXISTS (
      SELECT 1 FROM generate_series(1, length(n.more_hashes), 32) AS piece (start)
      WHERE (SELECT x.hash FROM erased_hashes AS x WHERE x.hash = substr(n.more_hashes, piece.start, 32)) IS NOT NULL))
ON CONFLICT (account_id, source, identity) DO NOTHING
RETURNING id;

-- name: InsertConflicts :exec
INSERT INTO event_conflicts (event_id, account_id, digest, content_type, body, received_at)
SELECT unnest(@event_ids::uuid[]), unnest(@account_ids::text[]), unnest(@digests::bytea[]),
       unnest(@content_types::text[]), unnest(@bodies::bytea[]), unnest(@received_ats::timestamptz[])
ON CONFLICT (event_id, digest) DO NOTHING;

-- name: InsertConversations :many
-- A conversation that exists already is not returned.
INSERT INTO conversations (id, account_id, source, external_id, revision_id, content, decide_at, summary, started_at,
    ended_at, channel, direction, status, agent_id, agent_name, customer_name, customer_email, customer_number,
    email_key, phone_key, far_phone_key)
SELECT unnest(@ids::uuid[]), unnest(@account_ids::text[]), unnest(@sources::text[]), unnest(@external_ids::text[]),
       unnest(@revision_ids::uuid[]), unnest(@contents::jsonb[]), unnest(@decide_ats::timestamptz[]),
       unnest(@summaries::text[]), unnest(@started_ats::timestamptz[]), unnest(@ended_ats::timestamptz[]),
       unnest(@channels::text[]), unnest(@directions::text[]), unnest(@statuses::text[]), unnest(@agent_ids::text[]),
       unnest(@agent_names::text[]), unnest(@customer_names::text[]), unnest(@customer_emails::text[]),
       unnest(@customer_numbers::text[]), unnest(@email_keys::text[]), unnest(@phone_keys::text[]),
       unnest(@far_phone_keys::text[])
ON CONFLICT (external_id, account_id, source) DO NOTHING
RETURNING id;

-- name: InsertBeside :exec
-- Conversations that are an event of a call.
INSERT INTO beside_calls (conversation_id, account_id, call_id)
SELECT unnest(@conversation_ids::uuid[]), unnest(@account_ids::text[]), unnest(@call_ids::text[]);

-- name: LockConversationsByExternalID :many
SELECT c.id, c.account_id, c.source, c.external_id, c.content, c.state, c.run, c.decide_at, c.summary
FROM conversations AS c
WHERE (c.external_id, c.account_id, c.source) IN (
    SELECT unnest(@external_ids::text[]), unnest(@account_ids::text[]), unnest(@sources::text[]))
ORDER BY c.id
FOR NO KEY UPDATE;

-- name: HoldConversations :many
-- The calls that events without a conversation are about: whoever erases one waits for such an event, or the event for him.
SELECT c.id FROM conversations AS c
WHERE (c.external_id, c.account_id) IN (SELECT unnest(@external_ids::text[]), unnest(@account_ids::text[]))
ORDER BY c.id
FOR KEY SHARE;

-- name: MergeConversations :exec
-- A new version: a plan made for the one before is not saved.
UPDATE conversations AS c
SET content = m.content, version = c.version + 1, decide_at = m.decide_at, summary = m.summary,
    started_at = m.started_at, ended_at = m.ended_at, channel = m.channel, direction = m.direction, status = m.status,
    agent_id = m.agent_id, agent_name = m.agent_name, customer_name = m.customer_name,
    customer_email = m.customer_email, customer_number = m.customer_number, email_key = m.email_key,
    phone_key = m.phone_key, far_phone_key = m.far_phone_key
FROM (SELECT unnest(@ids::uuid[]) AS id, unnest(@account_ids::text[]) AS account_id, unnest(@contents::jsonb[]) AS content,
             unnest(@decide_ats::timestamptz[]) AS decide_at, unnest(@summaries::text[]) AS summary,
             unnest(@started_ats::timestamptz[]) AS started_at, unnest(@ended_ats::timestamptz[]) AS ended_at,
             unnest(@channels::text[]) AS channel, unnest(@directions::text[]) AS direction,
             unnest(@statuses::text[]) AS status, unnest(@agent_ids::text[]) AS agent_id,
             unnest(@agent_names::text[]) AS agent_name, unnest(@customer_names::text[]) AS customer_name,
             unnest(@customer_emails::text[]) AS customer_email, unnest(@customer_numbers::text[]) AS customer_number,
             unnest(@email_keys::text[]) AS email_key, unnest(@phone_keys::text[]) AS phone_key,
             unnest(@far_phone_keys::text[]) AS far_phone_key) AS m
WHERE c.id = m.id AND c.account_id = m.account_id;

-- name: TouchConversations :exec
-- What a later event may still change without a new version: a summary that was missing, and when to decide.
UPDATE conversations AS c
SET decide_at = t.decide_at, summary = t.summary
FROM (SELECT unnest(@ids::uuid[]) AS id, unnest(@account_ids::text[]) AS account_id,
             unnest(@decide_ats::timestamptz[]) AS decide_at, unnest(@summaries::text[]) AS summary) AS t
WHERE c.id = t.id AND c.account_id = t.account_id;

-- name: Backlogs :many
-- Undecided conversations by account, counted up to a limit.
SELECT asked.account_id::text AS account_id,
       (SELECT count(*) FROM (SELECT 1 FROM conversations AS c
                              WHERE c.account_id = asked.account_id AND c.state <> 'decided'
                              LIMIT @most::integer) AS counted)::integer AS backlog
FROM unnest(@account_ids::text[]) AS asked (account_id);
