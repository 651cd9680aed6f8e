package store_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"aftercall/internal/store"
)

// applied applies files with this digest by a door.
func (h *house) apply(t *testing.T, digest string, a store.Activation) (id string, changed bool, err error) {
	t.Helper()
	return h.Apply(t.Context(), store.RevisionFiles{AccountID: "acme", Digest: digest, Format: 1,
		Files: map[string][]byte{"account.yaml": []byte("account: acme # " + digest)}, GitSHA: "1a2b3c"}, a)
}

// TestApplyComparesAndSets: of two changes made against the same revision one is applied, and the other leaves nothing.
func TestApplyComparesAndSets(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	var all sync.WaitGroup
	var mu sync.Mutex
	var moved []*store.Moved
	ids := map[string]bool{}
	for _, digest := range []string{"d2", "d3", "d4", "d5"} {
		all.Go(func() {
			id, changed, err := h.apply(t, digest, store.Activation{By: "ann", Message: "to " + digest, Origin: store.ByCLI, Base: &h.revision})
			mu.Lock()
			defer mu.Unlock()
			var m *store.Moved
			switch {
			case errors.As(err, &m):
				moved = append(moved, m)
			case err != nil || !changed:
				t.Errorf("%s: changed %v, %v", digest, changed, err)
			default:
				ids[id] = true
			}
		})
	}
	all.Wait()
	if len(ids) != 1 || len(moved) != 3 {
		t.Fatalf("%d were applied and %d refused, want 1 and 3", len(ids), len(moved))
	}
	for _, m := range moved {
		if m.Base != h.revision || !ids[m.Active.RevisionID] || m.Active.ActivatedBy != "ann" {
			t.Errorf("refused with %+v", m)
		}
	}
	if n := h.count(t, "revisions WHERE account_id = 'acme'"); n != 2 {
		t.Errorf("%d revisions are stored, want the first and the one applied", n)
	}
	again := ""
	for id := range ids {
		again = id
	}
	list, _, err := h.Revisions(t.Context(), "acme", "", 0)
	if err != nil || len(list) != 2 || list[0].ID != again || !list[0].Active || list[1].Active {
		t.Fatalf("revisions %+v, %v", list, err)
	}
	if id, changed, err := h.apply(t, list[0].Digest, store.Activation{Origin: store.ByCLI, Base: &h.revision}); err != nil || changed || id != again {
		t.Errorf("the same change again: %s, %v, %v", id, changed, err)
	}
	none := ""
	if _, _, err := h.apply(t, "d9", store.Activation{Origin: store.ByCLI, Base: &none}); !errors.As(err, new(*store.Moved)) {
		t.Errorf("a first change where there is config: %v", err)
	}
}

// TestOneDoorHasTheAuthority: the first door that is used takes it, the other is refused and leaves nothing, and it can be
// given away.
func TestOneDoorHasTheAuthority(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	if _, changed, err := h.apply(t, "d2", store.Activation{By: "folder /etc/aftercall", Origin: store.ByFiles}); err != nil || !changed {
		t.Fatal(changed, err)
	}
	_, _, err := h.apply(t, "d3", store.Activation{By: "ann", Origin: store.ByCLI})
	var g *store.Governed
	if !errors.As(err, &g) || g.ID != "acme" || g.Authority != store.ByFiles || g.By != "folder /etc/aftercall" || time.Since(g.At) > time.Minute {
		t.Fatalf("by the other door: %v, %+v", err, g)
	}
	if _, err := h.Activate(t.Context(), store.Activation{AccountID: "acme", RevisionID: h.revision, Origin: store.ByCLI}); !errors.As(err, &g) {
		t.Errorf("back by the other door: %v", err)
	}
	if n := h.count(t, "revisions WHERE digest = 'd3'"); n != 0 {
		t.Error("what was refused is stored")
	}
	if err := h.SetAuthority(t.Context(), "acme", store.ByCLI, "ann"); err != nil {
		t.Fatal(err)
	}
	if _, changed, err := h.apply(t, "d3", store.Activation{By: "ann", Message: "to d3", Origin: store.ByCLI}); err != nil || !changed {
		t.Errorf("with the authority: %v, %v", changed, err)
	}
	if _, _, err := h.apply(t, "d4", store.Activation{Origin: store.ByFiles}); !errors.As(err, &g) || g.Authority != store.ByCLI {
		t.Errorf("by the folder, which lost it: %v", err)
	}
	if err := h.SetAuthority(t.Context(), "nobody", store.ByCLI, "ann"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("over nobody: %v", err)
	}
	got, err := h.Accounts(t.Context(), "")
	want := []store.Account{{ID: "acme", Authority: store.ByCLI, By: "ann"}}
	if d := cmp.Diff(want, got, cmpopts.IgnoreFields(store.Account{}, "At")); d != "" || err != nil {
		t.Error(d, err)
	}
}

