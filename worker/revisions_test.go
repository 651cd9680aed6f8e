package worker_test

import (
	"log/slog"
	"strings"
	"testing"

	"aftercall/automation"
	"aftercall/internal/postgres/pgtest"
	"aftercall/internal/store"
	"aftercall/worker"
)

// TestARevisionOfAnOlderVersionGoesOn: a process that starts has config which an older version took and this one would
// not, so that its sources take calls and the calls pinned to it are decided.
func TestARevisionOfAnOlderVersionGoesOn(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	db, err := store.Open(ctx, pgtest.New(t), store.Options{})
	must(t, err)
	t.Cleanup(db.Close)
	files := automation.Files{"account.yaml": []byte(strings.Replace(account, "automations:", `sources: [ { id: acme-calls, type: native, secret: "${ENV:ACME_SECRET}" } ]
variables: { dyn_day: { type: date, ask: The day agreed on, default: tomorrow } }
automations:`, 1))}
	if rev, _ := automation.Compile(files); rev != nil {
		t.Fatal("this version takes it too; take something that only an older one took")
	}
	id, _, err := db.Apply(ctx, store.RevisionFiles{AccountID: "acme", Digest: files.Digest(), Format: 1, Files: files},
		store.Activation{By: "folder acme", Sources: []string{"acme-calls"}})
	must(t, err)
	revisions := worker.NewRevisions(db, slog.New(slog.DiscardHandler))
	must(t, revisions.Refresh(ctx))
	rev, _, ok := revisions.Source("acme-calls")
	if !ok || rev.ID != id || len(rev.Automations) != 2 {
		t.Fatalf("the source is known: %v, with %+v", ok, rev)
	}
	if _, err := revisions.ByID(ctx, id); err != nil {
		t.Error(err)
	}
}
