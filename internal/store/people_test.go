package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercall/internal/store"
)

// now is when these tests happen: a process gives its own clock.
func now() time.Time { return time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC) }

func (h *house) add(t testing.TB, email string, roles map[string]string) (id string) {
	t.Helper()
	id, err := h.AddPerson(t.Context(), store.Person{Email: email, Name: "Ann", Password: "hashed", Roles: roles}, store.Actor{Name: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// admit runs every query about people once.
func (h *house) admit(t *testing.T) {
	t.Helper()
	ctx, by := t.Context(), store.Actor{Name: "test"}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	id := h.add(t, "walk@acme.example", map[string]string{"acme": "viewer"})
	must(h.OpenSession(ctx, id, []byte("one"), now(), now().Add(time.Hour), store.Act{By: by, What: store.ActSignedIn}))
	session, err := h.FindSession(ctx, []byte("one"), now(), now().Add(-time.Hour))
	must(err)
	must(h.SeeSession(ctx, session.ID, now()))
	_, err = h.OfferToken(ctx, session.ID, []byte("one"), []byte("two"), now(), now().Add(-time.Minute))
	must(err)
	must(h.TakeToken(ctx, session.ID, []byte("two"), now()))
	must(h.EndSession(ctx, session.ID, store.Act{By: by, What: store.ActSignedOut}))
	for _, role := range []string{"admin", ""} {
		must(h.SetRole(ctx, id, "acme", role, by))
	}
	must(h.SetPassword(ctx, id, "other", by))
	must(h.ReplacePassword(ctx, id, "other", "own", by))
	must(h.SetDisabled(ctx, id, true, by))
	must(h.BindPerson(ctx, id, "https://id.example", "s", by))
	_, err = h.People(ctx)
	must(err)
	_, err = h.TrySignIn(ctx, now(), time.Second, time.Minute, []byte("b"))
	must(err)
	for _, within := range []store.Accounts{store.Every(), store.Only("acme")} {
		_, _, err = h.Within(within).Acts(ctx, "", "", 10)
		must(err)
	}
}

func TestPeopleHaveOneAddressEach(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	h.add(t, "Ann@Acme.example", map[string]string{"acme": "viewer", store.EveryAccount: "operator"})
	if _, err := h.AddPerson(t.Context(), store.Person{Email: "ann@acme.EXAMPLE"}, store.Actor{}); !errors.Is(err, store.ErrTaken) {
		t.Errorf("the same address in other letters: %v", err)
	}
	got, err := h.PersonByEmail(t.Context(), " ANN@acme.example ")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"acme": "viewer", "*": "operator"}, got.Roles); diff != "" || got.Email != "Ann@Acme.example" {
		t.Errorf("%+v: %s", got, diff)
	}
	for _, nobody := range []string{"", "bob@acme.example", strings.Repeat("a", 400)} {
		if _, err := h.PersonByEmail(t.Context(), nobody); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%q: %v", nobody, err)
		}
	}
	if _, err := h.PersonBySubject(t.Context(), "", ""); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("no subject finds somebody: %v", err)
	}
}

