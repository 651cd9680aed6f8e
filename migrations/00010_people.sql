-- Who may see and do what: people with a role in one account or in every one, their sessions, how often signing in was tried,
-- and the log of what they did. And a second net under the pages: their connections take a role of the database that sees
-- the rows of the accounts it is told to, whatever a query forgot (docs/adr/0014-who-may.md). Everybody else's rows are
-- as visible as they were: a version that does not know of it works on.

-- +goose Up
CREATE TABLE people (
    id          uuid        PRIMARY KEY,
    email       text        NOT NULL,
    email_key   text        NOT NULL UNIQUE,     -- in lower case: what somebody signs in with
    name        text        NOT NULL,
    password    text        NOT NULL DEFAULT '', -- argon2id with its parameters; '': signs in elsewhere
    issuer      text        NOT NULL DEFAULT '', -- who says that it is them, and under which name
    subject     text        NOT NULL DEFAULT '',
    created_at  timestamptz NOT NULL DEFAULT now(),
    disabled_at timestamptz
);
CREATE UNIQUE INDEX people_by_subject ON people (issuer, subject) WHERE subject <> '';

CREATE TABLE roles (
    person_id  uuid NOT NULL REFERENCES people (id),
    account_id text NOT NULL, -- '*': every account, those to come included
    role       text NOT NULL CHECK (role IN ('viewer', 'operator', 'author', 'admin')),
    PRIMARY KEY (person_id, account_id)
);

-- Only hashes of what a browser holds. A token is replaced now and then; until the new one is shown, both are good.
CREATE TABLE sessions (
    id         uuid        PRIMARY KEY,
    person_id  uuid        NOT NULL REFERENCES people (id),
    token      bytea       NOT NULL UNIQUE,
    token_at   timestamptz NOT NULL,
    next_token bytea       UNIQUE, -- handed out, not shown yet
    next_at    timestamptz,
    last_token bytea       UNIQUE, -- shown much later, it was copied
    created_at timestamptz NOT NULL,
    seen_at    timestamptz NOT NULL,
    ends_at    timestamptz NOT NULL
);
CREATE INDEX sessions_by_person ON sessions (person_id);
CREATE INDEX sessions_by_end ON sessions (ends_at);

-- How often signing in was tried, by hashed name and by hashed address: each try pushes the time until which the bucket is in
-- use, and one that would push it too far is refused.
CREATE TABLE sign_in_tries (
    bucket bytea       PRIMARY KEY,
    until  timestamptz NOT NULL
);
CREATE INDEX sign_in_tries_by_time ON sign_in_tries (until);

CREATE TABLE audit_log (
    id         uuid        PRIMARY KEY, -- version 7: in the order of time
    account_id text        NOT NULL,    -- '': what concerns the installation
    person_id  uuid,                    -- NULL: the command line, or a machine that signs in by itself
    person     text        NOT NULL,    -- as they were known then
    address    text        NOT NULL,    -- from where; '' for the command line
    act        text        NOT NULL,
    target     text        NOT NULL,    -- the id of what it was done to
    detail     jsonb       NOT NULL,    -- never what a caller said, nor an address
    at         timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX audit_log_by_account ON audit_log (account_id, id);

-- +goose StatementBegin
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is only ever added to', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
-- +goose StatementEnd
CREATE TRIGGER audit_log_only_grows BEFORE UPDATE OR DELETE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_log_never_empties BEFORE TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A table with an account's rows. The settings are read once a statement, and equality of text gives nothing away, so that
-- indexes are used as without.
-- +goose StatementBegin
CREATE FUNCTION guard_rows(guarded regclass, account text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', guarded);
    EXECUTE format('CREATE POLICY own_accounts ON %s USING ((SELECT current_user) <> ''aftercall_pages'''
        ' OR (SELECT current_setting(''aftercall.every_account'', true)) = ''on'''
        ' OR %I = ANY ((SELECT coalesce(nullif(current_setting(''aftercall.accounts'', true), ''''), ''{}''))::text[]))', guarded, account);
END $$;
-- +goose StatementEnd
SELECT guard_rows('accounts', 'id');
SELECT guard_rows('revisions', 'account_id');
SELECT guard_rows('active_revisions', 'account_id');
SELECT guard_rows('activations', 'account_id');
SELECT guard_rows('sources', 'account_id');
SELECT guard_rows('api_keys', 'account_id');
SELECT guard_rows('config_attempts', 'account_id');
SELECT guard_rows('spending', 'account_id');
SELECT guard_rows('conversations', 'account_id');
SELECT guard_rows('events', 'account_id');
SELECT guard_rows('event_conflicts', 'account_id');
SELECT guard_rows('interviews', 'account_id');
SELECT guard_rows('decisions', 'account_id');
SELECT guard_rows('variable_values', 'account_id');
SELECT guard_rows('deliveries', 'account_id');
SELECT guard_rows('attempts', 'account_id');
SELECT guard_rows('tasks', 'account_id');
SELECT guard_rows('alerts', 'account_id');
SELECT guard_rows('captured', 'account_id');
SELECT guard_rows('audit_log', 'account_id');

-- +goose Down
-- +goose StatementBegin
DO $$
DECLARE
    guarded regclass;
BEGIN
    FOR guarded IN SELECT polrelid::regclass FROM pg_policy WHERE polname = 'own_accounts' LOOP
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'aftercall_pages') THEN
            EXECUTE format('REVOKE ALL ON %s FROM aftercall_pages', guarded);
        END IF;
        EXECUTE format('DROP POLICY own_accounts ON %s', guarded);
        EXECUTE format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', guarded);
    END LOOP;
END $$;
-- +goose StatementEnd
DROP FUNCTION guard_rows(regclass, text);
DROP TABLE audit_log;
DROP FUNCTION refuse_change();
DROP TABLE sign_in_tries;
DROP TABLE sessions;
DROP TABLE roles;
DROP TABLE people;
