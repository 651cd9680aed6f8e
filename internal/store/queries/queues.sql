-- What the page of the queue shows those who run the installation. Counts end at @most: each is of the first rows of an index.

-- name: QueueStates :many
SELECT q.queue::text AS queue, s.state::text AS state,
       (SELECT count(*) FROM (SELECT 1 FROM river_job AS j WHERE j.state = s.state AND j.queue = q.queue ORDER BY j.priority, j.scheduled_at, j.id LIMIT @most::integer) AS first)::integer AS jobs
FROM unnest(@queues::text[]) AS q (queue),
     unnest('{available,running,scheduled,retryable,discarded}'::river_job_state[]) AS s (state)
ORDER BY q.queue, s.state;

-- name: QueueFaults :many
-- What failed for a reason of ours, by kind of job: tried again, or given up.
SELECT q.queue::text AS queue, first.kind::text AS kind, s.state::text AS state, count(*)::integer AS jobs, max(first.attempt)::integer AS attempts,
       max(first.attempted_at)::timestamptz AS last_at
FROM unnest(@queues::text[]) AS q (queue),
     unnest('{retryable,discarded}'::river_job_state[]) AS s (state)
CROSS JOIN LATERAL (
    SELECT j.kind, j.attempt, coalesce(j.attempted_at, j.created_at) AS attempted_at FROM river_job AS j
    WHERE j.state = s.state AND j.queue = q.queue ORDER BY j.priority, j.scheduled_at, j.id LIMIT @most::integer) AS first
GROUP BY q.queue, first.kind, s.state ORDER BY q.queue, first.kind, s.state;