func TestWhoSomebodyIsElsewhereIsNeverReplaced(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	ctx, ann, bob := t.Context(), h.add(t, "ann@acme.example", nil), h.add(t, "bob@acme.example", nil)
	if err := h.BindPerson(ctx, ann, "https://id.example", "1", store.Actor{}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ id, subject string }{{ann, "2"}, {bob, "1"}} {
		if err := h.BindPerson(ctx, c.id, "https://id.example", c.subject, store.Actor{}); err == nil {
			t.Errorf("%s was bound to %s", c.id, c.subject)
		}
	}
	got, err := h.PersonBySubject(ctx, "https://id.example", "1")
	if err != nil || got.ID != ann {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestASessionEnds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		end  func(h *house, person, session string) error
		at   time.Duration
		idle time.Duration
		lost bool
	}{
		"no":                  {at: time.Minute, idle: time.Hour},
		"by itself":           {at: 25 * time.Hour, idle: 100 * time.Hour, lost: true},
		"unseen":              {at: 2 * time.Hour, idle: time.Hour, lost: true},
		"signed out":          {at: time.Minute, idle: time.Hour, lost: true, end: func(h *house, _, s string) error { return h.EndSession(t.Context(), s, store.Act{}) }},
		"disabled":            {at: time.Minute, idle: time.Hour, lost: true, end: func(h *house, p, _ string) error { return h.SetDisabled(t.Context(), p, true, store.Actor{}) }},
		"another password":    {at: time.Minute, idle: time.Hour, lost: true, end: func(h *house, p, _ string) error { return h.SetPassword(t.Context(), p, "x", store.Actor{}) }},
		"another role: stays": {at: time.Minute, idle: time.Hour, end: func(h *house, p, _ string) error { return h.SetRole(t.Context(), p, "acme", "admin", store.Actor{}) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t, store.Options{})
			person := h.add(t, "ann@acme.example", map[string]string{"acme": "viewer"})
			if err := h.OpenSession(t.Context(), person, []byte("token"), now(), now().Add(24*time.Hour), store.Act{}); err != nil {
				t.Fatal(err)
			}
			session, err := h.FindSession(t.Context(), []byte("token"), now(), now().Add(-time.Hour))
			if err != nil {
				t.Fatal(err)
			}
			if c.end != nil {
				if err := c.end(h, person, session.ID); err != nil {
					t.Fatal(err)
				}
			}
			at := now().Add(c.at)
			if _, err := h.FindSession(t.Context(), []byte("token"), at, at.Add(-c.idle)); errors.Is(err, store.ErrNotFound) != c.lost {
				t.Errorf("found: %v", err)
			}
		})
	}
}

