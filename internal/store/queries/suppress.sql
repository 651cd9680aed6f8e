-- Addresses that are not written to any more.

-- name: HearWord :execrows
-- Whoever hears the same at the same time waits for the one who was first.
INSERT INTO heard_words (account_id, word, heard_at) VALUES (@account_id, @word, @heard_at) ON CONFLICT (account_id, word) DO NOTHING;

-- name: Suppress :exec
-- The later word counts, whenever it is heard; but who has opted out stays so if mail comes back.
INSERT INTO suppressions (account_id, channel, address, reason, source, since)
VALUES (@account_id, @channel, @address, @reason, @source, @since)
ON CONFLICT (account_id, channel, address) DO UPDATE SET reason = excluded.reason, source = excluded.source, since = excluded.since
WHERE suppressions.since < excluded.since AND NOT (suppressions.reason = 'opted_out' AND excluded.reason = 'bounced');

-- name: Unsuppress :execrows
-- The row stays, so that an earlier word that is heard again does not count.
UPDATE suppressions SET reason = '', source = @source, since = @since
WHERE account_id = @account_id AND channel = @channel AND address = @address AND since < @since AND reason <> '';

-- name: SuppressedAmong :many
SELECT asked.ref::integer AS ref, s.reason
FROM (SELECT unnest(@refs::integer[]) AS ref, unnest(@account_ids::text[]) AS account_id, unnest(@channels::text[]) AS channel,
             unnest(@addresses::bytea[]) AS address) AS asked
JOIN suppressions AS s ON s.account_id = asked.account_id AND s.channel = asked.channel AND s.address = asked.address AND s.reason <> '';

-- name: SkipClaimed :exec
-- In the transaction of their claim, which is taken back with it: nobody has tried to send them.
UPDATE deliveries AS d
SET state = 'skipped', reason = skip.reason, attempt = d.attempt - 1, worker_id = '', claim_id = NULL, claimed_at = NULL, updated_at = now()
FROM (SELECT unnest(@ids::uuid[]) AS id, unnest(@account_ids::text[]) AS account_id, unnest(@reasons::text[]) AS reason) AS skip
WHERE d.id = skip.id AND d.account_id = skip.account_id AND d.state = 'sending';
