-- One action for all that a filter finds. Ids are of version 7, so that a window of time is a range of ids.

-- name: BulkDeliveries :many
SELECT d.id FROM deliveries AS d
WHERE d.id > @after::uuid AND d.id < @until_id::uuid AND d.account_id = @account_id AND d.created_at <= @asked_at::timestamptz
  AND (@channel::text = '' OR d.channel = @channel) AND (@state::text = '' OR d.state = @state)
  AND (@automation::text = '' OR d.automation = @automation) AND (@reason::text = '' OR d.reason = @reason)
  AND (@domain::text = '' OR strpos(lower(d.address) || ',', '@' || @domain || ',') > 0
       OR strpos(lower(d.recipient) || ',', '@' || @domain || ',') > 0)
  AND (@class::text = '' OR @class = (SELECT a.class FROM attempts AS a WHERE a.delivery_id = d.id AND a.attempt = d.attempt))
ORDER BY d.id LIMIT @most::integer;

-- name: BulkTroubled :many
-- Of what is in trouble, which has an index of its own.
SELECT d.id FROM deliveries AS d
WHERE d.account_id = @account_id AND d.state IN ('held', 'failed', 'unknown') AND d.state = @state::text
  AND d.id > @after::uuid AND d.id < @until_id::uuid AND d.created_at <= @asked_at::timestamptz
  AND (@channel::text = '' OR d.channel = @channel)
  AND (@automation::text = '' OR d.automation = @automation) AND (@reason::text = '' OR d.reason = @reason)
  AND (@domain::text = '' OR strpos(lower(d.address) || ',', '@' || @domain || ',') > 0
       OR strpos(lower(d.recipient) || ',', '@' || @domain || ',') > 0)
  AND (@class::text = '' OR @class = (SELECT a.class FROM attempts AS a WHERE a.delivery_id = d.id AND a.attempt = d.attempt))
ORDER BY d.id LIMIT @most::integer;

-- name: BulkConversations :many
-- Of which something fits: a decision of theirs, or a delivery. What is asked of each is a look-up by its id, and can become no
-- join, so that a look ends where enough are found.
SELECT c.id FROM conversations AS c
WHERE c.id > @after::uuid AND c.id < @until_id::uuid AND c.account_id = @account_id AND c.accepted_at <= @asked_at::timestamptz
  AND (@automation::text = '' AND @reason::text = ''
       OR (SELECT coalesce(bool_or(@reason::text = '' OR x.reason = @reason), false) FROM decisions AS x
           WHERE x.conversation_id = c.id AND (@automation::text = '' OR x.automation = @automation)))
  AND (@channel::text = '' AND @state::text = '' AND @class::text = '' AND @domain::text = ''
       OR (SELECT coalesce(bool_or((@state::text = '' OR d.state = @state) AND (@channel::text = '' OR d.channel = @channel)
                                   AND (@domain::text = '' OR strpos(lower(d.address) || ',', '@' || @domain || ',') > 0
                                        OR strpos(lower(d.recipient) || ',', '@' || @domain || ',') > 0)
                                   AND (@class::text = '' OR @class = (SELECT a.class FROM attempts AS a
                                                                       WHERE a.delivery_id = d.id AND a.attempt = d.attempt))), false)
           FROM deliveries AS d
           WHERE d.conversation_id = c.id AND (@automation::text = '' OR d.automation = @automation)))
ORDER BY c.id LIMIT @most::integer;

-- name: InsertBulk :exec
INSERT INTO bulk_jobs (id, account_id, request, person_id, person, address, counted, more)
VALUES (@id, @account_id, @request, @person_id, @person, @address, @counted, @more);

-- name: StepBulk :execrows
-- Moves the cursor to an item: not in a job that has ended, nor to an item that is done.
UPDATE bulk_jobs SET at_item = @item, done = done + @done::integer, refused = refused + @refused::integer, failed = failed + @failed::integer
WHERE id = @id AND account_id = @account_id AND state = 'running' AND at_item < @item;

-- name: InsertBulkItem :exec
INSERT INTO bulk_items (bulk_id, item, account_id, conversation_id, result, detail, made)
VALUES (@bulk_id, @item, @account_id, @conversation_id, @result, @detail, @made);

-- name: EndBulk :execrows
UPDATE bulk_jobs SET state = @state, ended_at = now(), ended_by = @ended_by
WHERE id = @id AND account_id = @account_id AND state = 'running';

-- name: ReadBulk :many
SELECT id, account_id, request, coalesce(person_id::text, '')::text AS person_id, person, address, state, counted, more, at_item, done,
       refused, failed, asked_at, coalesce(ended_at, '0001-01-01 00:00:00+00')::timestamptz AS ended_at, ended_by
FROM bulk_jobs WHERE id = @id AND (@every::boolean OR account_id = ANY(@account_ids::text[]));

-- name: ListBulks :many
SELECT page.id::uuid AS id, page.account_id, page.request, coalesce(page.person_id::text, '')::text AS person_id, page.person, page.address,
       page.state, page.counted, page.more, page.at_item, page.done, page.refused, page.failed, page.asked_at,
       coalesce(page.ended_at, '0001-01-01 00:00:00+00')::timestamptz AS ended_at, page.ended_by
FROM accounts AS a CROSS JOIN LATERAL (
    SELECT b.* FROM bulk_jobs AS b
    WHERE b.account_id = a.id AND b.id < @before::uuid
    ORDER BY b.id DESC LIMIT @most::integer) AS page
WHERE @every::boolean OR a.id = ANY(@account_ids::text[])
ORDER BY page.id DESC LIMIT @most::integer;

-- name: ListBulkItems :many
SELECT item, conversation_id, result, detail, made, at FROM bulk_items
WHERE bulk_id = @bulk_id AND item > @after::uuid AND (@every::boolean OR account_id = ANY(@account_ids::text[]))
ORDER BY item LIMIT @most::integer;
