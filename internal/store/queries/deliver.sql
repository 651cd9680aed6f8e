-- name: ReleaseClaims :many
-- Gives back claims whose commit was never answered: nothing was sent under them. Where a peer's sweep has doubted one
-- meanwhile, the doubt is taken back with it; its attempt stays in the ledger, as one that sent nothing.
WITH lost AS (
    SELECT d.id, d.attempt, d.state = 'unknown' AS doubted FROM deliveries AS d
    WHERE d.state IN ('sending', 'unknown') AND d.worker_id = ANY(@worker_ids::text[]) AND d.claim_id = ANY(@claim_ids::uuid[])
    ORDER BY d.id FOR UPDATE
), told AS (
    UPDATE attempts AS a
    SET state = 'retrying', class = 'claim_lost', detail = 'The claim''s commit was never answered, so nothing was sent.'
    FROM lost WHERE lost.doubted AND a.delivery_id = lost.id AND a.attempt = lost.attempt
)
UPDATE deliveries AS d
SET state = CASE WHEN d.attempt = 1 AND NOT lost.doubted THEN 'planned' ELSE 'retrying' END,
    attempt = CASE WHEN lost.doubted THEN d.attempt ELSE d.attempt - 1 END,
    detail = CASE WHEN lost.doubted THEN '' ELSE d.detail END, claim_id = NULL, updated_at = now()
FROM lost WHERE d.id = lost.id
RETURNING d.account_id, d.conversation_id, d.channel;

-- name: ClaimDeliveries :many
-- One statement for the claims of many jobs. What is past its deadline fails instead; what another claim has under its
-- hands is left to it. The coalesce keeps the planner from the indexes of all that is due: it takes them for empty while
-- the tables are new, and would walk them for every conversation.
WITH asked AS (
    SELECT unnest(@conversation_ids::uuid[]) AS conversation_id, unnest(@channels::text[]) AS channel,
           unnest(@worker_ids::text[]) AS worker_id, unnest(@nows::timestamptz[]) AS due_by, unnest(@asks::integer[]) AS ask
), due AS (
    SELECT d.id, asked.worker_id, asked.ask, d.deadline_at IS NOT NULL AND d.deadline_at < asked.due_by AS late
    FROM asked JOIN deliveries AS d ON d.conversation_id = asked.conversation_id AND d.channel = asked.channel
    WHERE coalesce(d.state, '') IN ('planned', 'retrying') AND d.due_at <= asked.due_by
    FOR UPDATE OF d SKIP LOCKED
), claimed AS (
    UPDATE deliveries AS d
    SET state      = CASE WHEN due.late THEN 'failed' ELSE 'sending' END,
        reason     = CASE WHEN due.late THEN 'too_late' ELSE d.reason END,
        attempt    = CASE WHEN due.late THEN d.attempt ELSE d.attempt + 1 END,
        worker_id  = CASE WHEN due.late THEN d.worker_id ELSE due.worker_id END,
        claim_id   = CASE WHEN due.late THEN d.claim_id ELSE @claim_id::uuid END,
        claimed_at = CASE WHEN due.late THEN d.claimed_at ELSE now() END,
        updated_at = now()
    FROM due WHERE d.id = due.id
    RETURNING d.id, d.account_id, d.conversation_id, d.automation, d.action, d.channel, d.attempt, d.deadline_at, d.test,
              d.content, d.state, due.ask
)
SELECT claimed.id, claimed.account_id, claimed.conversation_id, claimed.automation, claimed.action, claimed.channel,
       claimed.attempt, claimed.deadline_at, claimed.test, claimed.content, claimed.ask::integer AS ask, c.external_id,
       c.customer_name, c.customer_email, c.customer_number
FROM claimed JOIN conversations AS c ON c.id = claimed.conversation_id
WHERE claimed.state = 'sending'
ORDER BY claimed.ask, claimed.automation, claimed.action, claimed.id;

-- name: HoldsClaim :one
SELECT EXISTS (SELECT 1 FROM deliveries
               WHERE id = @id AND state = 'sending' AND attempt = @attempt AND worker_id = @worker_id) AS holds;

-- name: NextDue :many
-- By the conversation, see ClaimDeliveries.
SELECT due_at FROM deliveries
WHERE conversation_id = @conversation_id AND channel = @channel AND coalesce(state, '') IN ('planned', 'retrying')
ORDER BY due_at + interval '0' LIMIT 1;

