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