// TestRevisionsAreFoundAndListed: by id, by the beginning of a digest, and with who made them what they are.
func TestRevisionsAreFoundAndListed(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	other := h.account(t, "other")
	first, _, err := h.apply(t, "abcdef01", store.Activation{By: "ann", Message: "the first", Origin: store.ByCLI})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := h.apply(t, "abcdef02", store.Activation{By: "bob", Origin: store.ByCLI}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Activate(t.Context(), store.Activation{AccountID: "acme", RevisionID: first, By: "cy", Message: "back", Origin: store.ByCLI}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, account, ref, want string
		wrong                    error
	}{
		{"by id", "", first, first, nil},
		{"by id in its account", "acme", first, first, nil},
		{"by id in another account", "other", first, "", store.ErrNotFound},
		{"by the beginning of its digest", "", "abcdef01", first, nil},
		{"by what two begin with", "", "abcdef", "", store.ErrAmbiguous},
		{"by too little", "", "abcde", "", store.ErrNotFound},
		{"by what is no pattern here", "", "abcd%%", "", store.ErrNotFound},
		{"by nothing", "", "", "", store.ErrNotFound},
		{"another account's", "", other, other, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, id, err := h.FindRevision(t.Context(), c.account, c.ref)
			if id != c.want || !errors.Is(err, c.wrong) {
				t.Errorf("found %q, %v; want %q, %v", id, err, c.want, c.wrong)
			}
		})
	}
	list, next, err := h.Revisions(t.Context(), "acme", "", 2)
	if err != nil || len(list) != 2 {
		t.Fatalf("%+v, %v", list, err)
	}
	if older, _, err := h.Revisions(t.Context(), "acme", list[0].ID, 1); err != nil || len(older) != 1 || older[0].ID != first {
		t.Errorf("before the newest stands %+v, %v, want %s; the next page is %q", older, err, first, next)
	}
	got := list[1]
	want := store.RevisionRow{ID: first, Digest: "abcdef01", Message: "the first", GitSHA: "1a2b3c", CreatedBy: "ann", Format: 1,
		Origin: store.ByCLI, Active: true, ActivatedBy: "cy", ActivationMessage: "back"}
	if d := cmp.Diff(want, got, cmpopts.IgnoreTypes(time.Time{})); d != "" || got.ActivatedAt.Before(got.CreatedAt) {
		t.Error(d, got.ActivatedAt, got.CreatedAt)
	}
}

// TestWatch: one process watches for an account; when it ends, or its connection does, another may.
func TestWatch(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	one, two := h.NewWatch(), h.NewWatch()
	defer one.Close()
	defer two.Close()
	mine := func(w *store.Watch, account string, want bool) {
		t.Helper()
		if got, err := w.Mine(t.Context(), account); got != want || err != nil {
			t.Errorf("mine %v, %v; want %v", got, err, want)
		}
	}
	mine(one, "acme", true)
	mine(one, "acme", true)
	mine(two, "acme", false)
	mine(two, "umbra", true)
	mine(one, "umbra", false)
	one.Close()
	// The server notices that a connection has ended when it gets to it.
	for deadline := time.Now().Add(time.Minute); ; {
		got, err := two.Mine(t.Context(), "acme")
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("nobody could follow: %v, %v", got, err)
		}
		if got {
			break
		}
	}
	h.exec(t, "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())")
	mine(two, "acme", true) // on a new connection
}

