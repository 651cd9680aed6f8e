package people_test

import (
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aftercall/internal/postgres/pgtest"
	"aftercall/internal/store"
	"aftercall/people"
	"aftercall/people/peopletest"
)

const (
	password = "correct horse battery"
	home     = "192.0.2.7"
)

// office is a desk on a database of its own, with a clock that is set by hand.
type office struct {
	*people.Desk
	t     *testing.T
	store *store.Store
	url   string

	mu sync.Mutex
	at time.Time
}

func open(t *testing.T, oidc *people.OIDC) *office {
	t.Helper()
	o := &office{t: t, url: pgtest.New(t), at: time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)}
	s, err := store.Open(t.Context(), o.url, store.Options{Pool: 4, Ingest: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	o.store = s
	o.Desk = people.NewDesk(people.Config{Store: s, Logger: slog.New(slog.DiscardHandler), OIDC: oidc, Now: o.now})
	return o
}

func (o *office) now() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.at
}

func (o *office) pass(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.at = o.at.Add(d)
}

// add makes a person; with "" as the password they sign in elsewhere.
func (o *office) add(email, secret string) (id string) {
	o.t.Helper()
	p := store.Person{Email: email, Roles: map[string]string{"acme": "viewer"}}
	if secret != "" {
		p.Password = peopletest.Hash(secret)
	}
	id, err := o.store.AddPerson(o.t.Context(), p, store.Actor{Name: "test"})
	if err != nil {
		o.t.Fatal(err)
	}
	return id
}

func (o *office) enter(email, secret string) string {
	o.t.Helper()
	token, err := o.Enter(o.t.Context(), email, secret, home)
	if err != nil {
		o.t.Fatal(err)
	}
	return token
}

// who shows a token, as a person does.
func (o *office) who(token string) (people.Person, string, error) {
	return o.Who(o.t.Context(), people.Visit{Token: token, Address: home, Alive: true})
}

// known fails the test unless the token is good, and gives what the browser holds afterwards.
func (o *office) known(token string) string {
	o.t.Helper()
	p, renewed, err := o.who(token)
	if err != nil || p.Name != "ann@acme.example" {
		o.t.Fatalf("%+v, %v", p, err)
	}
	if renewed != "" {
		return renewed
	}
	return token
}

func (o *office) signedOut(token string) {
	o.t.Helper()
	if p, _, err := o.who(token); !errors.Is(err, people.ErrSignedOut) || p.Known() {
		o.t.Errorf("%+v, %v", p, err)
	}
}

// deeds are what the audit log holds, the oldest first.
func (o *office) deeds() (deeds []store.Act) {
	o.t.Helper()
	acts, _, err := o.store.Acts(o.t.Context(), "", "", 100)
	if err != nil {
		o.t.Fatal(err)
	}
	for i := len(acts) - 1; i >= 0; i-- {
		deeds = append(deeds, acts[i])
	}
	return deeds
}

