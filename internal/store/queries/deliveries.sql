-- The list of deliveries. What is in trouble is listed by when it came to be so; everything else by the call it belongs to, the
-- last accepted first: an order of its own for what goes well would cost the line an index entry for each move.

-- name: ListTroubledDeliveries :many
SELECT page.id::uuid AS id, page.updated_at
FROM accounts AS a CROSS JOIN LATERAL (
    SELECT d.id, d.updated_at FROM deliveries AS d
    WHERE d.account_id = a.id AND d.updated_at > '-infinity' AND d.state IN ('retrying', 'held', 'failed', 'unknown') AND d.state = @state::text
      AND (d.updated_at, d.id) < (@before_at::timestamptz, @before_id::uuid) AND d.updated_at >= @since::timestamptz
    ORDER BY d.updated_at DESC, d.id DESC LIMIT @most::integer) AS page
WHERE @every::boolean OR a.id = ANY(@account_ids::text[])
ORDER BY page.updated_at DESC, page.id DESC LIMIT @most::integer;

-- name: SiftDeliveries :many
-- Of these deliveries, those that are as asked.
SELECT d.id, d.account_id, d.conversation_id, d.run, d.automation, d.channel, d.recipient, d.customer, d.state, d.reason, d.detail, d.test,
       d.attempt, d.address, d.provider, d.due_at, d.created_at, d.updated_at,
       coalesce((SELECT t.class FROM attempts AS t WHERE t.delivery_id = d.id AND t.attempt = d.attempt), '')::text AS class
FROM deliveries AS d
WHERE d.id = ANY(@ids::uuid[]) AND (@every::boolean OR d.account_id = ANY(@account_ids::text[]))
  AND (@channel::text = '' OR d.channel = @channel) AND (@automation::text = '' OR d.automation = @automation)
  AND (@domain::text = '' OR strpos(lower(d.address) || ',', '@' || @domain || ',') > 0
       OR strpos(lower(d.recipient) || ',', '@' || @domain || ',') > 0)
  AND (@class::text = '' OR @class = (SELECT t.class FROM attempts AS t WHERE t.delivery_id = d.id AND t.attempt = d.attempt))
ORDER BY d.updated_at DESC, d.id DESC;

-- name: SiftDeliveriesOfCalls :many
-- Of the deliveries of these conversations, those that are as asked.
SELECT d.id, d.account_id, d.conversation_id, d.run, d.automation, d.channel, d.recipient, d.customer, d.state, d.reason, d.detail, d.test,
       d.attempt, d.address, d.provider, d.due_at, d.created_at, d.updated_at,
       coalesce((SELECT t.class FROM attempts AS t WHERE t.delivery_id = d.id AND t.attempt = d.attempt), '')::text AS class
FROM deliveries AS d
WHERE d.conversation_id = ANY(@conversation_ids::uuid[]) AND (@every::boolean OR d.account_id = ANY(@account_ids::text[]))
  AND (@state::text = '' OR d.state = @state)
  AND (@channel::text = '' OR d.channel = @channel) AND (@automation::text = '' OR d.automation = @automation)
  AND (@domain::text = '' OR strpos(lower(d.address) || ',', '@' || @domain || ',') > 0
       OR strpos(lower(d.recipient) || ',', '@' || @domain || ',') > 0)
  AND (@class::text = '' OR @class = (SELECT t.class FROM attempts AS t WHERE t.delivery_id = d.id AND t.attempt = d.attempt))
ORDER BY d.conversation_id DESC, d.run, d.automation, d.action, d.recipient, d.copy;

-- name: WaitingOfCall :many
-- What waits of a conversation and of those that belong to the same call: of a call its events, of an event the call and its other
-- events. In a sandbox nothing waits for anybody. Each is a look-up of its own.
WITH asked AS (
    SELECT c.id, b.call_id AS of_call, coalesce(b.call_id, c.external_id) AS call_id
    FROM conversations AS c LEFT JOIN beside_calls AS b ON b.conversation_id = c.id
    WHERE c.id = @id AND c.account_id = @account_id
), belong AS (
    SELECT a.id FROM asked AS a
    UNION
    SELECT x.conversation_id FROM asked AS a
    CROSS JOIN LATERAL (SELECT b.conversation_id FROM beside_calls AS b WHERE b.account_id = @account_id AND b.call_id = a.call_id) AS x
    UNION
    SELECT x.id FROM asked AS a
    CROSS JOIN LATERAL (SELECT c.id FROM conversations AS c WHERE c.external_id = a.of_call AND c.account_id = @account_id) AS x
)
SELECT d.id, d.account_id, d.conversation_id, d.run, d.automation, d.channel, d.recipient, d.customer, d.state, d.reason, d.detail, d.test,
       d.attempt, d.address, d.provider, d.due_at, d.created_at, d.updated_at, ''::text AS class
FROM belong
CROSS JOIN LATERAL (
    SELECT w.* FROM deliveries AS w
    WHERE w.conversation_id = belong.id AND w.account_id = @account_id AND coalesce(w.state, '') IN ('planned', 'retrying', 'held')
      AND NOT EXISTS (SELECT 1 FROM runs AS r WHERE r.conversation_id = w.conversation_id AND r.run = w.run AND r.sandbox)) AS d
ORDER BY d.due_at NULLS LAST, d.id LIMIT @most::integer;
