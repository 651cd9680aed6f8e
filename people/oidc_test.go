package people_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"aftercall/internal/store"
	"aftercall/people"
	"aftercall/people/peopletest"
)

const redirect = "http://127.0.0.1:8081/sign-in/callback"

// openWith is an office whose people may sign in at a provider.
func openWith(t *testing.T) (*office, *peopletest.Provider) {
	t.Helper()
	p := peopletest.New(t, redirect)
	oidc, err := people.NewOIDC(people.OIDCConfig{Issuer: p.URL, ClientID: peopletest.ClientID, ClientSecret: peopletest.ClientSecret, RedirectURL: redirect})
	if err != nil {
		t.Fatal(err)
	}
	o := open(t, oidc)
	o.pass(time.Since(o.now())) // the library knows one clock only
	return o, p
}

// depart sends a browser to the provider.
func (o *office) depart() (address string, j people.Journey) {
	o.t.Helper()
	address, j, err := o.Depart(o.t.Context(), "/conversations")
	if err != nil {
		o.t.Fatal(err)
	}
	return address, j
}

// travel goes to the provider and back, and signs in.
func (o *office) travel(p *peopletest.Provider, claims map[string]any) (token string, err error) {
	o.t.Helper()
	address, j := o.depart()
	return o.Arrive(o.t.Context(), j, p.SignIn(address, claims), home)
}

func TestSignInElsewhere(t *testing.T) {
	t.Parallel()
	o, p := openWith(t)
	id := o.add("Ann@acme.example", "")
	token, err := o.travel(p, nil)
	if err != nil {
		t.Fatal(err)
	}
	if who, _, err := o.who(token); err != nil || who.ID != id {
		t.Fatalf("%+v, %v", who, err)
	}
	bound, err := o.store.PersonBySubject(t.Context(), p.URL, "subject-of-ann")
	if err != nil || bound.ID != id {
		t.Errorf("%+v, %v", bound, err)
	}
	// From now on it is the subject that counts, whatever their address is.
	if _, err := o.travel(p, map[string]any{"email": "married@acme.example", "email_verified": false}); err != nil {
		t.Errorf("under another address: %v", err)
	}
	o.pass(time.Minute)
	if _, err := o.travel(p, map[string]any{"sub": "somebody-new"}); !errors.Is(err, people.ErrRefused) {
		t.Errorf("somebody else with the address that was hers: %v", err)
	}
	if err := o.store.SetDisabled(t.Context(), id, true, store.Actor{}); err != nil {
		t.Fatal(err)
	}
	if _, err := o.travel(p, nil); !errors.Is(err, people.ErrRefused) {
		t.Errorf("disabled: %v", err)
	}
	ways := map[string]int{}
	for _, a := range o.deeds() {
		ways[string(a.What)+" "+a.Detail["by"]]++
	}
	if ways["signed_in oidc"] != 2 || ways["sign_in_refused oidc"] != 2 || ways["person_bound "] != 1 {
		t.Errorf("the log has %v", ways)
	}
}