-- name: RecordOutcomes :many
-- Fenced by attempt and worker. What a sweep doubted meanwhile is settled by the worker that sent it: it knows. What was
-- doubted because the data was restored (it has no claim any more) is settled by a receipt, and never tried again. What the
-- provider reported meanwhile counts for more than what the sender heard of it: it has the message. Returned are the deliveries that moved.
WITH told AS (
    SELECT unnest(@ids::uuid[]) AS id, unnest(@account_ids::text[]) AS account_id, unnest(@attempts::integer[]) AS attempt,
           unnest(@worker_ids::text[]) AS worker_id, unnest(@states::text[]) AS state, unnest(@reasons::text[]) AS reason,
           unnest(@due_ats::timestamptz[]) AS due_at, unnest(@providers::text[]) AS provider,
           unnest(@provider_ids::text[]) AS provider_id, unnest(@classes::text[]) AS class,
           unnest(@statuses::integer[]) AS status, unnest(@details::text[]) AS detail,
           unnest(@addresses::text[]) AS address, unnest(@started_ats::timestamptz[]) AS started_at,
           unnest(@finished_ats::timestamptz[]) AS finished_at
), moved AS (
    UPDATE deliveries AS d
    SET state = CASE d.reported WHEN '' THEN told.state ELSE d.reported END,
        reason = CASE WHEN d.reported IN ('sent', 'delivered') AND told.state <> 'sent' THEN '' ELSE told.reason END,
        detail = CASE d.reported WHEN '' THEN told.detail WHEN 'failed' THEN d.detail ELSE '' END,
        due_at = CASE WHEN told.state = 'retrying' THEN told.due_at ELSE d.due_at END,
        address = CASE WHEN told.address <> '' THEN told.address ELSE d.address END,
        provider = CASE WHEN told.provider <> '' THEN told.provider ELSE d.provider END,
        provider_id = CASE WHEN told.provider_id <> '' THEN told.provider_id ELSE d.provider_id END, updated_at = now()
    FROM told
    WHERE d.id = told.id AND d.account_id = told.account_id AND d.attempt = told.attempt AND d.worker_id = told.worker_id
      AND (d.state = 'sending' OR (d.state = 'unknown' AND told.state <> 'unknown'
                                   AND (told.state <> 'retrying' OR d.claim_id IS NOT NULL)))
    RETURNING d.id, d.attempt, d.reported, d.provider, d.provider_id, d.reported IN ('sent', 'delivered') AND told.state <> 'sent' AS has
)
INSERT INTO attempts (delivery_id, attempt, account_id, worker_id, state, class, status, detail, provider, provider_id,
    started_at, finished_at)
SELECT told.id, told.attempt, told.account_id, told.worker_id, CASE moved.reported WHEN '' THEN told.state ELSE 'sent' END,
       CASE WHEN moved.has THEN '' ELSE told.class END, CASE WHEN moved.has THEN 0 ELSE told.status END,
       CASE WHEN moved.has THEN '' ELSE told.detail END, CASE WHEN moved.has THEN moved.provider ELSE told.provider END,
       CASE WHEN moved.has THEN moved.provider_id ELSE told.provider_id END, told.started_at, told.finished_at
FROM told JOIN moved ON moved.id = told.id AND moved.attempt = told.attempt
ON CONFLICT (delivery_id, attempt) DO UPDATE
SET state = excluded.state, class = excluded.class, status = excluded.status, detail = excluded.detail,
    provider = excluded.provider, provider_id = excluded.provider_id, started_at = excluded.started_at,
    finished_at = excluded.finished_at
WHERE attempts.state = 'unknown' AND excluded.state <> 'unknown'
RETURNING delivery_id, attempt;

-- name: RecordedAttempts :many
-- Outcomes that are in the ledger already, word for word.
SELECT a.delivery_id, a.attempt
FROM (SELECT unnest(@ids::uuid[]) AS id, unnest(@account_ids::text[]) AS account_id, unnest(@attempts::integer[]) AS attempt,
             unnest(@worker_ids::text[]) AS worker_id, unnest(@states::text[]) AS state) AS told
JOIN attempts AS a ON a.delivery_id = told.id AND a.attempt = told.attempt AND a.account_id = told.account_id
    AND a.worker_id = told.worker_id AND a.state = told.state;

-- name: PostAlert :one
-- Says whether anybody asks for alerts on a screen.
INSERT INTO alerts (id, account_id, delivery_id, conversation_id, automation, audience, text)
SELECT @id, d.account_id, d.id, d.conversation_id, d.automation, @audience, @text
FROM deliveries AS d WHERE d.id = @delivery_id AND d.account_id = @account_id
ON CONFLICT (delivery_id) DO UPDATE SET delivery_id = alerts.delivery_id
RETURNING id, conversation_id, EXISTS (SELECT 1 FROM push_subscriptions)::boolean AS pushed;

-- name: KeepMessage :execrows
INSERT INTO captured (id, account_id, delivery_id, attempt, conversation_id, external_id, automation, channel, recipients,
    subject, text, html, fields, test)
SELECT @id, d.account_id, d.id, @attempt, d.conversation_id, @external_id, d.automation,
       CASE WHEN @channel::text = '' THEN d.channel ELSE @channel END, @recipients, @subject,
       @text, @html, @fields, @test
FROM deliveries AS d WHERE d.id = @delivery_id AND d.account_id = @account_id
ON CONFLICT (delivery_id, attempt) DO UPDATE SET attempt = captured.attempt;
