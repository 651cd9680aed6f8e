-- What was heard from the platforms that post to us.

-- name: ListSources :many
-- Those that are configured and, for each account, the API itself, which has no row.
SELECT s.account_id::text AS account_id, s.source_id::text AS source_id
FROM (SELECT c.account_id, c.source_id FROM sources AS c UNION ALL SELECT a.id, @api::text FROM accounts AS a) AS s (account_id, source_id)
WHERE @every::boolean OR s.account_id = ANY(@account_ids::text[])
ORDER BY s.account_id, s.source_id LIMIT @most::integer;

-- name: LastEvents :many
-- The newest events of each source.
SELECT s.account_id::text AS account_id, s.source_id::text AS source_id, e.id::uuid AS id, e.type, e.received_at,
       coalesce(e.conversation_id::text, '')::text AS conversation_id
FROM (SELECT unnest(@account_ids::text[]) AS account_id, unnest(@source_ids::text[]) AS source_id) AS s CROSS JOIN LATERAL (
    SELECT v.id, v.type, v.received_at, v.conversation_id FROM events AS v
    WHERE v.account_id = s.account_id AND v.source = s.source_id
    ORDER BY v.id DESC LIMIT @most::integer) AS e
ORDER BY s.account_id, s.source_id, e.id DESC;
