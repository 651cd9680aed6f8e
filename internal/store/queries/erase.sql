-- Erasing. A batch of conversations is locked with its deliveries, so that nothing of it is decided, claimed or settled any
-- more; then every row of it goes in one statement, with the row that says how many there were.

-- name: ErasureKey :one
SELECT key FROM erasure_keys;

-- name: ErasedAmong :many
-- Which of these identities were erased.
SELECT hash, account_id, coalesce(conversation_id::text, '')::text AS conversation_id
FROM erased_hashes WHERE hash = ANY(@hashes::bytea[]);

-- name: BeginErasure :exec
INSERT INTO erasures (id, account_id, cause, asked_by) VALUES (@id, @account_id, @cause, @asked_by);

-- name: CountErased :exec
UPDATE erasures SET conversations = conversations + @conversations, events = events + @events
WHERE id = @id AND account_id = @account_id;

-- name: FinishErasure :exec
UPDATE erasures SET finished_at = now(), wish = NULL WHERE id = @id AND account_id = @account_id;

-- name: AskErasure :exec
INSERT INTO erasures (id, account_id, cause, asked_by, person_id, wish, found)
VALUES (@id, @account_id, @cause, @asked_by, sqlc.narg('person_id')::uuid, @wish::jsonb, @found::integer);

-- name: AskedErasure :one
-- By id alone: the worker has nothing else. None once it is done.
SELECT account_id, asked_by, coalesce(person_id::text, '')::text AS person_id, wish::jsonb AS wish FROM erasures WHERE id = @id AND wish IS NOT NULL;

-- name: NoteLooked :exec
UPDATE erasures SET wish = jsonb_set(wish, '{looked}', @looked::jsonb) WHERE id = @id AND account_id = @account_id AND wish IS NOT NULL;

-- name: ReadErasure :many
SELECT id, account_id, cause, asked_by, began_at, coalesce(finished_at, '0001-01-01 00:00:00+00')::timestamptz AS finished_at,
       conversations, events, coalesce(found, 0)::integer AS found, (wish IS NOT NULL)::boolean AS waits
FROM erasures WHERE id = @id AND (@every::boolean OR account_id = ANY(@account_ids::text[]));

-- name: ListErasures :many
SELECT page.id::uuid AS id, page.account_id, page.cause, page.asked_by, page.began_at, coalesce(page.finished_at, '0001-01-01 00:00:00+00')::timestamptz AS finished_at,
       page.conversations, page.events, coalesce(page.found, 0)::integer AS found, (page.wish IS NOT NULL)::boolean AS waits
FROM accounts AS a CROSS JOIN LATERAL (
    SELECT e.* FROM erasures AS e
    WHERE e.account_id = a.id AND e.id < @before::uuid
    ORDER BY e.id DESC LIMIT @most::integer) AS page
WHERE @every::boolean OR a.id = ANY(@account_ids::text[])
ORDER BY page.id DESC LIMIT @most::integer;

-- name: ErasedConversation :one
SELECT x.account_id, x.erased_at, e.cause FROM erased_conversations AS x JOIN erasures AS e ON e.id = x.erasure_id
WHERE x.id = @id AND (@every::boolean OR x.account_id = ANY(@account_ids::text[]));

-- name: LockErasing :many
SELECT id, source, external_id, (left(external_id, 6) = 'event:' AND content ? 'event')::boolean AS event FROM conversations
WHERE id = ANY(@ids::uuid[]) AND account_id = @account_id
ORDER BY id FOR UPDATE;

-- name: LockBeside :many
-- The events of these calls that are decided as conversations of their own, with the call that each is about.
SELECT c.id, c.source, c.external_id, b.call_id FROM beside_calls AS b JOIN conversations AS c ON c.id = b.conversation_id
WHERE b.account_id = @account_id AND b.call_id = ANY(@call_ids::text[]) AND c.account_id = @account_id
ORDER BY c.id FOR UPDATE OF c;

-- name: LockDue :many
-- The next that were accepted before the limit. What somebody else has under his hands is left for another time.
SELECT id, source, external_id, (left(external_id, 6) = 'event:' AND content ? 'event')::boolean AS event FROM conversations
WHERE account_id = @account_id AND id > @after::uuid AND id < @before::uuid
ORDER BY id LIMIT @most::integer FOR UPDATE SKIP LOCKED;

