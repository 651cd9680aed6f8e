package dashboard_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"aftercall/internal/store"
)

// revised is a world in which acme has two revisions: abababab, and cdcdcdcd, which is active.
func revised(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.activate("acme", fmt.Sprintf(watchedConfig, "acme"))
	w.must(w.revisions.Refresh(t.Context()))
	return w
}

func TestTheConfigPage(t *testing.T) {
	t.Parallel()
	w := revised(t)
	w.must(w.store.RecordAttempt(t.Context(), store.Attempt{AccountID: "acme", Folder: "/etc/aftercall/acme", Host: "web-1", State: store.AttemptInvalid, Problems: 2,
		FirstProblem: "account.yaml:9: ring +44 7700 900555"}))
	w.must(w.store.Beat(t.Context(), store.Worker{ID: "w7", Host: "worker-7", Version: "v7", StartedAt: time.Now(), Revisions: map[string]string{"acme": w.revision}}))
	body := w.shows("viewer", "/config", "cdcdcdcd", "abababab", "was active", "No door has been used yet", "What it changed", "Against the active one", "last made active",
		"/etc/aftercall/acme", "2 errors in it", "1 worker</span>: <code>abababab</code>", "•••")
	for _, not := range []string{"Make it active again", "worker-7", "900555"} {
		if strings.Contains(body, not) {
			t.Errorf("a viewer is shown %q", not)
		}
	}
	w.shows("admin", "/config", "Make it active again", "/config/acme/rollback/"+w.revision, "900555")
	w.shows("runner", "/config?account=acme", "worker-7", "v7")
	w.shows("viewer", "/config/activations", "abababab", "cdcdcdcd", "What changed by it", "nothing was said")
	for _, path := range []string{"/config?account=umbra", "/config?before=x", "/config/activations?before=x", "/config/activations?account=umbra"} {
		if got := w.ask("GET", path, "viewer"); got.status != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", path, got.status)
		}
	}
}

func TestWhatDiffersBetweenTwoRevisions(t *testing.T) {
	t.Parallel()
	w := revised(t)
	const path = "/config/diff?account=acme&from=abababab&to=cdcdcdcd"
	w.shows("admin", path, "automation callback-requested", "removed", "automation silent", "added", "budget.tokens_per_day", "1000", "900555", "something else about each call",
		"/config/diff?account=acme&amp;from=")
	if body := w.shows("viewer", path, "automation silent", "•••"); strings.Contains(body, "900555") {
		t.Error("a viewer sees a number")
	}
	w.shows("viewer", "/config/diff?account=acme&from=abababab&to=abababab", "Both are the same revision.")
	for _, other := range []string{"/config/diff", "/config/diff?account=acme&from=abababab", "/config/diff?account=acme&from=none&to=abababab",
		"/config/diff?account=umbra&from=abababab&to=abababab", "/config/diff?account=acme&to=abababab&from=" + w.theirs.revision} {
		if got := w.ask("GET", other, "admin"); got.status != http.StatusNotFound {
			t.Errorf("%s: %d, want 404", other, got.status)
		}
	}
}

// TestARollback: it is looked at first, made by somebody who may, against what was active then, and written down.
func TestARollback(t *testing.T) {
	t.Parallel()
	w := revised(t)
	path := "/config/acme/rollback/" + w.revision
	form := carried(w.shows("admin", path, "Make revision abababab active?", "automation silent", "removed", "No door has been used for this account yet"))
	for name, c := range map[string]struct {
		who    string
		fields []string
		want   int
		says   string
	}{
		"not looked at":    {"admin", nil, http.StatusBadRequest, "Look at what would differ first."},
		"too long":         {"admin", append([]string{"message", strings.Repeat("x", 201)}, form...), http.StatusBadRequest, "at most 200"},
		"moved meanwhile":  {"admin", []string{"base", w.revision}, http.StatusConflict, "Another revision is active by now"},
		"by an operator":   {"operator", form, http.StatusForbidden, ""},
		"by an author":     {"author", form, http.StatusForbidden, ""},
		"by somebody else": {"nobody", form, http.StatusForbidden, ""},
	} {
		if answer, body := w.by(c.who, path, c.fields...); answer.StatusCode != c.want || !strings.Contains(body, c.says) {
			t.Errorf("%s: %d, want %d and %q: %s", name, answer.StatusCode, c.want, c.says, body)
		}
	}
	for range 2 { // twice is once
		answer, body := w.by("admin", path, append([]string{"message", "the new one calls everybody"}, form...)...)
		if answer.StatusCode != http.StatusSeeOther || answer.Header.Get("Location") != "/config?account=acme" {
			t.Fatalf("%d %s", answer.StatusCode, body)
		}
	}
	if got := w.done(1); !slices.Equal(got, []store.Deed{store.ActRolledBack}) {
		t.Errorf("the log: %v", got)
	}
	w.shows("viewer", "/config/activations", "the new one calls everybody", "admin@acme.example", "by apply or rollback")
	w.shows("admin", path, "It is active already.")
	active, err := w.store.Within(store.Only("acme")).ActiveRevisions(t.Context())
	if w.must(err); active[0].RevisionID != w.revision {
		t.Errorf("active is %s, want %s", active[0].RevisionID, w.revision)
	}
}

// TestARollbackByAnotherDoorThanTheOneThatCounts is refused with what to do, and changes nothing.
func TestARollbackByAnotherDoorThanTheOneThatCounts(t *testing.T) {
	t.Parallel()
	w := revised(t)
	path := "/config/acme/rollback/" + w.revision
	form := carried(w.shows("admin", path, "Make it active"))
	w.must(w.store.SetAuthority(t.Context(), "acme", store.ByFiles, "folder /etc/aftercall/acme"))
	if body := w.shows("admin", path, "comes from a watched folder (folder /etc/aftercall/acme", "aftercall authority acme cli"); strings.Contains(body, `name="base"`) {
		t.Error("it can be asked for all the same")
	}
	if answer, body := w.by("admin", path, form...); answer.StatusCode != http.StatusConflict || !strings.Contains(body, "aftercall authority acme cli") {
		t.Errorf("%d %s", answer.StatusCode, body)
	}
	active, err := w.store.Within(store.Only("acme")).ActiveRevisions(t.Context())
	if w.must(err); active[0].RevisionID == w.revision {
		t.Error("it was made active")
	}
}
