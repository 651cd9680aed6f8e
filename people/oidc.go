package people

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"aftercall/internal/store"
)

// OIDCConfig names the provider that people sign in with. All but HTTP is required.
type OIDCConfig struct {
	Issuer       string // https://id.acme.example
	ClientID     string
	ClientSecret string
	RedirectURL  string       // where the provider sends them back: <pages>/sign-in/callback
	HTTP         *http.Client // default: one that gives up after ten seconds
}

// OIDC signs people in elsewhere, with the authorization code flow, PKCE, a state and a nonce. The provider is asked who it
// is when somebody first signs in: while it is away, everything else goes on.
type OIDC struct {
	config OIDCConfig

	turn     chan struct{}  // held by whoever looks at what follows; others stop waiting when they have to
	provider *oidc.Provider // nil until it was asked
	style    oauth2.AuthStyle
}

// NewOIDC checks the settings and asks nobody.
func NewOIDC(c OIDCConfig) (*OIDC, error) {
	if c.Issuer == "" || c.ClientID == "" || c.ClientSecret == "" || c.RedirectURL == "" {
		return nil, errors.New("signing in elsewhere needs an issuer, a client's id and secret, and the address of the pages")
	}
	if c.HTTP == nil {
		c.HTTP = &http.Client{Timeout: 10 * time.Second}
	}
	return &OIDC{config: c, turn: make(chan struct{}, 1)}, nil
}

// Journey is what a browser keeps while its person is at the provider. It comes back from nowhere but that browser; a code
// that comes back to another one is worth nothing.
type Journey struct {
	State    string `json:"state"`
	Nonce    string `json:"nonce"`
	Verifier string `json:"verifier"`
	Next     string `json:"next"` // the page they wanted
}

// Encode writes a journey for a cookie.
func (j Journey) Encode() string {
	b, _ := json.Marshal(j) // four strings
	return base64.RawURLEncoding.EncodeToString(b)
}

// DecodeJourney reads one; what is none is the zero Journey, with which nobody arrives.
func DecodeJourney(s string) (j Journey) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || json.Unmarshal(b, &j) != nil {
		return Journey{}
	}
	return j
}

// errAnswer marks what the provider sent back that proves nothing.
var errAnswer = errors.New("the provider's answer does not hold")

// Depart gives the provider's address to send a browser to, and what the browser keeps meanwhile.
func (d *Desk) Depart(ctx context.Context, next string) (address string, j Journey, err error) {
	asked, err := d.oidc.client(ctx)
	if err != nil {
		return "", Journey{}, err
	}
	j = Journey{State: newToken(), Nonce: newToken(), Verifier: oauth2.GenerateVerifier(), Next: next}
	return asked.oauth.AuthCodeURL(j.State, oidc.Nonce(j.Nonce), oauth2.S256ChallengeOption(j.Verifier)), j, nil
}

// Arrive signs in whoever came back from the provider with this query, and gives what the browser is to hold.
func (d *Desk) Arrive(ctx context.Context, j Journey, back url.Values, from string) (token string, err error) {
	if err := d.try(ctx, "", from); err != nil {
		return "", err
	}
	who, err := d.oidc.identify(ctx, j, back)
	if errors.Is(err, errAnswer) {
		d.log.WarnContext(ctx, "sign-in refused", "error", err)
		return "", d.refuse(ctx, store.Person{}, from, "oidc")
	}
	if err != nil {
		return "", err
	}
	p, err := d.recognise(ctx, who, from)
	switch {
	case err != nil:
		return "", err
	case p.ID == "" || p.Disabled:
		d.log.WarnContext(ctx, "sign-in refused: nobody who may sign in is this", "address_verified", who.verified)
		return "", d.refuse(ctx, p, from, "oidc")
	}
	return d.open(ctx, p, from, "oidc")
}

// recognise finds the person: by who they are at the provider and, the first time, by the address that it has verified.
// After that the address no longer counts: it may be given to somebody else one day.
func (d *Desk) recognise(ctx context.Context, who identity, from string) (store.Person, error) {
	p, err := d.store.PersonBySubject(ctx, who.issuer, who.subject)
	if !errors.Is(err, store.ErrNotFound) {
		return p, err
	}
	if !who.verified || who.email == "" {
		return store.Person{}, nil
	}
	p, err = d.store.PersonByEmail(ctx, who.email)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return store.Person{}, nil
	case err != nil:
		return store.Person{}, err
	case p.Subject != "" || p.Disabled:
		return store.Person{}, nil
	}
	return p, d.store.BindPerson(ctx, p.ID, who.issuer, who.subject, store.Actor{PersonID: p.ID, Name: p.Email, Address: from})
}

// identity is who the provider says somebody is.
type identity struct {
	issuer, subject, email string
	verified               bool // the provider says that the address is theirs
}

