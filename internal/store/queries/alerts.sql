-- Team alerts as a person finds them. What they have read is every alert up to a mark, and some after it. Unread is looked
-- for among the newest of each account after the mark, so that it costs the same however much was posted or read.

-- name: InboxAlerts :many
SELECT page.id::uuid AS id, page.account_id, page.delivery_id, page.conversation_id, page.automation, page.audience, page.text,
       page.created_at, (page.marked OR EXISTS (SELECT 1 FROM alert_reads AS x
           WHERE x.alert_id = page.id AND x.person = @person AND x.account_id = page.account_id))::boolean AS read
FROM (SELECT l.*, coalesce(l.id <= m.read_up_to, false) AS marked
      FROM accounts AS a LEFT JOIN alert_marks AS m ON m.account_id = a.id AND m.person = @person
      CROSS JOIN LATERAL (
          SELECT n.* FROM alerts AS n WHERE n.account_id = a.id AND n.id < @before::uuid
          ORDER BY n.id DESC LIMIT @most::integer) AS l
      WHERE @every::boolean OR a.id = ANY(@account_ids::text[])
      ORDER BY l.id DESC LIMIT @most::integer) AS page
ORDER BY page.id DESC;

-- name: UnreadAlerts :many
SELECT page.id::uuid AS id, page.account_id, page.delivery_id, page.conversation_id, page.automation, page.audience, page.text,
       page.created_at
FROM accounts AS a LEFT JOIN alert_marks AS m ON m.account_id = a.id AND m.person = @person
CROSS JOIN LATERAL (
    SELECT l.* FROM (SELECT n.* FROM alerts AS n
                     WHERE n.account_id = a.id AND n.id > greatest(@since::uuid, m.read_up_to)
                     ORDER BY n.id DESC LIMIT @scanned::integer) AS l
    WHERE NOT EXISTS (SELECT 1 FROM alert_reads AS x WHERE x.alert_id = l.id AND x.person = @person AND x.account_id = a.id)
    ORDER BY l.id DESC LIMIT @most::integer) AS page
WHERE @every::boolean OR a.id = ANY(@account_ids::text[])
ORDER BY page.id DESC LIMIT @most::integer;

-- name: UnreadAlertIDs :many
SELECT page.id::uuid AS id
FROM accounts AS a LEFT JOIN alert_marks AS m ON m.account_id = a.id AND m.person = @person
CROSS JOIN LATERAL (
    SELECT l.id FROM (SELECT n.id FROM alerts AS n
                      WHERE n.account_id = a.id AND n.id > greatest(@since::uuid, m.read_up_to)
                      ORDER BY n.id DESC LIMIT @scanned::integer) AS l
    WHERE NOT EXISTS (SELECT 1 FROM alert_reads AS x WHERE x.alert_id = l.id AND x.person = @person AND x.account_id = a.id)
    ORDER BY l.id DESC LIMIT @most::integer) AS page
WHERE @every::boolean OR a.id = ANY(@account_ids::text[])
ORDER BY page.id DESC LIMIT @most::integer;

-- name: FindAlert :one
SELECT id, account_id, delivery_id, conversation_id, automation, audience, text, created_at
FROM alerts WHERE id = @id AND (@every::boolean OR account_id = ANY(@account_ids::text[]));

-- name: ReadAlert :execrows
-- Nothing is written for what is read already.
INSERT INTO alert_reads (alert_id, person, account_id)
SELECT l.id, @person, l.account_id FROM alerts AS l
WHERE l.id = @id AND l.account_id = @account_id
  AND NOT EXISTS (SELECT 1 FROM alert_marks AS m WHERE m.person = @person AND m.account_id = l.account_id AND m.read_up_to >= l.id)
ON CONFLICT (alert_id, person) DO NOTHING;

-- name: ReadAlerts :many
-- Up to the newest that was shown, in every account where that changes anything.
INSERT INTO alert_marks (person, account_id, read_up_to)
SELECT @person, a.id, @up_to::uuid FROM accounts AS a
WHERE (@every::boolean OR a.id = ANY(@account_ids::text[]))
  AND EXISTS (SELECT 1 FROM alerts AS l WHERE l.account_id = a.id AND l.id <= @up_to
                AND l.id > coalesce((SELECT m.read_up_to FROM alert_marks AS m WHERE m.person = @person AND m.account_id = a.id),
                                    '00000000-0000-0000-0000-000000000000'))
ON CONFLICT (person, account_id) DO UPDATE SET read_up_to = greatest(alert_marks.read_up_to, excluded.read_up_to), read_at = now()
RETURNING account_id;
