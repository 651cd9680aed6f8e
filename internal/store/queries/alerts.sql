-- Team alerts as a person finds them: those to everybody, and those to the keys that stand for them in each account (@mine, a
-- list of keys by account), or those to anybody (@whole). What they have read is every alert up to a mark, and some after it.
-- Unread is looked for among the newest of each account after the mark, so that it costs the same however much was posted or
-- read. Whether one of them was read is asked of each by its key: OFFSET 0 keeps the planner from making a join of it, which might
-- begin with all that somebody ever read. Ids are found before rows are read: then the index alone answers, and the planner has no
-- reason to look for a small account's in the order of all.

-- name: InboxAlerts :many
SELECT l.id, l.account_id, l.delivery_id, l.conversation_id, l.automation, l.audience, l.text, l.created_at,
       (page.marked OR EXISTS (SELECT 1 FROM alert_reads AS r
           WHERE r.alert_id = l.id AND r.person = @person AND r.account_id = l.account_id OFFSET 0))::boolean AS read
FROM (SELECT newest.id, coalesce(newest.id <= m.read_up_to, false) AS marked
      FROM accounts AS a LEFT JOIN alert_marks AS m ON m.account_id = a.id AND m.person = @person
      CROSS JOIN LATERAL (
          (SELECT n.id FROM alerts AS n
           WHERE @whole::boolean AND n.account_id = a.id AND n.id < @before::uuid
           ORDER BY n.id DESC LIMIT @most::integer)
          UNION ALL
          SELECT n.id
          FROM (SELECT 'all'::text WHERE NOT @whole::boolean UNION ALL SELECT jsonb_array_elements_text(@mine::jsonb -> a.id)) AS w (audience)
          CROSS JOIN LATERAL (
              SELECT x.id FROM alerts AS x WHERE x.account_id = a.id AND x.audience = w.audience AND x.id < @before::uuid
              ORDER BY x.id DESC LIMIT @most::integer) AS n) AS newest
      WHERE @every::boolean OR a.id = ANY(@account_ids::text[])
      ORDER BY newest.id DESC LIMIT @most::integer) AS page
JOIN alerts AS l ON l.id = page.id
ORDER BY l.id DESC;

-- name: UnreadAlerts :many
SELECT l.id, l.account_id, l.delivery_id, l.conversation_id, l.automation, l.audience, l.text, l.created_at
FROM (SELECT unread.id
      FROM accounts AS a LEFT JOIN alert_marks AS m ON m.account_id = a.id AND m.person = @person
      CROSS JOIN LATERAL (
          SELECT newest.id
          FROM (SELECT n.id
                FROM ((SELECT y.id FROM alerts AS y
                       WHERE @whole::boolean AND y.account_id = a.id AND y.id > greatest(@since::uuid, m.read_up_to)
                       ORDER BY y.id DESC LIMIT @scanned::integer)
                      UNION ALL
                      SELECT z.id
                      FROM (SELECT 'all'::text WHERE NOT @whole::boolean UNION ALL SELECT jsonb_array_elements_text(@mine::jsonb -> a.id)) AS w (audience)
                      CROSS JOIN LATERAL (
                          SELECT x.id FROM alerts AS x
                          WHERE x.account_id = a.id AND x.audience = w.audience AND x.id > greatest(@since::uuid, m.read_up_to)
                          ORDER BY x.id DESC LIMIT @scanned::integer) AS z) AS n
                ORDER BY n.id DESC LIMIT @scanned::integer) AS newest
          WHERE NOT EXISTS (SELECT 1 FROM alert_reads AS r WHERE r.alert_id = newest.id AND r.person = @person AND r.account_id = a.id OFFSET 0)
          ORDER BY newest.id DESC LIMIT @most::integer) AS unread
      WHERE @every::boolean OR a.id = ANY(@account_ids::text[])
      ORDER BY unread.id DESC LIMIT @most::integer) AS page
JOIN alerts AS l ON l.id = page.id
ORDER BY l.id DESC;

-- name: UnreadAlertIDs :many
SELECT unread.id::uuid AS id
FROM accounts AS a LEFT JOIN alert_marks AS m ON m.account_id = a.id AND m.person = @person
CROSS JOIN LATERAL (
    SELECT newest.id
    FROM (SELECT n.id
          FROM ((SELECT y.id FROM alerts AS y
                 WHERE @whole::boolean AND y.account_id = a.id AND y.id > greatest(@since::uuid, m.read_up_to)
                 ORDER BY y.id DESC LIMIT @scanned::integer)
                UNION ALL
                SELECT z.id
                FROM (SELECT 'all'::text WHERE NOT @whole::boolean UNION ALL SELECT jsonb_array_elements_text(@mine::jsonb -> a.id)) AS w (audience)
                CROSS JOIN LATERAL (
                    SELECT x.id FROM alerts AS x
                    WHERE x.account_id = a.id AND x.audience = w.audience AND x.id > greatest(@since::uuid, m.read_up_to)
                    ORDER BY x.id DESC LIMIT @scanned::integer) AS z) AS n
          ORDER BY n.id DESC LIMIT @scanned::integer) AS newest
    WHERE NOT EXISTS (SELECT 1 FROM alert_reads AS r WHERE r.alert_id = newest.id AND r.person = @person AND r.account_id = a.id OFFSET 0)
    ORDER BY newest.id DESC LIMIT @most::integer) AS unread
WHERE @every::boolean OR a.id = ANY(@account_ids::text[])
ORDER BY unread.id DESC LIMIT @most::integer;

-- name: FindAlert :one
SELECT id, account_id, delivery_id, conversation_id, automation, audience, text, created_at
FROM alerts
WHERE id = @id AND (@every::boolean OR account_id = ANY(@account_ids::text[]))
  AND (@whole::boolean OR audience = 'all' OR audience IN (SELECT jsonb_array_elements_text(@mine::jsonb -> account_id)));

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