func TestATryIsCountedForEveryProcess(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	other, err := store.Open(t.Context(), h.url, store.Options{Pool: 2, Ingest: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(other.Close)
	took := func(s *store.Store, after time.Duration) bool {
		t.Helper()
		ok, err := s.TrySignIn(t.Context(), now().Add(after), 12*time.Second, time.Minute, []byte("address"), []byte("name"))
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	allowed := 0
	for n := range 20 {
		if took([]*store.Store{h.Store, other}[n%2], 0) {
			allowed++
		}
	}
	if allowed != 5 {
		t.Errorf("%d of 20 tries at once were let through, want 5", allowed)
	}
	for second := time.Duration(1); second <= 60; second++ {
		if took(h.Store, second*time.Second) {
			allowed++
		}
	}
	if allowed != 10 {
		t.Errorf("%d tries within a minute, want 10", allowed)
	}
}

func TestTheAuditLogOnlyGrows(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	ctx := t.Context()
	h.account(t, "umbra")
	for _, account := range []string{"acme", "umbra", ""} {
		act := store.Act{AccountID: account, By: store.Actor{Name: "ann@acme.example", Address: "192.0.2.7"}, What: store.ActRevealed,
			Target: "c1", Detail: map[string]string{"page": "conversation"}}
		if err := h.LogAct(ctx, act); err != nil {
			t.Fatal(err)
		}
	}
	for _, sql := range []string{"UPDATE audit_log SET person = 'bob'", "DELETE FROM audit_log", "TRUNCATE audit_log"} {
		if _, err := h.Pool().Exec(ctx, sql); err == nil || !strings.Contains(err.Error(), "only ever added to") {
			t.Errorf("%s: %v", sql, err)
		}
	}
	for _, c := range []struct {
		within store.Accounts
		asked  string
		want   int
	}{
		{store.Every(), "", 3}, {store.Every(), "acme", 1}, {store.Only("acme"), "", 1}, {store.Only("acme"), "umbra", 0}, {store.Only("acme", "umbra"), "", 2}, {store.Accounts{}, "", 0},
	} {
		acts, _, err := h.Within(c.within).Acts(ctx, c.asked, "", 10)
		if err != nil || len(acts) != c.want {
			t.Errorf("%+v of %q: %d acts, want %d, %v", c.within, c.asked, len(acts), c.want, err)
		}
	}
	acts, next, err := h.Within(store.Every()).Acts(ctx, "", "", 2)
	if err != nil || next == "" || acts[1].AccountID != "umbra" || acts[1].By.Address != "192.0.2.7" || acts[1].Detail["page"] != "conversation" || acts[1].At.IsZero() {
		t.Errorf("%+v, %v", acts, err)
	}
	if rest, next, err := h.Within(store.Every()).Acts(ctx, "", next, 2); err != nil || len(rest) != 1 || next != "" {
		t.Errorf("the rest: %+v, %v", rest, err)
	}
}

func TestTheAuditLogIsSearched(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	ctx, begun := t.Context(), time.Now()
	for _, a := range []store.Act{
		{AccountID: "acme", By: store.Actor{Name: "ann"}, What: store.ActRevealed}, {AccountID: "acme", By: store.Actor{Name: "bob"}, What: store.ActRevealed},
		{AccountID: "acme", By: store.Actor{Name: "bob"}, What: store.ActKeyAdded}, {By: store.Actor{Name: "bob"}, What: store.ActSignedIn},
	} {
		if err := h.LogAct(ctx, a); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		q           store.ActQuery
		every, acme int
	}{
		{store.ActQuery{}, 4, 3}, {store.ActQuery{What: store.ActRevealed}, 2, 2}, {store.ActQuery{Who: "bob"}, 3, 2},
		{store.ActQuery{Who: "bob", What: store.ActSignedIn}, 1, 0}, {store.ActQuery{Who: "nobody"}, 0, 0},
		{store.ActQuery{Since: begun.Add(-time.Minute)}, 4, 3}, {store.ActQuery{Since: time.Now().Add(time.Minute)}, 0, 0},
	} {
		for _, of := range []struct {
			within store.Accounts
			want   int
		}{{store.Every(), c.every}, {store.Only("acme"), c.acme}} {
			if acts, _, err := h.Within(of.within).FindActs(ctx, c.q); err != nil || len(acts) != of.want {
				t.Errorf("%+v within %+v: %d acts, want %d, %v", c.q, of.within, len(acts), of.want, err)
			}
		}
	}
}

// TestEveryDeedIsListed: what can be done can be looked for.
func TestEveryDeedIsListed(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var written []store.Deed
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^\tAct\w+ +Deed += "(\w+)"`).FindAllStringSubmatch(string(text), -1) {
			written = append(written, store.Deed(m[1]))
		}
	}
	listed := store.Deeds()
	slices.Sort(written)
	slices.Sort(listed)
	if diff := cmp.Diff(written, listed); diff != "" || len(listed) < 10 {
		t.Errorf("Deeds lists others than there are:\n%s", diff)
	}
}

// TestWhatFailsLeavesNoAct: the line of the log and what it tells of are one transaction.
func TestWhatFailsLeavesNoAct(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	id := h.add(t, "ann@acme.example", nil)
	before := h.count(t, "audit_log")
	if _, err := h.AddPerson(t.Context(), store.Person{Email: "ann@acme.example"}, store.Actor{}); err == nil {
		t.Fatal("the address was given twice")
	}
	if err := h.SetPassword(t.Context(), "0192f3a4-0000-7000-8000-000000000001", "x", store.Actor{}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a password of nobody: %v", err)
	}
	if err := h.ReplacePassword(t.Context(), id, "stale", "x", store.Actor{}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a password that was replaced meanwhile: %v", err)
	}
	if after := h.count(t, "audit_log"); after != before || before != 1 {
		t.Errorf("%d acts before, %d after", before, after)
	}
}

// TestARareActIsNotLookedForInAllOfThem: the page of the channels asks for one that hardly anybody does.
func TestARareActIsNotLookedForInAllOfThem(t *testing.T) {
	t.Parallel()
	h := filled(t)
	for name, q := range map[string]store.ActQuery{
		"ListActsOfAccounts, audit_log_by_act, act =":       {What: store.ActTestBegun},
		"ListActsOfAccounts, audit_log_by_person, person =": {Who: "nobody"},
	} {
		h.boundBy(t, name, func(r *store.Reader) error {
			_, _, err := r.FindActs(t.Context(), q)
			return err
		})
	}
}