func TestEnterAndLeave(t *testing.T) {
	t.Parallel()
	o := open(t, nil)
	id := o.add("ann@acme.example", password)
	token := o.enter(" Ann@ACME.example", password)
	p, renewed, err := o.who(token)
	if err != nil || renewed != "" || p.ID != id || !p.May(people.Look, "acme") || p.May(people.Look, "umbra") || p.Address != home || p.Session == "" {
		t.Fatalf("%+v, %q, %v", p, renewed, err)
	}
	if other := o.enter("ann@acme.example", password); other == token {
		t.Error("two sessions have one token")
	}
	if err := o.Leave(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	o.signedOut(token)
	last := o.deeds()[len(o.deeds())-1]
	if last.What != store.ActSignedOut || last.By.PersonID != id || last.By.Address != home {
		t.Errorf("the log ends with %+v", last)
	}
}

func TestNothingTellsNamesApart(t *testing.T) {
	t.Parallel()
	o := open(t, nil)
	id := o.add("ann@acme.example", password)
	disabled := o.add("off@acme.example", password)
	elsewhere := o.add("elsewhere@acme.example", "")
	if err := o.store.SetDisabled(t.Context(), disabled, true, store.Actor{}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ email, secret string }{
		"a wrong password": {"ann@acme.example", "wrong horse battery"}, "no password": {"ann@acme.example", ""}, "a name nobody has": {"bob@acme.example", password},
		"no name": {"", password}, "disabled": {"off@acme.example", password}, "signs in elsewhere": {"elsewhere@acme.example", password},
	} {
		o.pass(time.Hour)
		token, err := o.Enter(t.Context(), c.email, c.secret, home)
		if !errors.Is(err, people.ErrRefused) || token != "" || err.Error() != people.ErrRefused.Error() {
			t.Errorf("%s: %q, %v", name, token, err)
		}
	}
	refused := 0
	for _, a := range o.deeds() {
		if a.What == store.ActSignInRefused {
			refused++
			if a.By != (store.Actor{Address: home}) || a.Target != "" && !slices.Contains([]string{id, disabled, elsewhere}, a.Target) {
				t.Errorf("a name that is nobody's was kept, or whoever tried is taken for its owner: %+v", a)
			}
		}
	}
	if refused != 6 {
		t.Errorf("%d refusals were written down, want 6", refused)
	}
	if acts := o.deeds(); acts[0].Target != id {
		t.Errorf("%+v", acts[0])
	}
}

// TestTryingIsSlowedDown counts tries by address and by name, over two processes.
func TestTryingIsSlowedDown(t *testing.T) {
	t.Parallel()
	o := open(t, nil)
	o.add("ann@acme.example", password)
	other := people.NewDesk(people.Config{Store: o.store, Logger: slog.New(slog.DiscardHandler), Now: o.now})
	tries := func(desk *people.Desk, email, from string, n int) (refused, tooMany int) {
		for range n {
			switch _, err := desk.Enter(t.Context(), email, "guess guess guess", from); {
			case errors.Is(err, people.ErrRefused):
				refused++
			case errors.Is(err, people.ErrTooMany):
				tooMany++
			default:
				t.Fatal(err)
			}
		}
		return refused, tooMany
	}
	if refused, tooMany := tries(o.Desk, "ann@acme.example", home, 3); refused != 3 || tooMany != 0 {
		t.Fatalf("%d refused, %d too many", refused, tooMany)
	}
	if refused, tooMany := tries(other, "ann@acme.example", home, 4); refused != 2 || tooMany != 2 {
		t.Errorf("another process let %d more through and refused %d", refused, tooMany)
	}
	if refused, _ := tries(o.Desk, "bob@acme.example", home, 1); refused != 0 {
		t.Error("another name goes on from the same address")
	}
	if refused, _ := tries(o.Desk, "ann@acme.example", "198.51.100.1", 1); refused != 0 {
		t.Error("the same name goes on from another address")
	}
	if _, err := o.Enter(t.Context(), "ann@acme.example", password, "198.51.100.2"); !errors.Is(err, people.ErrTooMany) {
		t.Errorf("the right password now: %v", err)
	}
	o.pass(time.Minute)
	o.enter("ann@acme.example", password)
}

func TestASessionIsRenewed(t *testing.T) {
	t.Parallel()
	o := open(t, nil)
	o.add("ann@acme.example", password)
	first := o.enter("ann@acme.example", password)
	o.pass(59 * time.Minute)
	if again := o.known(first); again != first {
		t.Error("renewed before its time")
	}
	o.pass(2 * time.Minute)
	second := o.known(first)
	if second == first {
		t.Fatal("not renewed")
	}
	if again := o.known(first); again != first {
		t.Error("renewed twice at once") // the answer with the second may still be under way
	}
	o.pass(2 * time.Minute)
	third := o.known(first) // it never arrived
	if third == first || third == second {
		t.Fatal("what never arrived was not replaced")
	}
	o.signedOut(second)
	o.known(third) // it arrived
	o.known(first) // asked before that
	o.pass(2 * time.Minute)
	o.known(third)
	o.signedOut(first) // a copy
	o.signedOut(third) // and nobody knows whose
	acts := o.deeds()
	if last := acts[len(acts)-1]; last.What != store.ActSessionCopied {
		t.Errorf("the log ends with %+v", last)
	}
}

func TestASessionEndsWhenNobodyComes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		every time.Duration
		alive bool
		ends  time.Duration // of being there
	}{
		"in use":       {time.Hour, true, 7 * 24 * time.Hour},
		"an open page": {10 * time.Minute, false, 12 * time.Hour},
		"not in use":   {13 * time.Hour, true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := open(t, nil)
			o.add("ann@acme.example", password)
			token, lasted := o.enter("ann@acme.example", password), time.Duration(0)
			for {
				o.pass(c.every)
				_, renewed, err := o.Who(t.Context(), people.Visit{Token: token, Address: home, Alive: c.alive})
				if errors.Is(err, people.ErrSignedOut) {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				if lasted += c.every; renewed != "" {
					token = renewed
				}
			}
			if off := c.ends - lasted; off < 0 || off > c.every {
				t.Errorf("it lasted %s, want %s", lasted, c.ends)
			}
		})
	}
}

