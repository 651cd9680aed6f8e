-- Browsers that ask for alerts, and what became of each alert in each of them.

-- name: DropPushEndpoint :exec
-- A browser is one person's at a time: whoever subscribes it takes it over.
DELETE FROM push_subscriptions
WHERE endpoint = @endpoint AND (@endpoint <> '' OR person_id IS NOT DISTINCT FROM sqlc.narg('person_id')::uuid);

-- name: AddPushSubscription :exec
INSERT INTO push_subscriptions (id, person_id, endpoint, p256dh, auth)
VALUES (@id, sqlc.narg('person_id')::uuid, @endpoint, @p256dh, @auth);

-- name: DropOldestPushes :exec
-- Browsers that were thrown away say nothing; the newest of a person stay.
DELETE FROM push_subscriptions WHERE id IN (
    SELECT s.id FROM push_subscriptions AS s WHERE s.person_id IS NOT DISTINCT FROM sqlc.narg('person_id')::uuid
    ORDER BY s.id DESC OFFSET @most::integer);

-- name: DropPushesOf :execrows
-- All of a person's.
DELETE FROM push_subscriptions WHERE person_id IS NOT DISTINCT FROM sqlc.narg('person_id')::uuid;

-- name: DropPushSubscription :exec
DELETE FROM push_subscriptions WHERE id = @id;

-- name: CountPushSubscriptions :one
SELECT count(*)::integer AS count FROM push_subscriptions WHERE person_id IS NOT DISTINCT FROM sqlc.narg('person_id')::uuid;

-- name: DoubtPushes :execrows
-- Whoever sent them is not there any more: what the browsers have of them nobody knows.
UPDATE pushes SET state = 'unknown', updated_at = now() WHERE alert_id = @alert_id AND account_id = @account_id AND state = 'sending';

-- name: ClaimPushes :many
-- To the browsers of those who are in the audience now and were subscribed when the alert was posted; each once, or again where
-- certainly nothing was sent. Viewers get no text: they see numbers and addresses masked, and a screen masks nothing.
WITH target AS (
    SELECT a.id AS alert_id, a.account_id, s.id AS subscription_id, s.endpoint, s.p256dh, s.auth,
           (s.person_id IS NULL OR EXISTS (SELECT 1 FROM roles AS f
               WHERE f.person_id = s.person_id AND f.account_id IN (a.account_id, '*') AND f.role <> 'viewer'))::boolean AS in_full
    FROM alerts AS a JOIN push_subscriptions AS s ON s.created_at <= a.created_at
    WHERE a.id = @alert_id AND a.account_id = @account_id AND a.created_at > @posted_since
      AND (s.person_id IS NULL OR EXISTS (SELECT 1 FROM people AS p JOIN roles AS r ON r.person_id = p.id
          WHERE p.id = s.person_id AND p.disabled_at IS NULL AND r.account_id IN (a.account_id, '*')
            AND (a.audience = 'all' OR p.email_key = @email_key)))
      AND NOT EXISTS (SELECT 1 FROM pushes AS x
          WHERE x.alert_id = a.id AND x.subscription_id = s.id AND (x.state <> 'retrying' OR x.due_at > @at))
    ORDER BY s.id LIMIT @most::integer
), claimed AS (
    INSERT INTO pushes (alert_id, subscription_id, account_id, state)
    SELECT t.alert_id, t.subscription_id, t.account_id, 'sending' FROM target AS t
    ON CONFLICT (alert_id, subscription_id) DO UPDATE SET state = 'sending', attempt = pushes.attempt + 1, updated_at = now()
    WHERE pushes.state = 'retrying'
    RETURNING subscription_id, attempt
)
SELECT t.subscription_id, t.endpoint, t.p256dh, t.auth, t.in_full, c.attempt
FROM claimed AS c JOIN target AS t ON t.subscription_id = c.subscription_id;

-- name: SettlePush :exec
UPDATE pushes SET state = @state, class = @class, status = @status, due_at = @due_at, updated_at = now()
WHERE alert_id = @alert_id AND subscription_id = @subscription_id AND account_id = @account_id AND attempt = @attempt AND state = 'sending';

-- name: NextPush :many
-- When the first is due that is to be tried again.
SELECT due_at FROM pushes WHERE alert_id = @alert_id AND account_id = @account_id AND state = 'retrying' ORDER BY due_at LIMIT 1;