// TestWatchOnASilentLine: a connection that nobody answers on is given up, and the claim made anew when there is a line.
func TestWatchOnASilentLine(t *testing.T) {
	t.Parallel()
	h, line := openBehind(t)
	w := h.NewWatch()
	defer w.Close()
	if mine, err := w.Mine(t.Context(), "acme"); !mine || err != nil {
		t.Fatal(mine, err)
	}
	line.silence(true)
	asked := time.Now()
	if mine, err := w.Mine(t.Context(), "acme"); mine || err == nil || time.Since(asked) > 20*time.Second {
		t.Errorf("after %s: mine %v, %v", time.Since(asked), mine, err)
	}
	line.silence(false)
	for deadline := time.Now().Add(time.Minute); ; { // until the server notices that the old connection has ended
		mine, err := w.Mine(t.Context(), "acme")
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("mine %v, %v", mine, err)
		}
		if mine {
			break
		}
	}
}

func TestAttempts(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	record := func(state store.AttemptState, problem string) []store.Attempt {
		t.Helper()
		a := store.Attempt{AccountID: "acme", Folder: "/etc/aftercall", Host: "h1", State: state, FirstProblem: problem, Digest: "d"}
		if problem != "" {
			a.Problems = 2
		}
		if err := h.RecordAttempt(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		got, err := h.ConfigTroubles(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := record(store.AttemptApplied, ""); len(got) != 0 {
		t.Errorf("an applied folder is a trouble: %+v", got)
	}
	first := record(store.AttemptInvalid, "account.yaml:3:1: error[AC101]: unknown key")
	want := []store.Attempt{{AccountID: "acme", Folder: "/etc/aftercall", Host: "h1", State: store.AttemptInvalid, Problems: 2,
		FirstProblem: "account.yaml:3:1: error[AC101]: unknown key", Digest: "d"}}
	if d := cmp.Diff(want, first, cmpopts.IgnoreTypes(time.Time{})); d != "" {
		t.Fatal(d)
	}
	if again := record(store.AttemptInvalid, "another"); !again[0].Since.Equal(first[0].Since) || again[0].At.Before(first[0].At) {
		t.Errorf("it stands since %v, at first since %v", again[0].Since, first[0].Since)
	}
	if got := record(store.AttemptApplied, ""); len(got) != 0 {
		t.Errorf("mended, and still a trouble: %+v", got)
	}
}

// TestReadOnly: what only looks cannot write, whatever it tries.
func TestReadOnly(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	s, err := store.Open(t.Context(), h.url, store.Options{Pool: 2, Ingest: -1, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.SetAuthority(t.Context(), "acme", store.ByCLI, "ann"); err == nil {
		t.Error("it wrote")
	}
	if _, err := s.Revision(t.Context(), h.revision); err != nil {
		t.Error(err)
	}
}

func TestStoredCalls(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	var want []string
	for _, id := range []string{"c1", "c2", "c3"} {
		want = append([]string{h.decided(t, id, 1).ConversationID}, want...)
	}
	h.accept(t, h.arrival(phoneCall("undecided")))
	var got []string
	for before := ""; ; {
		calls, next, err := h.StoredCalls(t.Context(), "acme", before, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range calls {
			got = append(got, c.Conversation.ID)
			if c.RevisionID != h.revision || c.Conversation.AccountID != "acme" || len(c.Conversation.Turns) != 2 || c.AcceptedAt.IsZero() {
				t.Errorf("%+v", c)
			}
		}
		if before = next; before == "" {
			break
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if calls, _, err := h.StoredCalls(t.Context(), "umbra", "", 2); err != nil || len(calls) != 0 {
		t.Errorf("another account's: %+v, %v", calls, err)
	}
}
