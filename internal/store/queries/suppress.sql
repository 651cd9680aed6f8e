-- Addresses that are not written to any more.

-- name: HearWord :execrows
-- Whoever hears the same at the same time waits for the one who was first.
INSERT INTO heard_words (account_id, word, heard_at) VALUES (@account_id, @word, @heard_at) ON CONFLICT (account_id, word) DO NOTHING;

-- name: KeepWord :one
-- When what is said of an address was last said, in whatever order it is heard; and why it was left out before. An older version
-- has written down no more than the last word.
INSERT INTO suppressions AS s (account_id, channel, address, reason, source, since, opted_out_at, bounced_at, lifted_at)
VALUES (@account_id, @channel, @address, '', @source, @at::timestamptz, CASE @word::text WHEN 'opted_out' THEN @at END,
        CASE @word WHEN 'bounced' THEN @at END, CASE @word WHEN '' THEN @at END)
ON CONFLICT (account_id, channel, address) DO UPDATE SET
    opted_out_at = greatest(coalesce(s.opted_out_at, CASE s.reason WHEN 'opted_out' THEN s.since END), excluded.opted_out_at),
    bounced_at = greatest(coalesce(s.bounced_at, CASE s.reason WHEN 'bounced' THEN s.since END), excluded.bounced_at),
    lifted_at = greatest(coalesce(s.lifted_at, CASE s.reason WHEN '' THEN s.since END), excluded.lifted_at),
    source = CASE WHEN s.since < excluded.since THEN excluded.source ELSE s.source END,
    since = greatest(s.since, excluded.since)
RETURNING s.reason;

-- name: JudgeAddress :exec
-- It is left out if that was said after it was last lifted. Who has opted out stays so if mail comes back as well.
UPDATE suppressions SET reason = CASE
    WHEN opted_out_at >= coalesce(lifted_at, '-infinity') THEN 'opted_out'
    WHEN bounced_at >= coalesce(lifted_at, '-infinity') THEN 'bounced'
    ELSE '' END
WHERE account_id = @account_id AND channel = @channel AND address = @address;

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