-- name: LockDeliveries :many
-- In the order in which everybody locks deliveries. Claims pass over what is locked, receipts wait for it.
SELECT conversation_id, state FROM deliveries
WHERE conversation_id = ANY(@ids::uuid[]) AND account_id = @account_id
ORDER BY id FOR UPDATE;

-- name: StopConversations :exec
-- Nothing more is decided: a plan that is under way was made for the version before.
UPDATE conversations SET state = 'decided', decided_at = coalesce(decided_at, now()), version = version + 1
WHERE id = ANY(@ids::uuid[]) AND account_id = @account_id;

-- name: DropWaitingDecisions :exec
DELETE FROM decisions WHERE conversation_id = ANY(@ids::uuid[]) AND account_id = @account_id AND verdict = 'waiting';

-- name: FailAskedRuns :exec
UPDATE runs SET state = 'failed', problem = 'The call is being erased.', done_at = now()
WHERE conversation_id = ANY(@ids::uuid[]) AND account_id = @account_id AND state = 'asked';

-- name: CancelDeliveries :many
-- Whoever erases the call has called them off.
WITH cancelled AS (
    UPDATE deliveries AS d SET state = 'cancelled', detail = 'Cancelled, because the call is being erased.', updated_at = now()
    WHERE d.conversation_id = ANY(@ids::uuid[]) AND d.account_id = @account_id AND coalesce(d.state, '') IN ('planned', 'retrying', 'held')
    RETURNING d.id, d.account_id, d.conversation_id
)
INSERT INTO settlements (delivery_id, settled, account_id, conversation_id, run, person_id, person)
SELECT c.id, 'cancelled', c.account_id, c.conversation_id, 0, sqlc.narg('person_id')::uuid, @person::text FROM cancelled AS c
ON CONFLICT (delivery_id, settled) DO UPDATE SET at = now()
RETURNING conversation_id;

-- name: EraseConversations :execrows
WITH gone_reads AS (
    DELETE FROM alert_reads WHERE alert_id IN (
        SELECT a.id FROM deliveries AS d JOIN alerts AS a ON a.delivery_id = d.id WHERE d.conversation_id = ANY(@ids::uuid[]))
), gone_pushes AS (
    DELETE FROM pushes WHERE alert_id IN (
        SELECT a.id FROM deliveries AS d JOIN alerts AS a ON a.delivery_id = d.id WHERE d.conversation_id = ANY(@ids::uuid[]))
), gone_popups AS (
    DELETE FROM popups WHERE delivery_id IN (SELECT d.id FROM deliveries AS d WHERE d.conversation_id = ANY(@ids::uuid[]))
), gone_beside AS (
    DELETE FROM beside_calls WHERE conversation_id = ANY(@ids::uuid[])
), gone_waits AS (
    DELETE FROM awaited_ends WHERE conversation_id = ANY(@ids::uuid[])
), gone_counted AS (
    DELETE FROM counted WHERE conversation_id = ANY(@ids::uuid[])
), gone_alerts AS (
    DELETE FROM alerts WHERE delivery_id IN (SELECT d.id FROM deliveries AS d WHERE d.conversation_id = ANY(@ids::uuid[]))
    RETURNING conversation_id
), gone_captured AS (
    DELETE FROM captured WHERE delivery_id IN (SELECT d.id FROM deliveries AS d WHERE d.conversation_id = ANY(@ids::uuid[]))
    RETURNING conversation_id
), gone_attempts AS (
    DELETE FROM attempts WHERE delivery_id IN (SELECT d.id FROM deliveries AS d WHERE d.conversation_id = ANY(@ids::uuid[]))
), gone_settlements AS (
    DELETE FROM settlements WHERE conversation_id = ANY(@ids::uuid[])
), gone_marks AS (
    DELETE FROM marks WHERE conversation_id = ANY(@ids::uuid[])
), gone_runs AS (
    DELETE FROM runs WHERE conversation_id = ANY(@ids::uuid[])
), silent_items AS ( -- they stay, for their job counts them
    UPDATE bulk_items SET detail = '' WHERE conversation_id = ANY(@ids::uuid[])
), gone_deliveries AS (
    DELETE FROM deliveries WHERE conversation_id = ANY(@ids::uuid[]) RETURNING conversation_id, state
), gone_tasks AS (
    DELETE FROM tasks WHERE conversation_id = ANY(@ids::uuid[]) RETURNING conversation_id
), gone_values AS (
    DELETE FROM variable_values WHERE conversation_id = ANY(@ids::uuid[])
), gone_decisions AS (
    DELETE FROM decisions WHERE conversation_id = ANY(@ids::uuid[]) RETURNING conversation_id
), gone_calls AS (
    DELETE FROM interviews WHERE conversation_id = ANY(@ids::uuid[]) RETURNING conversation_id
), gone_conflicts AS (
    DELETE FROM event_conflicts WHERE event_id IN (SELECT e.id FROM events AS e WHERE e.conversation_id = ANY(@ids::uuid[]))
), gone_events AS (
    DELETE FROM events WHERE conversation_id = ANY(@ids::uuid[]) RETURNING conversation_id
), gone AS (
    DELETE FROM conversations AS c WHERE c.id = ANY(@ids::uuid[]) AND c.account_id = @account_id RETURNING c.id, c.account_id, c.accepted_at
)
INSERT INTO erased_conversations (id, account_id, erasure_id, accepted_at, counts)
SELECT g.id, g.account_id, @erasure_id::uuid, g.accepted_at, jsonb_build_object(
    'events', (SELECT count(*) FROM gone_events AS x WHERE x.conversation_id = g.id),
    'interviews', (SELECT count(*) FROM gone_calls AS x WHERE x.conversation_id = g.id),
    'decisions', (SELECT count(*) FROM gone_decisions AS x WHERE x.conversation_id = g.id),
    'tasks', (SELECT count(*) FROM gone_tasks AS x WHERE x.conversation_id = g.id),
    'alerts', (SELECT count(*) FROM gone_alerts AS x WHERE x.conversation_id = g.id),
    'captured', (SELECT count(*) FROM gone_captured AS x WHERE x.conversation_id = g.id),
    'deliveries', (SELECT coalesce(jsonb_object_agg(x.state, x.n), '{}')
                   FROM (SELECT y.state, count(*) AS n FROM gone_deliveries AS y
                         WHERE y.conversation_id = g.id GROUP BY y.state) AS x))
