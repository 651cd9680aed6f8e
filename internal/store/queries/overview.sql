-- What the overview shows. Each statement walks an index from its new end and stops after so many rows, so that it takes as long
-- with a million calls as with a thousand. docs/operations/overview.md says what that means for the figures.

-- name: OverviewCalls :many
-- The calls accepted since, at most so many of the newest, in slices of time.
WITH walked AS (
    SELECT page.id, page.accepted_at, page.state
    FROM accounts AS a CROSS JOIN LATERAL (
        SELECT c.id, c.accepted_at, c.state FROM conversations AS c
        WHERE c.account_id = a.id AND c.id >= @since::uuid
        ORDER BY c.id DESC LIMIT @most::integer) AS page
    WHERE @every::boolean OR a.id = ANY(@account_ids::text[])
    ORDER BY page.id DESC LIMIT @most::integer
), told AS (
    SELECT floor(extract(epoch FROM walked.accepted_at - @from_at::timestamptz) / @slice_seconds::integer)::integer AS slice,
           walked.accepted_at, walked.state,
           (SELECT count(*) FROM decisions AS d WHERE d.conversation_id = walked.id AND d.verdict = 'fires'
              AND (d.run = 1 OR NOT EXISTS (SELECT 1 FROM runs AS r WHERE r.conversation_id = d.conversation_id AND r.run = d.run AND r.sandbox))) AS fired,
           (SELECT count(*) FROM deliveries AS d WHERE d.conversation_id = walked.id AND d.state IN ('sent', 'delivered')
              AND (d.run = 1 OR NOT EXISTS (SELECT 1 FROM runs AS r WHERE r.conversation_id = d.conversation_id AND r.run = d.run AND r.sandbox))) AS sent
    FROM walked
)
SELECT slice, count(*)::integer AS received, (count(*) FILTER (WHERE state = 'decided'))::integer AS decided,
       (count(*) FILTER (WHERE fired > 0))::integer AS fired, sum(sent)::integer AS sent,
       min(accepted_at)::timestamptz AS oldest
FROM told GROUP BY slice ORDER BY slice;

-- name: OverviewTroubles :many
-- What came to be in trouble since, by where and how.
WITH mine AS (
    SELECT a.id FROM accounts AS a WHERE @every::boolean OR a.id = ANY(@account_ids::text[])
)
SELECT floor(extract(epoch FROM page.updated_at - @from_at::timestamptz) / @slice_seconds::integer)::integer AS slice,
       page.state, page.channel, page.provider,
       coalesce((SELECT t.class FROM attempts AS t WHERE t.delivery_id = page.id AND t.attempt = page.attempt), '')::text AS class,
       count(*)::integer AS deliveries, max(page.updated_at)::timestamptz AS newest
FROM mine CROSS JOIN unnest('{retrying,failed,unknown}'::text[]) AS trouble (state) CROSS JOIN LATERAL (
    SELECT d.id, d.attempt, d.state, d.channel, d.provider, d.updated_at FROM deliveries AS d
    WHERE d.account_id = mine.id AND d.updated_at > '-infinity' AND d.state IN ('retrying', 'held', 'failed', 'unknown') AND d.state = trouble.state
      AND d.updated_at >= @from_at::timestamptz
    ORDER BY d.updated_at DESC, d.id DESC LIMIT @most::integer) AS page
GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5;

-- name: OverviewWaiting :many
-- Calls that are due and not decided, the oldest first, and how many there are, counted so far.
WITH undecided AS (
    SELECT page.id, page.accepted_at, page.state, page.decide_at
    FROM accounts AS a CROSS JOIN LATERAL (
        SELECT c.id, c.accepted_at, c.state, c.decide_at FROM conversations AS c
        WHERE c.account_id = a.id AND c.state <> 'decided'
        ORDER BY c.id LIMIT @most::integer) AS page
    WHERE @every::boolean OR a.id = ANY(@account_ids::text[])
    ORDER BY page.id LIMIT @most::integer
)
SELECT id, accepted_at, state, (count(*) OVER ())::integer AS waiting, (count(*) FILTER (WHERE state = 'waiting') OVER ())::integer AS for_model
FROM undecided WHERE decide_at <= now() ORDER BY id LIMIT 1;

-- name: OverviewReview :one
-- What waits for a person, counted so far; nobody is waited for by a sandbox, nor by the messages of a test.
WITH mine AS (
    SELECT a.id FROM accounts AS a WHERE @every::boolean OR a.id = ANY(@account_ids::text[])
)
SELECT (SELECT count(*) FROM (
            SELECT 1 FROM mine CROSS JOIN LATERAL (
                SELECT 1 FROM decisions AS d WHERE d.account_id = mine.id AND d.verdict = 'unsure' AND d.review AND d.settled_as IS NULL
                  AND NOT EXISTS (SELECT 1 FROM runs AS r WHERE r.conversation_id = d.conversation_id AND r.run = d.run AND r.sandbox)
                LIMIT @most::integer) AS page LIMIT @most::integer) AS counted)::integer AS unsure,
       (SELECT count(*) FROM (
            SELECT 1 FROM mine CROSS JOIN LATERAL (
                SELECT 1 FROM deliveries AS d
                WHERE d.account_id = mine.id AND d.state IN ('held', 'failed', 'unknown') AND d.state = 'held' AND NOT d.test
                LIMIT @most::integer) AS page LIMIT @most::integer) AS counted)::integer AS held,
       (SELECT count(*) FROM (
            SELECT 1 FROM mine CROSS JOIN LATERAL (
                SELECT 1 FROM deliveries AS d
                WHERE d.account_id = mine.id AND d.state IN ('held', 'failed', 'unknown') AND d.state = 'unknown'
                LIMIT @most::integer) AS page LIMIT @most::integer) AS counted)::integer AS unknown;

