package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercall/internal/store"
)

// TestRollback: it is an activation by the door of the command line, and one line of the log; what is refused leaves neither.
func TestRollback(t *testing.T) {
	t.Parallel()
	h, ann := open(t, store.Options{}), store.Actor{Name: "ann", Address: "192.0.2.1"}
	second, _, err := h.apply(t, "d2", store.Activation{By: "bob", Origin: store.ByCLI})
	if err != nil {
		t.Fatal(err)
	}
	back := func(to, base string) (bool, error) {
		return h.Rollback(t.Context(), ann, store.Activation{AccountID: "acme", RevisionID: to, Base: &base, Message: "too many calls"})
	}
	if changed, err := back(h.revision, h.revision); changed || !errors.As(err, new(*store.Moved)) {
		t.Errorf("against another revision: %v, %v", changed, err)
	}
	if changed, err := back(h.revision, second); !changed || err != nil {
		t.Fatalf("%v, %v", changed, err)
	}
	if changed, err := back(h.revision, second); changed || err != nil {
		t.Errorf("what is active already: %v, %v", changed, err)
	}
	if err := h.SetAuthority(t.Context(), "acme", store.ByFiles, "folder"); err != nil {
		t.Fatal(err)
	}
	if changed, err := back(second, h.revision); changed || !errors.As(err, new(*store.Governed)) {
		t.Errorf("by another door: %v, %v", changed, err)
	}
	acts, _, err := h.FindActs(t.Context(), store.ActQuery{AccountID: "acme", What: store.ActRolledBack, Since: time.Unix(0, 0)})
	if err != nil || len(acts) != 1 || acts[0].Target != h.revision || acts[0].Detail["from"] != second || acts[0].By.Name != "ann" {
		t.Errorf("the log: %+v, %v", acts, err)
	}
	list, next, err := h.Activations(t.Context(), "acme", "", 1)
	if err != nil || len(list) != 1 || next == "" || list[0].RevisionID != h.revision || list[0].Message != "too many calls" || list[0].By != "ann" || list[0].Origin != store.ByCLI {
		t.Errorf("%+v before %q, %v", list, next, err)
	}
	if older, _, err := h.Activations(t.Context(), "acme", next, 1); err != nil || len(older) != 1 || older[0].RevisionID != second {
		t.Errorf("%+v, %v", older, err)
	}
	if _, _, err := h.Activations(t.Context(), "acme", "x", 1); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a cursor that was never ours: %v", err)
	}
}

// TestWorkersSayWhatTheyKnow: with each beat anew, and a version that says nothing is no fault.
func TestWorkersSayWhatTheyKnow(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	for _, known := range []map[string]string{{"acme": "r1"}, {"acme": "r2", "umbra": "r3"}} {
		if err := h.Beat(t.Context(), store.Worker{ID: "w1", Host: "here", Version: "v1", StartedAt: time.Now(), Revisions: known}); err != nil {
			t.Fatal(err)
		}
	}
	h.exec(t, "INSERT INTO workers (id, host, version, started_at) VALUES ('w0', 'here', 'v0', '2026-01-01')")
	h.exec(t, "INSERT INTO workers (id, host, version, started_at, beat_at) VALUES ('gone', 'here', 'v0', '2026-01-01', '2026-01-01')")
	workers, err := h.Workers(t.Context(), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]map[string]string{}
	for _, w := range workers {
		got[w.ID] = w.Revisions
	}
	if d := cmp.Diff(map[string]map[string]string{"w0": {}, "w1": {"acme": "r2", "umbra": "r3"}}, got); d != "" {
		t.Error(d)
	}
}