// TestSomebodyChangesTheirPassword, and is signed in nowhere else afterwards.
func TestSomebodyChangesTheirPassword(t *testing.T) {
	t.Parallel()
	const next = "wrong donkey capacitor"
	o := open(t, nil)
	id := o.add("ann@acme.example", password)
	here, elsewhere := o.enter("ann@acme.example", password), o.enter("ann@acme.example", password)
	ann, _, err := o.who(here)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		current, next string
		want          error
	}{"not what they have": {"wrong horse battery", next, people.ErrRefused}, "nothing": {"", next, people.ErrRefused}, "too short": {password, "donkey", people.ErrWeak}} {
		o.pass(time.Minute)
		if token, err := o.Change(t.Context(), ann, c.current, c.next); !errors.Is(err, c.want) || token != "" {
			t.Errorf("%s: %q, %v", name, token, err)
		}
	}
	o.pass(time.Minute)
	o.known(elsewhere)
	token, err := o.Change(t.Context(), ann, password, next)
	if err != nil {
		t.Fatal(err)
	}
	o.known(token)
	o.signedOut(here)
	o.signedOut(elsewhere)
	acts := o.deeds()
	if set := acts[len(acts)-2]; set.What != store.ActPasswordSet || set.Target != id || set.By != (store.Actor{PersonID: id, Name: "ann@acme.example", Address: home}) {
		t.Errorf("the log: %+v", set)
	}
	o.pass(time.Minute)
	if _, err := o.Enter(t.Context(), "ann@acme.example", password, home); !errors.Is(err, people.ErrRefused) {
		t.Errorf("the password before: %v", err)
	}
	o.enter("ann@acme.example", next)
}

// TestAPasswordCannotBeGuessedFromWithin: a browser that somebody left open is no way to try passwords, nor to get one.
func TestAPasswordCannotBeGuessedFromWithin(t *testing.T) {
	t.Parallel()
	o := open(t, nil)
	o.add("ann@acme.example", password)
	ann, _, err := o.who(o.enter("ann@acme.example", password))
	if err != nil {
		t.Fatal(err)
	}
	for range 6 {
		_, err = o.Change(t.Context(), ann, "wrong horse battery", "wrong donkey capacitor")
	}
	if !errors.Is(err, people.ErrTooMany) {
		t.Errorf("the sixth try: %v", err)
	}
	o.pass(time.Hour)
	other := people.Person{ID: o.add("elsewhere@acme.example", ""), Name: "elsewhere@acme.example", Address: home}
	if has, err := o.HasPassword(t.Context(), other); has || err != nil {
		t.Errorf("somebody without a password has one: %v", err)
	}
	if _, err := o.Change(t.Context(), other, "", "wrong donkey capacitor"); !errors.Is(err, people.ErrRefused) {
		t.Errorf("somebody without a password gets one: %v", err)
	}
}

func TestWhatIsTakenAwayCountsAtOnce(t *testing.T) {
	t.Parallel()
	o := open(t, nil)
	id := o.add("ann@acme.example", password)
	token := o.enter("ann@acme.example", password)
	if err := o.store.SetRole(t.Context(), id, "acme", "", store.Actor{}); err != nil {
		t.Fatal(err)
	}
	p, renewed, err := o.who(token)
	if err != nil || p.May(people.Look, "acme") || !p.Known() {
		t.Errorf("without a role: %+v, %v", p, err)
	}
	if renewed == "" {
		t.Error("another role, and the same token") // a copy of it must not grow with its person
	}
	if err := o.store.SetDisabled(t.Context(), id, true, store.Actor{}); err != nil {
		t.Fatal(err)
	}
	o.signedOut(token)
	if err := o.store.SetDisabled(t.Context(), id, false, store.Actor{}); err != nil {
		t.Fatal(err)
	}
	o.signedOut(token)
	for _, nonsense := range []string{"", "x", strings.Repeat("x", 100_000), "\x00", "'; DROP TABLE sessions"} {
		o.signedOut(nonsense)
	}
}
