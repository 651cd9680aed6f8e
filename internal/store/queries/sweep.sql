-- name: Beat :exec
INSERT INTO workers (id, host, version, started_at, revisions) VALUES (@id, @host, @version, @started_at, @revisions)
ON CONFLICT (id) DO UPDATE SET beat_at = now(), revisions = excluded.revisions;

-- name: WorkersNow :many
-- Who works, with the revision that each knows as the active one.
SELECT id, host, version, started_at, beat_at, revisions FROM workers
WHERE beat_at > now() - @ttl::interval ORDER BY started_at, id LIMIT @most::integer;

-- name: Leave :exec
DELETE FROM workers WHERE id = @id;

-- name: TrySweepLock :one
SELECT pg_try_advisory_xact_lock(@key::bigint) AS mine;

-- name: LapsedWorkers :many
-- While the database itself is younger than a lease, nobody has lapsed: they could not renew it.
SELECT id FROM workers
WHERE beat_at < now() - @ttl::interval AND pg_postmaster_start_time() < now() - @ttl::interval
ORDER BY id
FOR UPDATE SKIP LOCKED;

-- name: DoubtLapsed :many
-- Deliveries found half-sent: claimed by a worker that lapsed, or that has no lease and has had a lease's time to send, or
-- so long ago that even a live worker cannot be at it: its claim or its receipt was lost. A team alert and a pop-up are rows
-- of ours that are written once however often they are tried, so they are tried again and never in doubt, unless a pop-up was
-- captured; one that a softphone has was sent. Nor is in doubt what its provider has reported on meanwhile.
WITH stopped AS (
    SELECT d.id, NOT d.test AND (d.channel = 'team_alert' OR d.channel = 'cti' AND NOT EXISTS (SELECT 1 FROM captured AS m WHERE m.delivery_id = d.id)) AS harmless,
           EXISTS (SELECT 1 FROM popups AS p WHERE p.delivery_id = d.id AND p.taken_at IS NOT NULL) AS taken
    FROM deliveries AS d
    WHERE d.state = 'sending' AND (
        d.worker_id = ANY(@lapsed::text[])
        OR d.claimed_at < now() - @longest::interval AND pg_postmaster_start_time() < now() - @ttl::interval
        OR (d.claimed_at < now() - @ttl::interval AND pg_postmaster_start_time() < now() - @ttl::interval
            AND NOT EXISTS (SELECT 1 FROM workers AS w WHERE w.id = d.worker_id)))
    ORDER BY d.id FOR UPDATE OF d
), doubted AS (
    UPDATE deliveries AS d
    SET state = CASE d.reported WHEN '' THEN 'unknown' ELSE d.reported END, reason = '', updated_at = now(),
        detail = CASE d.reported WHEN '' THEN 'The worker stopped while sending; nobody knows whether it went out.' ELSE d.detail END
    FROM stopped WHERE d.id = stopped.id AND NOT stopped.harmless
    RETURNING d.id, d.attempt, d.account_id, d.worker_id, d.claimed_at, d.state
), again AS (
    UPDATE deliveries AS d
    SET state = CASE WHEN stopped.taken THEN 'sent' ELSE 'retrying' END, reason = '', due_at = now(), updated_at = now(),
        provider = CASE WHEN stopped.taken THEN 'softphone' ELSE d.provider END, provider_id = CASE WHEN stopped.taken THEN d.id::text ELSE d.provider_id END
    FROM stopped WHERE d.id = stopped.id AND stopped.harmless
    RETURNING d.id, d.attempt, d.account_id, d.worker_id, d.claimed_at, d.state
)
INSERT INTO attempts (delivery_id, attempt, account_id, worker_id, state, class, status, detail, provider, provider_id,
    started_at, finished_at)
SELECT id, attempt, account_id, worker_id, CASE WHEN state IN ('unknown', 'retrying') THEN state ELSE 'sent' END, 'worker_lost', 0, 'The worker stopped while sending.', '', '',
       claimed_at, now()
FROM (SELECT * FROM doubted UNION ALL SELECT * FROM again) AS settled
RETURNING delivery_id, state;

-- name: ExpireDeliveries :execrows
UPDATE deliveries SET state = 'failed', reason = 'too_late', updated_at = now()
WHERE id IN (SELECT d.id FROM deliveries AS d
             WHERE d.state IN ('planned', 'retrying') AND d.deadline_at < now()
             ORDER BY d.deadline_at LIMIT @most::integer FOR UPDATE SKIP LOCKED);

