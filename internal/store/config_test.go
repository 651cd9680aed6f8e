package store_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aftercall/internal/store"
)

func TestRevisionsAreStoredOnce(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	r := store.RevisionFiles{AccountID: "acme", Digest: "d2", Format: 1, Files: map[string][]byte{"a.yaml": {0, 0xff, 'x'}},
		Message: "Ask for a day", GitSHA: "1a2b3c", Origin: store.ByCLI}
	id, err := h.SaveRevision(t.Context(), r, "ann")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := h.SaveRevision(t.Context(), r, "bob"); err != nil || again != id {
		t.Errorf("saved again as %s, %v", again, err)
	}
	got, err := h.Revision(t.Context(), id)
	r.ID, r.CreatedAt = id, got.CreatedAt
	if d := cmp.Diff(r, got); d != "" || err != nil {
		t.Error(d, err)
	}
	if _, err := h.Pool().Exec(t.Context(), "UPDATE revisions SET digest = 'x'"); err == nil {
		t.Error("a revision was changed")
	}
	if _, err := h.Revision(t.Context(), "00000000-0000-7000-8000-000000000000"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("loaded nothing: %v", err)
	}
}

func TestActivate(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	other := h.account(t, "other")
	next, err := h.SaveRevision(t.Context(), store.RevisionFiles{AccountID: "acme", Digest: "d2"}, "ann")
	if err != nil {
		t.Fatal(err)
	}
	for n, step := range []struct {
		account, revision string
		sources           []string
		changed           bool
		wrong             string // part of the error
	}{
		{"acme", next, []string{"phone", "chat"}, true, ""},
		{"acme", next, []string{"phone", "chat"}, false, ""},
		{"other", h.revision, nil, false, "violates foreign key"},
		{"nobody", next, nil, false, "not found"},
		{"acme", h.revision, []string{"chat"}, true, ""},
		{"acme", next, nil, true, ""},
		{"acme", h.revision, []string{"chat"}, true, ""},
	} {
		changed, err := h.Activate(t.Context(), store.Activation{AccountID: step.account, RevisionID: step.revision, By: "ann", Sources: step.sources})
		if changed != step.changed || (err == nil) != (step.wrong == "") || (err != nil && !strings.Contains(err.Error(), step.wrong)) {
			t.Errorf("step %d: %v, %v", n, changed, err)
		}
	}
	otherNext, err := h.SaveRevision(t.Context(), store.RevisionFiles{AccountID: "other", Digest: "d2"}, "ann")
	if err != nil {
		t.Fatal(err)
	}
	a := store.Activation{AccountID: "other", RevisionID: otherNext, By: "bob", Sources: []string{"phone", "chat"}}
	if changed, err := h.Activate(t.Context(), a); changed || err == nil || !strings.Contains(err.Error(), `"chat"`) {
		t.Errorf("took another account's source: %v, %v", changed, err)
	}
	active, err := h.ActiveRevisions(t.Context())
	if err != nil || len(active) != 2 || active[0].RevisionID != h.revision || active[0].Digest != "d1" || active[1].RevisionID != other {
		t.Errorf("active %+v, %v", active, err)
	}
	if n := h.count(t, "sources WHERE account_id = 'acme'"); n != 1 {
		t.Errorf("%d sources", n)
	}
	if n := h.count(t, "activations WHERE account_id = 'acme'"); n != 5 {
		t.Errorf("%d activations logged", n)
	}
}

func TestListenActivations(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	heard := make(chan struct{}, 100)
	go h.ListenActivations(t.Context(), func() { heard <- struct{}{} })
	<-heard // it listens
	h.account(t, "second")
	<-heard
	h.exec(t, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'LISTEN aftercall_activations' AND datname = current_database()")
	<-heard // it listens again
	h.account(t, "third")
	<-heard
}

func TestKeys(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{Ingest: -1})
	if err := h.AddKey(t.Context(), "new", "laptop", "ak_1234", []byte("hash"), store.Actor{Name: "test"}); err != nil {
		t.Fatal(err)
	}
	if err := h.AddKey(t.Context(), "acme", "laptop", "ak_1234", []byte("hash"), store.Actor{}); err == nil {
		t.Error("one hash for two keys")
	}
	if key, err := h.FindKey(t.Context(), []byte("hash")); err != nil || key.AccountID != "new" || !key.May(store.ScopePost) || key.May(store.ScopeRead) {
		t.Errorf("%+v, %v", key, err)
	}
	if _, err := h.FindKey(t.Context(), []byte("other")); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("an unknown key: %v", err)
	}
	theirs, err := h.Within(store.Only("acme")).Keys(t.Context())
	if err != nil || len(theirs) != 0 {
		t.Errorf("another account's keys: %+v, %v", theirs, err)
	}
	keys, err := h.Within(store.Only("new")).Keys(t.Context())
	if err != nil || len(keys) != 1 || keys[0].Name != "laptop" || keys[0].Prefix != "ak_1234" || !keys[0].RevokedAt.IsZero() {
		t.Fatalf("%+v, %v", keys, err)
	}
	foreign := keys[0]
	foreign.AccountID = "acme"
	if err := h.RevokeKey(t.Context(), foreign, store.Actor{}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("revoked in another account: %v", err)
	}
	if err := h.RevokeKey(t.Context(), keys[0], store.Actor{Name: "test"}); err != nil {
		t.Error(err)
	}
	if err := h.RevokeKey(t.Context(), keys[0], store.Actor{}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("revoked twice: %v", err)
	}
	if acts, _, err := h.Acts(t.Context(), "new", "", 10); err != nil || len(acts) != 2 || acts[0].What != store.ActKeyRevoked || acts[1].What != store.ActKeyAdded {
		t.Errorf("the log: %+v, %v", acts, err)
	}
	if _, err := h.FindKey(t.Context(), []byte("hash")); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a revoked key: %v", err)
	}
}

func TestOpenNeedsTheSchema(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	h.exec(t, "DELETE FROM goose_db_version WHERE version_id = (SELECT max(version_id) FROM goose_db_version)")
	if s, err := store.Open(t.Context(), h.url, store.Options{}); err == nil || !strings.Contains(err.Error(), "aftercall migrate") {
		t.Errorf("opened %v, %v", s, err)
	}
	if s, err := store.Open(t.Context(), "postgres://u:secret@[::1", store.Options{}); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("opened %v, %v", s, err)
	}
}

// govern makes every query about revisions and doors pass once.
func (h *house) govern(t *testing.T) {
	t.Helper()
	ctx, watch := t.Context(), h.NewWatch()
	defer watch.Close()
	_, _, listed := h.Revisions(ctx, "acme", "", 0)
	_, _, foundNone := h.FindRevision(ctx, "acme", "nothing")
	_, accounts := h.Accounts(ctx, "")
	_, watched := watch.Mine(ctx, "acme")
	_, troubles := h.ConfigTroubles(ctx, "")
	_, _, attempts := h.ConfigAttempt(ctx, "acme")
	_, _, activations := h.Activations(ctx, "acme", "", 0)
	err := errors.Join(listed, accounts, watched, troubles, attempts, activations, h.SetAuthority(ctx, "acme", store.ByCLI, "ann"),
		h.RecordAttempt(ctx, store.Attempt{AccountID: "acme", State: store.AttemptApplied}))
	if err != nil || !errors.Is(foundNone, store.ErrNotFound) {
		t.Fatal(err, foundNone)
	}
}
