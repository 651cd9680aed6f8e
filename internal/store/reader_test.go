package store_test

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"aftercall/internal/store"
)

// two is a house with a call each in two accounts.
func two(t *testing.T) (h *house, ours, theirs string) {
	t.Helper()
	h = open(t, store.Options{})
	ours = h.decided(t, "ours", 1).ConversationID
	revision := h.account(t, "umbra")
	a := h.arrival(phoneCall("theirs"))
	a.Event.AccountID, a.RevisionID = "umbra", revision
	return h, ours, h.accept(t, a).ConversationID
}

// TestAReaderStaysWithinItsAccounts asks for everything of everybody, as somebody who may see one account.
func TestAReaderStaysWithinItsAccounts(t *testing.T) {
	t.Parallel()
	h, ours, theirs := two(t)
	ctx := t.Context()
	for _, r := range []*store.Reader{h.Within(store.Only("acme")), h.Within(store.Only("acme", "nobody's", `x"}',\`))} {
		rows, _, err := r.Conversations(ctx, store.ConversationQuery{})
		if err != nil || len(rows) != 1 || rows[0].ID != ours {
			t.Errorf("the list: %+v, %v", rows, err)
		}
		for _, search := range []string{"theirs", theirs} {
			rows, _, err := r.Conversations(ctx, store.ConversationQuery{Search: search})
			if err != nil || len(rows) != 0 {
				t.Errorf("searched for %s: %+v, %v", search, rows, err)
			}
			if _, _, err := r.FindConversation(ctx, "", search); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("found %s: %v", search, err)
			}
		}
		if rows, _, err := r.Conversations(ctx, store.ConversationQuery{AccountID: "umbra"}); err != nil || len(rows) != 0 {
			t.Errorf("the other account's list: %+v, %v", rows, err)
		}
		if _, err := r.Story(ctx, "umbra", theirs); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("the other account's story: %v", err)
		}
		if _, err := r.Story(ctx, "acme", ours); err != nil {
			t.Errorf("our own story: %v", err)
		}
		active, err := r.ActiveRevisions(ctx)
		if err != nil || len(active) != 1 || active[0].AccountID != "acme" {
			t.Errorf("active: %+v, %v", active, err)
		}
		if accounts, err := r.Accounts(ctx, ""); err != nil || len(accounts) != 1 {
			t.Errorf("accounts: %+v, %v", accounts, err)
		}
	}
	rows, _, err := h.Within(store.Every()).Conversations(ctx, store.ConversationQuery{})
	if err != nil || len(rows) != 2 {
		t.Errorf("every account's list: %d, %v", len(rows), err)
	}
}

// pagesTx runs f as the pages' connections do, with these settings, and takes everything back.
func (h *house) pagesTx(t *testing.T, settings string, f func(tx pgx.Tx)) {
	t.Helper()
	tx, err := h.Pool().Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) }()
	if _, err := tx.Exec(t.Context(), "SET LOCAL ROLE aftercall_pages; "+settings); err != nil {
		t.Fatal(err)
	}
	f(tx)
}

// TestTheDatabaseHoldsToItByItself takes the accounts out of every statement: row security is what is left.
func TestTheDatabaseHoldsToItByItself(t *testing.T) {
	t.Parallel()
	h, _, _ := two(t)
	h.exec(t, "INSERT INTO audit_log (id, account_id, person, address, act, target, detail) SELECT gen_random_uuid(), a, '', '', '', '', '{}' FROM unnest('{acme,umbra}'::text[]) AS a")
	tables := []string{"accounts", "conversations", "events", "revisions", "active_revisions", "audit_log"}
	counts := func(settings string) map[string]int {
		got := map[string]int{}
		h.pagesTx(t, settings, func(tx pgx.Tx) {
			for _, table := range tables {
				var n int
				if err := tx.QueryRow(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
					t.Fatalf("%s: %v", table, err)
				}
				got[table] = n
			}
		})
		return got
	}
	each := func(n int) map[string]int {
		want := map[string]int{}
		for _, table := range tables {
			want[table] = n
		}
		return want
	}
	for settings, want := range map[string]int{
		"SET LOCAL aftercall.accounts = '{acme}'":                                        1,
		"SET LOCAL aftercall.accounts = '{acme,umbra}'":                                  2,
		"SET LOCAL aftercall.accounts = '{other}'":                                       0,
		"SET LOCAL aftercall.accounts = '{}'; SET LOCAL aftercall.every_account = 'off'": 0,
		"SET LOCAL aftercall.every_account = 'on'":                                       2,
		"SELECT 1": 0, // nobody said for whom: nothing
	} {
		if diff := cmp.Diff(each(want), counts(settings)); diff != "" {
			t.Errorf("%s: %s", settings, diff)
		}
	}
}

func TestThePagesWriteNothingAndSeeNoPeople(t *testing.T) {
	t.Parallel()
	h, _, _ := two(t)
	for _, sql := range []string{
		"UPDATE conversations SET summary = 'x'", "DELETE FROM deliveries", "INSERT INTO accounts (id) VALUES ('x')", "SELECT * FROM people",
		"SELECT * FROM sessions", "SELECT hash FROM api_keys", "SELECT * FROM river_job", "SELECT * FROM homes",
	} {
		h.pagesTx(t, "SET LOCAL aftercall.every_account = 'on'", func(tx pgx.Tx) {
			if _, err := tx.Exec(t.Context(), sql); err == nil || !strings.Contains(err.Error(), "permission denied") {
				t.Errorf("%s: %v", sql, err)
			}
		})
	}
}

// TestRowSecurityLeavesThePlansAlone explains every list again as the pages run it.
func TestRowSecurityLeavesThePlansAlone(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	h.exec(t, filler, h.revision)
	h.exec(t, "ANALYZE")
	story := h.decided(t, "told", 1).ConversationID
	passed := &statements{seen: map[string]pgx.TraceQueryStartData{}}
	pages, err := store.Open(t.Context(), h.url, store.Options{Pool: 2, Ingest: -1, Tracer: passed})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pages.Close)
	clear(passed.seen) // opening asked as the process itself
	ask(t, pages.Within(store.Only("acme")), story)
	h.deskReads(t, pages.Within(store.Only("acme")))
	scan := regexp.MustCompile(`Seq Scan on (?:public\.)?(?:` + growing + `)\b`)
	for name, d := range passed.seen {
		h.pagesTx(t, "SET LOCAL aftercall.accounts = '{acme}'", func(tx pgx.Tx) {
			rows, err := tx.Query(t.Context(), "EXPLAIN (VERBOSE) "+d.SQL, d.Args...)
			if err != nil {
				t.Fatal(err)
			}
			plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if text := strings.Join(plan, "\n"); scan.MatchString(text) || !strings.Contains(text, "current_setting") {
				t.Errorf("%s scans a growing table, or nothing guards it:\n%s", name, text)
			}
		})
	}
	if len(passed.seen) < 15 {
		t.Errorf("only %d statements were explained", len(passed.seen))
	}
}

// ask runs what pages ask.
func ask(t *testing.T, r *store.Reader, conversation string) {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	searchAll(t, r)
	listDeliveries(t, r)
	lookOver(t, r)
	for _, id := range []string{"old-7", conversation} {
		_, _, err := r.FindConversation(ctx, "", id)
		must(err)
	}
	for _, id := range []string{conversation, "0192f3a4-0000-7000-8000-000000000007"} {
		told, err := r.Story(ctx, "acme", id)
		must(err)
		readAll(t, r, told)
	}
	for _, channel := range []string{"", "email"} {
		_, _, err := r.CapturedMessages(ctx, "", channel, "", 10)
		must(err)
	}
	_, err := r.CapturedMessage(ctx, "0192f3a4-0000-7000-8000-000000000007")
	must(err)
	_, err = r.Stops(ctx, "")
	must(err)
	_, err = r.ConfigTroubles(ctx, "")
	must(err)
	_, err = r.ActiveRevisions(ctx)
	must(err)
	_, err = r.Alerts(ctx, "acme", 10)
	must(err)
	_, _, err = r.Acts(ctx, "", "", 10)
	must(err)
	_, err = r.Keys(ctx)
	must(err)
	_, err = r.Sources(ctx, "api")
	must(err)
	if _, err = r.Erased(ctx, "", conversation); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a call that is there was erased: %v", err)
	}
}
