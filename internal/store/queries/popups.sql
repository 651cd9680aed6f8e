-- Pop-ups on their way to a softphone (migrations/00025). One is shown while it lasts and its delivery stands: it is under way, waits
-- for a softphone, or was taken by another one of the same agent.

-- name: LockAgent :exec
-- Two pop-ups of one agent are numbered one after the other, each with its commit: whoever has seen one has seen all before it.
SELECT pg_advisory_xact_lock(hashtextextended(@account_id::text || chr(10) || @agent::text, 23));

-- name: PostPopUp :one
WITH posted AS (
    INSERT INTO popups (account_id, delivery_id, agent, until)
    SELECT d.account_id, d.id, @agent, coalesce(d.deadline_at, @now::timestamptz)
    FROM deliveries AS d WHERE d.id = @delivery_id AND d.account_id = @account_id
    ON CONFLICT (delivery_id) DO NOTHING
    RETURNING until, taken_at
)
SELECT until, (taken_at IS NOT NULL)::boolean AS taken FROM posted
UNION ALL
SELECT p.until, (p.taken_at IS NOT NULL)::boolean FROM popups AS p WHERE p.delivery_id = @delivery_id AND p.account_id = @account_id
LIMIT 1;

-- name: PopUpTaken :one
SELECT (taken_at IS NOT NULL)::boolean AS taken FROM popups WHERE delivery_id = @delivery_id AND account_id = @account_id;

-- name: ShownPopUps :many
SELECT p.seq, p.delivery_id, p.until, d.conversation_id, d.automation, d.content, c.external_id, d.created_at,
    CASE WHEN left(c.external_id, 6) = 'event:' THEN c.status ELSE '' END::text AS event,
    CASE WHEN left(c.external_id, 6) = 'event:' THEN left(coalesce(c.content -> 'metadata' ->> 'point', ''), 200) ELSE '' END::text AS point,
    (p.taken_at IS NOT NULL)::boolean AS taken
FROM popups AS p
JOIN deliveries AS d ON d.id = p.delivery_id AND d.account_id = p.account_id
JOIN conversations AS c ON c.id = d.conversation_id
WHERE p.account_id = @account_id AND p.agent = @agent AND p.seq > @after AND p.until > @now::timestamptz
  AND d.state IN ('sending', 'retrying', 'sent', 'delivered')
ORDER BY p.seq LIMIT @most::integer;

-- name: TakePopUps :many
UPDATE popups AS p SET taken_at = @now::timestamptz
WHERE p.account_id = @account_id AND p.agent = @agent AND p.delivery_id = ANY(@delivery_ids::uuid[]) AND p.taken_at IS NULL
RETURNING p.delivery_id;