-- name: ConversationsWithoutJob :many
-- Undecided, and nothing in the queue will decide them: at once if a lapsed worker was at it, else after a grace. A job
-- that was handed out before the database's own start may never have reached its worker, alive as that may be: it does
-- not count a lease's time later. If it runs all the same, its twin finds nothing to do, or is fenced.
WITH unfinished AS (
    SELECT j.args ->> 'conversation_id' AS conversation_id, (j.args ->> 'run')::integer AS run, j.state,
           j.attempted_by[array_upper(j.attempted_by, 1)] AS worker_id,
           j.attempted_at < pg_postmaster_start_time() AND pg_postmaster_start_time() < now() - @ttl::interval AS stranded
    FROM river_job AS j
    WHERE j.kind = 'conversation.decide' AND j.state IN ('available', 'pending', 'retryable', 'running', 'scheduled')
), live AS (
    SELECT u.conversation_id, u.run FROM unfinished AS u
    WHERE u.state <> 'running' OR (u.stranded IS NOT TRUE AND u.worker_id <> ALL(@lapsed::text[])
                                   AND EXISTS (SELECT 1 FROM workers AS w WHERE w.id = u.worker_id))
), dropped AS (
    SELECT DISTINCT u.conversation_id::uuid AS conversation_id FROM unfinished AS u
    WHERE u.state = 'running' AND u.worker_id = ANY(@lapsed::text[])
), candidate AS (
    SELECT c.id, c.account_id, c.run, c.decide_at FROM conversations AS c
    WHERE c.state <> 'decided' AND c.decide_at < now() - @grace::interval
    UNION
    SELECT c.id, c.account_id, c.run, c.decide_at FROM conversations AS c
    JOIN dropped ON dropped.conversation_id = c.id
    WHERE c.state <> 'decided'
)
SELECT candidate.id, candidate.account_id, candidate.run
FROM candidate
WHERE NOT EXISTS (SELECT 1 FROM live WHERE live.conversation_id = candidate.id::text AND live.run = candidate.run)
ORDER BY candidate.decide_at, candidate.id
LIMIT @most::integer;

-- name: DeliveriesWithoutJob :many
-- Due, and nothing in the queue will send them: at once if a lapsed worker was at it, else after a grace. What went out
-- with its plan never had a job: the worker that had it under its hands last was to see to another attempt.
WITH unfinished AS (
    SELECT j.args ->> 'conversation_id' AS conversation_id, j.args ->> 'channel' AS channel, j.state, j.scheduled_at,
           j.attempted_by[array_upper(j.attempted_by, 1)] AS worker_id,
           j.attempted_at < pg_postmaster_start_time() AND pg_postmaster_start_time() < now() - @ttl::interval AS stranded
    FROM river_job AS j
    WHERE j.kind = 'delivery.send' AND j.state IN ('available', 'pending', 'retryable', 'running', 'scheduled')
), live AS (
    SELECT u.conversation_id, u.channel FROM unfinished AS u
    WHERE u.state = 'scheduled' AND u.scheduled_at < now() + @grace::interval -- one that waits for later is no help now
       OR u.state NOT IN ('running', 'scheduled')
       OR u.state = 'running' AND (u.stranded IS NOT TRUE AND u.worker_id <> ALL(@lapsed::text[])
                                   AND EXISTS (SELECT 1 FROM workers AS w WHERE w.id = u.worker_id))
), dropped AS (
    SELECT DISTINCT u.conversation_id::uuid AS conversation_id, u.channel FROM unfinished AS u
    WHERE u.state = 'running' AND u.worker_id = ANY(@lapsed::text[])
), candidate AS (
    SELECT d.conversation_id, d.channel, d.account_id, d.due_at FROM deliveries AS d
    WHERE d.state IN ('planned', 'retrying') AND d.due_at < now() - @grace::interval
    UNION
    SELECT d.conversation_id, d.channel, d.account_id, d.due_at FROM deliveries AS d
    JOIN dropped ON dropped.conversation_id = d.conversation_id AND dropped.channel = d.channel
    WHERE d.state IN ('planned', 'retrying')
    UNION
    SELECT d.conversation_id, d.channel, d.account_id, d.due_at FROM deliveries AS d
    WHERE cardinality(@lapsed::text[]) > 0 AND d.state IN ('planned', 'retrying') AND d.worker_id = ANY(@lapsed::text[])
)
SELECT candidate.conversation_id, candidate.channel, candidate.account_id, min(candidate.due_at)::timestamptz AS due_at
FROM candidate
WHERE NOT EXISTS (SELECT 1 FROM live
                  WHERE live.conversation_id = candidate.conversation_id::text AND live.channel = candidate.channel)
GROUP BY candidate.conversation_id, candidate.channel, candidate.account_id
ORDER BY min(candidate.due_at), candidate.conversation_id, candidate.channel
LIMIT @most::integer;