FROM gone AS g;

-- name: EraseJobs :execrows
-- The rows of the queue, in whatever state: a job that runs finds nothing any more.
DELETE FROM river_job WHERE args @> ANY(@args::jsonb[]);

-- name: EventsAbout :many
-- Events that carry no conversation but say which they are about.
SELECT id FROM events
WHERE account_id = @account_id AND conversation_id IS NULL AND call_id <> '' AND call_id = ANY(@call_ids::text[]);

-- name: DueEvents :many
-- The next events without a conversation that were accepted before the limit.
SELECT id FROM events
WHERE account_id = @account_id AND conversation_id IS NULL AND id < @before::uuid
ORDER BY id LIMIT @most::integer FOR UPDATE SKIP LOCKED;

-- name: EventsAlone :many
-- Events without a conversation, to be looked through for a customer.
SELECT id, body FROM events
WHERE account_id = @account_id AND conversation_id IS NULL AND id > @after::uuid
ORDER BY id LIMIT @most::integer;

-- name: EventsDecided :many
-- Events that are decided as conversations of their own, to be looked through likewise. They are called so (ADR 21).
SELECT c.id, c.external_id, c.accepted_at, c.channel, e.id AS event_id, e.body
FROM (SELECT x.id, x.external_id, x.accepted_at, x.channel FROM conversations AS x
      WHERE x.account_id = @account_id AND left(x.external_id, 6) = 'event:' AND x.content ? 'event' AND x.id > @after::uuid
      ORDER BY x.id LIMIT @most::integer) AS c
CROSS JOIN LATERAL (SELECT y.id, y.body FROM events AS y WHERE y.conversation_id = c.id AND y.account_id = @account_id) AS e
ORDER BY c.id;

-- name: EventsBeside :many
-- The events of these calls that are decided as conversations of their own, which are erased with them.
SELECT c.id, c.external_id, c.accepted_at, c.channel FROM beside_calls AS b JOIN conversations AS c ON c.id = b.conversation_id
WHERE b.account_id = @account_id AND b.call_id = ANY(@call_ids::text[]) AND c.account_id = @account_id;

-- name: ConflictsAlone :many
-- What was posted under the identity of one of these events with another body.
SELECT x.event_id, x.body FROM event_conflicts AS x
WHERE x.event_id = ANY(@ids::uuid[]) AND x.account_id = @account_id;

