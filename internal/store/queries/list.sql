-- Lists page by id: ids are UUIDs of version 7, so the newest come first. Every list walks the accounts it may show and
-- takes one page from each, so that one account and all of them use the same indexes.

-- name: ListConversations :many
SELECT page.id::uuid AS id
FROM accounts AS a CROSS JOIN LATERAL (
    SELECT c.id FROM conversations AS c
    WHERE c.account_id = a.id AND c.id < @before::uuid AND c.id >= @since::uuid
    ORDER BY c.id DESC LIMIT @most::integer) AS page
WHERE @every::boolean OR a.id = ANY(@account_ids::text[])
ORDER BY page.id DESC LIMIT @most::integer;

-- name: ListUndecided :many
SELECT page.id::uuid AS id
FROM accounts AS a CROSS JOIN LATERAL (
    SELECT c.id FROM conversations AS c
    WHERE c.account_id = a.id AND c.state <> 'decided' AND c.id < @before::uuid AND c.id >= @since::uuid
    ORDER BY c.id DESC LIMIT @most::integer) AS page
WHERE @every::boolean OR a.id = ANY(@account_ids::text[])
ORDER BY page.id DESC LIMIT @most::integer;

-- name: ListTroubled :many
-- Conversations with a delivery that is held, failed or unknown; what could not be rendered in a sandbox is found, too, since
-- the index does not know of runs.
SELECT page.conversation_id::uuid AS id
FROM accounts AS a CROSS JOIN LATERAL (
    SELECT DISTINCT d.conversation_id FROM deliveries AS d
    WHERE d.account_id = a.id AND d.state IN ('held', 'failed', 'unknown') AND d.state = @state::text
      AND d.conversation_id < @before::uuid AND d.conversation_id >= @since::uuid
    ORDER BY d.conversation_id DESC LIMIT @most::integer) AS page
WHERE @every::boolean OR a.id = ANY(@account_ids::text[])
ORDER BY page.conversation_id DESC LIMIT @most::integer;

-- name: ListTroubledOf :many
-- Likewise, with a delivery of one automation.
SELECT page.conversation_id::uuid AS id
FROM accounts AS a CROSS JOIN LATERAL (
    SELECT DISTINCT d.conversation_id FROM deliveries AS d
    WHERE d.account_id = a.id AND d.state IN ('held', 'failed', 'unknown') AND d.state = @state::text
      AND d.automation = @automation::text AND d.conversation_id < @before::uuid AND d.conversation_id >= @since::uuid
    ORDER BY d.conversation_id DESC LIMIT @most::integer) AS page
WHERE @every::boolean OR a.id = ANY(@account_ids::text[])
ORDER BY page.conversation_id DESC LIMIT @most::integer;

-- name: ListUnsure :many
SELECT page.conversation_id::uuid AS id
FROM accounts AS a CROSS JOIN LATERAL (
    SELECT DISTINCT d.conversation_id FROM decisions AS d
    WHERE d.account_id = a.id AND d.verdict = 'unsure' AND d.review AND d.settled_as IS NULL
      AND d.conversation_id < @before::uuid AND d.conversation_id >= @since::uuid
    ORDER BY d.conversation_id DESC LIMIT @most::integer) AS page
WHERE @every::boolean OR a.id = ANY(@account_ids::text[])
ORDER BY page.conversation_id DESC LIMIT @most::integer;

-- name: ListFired :many
-- Conversations on which an automation fired. What was decided in a sandbox counts in no list.
SELECT page.conversation_id::uuid AS id
FROM accounts AS a CROSS JOIN LATERAL (
    SELECT DISTINCT d.conversation_id FROM decisions AS d
    WHERE d.account_id = a.id AND d.automation = @automation::text AND d.verdict = 'fires'
      AND (d.run = 1 OR NOT EXISTS (SELECT 1 FROM runs AS r WHERE r.conversation_id = d.conversation_id AND r.run = d.run AND r.sandbox))
      AND d.conversation_id < @before::uuid AND d.conversation_id >= @since::uuid
    ORDER BY d.conversation_id DESC LIMIT @most::integer) AS page
WHERE @every::boolean OR a.id = ANY(@account_ids::text[])
ORDER BY page.conversation_id DESC LIMIT @most::integer;

