-- What providers report of messages that they were handed. It comes in any order, twice, and before the sender's own word is
-- written down; so each report has a rank, and only a higher one than was heard before counts.

-- name: LockReported :exec
-- In the order in which everybody locks deliveries. TakeReports then sees whatever their senders have written meanwhile.
SELECT d.id FROM deliveries AS d WHERE d.id = ANY(@ids::uuid[]) ORDER BY d.id FOR NO KEY UPDATE;

-- name: TakeReports :many
-- One report a delivery. A message that is being sent keeps its state: what was reported is taken when its attempt ends
-- (RecordOutcomes, DoubtLapsed). One that a person has dealt with, that was refused or never handed out, is left as it is.
WITH told AS (
    SELECT unnest(@ids::uuid[]) AS id, unnest(@account_ids::text[]) AS account_id, unnest(@facts::text[]) AS fact,
           unnest(@ranks::integer[]) AS rank, unnest(@ats::timestamptz[]) AS at, unnest(@providers::text[]) AS provider,
           unnest(@provider_ids::text[]) AS provider_id, unnest(@classes::text[]) AS class, unnest(@statuses::integer[]) AS status,
           unnest(@details::text[]) AS detail
), known AS (
    SELECT d.id, d.state AS was FROM told JOIN deliveries AS d ON d.id = told.id AND (told.account_id = '' OR d.account_id = told.account_id)
    WHERE d.state IN ('sending', 'sent', 'delivered', 'unknown', 'retrying')
      AND told.rank > CASE d.reported WHEN '' THEN CASE WHEN d.state IN ('sent', 'delivered') THEN 1 ELSE 0 END
                                      WHEN 'sent' THEN 1 WHEN 'delivered' THEN 2 ELSE 3 END
), moved AS (
    UPDATE deliveries AS d
    SET reported = told.fact, reported_at = told.at, updated_at = now(),
        state = CASE WHEN known.was = 'sending' THEN d.state ELSE told.fact END,
        detail = CASE WHEN told.fact = 'failed' OR known.was IN ('unknown', 'retrying') THEN told.detail ELSE d.detail END,
        provider = CASE WHEN d.provider = '' THEN told.provider ELSE d.provider END,
        provider_id = CASE WHEN d.provider_id = '' THEN told.provider_id ELSE d.provider_id END
    FROM told JOIN known ON known.id = told.id WHERE d.id = told.id
    RETURNING d.id, d.account_id, d.channel, d.state, d.attempt, d.provider AS by, d.provider_id AS by_id, known.was,
              told.fact, told.class, told.status, told.detail
), noted AS (
    UPDATE attempts AS a
    SET state = 'sent', class = moved.class, status = moved.status, detail = moved.detail, provider = moved.by, provider_id = moved.by_id
    FROM moved WHERE a.delivery_id = moved.id AND a.attempt = moved.attempt
      AND (a.state = 'sent' AND moved.fact = 'failed' OR a.state = moved.was AND moved.was IN ('unknown', 'retrying'))
)
SELECT id, account_id, channel, state, was FROM moved;

-- name: FindHanded :many
-- Messages by the ids that a provider gave them, for what it reports without ours.
SELECT a.provider_id, a.delivery_id
FROM accounts AS c JOIN attempts AS a ON a.account_id = c.id AND a.provider_id = ANY(@provider_ids::text[])
WHERE a.provider_id <> '' AND a.provider = @provider;

-- name: WhoseDeliveries :many
SELECT d.id, d.account_id, d.channel FROM deliveries AS d WHERE d.id = ANY(@ids::uuid[]);
