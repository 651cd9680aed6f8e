-- Addresses that are not written to any more.

-- name: Suppress :exec
-- Who has opted out stays so whatever else is heard of the address.
INSERT INTO suppressions (account_id, channel, address, reason, source)
VALUES (@account_id, @channel, @address, @reason, @source)
ON CONFLICT (account_id, channel, address) DO UPDATE SET reason = excluded.reason, source = excluded.source
WHERE suppressions.reason <> 'opted_out';

-- name: Unsuppress :exec
DELETE FROM suppressions WHERE account_id = @account_id AND channel = @channel AND address = @address;

-- name: SuppressedAmong :many
SELECT asked.ref::integer AS ref, s.reason
FROM (SELECT unnest(@refs::integer[]) AS ref, unnest(@account_ids::text[]) AS account_id, unnest(@channels::text[]) AS channel,
             unnest(@addresses::bytea[]) AS address) AS asked
JOIN suppressions AS s ON s.account_id = asked.account_id AND s.channel = asked.channel AND s.address = asked.address;

-- name: SkipClaimed :exec
-- In the transaction of their claim, which is taken back with it: nobody has tried to send them.
UPDATE deliveries AS d
SET state = 'skipped', reason = skip.reason, attempt = d.attempt - 1, worker_id = '', claim_id = NULL, claimed_at = NULL, updated_at = now()
FROM (SELECT unnest(@ids::uuid[]) AS id, unnest(@account_ids::text[]) AS account_id, unnest(@reasons::text[]) AS reason) AS skip
WHERE d.id = skip.id AND d.account_id = skip.account_id AND d.state = 'sending';