-- name: AgentsNamed :many
-- The names that are one but for small and capital letters. Row security would not let an index of small letters be used, so
-- the names there are, at most so many of each account, are read off an index one after the other.
WITH RECURSIVE named AS (
    SELECT a.id AS account_id, 1 AS n, first.agent_name AS name
    FROM accounts AS a CROSS JOIN LATERAL (
        SELECT c.agent_name FROM conversations AS c WHERE c.account_id = a.id ORDER BY c.agent_name LIMIT 1) AS first
    WHERE @every::boolean OR a.id = ANY(@account_ids::text[])
    UNION ALL
    SELECT l.account_id, l.n + 1, next.agent_name
    FROM named AS l CROSS JOIN LATERAL (
        SELECT c.agent_name FROM conversations AS c
        WHERE c.account_id = l.account_id AND c.agent_name > l.name ORDER BY c.agent_name LIMIT 1) AS next
    WHERE l.n < @most::integer
)
SELECT DISTINCT name::text AS name FROM named WHERE lower(name) = lower(@agent::text);

-- name: ListOfAgent :many
SELECT page.id::uuid AS id
FROM accounts AS a CROSS JOIN LATERAL (
    (SELECT c.id FROM conversations AS c
     WHERE c.account_id = a.id AND c.agent_id = @agent::text AND c.id < @before::uuid AND c.id >= @since::uuid
     ORDER BY c.id DESC LIMIT @most::integer)
    UNION
    (SELECT called.id FROM unnest(@names::text[]) AS n (name) CROSS JOIN LATERAL (
         SELECT c.id FROM conversations AS c
         WHERE c.account_id = a.id AND c.agent_name = n.name AND c.id < @before::uuid AND c.id >= @since::uuid
         ORDER BY c.id DESC LIMIT @most::integer) AS called)) AS page (id)
WHERE @every::boolean OR a.id = ANY(@account_ids::text[])
ORDER BY page.id DESC LIMIT @most::integer;

-- name: ListOfChannel :many
SELECT page.id::uuid AS id
FROM accounts AS a CROSS JOIN LATERAL (
    SELECT c.id FROM conversations AS c
    WHERE c.account_id = a.id AND c.channel = @channel::text AND c.id < @before::uuid AND c.id >= @since::uuid
    ORDER BY c.id DESC LIMIT @most::integer) AS page
WHERE @every::boolean OR a.id = ANY(@account_ids::text[])
ORDER BY page.id DESC LIMIT @most::integer;

-- name: SearchConversations :many
-- By one thing that is exact, whatever it is: an id of ours, also of a delivery, one of the platform (of an event, or of a call, with its events), an
-- e-mail address, a number in each of the ways it may have been written, the id a provider gave a message, an automation that fired. Nothing has an
-- empty one of these, nor the id of zeros, so what the term cannot be finds nothing. Each way gives a call once, however many of its
-- messages or runs are so: a page that is not full is taken for the last.
SELECT page.id::uuid AS id
FROM accounts AS a CROSS JOIN LATERAL (
    (SELECT c.id FROM conversations AS c WHERE c.id = @id::uuid AND c.account_id = a.id)
    UNION
    (SELECT d.conversation_id FROM deliveries AS d WHERE d.id = @id::uuid AND d.account_id = a.id)
    UNION
    (SELECT c.id FROM conversations AS c
     WHERE c.external_id IN (@external_id::text, @event::text) AND c.account_id = a.id AND c.id < @before::uuid
     ORDER BY c.id DESC LIMIT @most::integer)
    UNION
    (SELECT b.conversation_id FROM beside_calls AS b
     WHERE b.call_id = @external_id::text AND b.account_id = a.id AND b.conversation_id < @before::uuid
     ORDER BY b.conversation_id DESC LIMIT @most::integer)
    UNION
    (SELECT c.id FROM conversations AS c
     WHERE c.email_key <> '' AND c.email_key = @email::text AND c.account_id = a.id AND c.id < @before::uuid
     ORDER BY c.id DESC LIMIT @most::integer)
    UNION
    (SELECT near.id FROM unnest(@phones::text[]) AS typed (phone) CROSS JOIN LATERAL (
         SELECT c.id FROM conversations AS c
         WHERE c.phone_key <> '' AND c.phone_key = typed.phone AND c.account_id = a.id AND c.id < @before::uuid
         ORDER BY c.id DESC LIMIT @most::integer) AS near)
    UNION
    (SELECT far.id FROM unnest(@phones::text[]) AS typed (phone) CROSS JOIN LATERAL (
         SELECT c.id FROM conversations AS c
         WHERE c.far_phone_key <> '' AND c.far_phone_key = typed.phone AND c.account_id = a.id AND c.id < @before::uuid
         ORDER BY c.id DESC LIMIT @most::integer) AS far)
    UNION
    (SELECT DISTINCT d.conversation_id FROM attempts AS t JOIN deliveries AS d ON d.id = t.delivery_id
     WHERE t.provider_id <> '' AND t.provider_id = @provider_id::text AND t.account_id = a.id AND d.conversation_id < @before::uuid
     ORDER BY d.conversation_id DESC LIMIT @most::integer)
    UNION
    (SELECT DISTINCT d.conversation_id FROM decisions AS d
     WHERE d.automation = @automation::text AND d.account_id = a.id AND d.verdict = 'fires' AND d.conversation_id < @before::uuid
       AND (d.run = 1 OR NOT EXISTS (SELECT 1 FROM runs AS r WHERE r.conversation_id = d.conversation_id AND r.run = d.run AND r.sandbox))
     ORDER BY d.conversation_id DESC LIMIT @most::integer)) AS page (id)
