-- name: ReviewPage :many
-- Calls with something that waits for a person, the newest first: an unsure decision that is for review, or a held delivery.
-- What was decided in a sandbox waits for nobody.
SELECT page.id::uuid AS id
FROM accounts AS a CROSS JOIN LATERAL (
    (SELECT d.conversation_id AS id FROM decisions AS d
     WHERE @unsure::boolean AND d.account_id = a.id AND d.verdict = 'unsure' AND d.review AND d.settled_as IS NULL
       AND d.conversation_id < @before::uuid
       AND NOT EXISTS (SELECT 1 FROM runs AS r WHERE r.conversation_id = d.conversation_id AND r.run = d.run AND r.sandbox)
     GROUP BY d.conversation_id ORDER BY d.conversation_id DESC LIMIT @most::integer)
    UNION ALL
    (SELECT d.conversation_id FROM deliveries AS d
     WHERE @held::boolean AND d.account_id = a.id AND d.state = 'held' AND NOT d.test AND d.conversation_id < @before::uuid
     GROUP BY d.conversation_id ORDER BY d.conversation_id DESC LIMIT @most::integer)
    UNION ALL
    (SELECT d.conversation_id FROM deliveries AS d
     WHERE @suspicious::boolean AND d.account_id = a.id AND d.state = 'held' AND d.reason = 'suspicious' AND NOT d.test
       AND d.conversation_id < @before::uuid
     GROUP BY d.conversation_id ORDER BY d.conversation_id DESC LIMIT @most::integer)) AS page
WHERE @every::boolean OR a.id = ANY(@account_ids::text[])
GROUP BY page.id ORDER BY page.id DESC LIMIT @most::integer;

-- name: ReviewDecisions :many
SELECT d.conversation_id, d.run, d.automation, d.account_id, d.revision_id, d.verdict, d.reason, d.evidence, d.detail, d.decided_at,
       (d.verdict = 'unsure' AND d.review AND d.settled_as IS NULL)::boolean AS unsure,
       c.customer_name, c.customer_number,
       CASE WHEN left(c.external_id, 6) = 'event:' THEN c.status ELSE '' END::text AS event, c.agent_name, c.started_at
FROM decisions AS d JOIN conversations AS c ON c.id = d.conversation_id AND c.account_id = d.account_id
WHERE d.conversation_id = ANY(@ids::uuid[]) AND (@every::boolean OR d.account_id = ANY(@account_ids::text[]))
  AND NOT EXISTS (SELECT 1 FROM runs AS r WHERE r.conversation_id = d.conversation_id AND r.run = d.run AND r.sandbox)
  AND (d.verdict = 'unsure' AND d.review AND d.settled_as IS NULL
       OR EXISTS (SELECT 1 FROM deliveries AS x WHERE x.conversation_id = d.conversation_id AND x.run = d.run
                    AND x.automation = d.automation AND coalesce(x.state, '') = 'held' AND NOT x.test))
ORDER BY d.conversation_id DESC, d.run DESC, d.automation;

-- name: ReviewHeld :many
SELECT d.id, d.conversation_id, d.run, d.automation, d.action, d.channel, d.recipient, d.customer, d.reason, d.detail,
       ((d.content - 'html') - 'text')::jsonb AS content, left(coalesce(d.content ->> 'text', ''), @text_head::integer)::text AS text,
       octet_length(coalesce(d.content ->> 'text', ''))::integer AS text_bytes, (d.content ? 'html')::boolean AS has_html, d.updated_at
FROM deliveries AS d
WHERE d.conversation_id = ANY(@ids::uuid[]) AND (@every::boolean OR d.account_id = ANY(@account_ids::text[]))
  AND coalesce(d.state, '') = 'held' AND NOT d.test
ORDER BY d.conversation_id, d.run, d.automation, d.action, d.recipient;

-- name: CountReviews :one
-- What waits for a person, automation by automation, counted so far; of what is held no more is looked at than @scanned.
SELECT count(*)::integer AS waiting FROM (
    SELECT 1 FROM accounts AS a CROSS JOIN LATERAL (
        (SELECT d.conversation_id, d.run, d.automation FROM decisions AS d
         WHERE d.account_id = a.id AND d.verdict = 'unsure' AND d.review AND d.settled_as IS NULL
           AND NOT EXISTS (SELECT 1 FROM runs AS r WHERE r.conversation_id = d.conversation_id AND r.run = d.run AND r.sandbox)
         ORDER BY d.conversation_id DESC LIMIT @most::integer)
        UNION
        (SELECT d.conversation_id, d.run, d.automation FROM deliveries AS d
         WHERE d.account_id = a.id AND d.state IN ('held', 'failed', 'unknown') AND d.state = 'held' AND NOT d.test
         ORDER BY d.conversation_id DESC LIMIT @scanned::integer)) AS page
    WHERE @every::boolean OR a.id = ANY(@account_ids::text[])
    LIMIT @most::integer) AS counted;