// TestAnswersThatProveNothing sends back everything that is nearly right. Nobody is let in, and nobody is bound.
func TestAnswersThatProveNothing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		claims map[string]any
		with   func(p *peopletest.Provider)
		back   func(v url.Values, j *people.Journey)
	}{
		"another nonce":           {claims: map[string]any{"nonce": "of another journey"}},
		"no nonce":                {claims: map[string]any{"nonce": ""}},
		"for another client":      {claims: map[string]any{"aud": "another"}},
		"from another issuer":     {claims: map[string]any{"iss": "https://evil.example"}},
		"too old":                 {claims: map[string]any{"exp": time.Now().Add(-time.Hour).Unix()}},
		"of nobody":               {claims: map[string]any{"sub": ""}},
		"an address nobody has":   {claims: map[string]any{"email": "bob@acme.example"}},
		"not verified":            {claims: map[string]any{"email_verified": false}},
		"not said to be verified": {claims: map[string]any{"email_verified": nil}},
		"no address":              {claims: map[string]any{"email": ""}},
		"another's signature":     {with: func(p *peopletest.Provider) { p.Forge() }},
		"unsigned":                {with: func(p *peopletest.Provider) { p.SignNothing() }},
		"another state":           {back: func(v url.Values, _ *people.Journey) { v.Set("state", "x") }},
		"no state":                {back: func(v url.Values, _ *people.Journey) { v.Del("state") }},
		"no journey":              {back: func(_ url.Values, j *people.Journey) { *j = people.Journey{} }},
		"no journey and no state": {back: func(v url.Values, j *people.Journey) { v.Del("state"); *j = people.Journey{} }},
		"another verifier":        {back: func(_ url.Values, j *people.Journey) { j.Verifier = strings.Repeat("a", 43) }},
		"another browser's nonce": {back: func(_ url.Values, j *people.Journey) { j.Nonce = strings.Repeat("a", 43) }},
		"another code":            {back: func(v url.Values, _ *people.Journey) { v.Set("code", "x") }},
		"no code":                 {back: func(v url.Values, _ *people.Journey) { v.Del("code") }},
		"refused there":           {back: func(v url.Values, _ *people.Journey) { v.Del("code"); v.Set("error", "access_denied") }},
		"another issuer's word":   {back: func(v url.Values, _ *people.Journey) { v.Set("iss", "https://evil.example") }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, p := openWith(t)
			o.add("ann@acme.example", "")
			if c.with != nil {
				c.with(p)
			}
			address, j := o.depart()
			back := p.SignIn(address, c.claims)
			if c.back != nil {
				c.back(back, &j)
			}
			token, err := o.Arrive(t.Context(), j, back, home)
			if !errors.Is(err, people.ErrRefused) || token != "" || strings.Contains(err.Error(), "said by the provider") {
				t.Errorf("%q, %v", token, err)
			}
			if _, err := o.store.PersonBySubject(t.Context(), p.URL, "subject-of-ann"); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("bound: %v", err)
			}
		})
	}
}

func TestACodeCountsOnce(t *testing.T) {
	t.Parallel()
	o, p := openWith(t)
	o.add("ann@acme.example", "")
	address, j := o.depart()
	back := p.SignIn(address, nil)
	if _, err := o.Arrive(t.Context(), j, back, home); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Arrive(t.Context(), j, back, home); !errors.Is(err, people.ErrRefused) {
		t.Errorf("the second time: %v", err)
	}
}

func TestAProviderThatIsAwayStopsNobodyElse(t *testing.T) {
	t.Parallel()
	o, p := openWith(t)
	o.add("ann@acme.example", password)
	p.GoAway(true)
	if _, _, err := o.Depart(t.Context(), "/"); err == nil || errors.Is(err, people.ErrRefused) {
		t.Errorf("while it is away: %v", err)
	}
	o.enter("ann@acme.example", password)
	p.GoAway(false)
	address, j := o.depart()
	back := p.SignIn(address, nil)
	p.GoAway(true)
	if _, err := o.Arrive(t.Context(), j, back, home); err == nil || errors.Is(err, people.ErrRefused) {
		t.Errorf("away between the two: %v", err)
	}
	p.GoAway(false)
	if _, err := o.travel(p, nil); err != nil {
		t.Errorf("back again: %v", err)
	}
}

// TestComingBackIsCounted: anybody may call the callback, and each call may cost the provider one.
func TestComingBackIsCounted(t *testing.T) {
	t.Parallel()
	o, p := openWith(t)
	tooMany := 0
	for range 20 {
		j := people.Journey{State: "s", Nonce: "n", Verifier: "v"}
		_, err := o.Arrive(t.Context(), j, url.Values{"state": {"s"}, "code": {"c"}}, home)
		if errors.Is(err, people.ErrTooMany) {
			tooMany++
		}
	}
	if tooMany != 15 || p.Exchanges() != 5 {
		t.Errorf("%d of 20 were refused, the provider was asked %d times", tooMany, p.Exchanges())
	}
}

func TestOIDCNeedsAllItsSettings(t *testing.T) {
	t.Parallel()
	whole := people.OIDCConfig{Issuer: "https://id.example", ClientID: "a", ClientSecret: "b", RedirectURL: redirect}
	if _, err := people.NewOIDC(whole); err != nil {
		t.Error(err)
	}
	for _, lack := range []func(*people.OIDCConfig){
		func(c *people.OIDCConfig) { c.Issuer = "" }, func(c *people.OIDCConfig) { c.ClientID = "" },
		func(c *people.OIDCConfig) { c.ClientSecret = "" }, func(c *people.OIDCConfig) { c.RedirectURL = "" },
	} {
		c := whole
		lack(&c)
		if _, err := people.NewOIDC(c); err == nil {
			t.Errorf("%+v is taken", c)
		}
	}
}