WHERE (@every::boolean OR a.id = ANY(@account_ids::text[])) AND page.id < @before::uuid AND page.id >= @since::uuid
ORDER BY page.id DESC LIMIT @most::integer;

-- name: SiftConversations :many
-- Of these conversations, those that are as asked, in their order. An automation narrows the outcome to its own. What is
-- asked of each is a look-up by its id, and is written so that it stays one: none of it can become a join.
SELECT c.id
FROM conversations AS c
WHERE c.id = ANY(@ids::uuid[]) AND (@every::boolean OR c.account_id = ANY(@account_ids::text[]))
  AND (@state::text = '' OR c.state = @state)
  AND (@channel::text = '' OR c.channel = @channel)
  AND (@agent::text = '' OR c.agent_id = @agent OR lower(c.agent_name) = lower(@agent))
  AND CASE
      WHEN @verdict::text = '' THEN true
      WHEN @verdict = 'none' THEN c.state = 'decided' AND (
          SELECT coalesce(bool_or(d.verdict = 'fires'), @automation::text <> '') FROM decisions AS d
          WHERE d.conversation_id = c.id AND (@automation::text = '' OR d.automation = @automation)
            AND (d.run = 1 OR NOT EXISTS (SELECT 1 FROM runs AS r WHERE r.conversation_id = d.conversation_id AND r.run = d.run AND r.sandbox))) = false
      ELSE (SELECT coalesce(bool_or(d.verdict = @verdict AND (d.verdict <> 'unsure' OR d.review AND d.settled_as IS NULL)), false) FROM decisions AS d
            WHERE d.conversation_id = c.id AND (@automation::text = '' OR d.automation = @automation)
              AND (d.run = 1 OR NOT EXISTS (SELECT 1 FROM runs AS r WHERE r.conversation_id = d.conversation_id AND r.run = d.run AND r.sandbox)))
      END
  AND CASE
      WHEN @delivery_state::text = '' THEN true
      ELSE (SELECT coalesce(bool_or(d.state = @delivery_state), false) FROM deliveries AS d
            WHERE d.conversation_id = c.id AND (@automation::text = '' OR d.automation = @automation))
      END
ORDER BY c.id DESC;

