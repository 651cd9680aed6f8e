package migrations

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// PagesRole is the role of the database that the pages' connections take. It reads rows of the accounts it is told to, and
// nothing of people, sessions or the queue.
const PagesRole = "aftercall_pages"

// givePages makes the role, unless another database of the server has made it already, and lets it read every table whose
// rows are guarded. It is done after each migration: a restore leaves privileges behind, and a new table needs them.
const givePages = `
DO $$
DECLARE
    guarded regclass;
    kind    text := CASE WHEN current_setting('server_version_num')::integer >= 160000 THEN 'SET' ELSE 'MEMBER' END;
BEGIN
    BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'aftercall_pages') THEN
            CREATE ROLE aftercall_pages NOLOGIN;
        END IF;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
        NULL;
    END;
    IF NOT pg_has_role(current_user, 'aftercall_pages', kind) THEN
        EXECUTE format('GRANT aftercall_pages TO %I', current_user);
    END IF;
    IF NOT has_schema_privilege('aftercall_pages', current_schema(), 'USAGE') THEN
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO aftercall_pages', current_schema());
    END IF;
    FOR guarded IN SELECT polrelid::regclass FROM pg_policy WHERE polname = 'own_accounts' LOOP
        IF guarded = 'api_keys'::regclass THEN
            GRANT SELECT (id, account_id, name, prefix, scopes, created_at, revoked_at) ON api_keys TO aftercall_pages;
        ELSE
            EXECUTE format('GRANT SELECT ON %s TO aftercall_pages', guarded);
        END IF;
    END LOOP;
END $$`

// letPagesRead runs givePages. It says what to do where this user may make no roles.
func letPagesRead(ctx context.Context, databaseURL string) error {
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return fmt.Errorf("connect to let the pages read: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	_, err = conn.Exec(ctx, givePages)
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == pgerrcode.InsufficientPrivilege {
		return fmt.Errorf("let the pages read: this database user may not make their role. Have somebody run "+
			"CREATE ROLE %[1]s NOLOGIN; GRANT %[1]s TO <this user>; and then aftercall migrate again: %[2]w", PagesRole, err)
	}
	if err != nil {
		return fmt.Errorf("let the pages read: %w", err)
	}
	return nil
}
