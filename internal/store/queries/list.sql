-- Lists page by id: ids are UUIDs of version 7, so the newest come first. Every list walks the accounts it may show and
-- takes one page from each, so that one account and all of them use the same indexes.

-- name: ListConversations :many
SELECT page.id::uuid AS id
FROM accounts AS a CROSS JOIN LATERAL (
    SELECT c.id FROM conversations AS c
    WHERE c.account_id = a.id AND c.id < @before::uuid
    ORDER BY c.id DESC LIMIT @most::integer) AS page
WHERE @every::boolean OR a.id = ANY(@account_ids::text[])
ORDER BY page.id DESC LIMIT @most::integer;

-- name: SearchConversations :many
-- An empty term finds nothing.
SELECT page.id::uuid AS id
FROM accounts AS a CROSS JOIN LATERAL (
    (SELECT c.id FROM conversations AS c
     WHERE @id::text <> '' AND c.id = nullif(@id::text, '')::uuid AND c.account_id = a.id AND c.id < @before::uuid)
    UNION
    (SELECT c.id FROM conversations AS c
     WHERE @external_id::text <> '' AND c.external_id = @external_id AND c.account_id = a.id AND c.id < @before::uuid
     ORDER BY c.id DESC LIMIT @most::integer)
    UNION
    (SELECT c.id FROM conversations AS c
     WHERE @email::text <> '' AND c.email_key <> '' AND c.email_key = @email AND c.account_id = a.id
       AND c.id < @before::uuid
     ORDER BY c.id DESC LIMIT @most::integer)
    UNION
    (SELECT c.id FROM conversations AS c
     WHERE @phone::text <> '' AND c.phone_key <> '' AND c.phone_key = @phone AND c.account_id = a.id
       AND c.id < @before::uuid
     ORDER BY c.id DESC LIMIT @most::integer)
    UNION
    (SELECT c.id FROM conversations AS c
     WHERE @phone::text <> '' AND c.far_phone_key <> '' AND c.far_phone_key = @phone AND c.account_id = a.id
       AND c.id < @before::uuid
     ORDER BY c.id DESC LIMIT @most::integer)
    UNION
    (SELECT d.conversation_id FROM decisions AS d
     WHERE @automation::text <> '' AND d.automation = @automation AND d.account_id = a.id AND d.verdict = 'fires'
       AND d.conversation_id < @before::uuid
     ORDER BY d.conversation_id DESC LIMIT @most::integer)) AS page (id)
WHERE @every::boolean OR a.id = ANY(@account_ids::text[])
ORDER BY page.id DESC LIMIT @most::integer;

-- name: ConversationRows :many
-- Only what an outside provider took is sent: a captured message, a task and an alert never leave this machine.
SELECT c.id, c.account_id, c.external_id, c.agent_name, c.channel, c.status, c.direction, c.customer_name,
       c.customer_number, c.started_at, c.ended_at, c.accepted_at, c.state, c.simulated,
       ARRAY(SELECT DISTINCT d.automation FROM decisions AS d
             WHERE d.conversation_id = c.id AND d.verdict = 'fires' ORDER BY 1)::text[] AS fired,
       (SELECT count(*) FROM decisions AS d
        WHERE d.conversation_id = c.id AND d.verdict = 'unsure' AND d.review)::integer AS unsure,
       l.sent, l.captured, l.tasks, l.alerts, l.open, l.held, l.failed, l.unknown, l.test
FROM conversations AS c CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE d.state IN ('sent', 'delivered') AND d.channel NOT IN ('task', 'team_alert')
                                  AND d.provider <> 'capture')::integer AS sent,
           count(*) FILTER (WHERE d.state IN ('sent', 'delivered') AND d.channel <> 'task'
                                  AND d.provider = 'capture')::integer AS captured,
           count(*) FILTER (WHERE d.state IN ('sent', 'delivered') AND d.channel = 'task')::integer AS tasks,
           count(*) FILTER (WHERE d.state IN ('sent', 'delivered') AND d.channel = 'team_alert'
                                  AND d.provider <> 'capture')::integer AS alerts,
           count(*) FILTER (WHERE d.state IN ('planned', 'sending', 'retrying'))::integer AS open,
           count(*) FILTER (WHERE d.state = 'held')::integer AS held,
           count(*) FILTER (WHERE d.state = 'failed')::integer AS failed,
           count(*) FILTER (WHERE d.state = 'unknown')::integer AS unknown,
           coalesce(bool_or(d.test), false)::boolean AS test
    FROM deliveries AS d WHERE d.conversation_id = c.id) AS l
WHERE c.id = ANY(@ids::uuid[]) AND (@every::boolean OR c.account_id = ANY(@account_ids::text[]))
ORDER BY c.id DESC;

-- name: ListCaptured :many
SELECT page.id::uuid AS id, page.account_id, page.conversation_id, page.external_id, page.automation, page.channel,
       page.recipients, page.subject, page.text, page.html, page.fields, page.test, page.captured_at
FROM accounts AS a CROSS JOIN LATERAL (
    SELECT m.* FROM captured AS m
    WHERE m.account_id = a.id AND m.id < @before::uuid
    ORDER BY m.id DESC LIMIT @most::integer) AS page
WHERE @every::boolean OR a.id = ANY(@account_ids::text[])
ORDER BY page.id DESC LIMIT @most::integer;

-- name: ListCapturedOfChannel :many
SELECT page.id::uuid AS id, page.account_id, page.conversation_id, page.external_id, page.automation, page.channel,
       page.recipients, page.subject, page.text, page.html, page.fields, page.test, page.captured_at
FROM accounts AS a CROSS JOIN LATERAL (
    SELECT m.* FROM captured AS m
    WHERE m.account_id = a.id AND m.channel = @channel::text AND m.id < @before::uuid
    ORDER BY m.id DESC LIMIT @most::integer) AS page
WHERE @every::boolean OR a.id = ANY(@account_ids::text[])
ORDER BY page.id DESC LIMIT @most::integer;

-- name: CapturedMessage :one
SELECT id, account_id, conversation_id, external_id, automation, channel, recipients, subject, text, html, fields, test,
       captured_at
FROM captured WHERE id = @id AND (@every::boolean OR account_id = ANY(@account_ids::text[]));

-- name: ListAlerts :many
SELECT id, account_id, delivery_id, conversation_id, automation, audience, text, created_at
FROM alerts WHERE account_id = @account_id
ORDER BY id DESC LIMIT @most::integer;