-- name: ConversationRows :many
-- Only what an outside provider took is sent: a captured message, a task and an alert never leave this machine. The sandboxes of a
-- call are read once, not for each of its deliveries.
SELECT c.id, c.account_id, c.external_id, c.agent_name, c.channel, c.status, c.direction, c.customer_name,
       c.customer_number, c.started_at, c.ended_at, c.accepted_at, c.state, c.simulated,
       CASE WHEN left(c.external_id, 6) = 'event:' THEN c.status ELSE '' END::text AS event,
       CASE WHEN left(c.external_id, 6) = 'event:' THEN left(coalesce(c.content -> 'metadata' ->> 'point', ''), 200) ELSE '' END::text AS point,
       ARRAY(SELECT DISTINCT d.automation FROM decisions AS d
             WHERE d.conversation_id = c.id AND d.verdict = 'fires'
               AND (d.run = 1 OR d.run <> ALL (ARRAY(SELECT r.run FROM runs AS r WHERE r.conversation_id = c.id AND r.sandbox))) ORDER BY 1)::text[] AS fired,
       (SELECT count(*) FROM decisions AS d
        WHERE d.account_id = c.account_id AND d.conversation_id = c.id AND d.verdict = 'unsure' AND d.review AND d.settled_as IS NULL)::integer AS unsure,
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
    FROM deliveries AS d
    WHERE d.conversation_id = c.id
      AND (d.run = 1 OR d.run <> ALL (ARRAY(SELECT r.run FROM runs AS r WHERE r.conversation_id = c.id AND r.sandbox)))) AS l
WHERE c.id = ANY(@ids::uuid[]) AND (@every::boolean OR c.account_id = ANY(@account_ids::text[]))
ORDER BY c.id DESC;

-- name: ListCaptured :many
-- Ids are found before rows are read: the index alone answers, and of many accounts only one page of messages is read.
SELECT m.id, m.account_id, m.conversation_id, m.external_id, m.automation, m.channel, m.recipients, m.subject, m.text, m.html,
       m.fields, m.test, m.captured_at, coalesce(c.status, '')::text AS event, left(coalesce(c.content -> 'metadata' ->> 'point', ''), 200)::text AS point
FROM (SELECT newest.id
      FROM accounts AS a CROSS JOIN LATERAL (
          SELECT n.id FROM captured AS n
          WHERE n.account_id = a.id AND n.id < @before::uuid
          ORDER BY n.id DESC LIMIT @most::integer) AS newest
      WHERE @every::boolean OR a.id = ANY(@account_ids::text[])
      ORDER BY newest.id DESC LIMIT @most::integer) AS page
JOIN captured AS m ON m.id = page.id
LEFT JOIN conversations AS c ON c.id = m.conversation_id AND left(m.external_id, 6) = 'event:'
ORDER BY m.id DESC;

-- name: ListCapturedOfChannel :many
SELECT m.id, m.account_id, m.conversation_id, m.external_id, m.automation, m.channel, m.recipients, m.subject, m.text, m.html,
       m.fields, m.test, m.captured_at, coalesce(c.status, '')::text AS event, left(coalesce(c.content -> 'metadata' ->> 'point', ''), 200)::text AS point
FROM (SELECT newest.id
      FROM accounts AS a CROSS JOIN LATERAL (
          SELECT n.id FROM captured AS n
          WHERE n.account_id = a.id AND n.channel = @channel::text AND n.id < @before::uuid
          ORDER BY n.id DESC LIMIT @most::integer) AS newest
      WHERE @every::boolean OR a.id = ANY(@account_ids::text[])
      ORDER BY newest.id DESC LIMIT @most::integer) AS page
JOIN captured AS m ON m.id = page.id
LEFT JOIN conversations AS c ON c.id = m.conversation_id AND left(m.external_id, 6) = 'event:'
ORDER BY m.id DESC;

-- name: CapturedMessage :one
SELECT m.id, m.account_id, m.conversation_id, m.external_id, m.automation, m.channel, m.recipients, m.subject, m.text, m.html,
       m.fields, m.test, m.captured_at, coalesce(c.status, '')::text AS event, left(coalesce(c.content -> 'metadata' ->> 'point', ''), 200)::text AS point
FROM captured AS m
LEFT JOIN conversations AS c ON c.id = m.conversation_id AND left(m.external_id, 6) = 'event:'
WHERE m.id = @id AND (@every::boolean OR m.account_id = ANY(@account_ids::text[]));

-- name: ListAlerts :many
SELECT id, account_id, delivery_id, conversation_id, automation, audience, text, created_at
FROM alerts WHERE account_id = @account_id
ORDER BY id DESC LIMIT @most::integer;