-- name: OverviewModel :many
-- How the model answered on the newest calls.
WITH walked AS (
    SELECT page.id
    FROM accounts AS a CROSS JOIN LATERAL (
        SELECT c.id FROM conversations AS c
        WHERE c.account_id = a.id AND c.id >= @since::uuid
        ORDER BY c.id DESC LIMIT @most::integer) AS page
    WHERE @every::boolean OR a.id = ANY(@account_ids::text[])
    ORDER BY page.id DESC LIMIT @most::integer
)
SELECT i.endpoint, i.model, i.simulated, i.valid, i.error_kind, count(*)::integer AS calls, max(i.called_at)::timestamptz AS newest
FROM walked CROSS JOIN LATERAL (
    SELECT x.endpoint, x.model, x.simulated, x.valid, x.error_kind, x.called_at FROM interviews AS x
    WHERE x.conversation_id = walked.id LIMIT 20) AS i
GROUP BY 1, 2, 3, 4, 5 ORDER BY calls DESC, 1, 2, 3, 4, 5;

-- name: OverviewAutomations :many
-- When each last fired, and the calls there were meanwhile: over its last thirty and over the thirty before.
SELECT asked.account_id::text AS account_id, asked.automation::text AS automation, coalesce(fired.last::text, '')::text AS last,
       coalesce(fired.thirtieth::text, '')::text AS thirtieth, coalesce(fired.sixtieth::text, '')::text AS sixtieth,
       (CASE WHEN fired.sixtieth IS NULL OR fired.thirtieth < @since::uuid THEN 0 ELSE (
           SELECT count(*) FROM (SELECT 1 FROM conversations AS c
                                 WHERE c.account_id = asked.account_id AND c.id >= fired.thirtieth
                                 LIMIT @most::integer) AS counted) END)::integer AS calls_now,
       (CASE WHEN fired.sixtieth IS NULL OR fired.thirtieth < @since::uuid THEN 0 ELSE (
           SELECT count(*) FROM (SELECT 1 FROM conversations AS c
                                 WHERE c.account_id = asked.account_id AND c.id >= fired.sixtieth AND c.id < fired.thirtieth
                                 LIMIT @most::integer) AS counted) END)::integer AS calls_before
FROM (SELECT unnest(@account_ids::text[]) AS account_id, unnest(@automations::text[]) AS automation) AS asked
CROSS JOIN LATERAL (
    SELECT (SELECT d.conversation_id FROM decisions AS d
            WHERE d.account_id = asked.account_id AND d.automation = asked.automation AND d.verdict = 'fires'
              AND (d.run = 1 OR NOT EXISTS (SELECT 1 FROM runs AS r WHERE r.conversation_id = d.conversation_id AND r.run = d.run AND r.sandbox))
            ORDER BY d.conversation_id DESC LIMIT 1) AS last,
           (SELECT d.conversation_id FROM decisions AS d
            WHERE d.account_id = asked.account_id AND d.automation = asked.automation AND d.verdict = 'fires'
              AND (d.run = 1 OR NOT EXISTS (SELECT 1 FROM runs AS r WHERE r.conversation_id = d.conversation_id AND r.run = d.run AND r.sandbox))
            ORDER BY d.conversation_id DESC OFFSET 29 LIMIT 1) AS thirtieth,
           (SELECT d.conversation_id FROM decisions AS d
            WHERE d.account_id = asked.account_id AND d.automation = asked.automation AND d.verdict = 'fires'
              AND (d.run = 1 OR NOT EXISTS (SELECT 1 FROM runs AS r WHERE r.conversation_id = d.conversation_id AND r.run = d.run AND r.sandbox))
            ORDER BY d.conversation_id DESC OFFSET 59 LIMIT 1) AS sixtieth) AS fired;

-- name: LastActivation :many
SELECT page.account_id, page.activated_at, page.activated_by, page.message, page.digest
FROM accounts AS a CROSS JOIN LATERAL (
    SELECT v.account_id, v.activated_at, v.activated_by, v.message, r.digest
    FROM activations AS v JOIN revisions AS r ON r.account_id = v.account_id AND r.id = v.revision_id
    WHERE v.account_id = a.id ORDER BY v.id DESC LIMIT 1) AS page
WHERE @every::boolean OR a.id = ANY(@account_ids::text[])
ORDER BY page.activated_at DESC LIMIT 1;
