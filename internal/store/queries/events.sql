-- name: OneEvent :one
-- With the beginning of its body.
SELECT e.id, e.account_id, e.source, e.identity, e.type, e.content_type, e.call_id, e.received_at, e.accepted_at,
       coalesce(e.conversation_id::text, '')::text AS conversation_id, octet_length(e.body)::integer AS bytes,
       substring(e.body FROM 1 FOR @head::integer)::bytea AS head,
       (SELECT count(*) FROM (SELECT 1 FROM event_conflicts AS x WHERE x.event_id = e.id LIMIT 100) AS n)::integer AS conflicts
FROM events AS e WHERE e.id = @id AND (@every::boolean OR e.account_id = ANY(@account_ids::text[]));

-- name: FindEventsAlone :many
-- Events that belong to no conversation, by our id, the id of their call, or the identity they came under. Only a source tells an
-- identity, so each of an account's is asked for it.
SELECT n.id::uuid AS id, n.account_id::text AS account_id, n.source::text AS source, n.type::text AS type, n.received_at::timestamptz AS received_at
FROM accounts AS a CROSS JOIN LATERAL (
    (SELECT e.id, e.account_id, e.source, e.type, e.received_at FROM events AS e
     WHERE e.id = @id::uuid AND e.account_id = a.id AND e.conversation_id IS NULL)
    UNION
    (SELECT e.id, e.account_id, e.source, e.type, e.received_at FROM events AS e
     WHERE e.account_id = a.id AND e.call_id = @term::text AND e.call_id <> '' AND e.conversation_id IS NULL
     ORDER BY e.id DESC LIMIT @most::integer)
    UNION
    (SELECT e.id, e.account_id, e.source, e.type, e.received_at
     FROM (SELECT s.source_id FROM sources AS s WHERE s.account_id = a.id UNION SELECT @api::text) AS s
     JOIN events AS e ON e.account_id = a.id AND e.source = s.source_id AND e.identity = @term::text
     WHERE e.conversation_id IS NULL)) AS n
WHERE @every::boolean OR a.id = ANY(@account_ids::text[])
ORDER BY n.id DESC LIMIT @most::integer;
