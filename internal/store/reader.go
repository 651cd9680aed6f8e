package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"aftercall/internal/store/db"
)

// Accounts are the accounts that somebody may see. The zero value is none.
type Accounts struct {
	every bool
	ids   []string
}

// Every is every account, those to come included.
func Every() Accounts { return Accounts{every: true} }

// Only is these accounts.
func Only(ids ...string) Accounts { return Accounts{ids: ids} }

// All reports whether it is every account.
func (a Accounts) All() bool { return a.every }

// None reports whether there is nothing to see.
func (a Accounts) None() bool { return !a.every && len(a.ids) == 0 }

// Has reports whether an account is among them.
func (a Accounts) Has(id string) bool { return a.every || slices.Contains(a.ids, id) }

// Narrow leaves one of them, and none if it is not among them; "" leaves all.
func (a Accounts) Narrow(id string) Accounts {
	switch {
	case id == "":
		return a
	case a.Has(id):
		return Only(id)
	}
	return Accounts{}
}

// list is them as a parameter; the driver makes NULL of a nil slice.
func (a Accounts) list() []string { return append([]string{}, a.ids...) }

// settings tell the database's own row security of them, for one transaction. Ids are ours, and quoted all the same.
func (a Accounts) settings() string {
	every := "off"
	if a.every {
		every = "on"
	}
	quote := strings.NewReplacer(`\`, `\\`, `"`, `\"`, `'`, `''`, "\x00", "")
	ids := make([]string, len(a.ids))
	for n, id := range a.ids {
		ids[n] = `"` + quote.Replace(id) + `"`
	}
	return fmt.Sprintf("SET LOCAL aftercall.every_account = '%s'; SET LOCAL aftercall.accounts = '{%s}'", every, strings.Join(ids, ","))
}

// Reader reads what pages and verbs show, of the accounts it was made for and of no other. Every statement is told which
// they are; for a reader made by Within the database holds to it by itself, too.
type Reader struct {
	from   *pgxpool.Pool
	within Accounts
}

// Within reads for somebody who may see these accounts, on connections that can read nothing else and write nothing.
func (s *Store) Within(a Accounts) *Reader { return &Reader{from: s.pages, within: a} }

// PagesReady says why no reader can be made by Within, or nil.
func (s *Store) PagesReady(ctx context.Context) error {
	if err := s.pages.Ping(ctx); err != nil {
		return fmt.Errorf("take the role of the pages in the database (aftercall migrate makes it): %w", err)
	}
	return nil
}

// read runs f in a read-only transaction that sees one state of the database, bounded to what a page may take.
func (r *Reader) read(ctx context.Context, f func(q *db.Queries) error) error {
	return r.snapshot(ctx, "SET LOCAL statement_timeout = '3s'", f)
}

func (r *Reader) snapshot(ctx context.Context, limits string, f func(q *db.Queries) error) error {
	o := pgx.TxOptions{BeginQuery: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; " + limits + "; " + r.within.settings()}
	return pgx.BeginTxFunc(ctx, r.from, o, func(tx pgx.Tx) error { return f(db.New(tx)) })
}
