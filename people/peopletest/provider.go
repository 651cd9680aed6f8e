// Package peopletest is an OpenID provider that runs in a test, with real signatures: what people sign in with elsewhere; and
// what is kept of a password, made cheaply.
//
// It owns discovery, the keys, and the token endpoint with a client's secret, PKCE and codes that count once. It promises to
// be as strict as a provider is, and to say what is not so when a test asks it to. It is imported by tests only.
package peopletest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"
)

// Provider is one that runs until its test ends.
type Provider struct {
	URL string // its issuer

	t        *testing.T
	redirect string // where it sends browsers back
	key      *rsa.PrivateKey

	mu     sync.Mutex
	leaves map[string]url.Values // by code: what the browser asked for
	claims map[string]any        // told of whoever signs in next, in place of what is right
	signer *rsa.PrivateKey       // instead of key
	plain  bool                  // ID tokens go out unsigned
	away   bool
	asked  int // times a code was exchanged
}

// What it knows its one client by.
const (
	ClientID     = "aftercall"
	ClientSecret = "client-secret"
)

// New starts a provider that sends browsers back to redirect.
func New(t *testing.T, redirect string) *Provider {
	t.Helper()
	p := &Provider{t: t, redirect: redirect, key: newKey(t), leaves: map[string]url.Values{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.discovery)
	mux.HandleFunc("GET /keys", p.keys)
	mux.HandleFunc("POST /token", p.token)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p.gone() {
			http.Error(w, "away", http.StatusServiceUnavailable)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	p.URL = server.URL
	return p
}

func newKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (p *Provider) gone() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.away
}

// GoAway makes it answer nothing but 503, or go on.
func (p *Provider) GoAway(away bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.away = away
}

// Exchanges is how often a code was brought to it.
func (p *Provider) Exchanges() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked
}

// Forge makes it sign with a key that is not the one it publishes.
func (p *Provider) Forge() {
	stranger := newKey(p.t)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.signer = stranger
}

// SignNothing makes its ID tokens go out unsigned.
func (p *Provider) SignNothing() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plain = true
}

func (p *Provider) discovery(w http.ResponseWriter, _ *http.Request) {
	p.answer(w, http.StatusOK, map[string]any{
		"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token",
		"jwks_uri": p.URL + "/keys", "id_token_signing_alg_values_supported": []string{"RS256"},
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
	})
}

func (p *Provider) keys(w http.ResponseWriter, _ *http.Request) {
	p.answer(w, http.StatusOK, map[string]any{"keys": []map[string]any{{
		"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "one", "n": encode(p.key.N.Bytes()), "e": encode(big.NewInt(int64(p.key.E)).Bytes()),
	}}})
}

// SignIn is what the provider does with the browser it was sent: it signs somebody in and sends the browser back with a
// code.
func (p *Provider) SignIn(address string, claims map[string]any) url.Values {
	p.t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		p.t.Fatal(err)
	}
	asked := u.Query()
	for key, want := range map[string]string{"client_id": ClientID, "redirect_uri": p.redirect, "response_type": "code", "code_challenge_method": "S256"} {
		if got := asked.Get(key); got != want {
			p.t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	for _, key := range []string{"state", "nonce", "code_challenge"} {
		if len(asked.Get(key)) < 43 {
			p.t.Errorf("%s is %q: too little chance", key, asked.Get(key))
		}
	}
	code := rand.Text()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.leaves[code], p.claims = asked, claims
	return url.Values{"code": {code}, "state": {asked.Get("state")}}
}

// token exchanges a code, once, for whoever holds the client's secret and the verifier.
func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked++
	id, secret, ok := r.BasicAuth()
	if !ok {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	asked, known := p.leaves[r.PostFormValue("code")]
	delete(p.leaves, r.PostFormValue("code"))
	challenge := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	switch {
	case id != ClientID || secret != ClientSecret:
		p.answer(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
	case !known || encode(challenge[:]) != asked.Get("code_challenge"):
		p.answer(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant", "error_description": "said by the provider"})
	default:
		p.answer(w, http.StatusOK, map[string]any{"access_token": "a", "token_type": "Bearer", "expires_in": 60, "id_token": p.idToken(asked.Get("nonce"))})
	}
}

// idToken says who signed in, in the words of claims where they differ from what is right.
func (p *Provider) idToken(nonce string) string {
	claims := map[string]any{
		"iss": p.URL, "aud": ClientID, "sub": "subject-of-ann", "nonce": nonce, "email": "ann@acme.example", "email_verified": true,
		"iat": time.Now().Unix(), "exp": time.Now().Add(time.Minute).Unix(),
	}
	maps.Copy(claims, p.claims)
	header := map[string]any{"alg": "RS256", "kid": "one", "typ": "JWT"}
	if p.plain {
		header = map[string]any{"alg": "none"}
	}
	signed := encode(p.json(header)) + "." + encode(p.json(claims))
	if p.plain {
		return signed + "."
	}
	key := p.key
	if p.signer != nil {
		key = p.signer
	}
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		p.t.Error(err)
	}
	return signed + "." + encode(signature)
}

func (p *Provider) answer(w http.ResponseWriter, status int, what map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(p.json(what))
}

func (p *Provider) json(what any) []byte {
	b, err := json.Marshal(what)
	if err != nil {
		p.t.Error(err)
	}
	return b
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