// client is a provider that told who it is.
type client struct {
	oauth    oauth2.Config
	verifier *oidc.IDTokenVerifier
}

// client asks the provider who it is, once.
func (o *OIDC) client(ctx context.Context) (client, error) {
	select {
	case o.turn <- struct{}{}:
		defer func() { <-o.turn }()
	case <-ctx.Done():
		return client{}, fmt.Errorf("ask the provider of sign-in who it is: %w", ctx.Err())
	}
	if o.provider == nil {
		p, err := oidc.NewProvider(o.with(ctx), o.config.Issuer)
		if err != nil {
			return client{}, fmt.Errorf("ask the provider of sign-in who it is: %w", err)
		}
		if o.style, err = styleOf(p); err != nil {
			return client{}, err
		}
		o.provider = p
	}
	endpoint := o.provider.Endpoint()
	endpoint.AuthStyle = o.style
	return client{
		oauth: oauth2.Config{ClientID: o.config.ClientID, ClientSecret: o.config.ClientSecret, RedirectURL: o.config.RedirectURL,
			Endpoint: endpoint, Scopes: []string{oidc.ScopeOpenID, "email", "profile"}},
		verifier: o.provider.Verifier(&oidc.Config{ClientID: o.config.ClientID}),
	}, nil
}

// styleOf is how the provider wants the client's secret. Left to find out, the library would try both ways, and a code that
// was shown once is worth nothing.
func styleOf(p *oidc.Provider) (oauth2.AuthStyle, error) {
	var says struct {
		Methods []string `json:"token_endpoint_auth_methods_supported"`
	}
	if err := p.Claims(&says); err != nil {
		return 0, fmt.Errorf("read what the provider of sign-in says of itself: %w", err)
	}
	if len(says.Methods) > 0 && !slices.Contains(says.Methods, "client_secret_basic") {
		return oauth2.AuthStyleInParams, nil
	}
	return oauth2.AuthStyleInHeader, nil
}

func (o *OIDC) with(ctx context.Context) context.Context {
	return oidc.ClientContext(ctx, o.config.HTTP)
}

// identify exchanges the code that came back and checks the token it is worth: signature, issuer, audience, time and nonce.
func (o *OIDC) identify(ctx context.Context, j Journey, back url.Values) (identity, error) {
	if j.State == "" || subtle.ConstantTimeCompare([]byte(j.State), []byte(back.Get("state"))) != 1 {
		return identity{}, fmt.Errorf("%w: the state is not the one this browser left with", errAnswer)
	}
	if issuer := back.Get("iss"); issuer != "" && issuer != o.config.Issuer {
		return identity{}, fmt.Errorf("%w: it comes from another issuer", errAnswer)
	}
	if back.Get("code") == "" {
		return identity{}, fmt.Errorf("%w: the provider did not sign them in", errAnswer)
	}
	ctx = o.with(ctx)
	asked, err := o.client(ctx)
	if err != nil {
		return identity{}, err
	}
	token, err := asked.oauth.Exchange(ctx, back.Get("code"), oauth2.VerifierOption(j.Verifier))
	var refused *oauth2.RetrieveError
	switch {
	case errors.As(err, &refused) && refused.Response != nil && refused.Response.StatusCode < http.StatusInternalServerError:
		return identity{}, fmt.Errorf("%w: the code is refused with %d", errAnswer, refused.Response.StatusCode)
	case err != nil:
		return identity{}, fmt.Errorf("exchange the provider's code: %w", plainly(err))
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return identity{}, fmt.Errorf("%w: there is no ID token", errAnswer)
	}
	return asked.verify(ctx, raw, j.Nonce)
}

// plainly leaves out what the provider answered: it is its own text, and may repeat what it was sent.
func plainly(err error) error {
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) && refused.Response != nil {
		return fmt.Errorf("the provider answers %d", refused.Response.StatusCode)
	}
	return err
}

func (c client) verify(ctx context.Context, raw, nonce string) (identity, error) {
	token, err := c.verifier.Verify(ctx, raw)
	if err != nil {
		return identity{}, fmt.Errorf("%w: %w", errAnswer, err)
	}
	if nonce == "" || subtle.ConstantTimeCompare([]byte(nonce), []byte(token.Nonce)) != 1 {
		return identity{}, fmt.Errorf("%w: the nonce is not the one this browser left with", errAnswer)
	}
	var claims struct {
		Email    string `json:"email"`
		Verified any    `json:"email_verified"` // some providers write true as a string
	}
	if err := token.Claims(&claims); err != nil || token.Subject == "" {
		return identity{}, fmt.Errorf("%w: the ID token names nobody", errAnswer)
	}
	return identity{issuer: token.Issuer, subject: token.Subject, email: claims.Email,
		verified: claims.Verified == true || claims.Verified == "true"}, nil
}
