-- What the metrics show an operator of the whole installation. Counts end where a count would cost something: each is of the
-- first rows of an index.

-- name: QueueVitals :many
-- What is due and nobody has taken. A job that was put off counts from its time on, though the leader of the queue may not have
-- moved it yet: without any worker nobody does.
SELECT q.queue::text AS queue,
       coalesce(extract(epoch FROM now() - oldest.due_at), 0)::double precision AS age_seconds,
       (SELECT count(*) FROM (SELECT 1 FROM river_job AS j WHERE j.state = 'available' AND j.queue = q.queue LIMIT @most::integer) AS first)::integer AS jobs
FROM unnest(@queues::text[]) AS q (queue)
CROSS JOIN LATERAL (
    SELECT min(first.scheduled_at) AS due_at
    FROM unnest('{available,scheduled,retryable}'::river_job_state[]) AS s (state), generate_series(1, 4) AS p (priority)
    CROSS JOIN LATERAL (
        SELECT j.scheduled_at FROM river_job AS j
        WHERE j.state = s.state AND j.queue = q.queue AND j.priority = p.priority AND j.scheduled_at <= now()
        ORDER BY j.scheduled_at LIMIT 1) AS first) AS oldest
ORDER BY q.queue;

-- name: UndecidedVitals :many
SELECT first.state::text AS state, count(*)::integer AS conversations,
       greatest(extract(epoch FROM now() - min(first.decide_at)), 0)::double precision AS age_seconds
FROM (SELECT c.state, c.decide_at FROM conversations AS c
      WHERE c.state <> 'decided' ORDER BY c.decide_at LIMIT @most::integer) AS first
GROUP BY first.state ORDER BY first.state;

-- name: LedgerVitals :many
-- What is held of a test or in a sandbox waits for nobody.
SELECT first.state::text AS state, count(*)::integer AS deliveries,
       greatest(coalesce(extract(epoch FROM now() - min(first.due_at)), 0), 0)::double precision AS age_seconds
FROM ((SELECT d.state, d.due_at FROM deliveries AS d
       WHERE d.state IN ('planned', 'retrying') ORDER BY d.due_at LIMIT @most::integer)
      UNION ALL
      (SELECT d.state, NULL::timestamptz FROM deliveries AS d WHERE d.state = 'sending' LIMIT @most::integer)
      UNION ALL
      (SELECT d.state, NULL::timestamptz FROM deliveries AS d WHERE d.state = 'held' AND NOT d.test LIMIT @most::integer)
      UNION ALL
      (SELECT d.state, NULL::timestamptz FROM deliveries AS d WHERE d.state = 'unknown' LIMIT @most::integer)) AS first (state, due_at)
GROUP BY first.state ORDER BY first.state;

-- name: HouseVitals :one
-- Folders of an account whose config comes in by another door do not count.
SELECT (SELECT count(*) FROM workers AS w WHERE w.beat_at > now() - @lease::interval)::integer AS workers,
       (SELECT count(*) FROM active_revisions)::integer AS accounts,
       (SELECT count(*) FROM config_attempts AS t
        WHERE t.state <> 'applied'
          AND NOT EXISTS (SELECT 1 FROM accounts AS a WHERE a.id = t.account_id AND a.authority = 'cli'))::integer AS troubled,
       greatest(coalesce((SELECT extract(epoch FROM now() - min(e.began_at)) FROM erasures AS e WHERE e.wish IS NOT NULL), 0), 0)::double precision AS erasure_seconds;