-- name: EraseEvents :many
WITH gone_conflicts AS (
    DELETE FROM event_conflicts AS x WHERE x.event_id = ANY(@ids::uuid[]) AND x.account_id = @account_id
)
DELETE FROM events AS e WHERE e.id = ANY(@ids::uuid[]) AND e.account_id = @account_id AND e.conversation_id IS NULL
RETURNING e.source, e.identity;

-- name: KeepHashes :exec
INSERT INTO erased_hashes (hash, account_id, conversation_id)
SELECT n.hash, @account_id::text, nullif(n.conversation_id, '')::uuid
FROM (SELECT unnest(@hashes::bytea[]) AS hash, unnest(@conversation_ids::text[]) AS conversation_id) AS n
ON CONFLICT (hash) DO NOTHING;

-- name: CallsOfCustomer :many
-- Conversations that go by the keys of the customer; the last nine digits of a number are not all of it.
SELECT c.id, c.external_id, c.accepted_at, c.channel, c.customer_number,
       coalesce(CASE WHEN c.direction = 'outbound' THEN c.content ->> 'to_number' ELSE c.content ->> 'from_number' END, '')::text AS far_number,
       coalesce(CASE WHEN c.direction = '' THEN c.content ->> 'to_number' END, '')::text AS other_number
FROM conversations AS c JOIN (
    (SELECT x.id FROM conversations AS x
     WHERE @email::text <> '' AND x.email_key <> '' AND x.email_key = @email AND x.account_id = @account_id AND x.id > @after::uuid
     ORDER BY x.id LIMIT @most::integer)
    UNION
    (SELECT x.id FROM conversations AS x
     WHERE @phone::text <> '' AND x.phone_key <> '' AND x.phone_key = @phone AND x.account_id = @account_id AND x.id > @after::uuid
     ORDER BY x.id LIMIT @most::integer)
    UNION
    (SELECT x.id FROM conversations AS x
     WHERE @phone::text <> '' AND x.far_phone_key <> '' AND x.far_phone_key = @phone AND x.account_id = @account_id AND x.id > @after::uuid
     ORDER BY x.id LIMIT @most::integer)) AS f ON f.id = c.id
ORDER BY c.id LIMIT @most::integer;

-- name: CallsByID :many
SELECT id, external_id, accepted_at, channel FROM conversations
WHERE id = ANY(@ids::uuid[]) AND account_id = @account_id
ORDER BY id;

-- name: ViewsKept :many
-- Searches that people keep may have the number of a customer in them: those in this account, and those in all of theirs of
-- whoever sees this account. What somebody of other accounts keeps is none of this one's.
SELECT v.id, v.name, v.query FROM saved_views AS v
WHERE v.account_id = @account_id::text OR v.account_id = '' AND (
    NOT EXISTS (SELECT 1 FROM roles AS r WHERE r.person_id::text = v.person)
    OR EXISTS (SELECT 1 FROM roles AS r WHERE r.person_id::text = v.person AND r.account_id IN (@account_id::text, '*')))
ORDER BY v.id;

-- name: EraseViews :exec
DELETE FROM saved_views WHERE id = ANY(@ids::uuid[]) AND account_id IN (@account_id::text, '');

-- name: CountHoldings :one
-- What there is of some conversations.
SELECT (SELECT count(*) FROM events AS e WHERE e.conversation_id = ANY(@ids::uuid[]) AND e.account_id = @account_id)::integer AS events,
       (SELECT count(*) FROM interviews AS i WHERE i.conversation_id = ANY(@ids::uuid[]) AND i.account_id = @account_id)::integer AS calls,
       (SELECT count(*) FROM decisions AS d WHERE d.conversation_id = ANY(@ids::uuid[]) AND d.account_id = @account_id)::integer AS decisions,
       (SELECT count(*) FROM tasks AS t WHERE t.conversation_id = ANY(@ids::uuid[]) AND t.account_id = @account_id)::integer AS tasks,
       l.deliveries, l.waiting, l.under_way, l.gone_out
FROM (SELECT count(*)::integer AS deliveries,
             count(*) FILTER (WHERE d.state IN ('planned', 'retrying', 'held'))::integer AS waiting,
             count(*) FILTER (WHERE d.state = 'sending')::integer AS under_way,
             count(*) FILTER (WHERE d.state IN ('sent', 'delivered') AND d.channel NOT IN ('task', 'team_alert')
                                    AND d.provider <> 'capture')::integer AS gone_out
      FROM deliveries AS d WHERE d.conversation_id = ANY(@ids::uuid[]) AND d.account_id = @account_id) AS l;