-- name: ErasuresWithoutJob :many
-- Asked for and not done, and nothing in the queue will do them: their job was given up, or somebody deleted it.
WITH live AS (
    SELECT j.args ->> 'erasure_id' AS erasure_id FROM river_job AS j
    WHERE j.kind = 'erase.work' AND (
        j.state IN ('available', 'pending', 'retryable', 'scheduled')
        OR j.state = 'running'
           AND (j.attempted_at < pg_postmaster_start_time() AND pg_postmaster_start_time() < now() - @ttl::interval) IS NOT TRUE
           AND j.attempted_by[array_upper(j.attempted_by, 1)] <> ALL(@lapsed::text[])
           AND EXISTS (SELECT 1 FROM workers AS w WHERE w.id = j.attempted_by[array_upper(j.attempted_by, 1)]))
)
SELECT e.id FROM erasures AS e
WHERE e.wish IS NOT NULL AND e.began_at < now() - @grace::interval
  AND NOT EXISTS (SELECT 1 FROM live WHERE live.erasure_id = e.id::text)
ORDER BY e.began_at LIMIT @most::integer;

-- name: DropWorkers :exec
DELETE FROM workers WHERE id = ANY(@ids::text[]);

-- name: WaitsAfter :many
-- A page of what waits for the end of a call, in the order in which it was planned.
SELECT w.delivery_id FROM awaited_ends AS w WHERE w.delivery_id > @after ORDER BY w.delivery_id LIMIT @most::integer;

-- name: LastOfCalls :many
-- The call that came in after one and so many more; none if there are fewer.
SELECT c.id FROM conversations AS c WHERE c.id > @after ORDER BY c.id LIMIT 1 OFFSET @more::integer;

-- name: WaitsOfCalls :many
-- What waits for the end of calls that came in within some time. Here and below, a subquery of its own for each is one look-up by
-- the key whatever the planner believes about the tables.
SELECT c.id AS call, w.delivery_id
FROM conversations AS c
CROSS JOIN LATERAL (
    SELECT x.delivery_id FROM awaited_ends AS x WHERE x.account_id = c.account_id AND x.call_id = c.external_id
    ORDER BY x.delivery_id LIMIT @most::integer) AS w
WHERE c.id > @after AND c.id <= @up_to
ORDER BY c.id, w.delivery_id LIMIT @most;

-- name: EndedWaits :many
-- Which of these have not been sent, called off or given up, and wait for a call that has come.
SELECT d.id, w.account_id, w.conversation_id, d.channel, d.automation, d.action, e.revision_id, c.ended_at, d.recipients
FROM (SELECT unnest(@ids::uuid[]) AS id) AS looked
CROSS JOIN LATERAL (SELECT x.account_id, x.conversation_id, x.call_id FROM awaited_ends AS x WHERE x.delivery_id = looked.id LIMIT 1) AS w
CROSS JOIN LATERAL (
    SELECT x.ended_at FROM conversations AS x WHERE x.external_id = w.call_id AND x.account_id = w.account_id ORDER BY x.source LIMIT 1) AS c
CROSS JOIN LATERAL (
    SELECT x.id, x.channel, x.automation, x.action,
           ARRAY(SELECT jsonb_array_elements_text(CASE jsonb_typeof(x.content -> 'to') WHEN 'array' THEN x.content -> 'to' ELSE '[]' END))::text[] AS recipients
    FROM deliveries AS x WHERE x.id = looked.id AND x.state = 'planned' LIMIT 1) AS d
CROSS JOIN LATERAL (SELECT x.revision_id FROM conversations AS x WHERE x.id = w.conversation_id LIMIT 1) AS e;

-- name: EndWait :many
-- Once for each delivery, whoever else sweeps.
WITH ended AS (
    DELETE FROM awaited_ends WHERE delivery_id = @id AND account_id = @account_id RETURNING delivery_id
)
UPDATE deliveries AS d SET due_at = @due_at, deadline_at = @deadline_at, reason = @reason, detail = @detail, updated_at = now()
FROM ended WHERE d.id = ended.delivery_id AND d.account_id = @account_id AND d.state = 'planned'
RETURNING d.id;

-- name: ForgetCounted :execrows
-- What can be counted with nothing that may still come in.
DELETE FROM counted WHERE (conversation_id, automation) IN (
    SELECT c.conversation_id, c.automation FROM counted AS c WHERE c.keep_until < now() ORDER BY c.keep_until LIMIT @most::integer);

-- name: VainWaits :many
-- Which of these were sent, called off or given up meanwhile.
SELECT looked.id::uuid AS id FROM (SELECT unnest(@ids::uuid[]) AS id) AS looked
CROSS JOIN LATERAL (SELECT x.state FROM deliveries AS x WHERE x.id = looked.id LIMIT 1) AS d
WHERE d.state <> 'planned';

-- name: ForgetWaits :exec
DELETE FROM awaited_ends WHERE delivery_id = ANY(@ids::uuid[]);
