-- People belong to the installation, what they may do belongs to accounts. All of it is read and written by the process
-- itself: the role of the pages sees none of it but the audit log.

-- name: AddPerson :execrows
INSERT INTO people (id, email, email_key, name, password, issuer, subject)
VALUES (@id, @email, @email_key, @name, @password, @issuer, @subject)
ON CONFLICT DO NOTHING;

-- name: ListPeople :many
-- Everybody, or one: by id, by e-mail, or by who they are elsewhere. An empty condition finds nobody.
SELECT p.id, p.email, p.name, p.password, p.issuer, p.subject, p.created_at, p.disabled_at,
       ARRAY(SELECT r.account_id FROM roles AS r WHERE r.person_id = p.id ORDER BY r.account_id)::text[] AS role_accounts,
       ARRAY(SELECT r.role FROM roles AS r WHERE r.person_id = p.id ORDER BY r.account_id)::text[] AS role_names
FROM people AS p
WHERE @everybody::boolean
   OR @id::text <> '' AND p.id = nullif(@id::text, '')::uuid
   OR @email_key::text <> '' AND p.email_key = @email_key
   OR @subject::text <> '' AND p.subject = @subject AND p.issuer = @issuer::text
ORDER BY p.email_key LIMIT @most::integer;

-- name: BindPerson :execrows
-- Only once: who they are elsewhere is never replaced.
UPDATE people SET issuer = @issuer, subject = @subject WHERE id = @id AND subject = '';

-- name: SetPassword :execrows
UPDATE people SET password = @password WHERE id = @id;

-- name: ReplacePassword :execrows
-- Only the one that was shown, which somebody may have replaced meanwhile.
UPDATE people SET password = @password WHERE id = @id AND password = @was AND disabled_at IS NULL;

-- name: DisablePerson :execrows
UPDATE people SET disabled_at = CASE WHEN @disabled::boolean THEN coalesce(disabled_at, now()) END WHERE id = @id;

-- name: GiveRole :exec
INSERT INTO roles (person_id, account_id, role) VALUES (@person_id, @account_id, @role)
ON CONFLICT (person_id, account_id) DO UPDATE SET role = excluded.role;

-- name: TakeRole :exec
DELETE FROM roles WHERE person_id = @person_id AND account_id = @account_id;

-- name: OpenSession :exec
INSERT INTO sessions (id, person_id, token, token_at, created_at, seen_at, ends_at)
VALUES (@id, @person_id, @token, @at, @at, @at, @ends_at);

-- name: FindSession :many
-- By any of its tokens, with the person and what they may do now.
SELECT s.id, s.token_at, s.next_at, s.seen_at, (s.token = @token)::boolean AS current,
       coalesce(s.next_token = @token, false)::boolean AS next, p.id AS person_id, p.email, p.name,
       ARRAY(SELECT r.account_id FROM roles AS r WHERE r.person_id = p.id ORDER BY r.account_id)::text[] AS role_accounts,
       ARRAY(SELECT r.role FROM roles AS r WHERE r.person_id = p.id ORDER BY r.account_id)::text[] AS role_names
FROM sessions AS s JOIN people AS p ON p.id = s.person_id
WHERE (s.token = @token OR s.next_token = @token OR s.last_token = @token)
  AND s.ends_at > @at AND s.seen_at > @idle_since AND p.disabled_at IS NULL;

-- name: SeeSession :exec
UPDATE sessions SET seen_at = @at WHERE id = @id AND seen_at < @at;

-- name: OfferToken :execrows
-- A new token, unless one was handed out a moment ago and may not have arrived yet.
UPDATE sessions SET next_token = @next_token, next_at = @at::timestamptz
WHERE id = @id AND token = @token AND (next_at IS NULL OR next_at < @offered_before::timestamptz);

-- name: TakeToken :exec
-- The new one was shown, so the old one goes.
UPDATE sessions SET last_token = token, token = next_token, token_at = @at, next_token = NULL, next_at = NULL
WHERE id = @id AND next_token = @token;

-- name: AgeTokens :exec
-- The next request of every session of the person gets a new token.
UPDATE sessions SET token_at = 'epoch', next_at = NULL WHERE person_id = @person_id;

-- name: EndSession :exec
DELETE FROM sessions WHERE id = @id;

-- name: EndSessions :exec
DELETE FROM sessions WHERE person_id = @person_id;

-- name: DropEndedSessions :exec
DELETE FROM sessions WHERE ends_at < @at;

-- name: TrySignIn :many
-- Nothing is returned if the bucket has no room for another try.
INSERT INTO sign_in_tries AS t (bucket, until) VALUES (@bucket, @first_until)
ON CONFLICT (bucket) DO UPDATE SET until = greatest(t.until, @at::timestamptz) + @each::interval
WHERE greatest(t.until, @at::timestamptz) <= @latest::timestamptz
RETURNING until;

-- name: DropTries :exec
DELETE FROM sign_in_tries WHERE until < @at;

-- name: LogAct :exec
INSERT INTO audit_log (id, account_id, person_id, person, address, act, target, detail)
VALUES (@id, @account_id, @person_id, @person, @address, @act, @target, @detail);

-- name: ListActs :many
-- Of every account and of the installation, the newest first. Ids are UUIDs of version 7, so a time is the beginning of an id.
SELECT id, account_id, coalesce(person_id::text, '')::text AS person_id, person, address, act, target, detail, at
FROM audit_log
WHERE id < @before::uuid AND id >= @since::uuid AND (@act::text = '' OR act = @act) AND (@person::text = '' OR person = @person)
ORDER BY id DESC LIMIT @most::integer;

-- name: ListActsOfAccounts :many
SELECT page.id::uuid AS id, page.account_id, coalesce(page.person_id::text, '')::text AS person_id, page.person, page.address,
       page.act, page.target, page.detail, page.at
FROM unnest(@account_ids::text[]) AS a (id) CROSS JOIN LATERAL (
    SELECT l.id, l.account_id, l.person_id, l.person, l.address, l.act, l.target, l.detail, l.at FROM audit_log AS l
    WHERE l.account_id = a.id AND l.id < @before::uuid AND l.id >= @since::uuid
      AND (@act::text = '' OR l.act = @act) AND (@person::text = '' OR l.person = @person)
    ORDER BY l.id DESC LIMIT @most::integer) AS page
ORDER BY page.id DESC LIMIT @most::integer;
