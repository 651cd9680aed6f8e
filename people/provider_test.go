package people_test

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

// provider is an OpenID provider that runs in the test: discovery, keys, the token endpoint with PKCE, and real signatures.
type provider struct {
	t      *testing.T
	server *httptest.Server
	key    *rsa.PrivateKey

	mu     sync.Mutex
	leaves map[string]url.Values // by code: what the browser asked for
	claims map[string]any        // told of whoever signs in next, in place of what is right
	signer *rsa.PrivateKey       // instead of key
	plain  bool                  // ID tokens go out unsigned
	away   bool
	asked  int // times a code was exchanged
}

const (
	clientID     = "aftercall"
	clientSecret = "client-secret"
	redirect     = "http://127.0.0.1:8081/sign-in/callback"
)

func newProvider(t *testing.T) *provider {
	t.Helper()
	p := &provider{t: t, key: newKey(t), leaves: map[string]url.Values{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.discovery)
	mux.HandleFunc("GET /keys", p.keys)
	mux.HandleFunc("POST /token", p.token)
	p.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p.gone() {
			http.Error(w, "away", http.StatusServiceUnavailable)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(p.server.Close)
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

func (p *provider) gone() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.away
}

func (p *provider) goAway(away bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.away = away
}

func (p *provider) exchanges() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked
}

func (p *provider) discovery(w http.ResponseWriter, _ *http.Request) {
	p.answer(w, http.StatusOK, map[string]any{
		"issuer": p.server.URL, "authorization_endpoint": p.server.URL + "/authorize", "token_endpoint": p.server.URL + "/token",
		"jwks_uri": p.server.URL + "/keys", "id_token_signing_alg_values_supported": []string{"RS256"},
		"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
	})
}

func (p *provider) keys(w http.ResponseWriter, _ *http.Request) {
	p.answer(w, http.StatusOK, map[string]any{"keys": []map[string]any{{
		"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "one", "n": encode(p.key.N.Bytes()), "e": encode(big.NewInt(int64(p.key.E)).Bytes()),
	}}})
}

// signIn is what the provider does with the browser it was sent: it signs somebody in and sends the browser back with a
// code.
func (p *provider) signIn(address string, claims map[string]any) url.Values {
	p.t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		p.t.Fatal(err)
	}
	asked := u.Query()
	for key, want := range map[string]string{"client_id": clientID, "redirect_uri": redirect, "response_type": "code", "code_challenge_method": "S256"} {
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
func (p *provider) token(w http.ResponseWriter, r *http.Request) {
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
	case id != clientID || secret != clientSecret:
		p.answer(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
	case !known || encode(challenge[:]) != asked.Get("code_challenge"):
		p.answer(w, http.StatusBadRequest, map[string]any{"error": "invalid_grant", "error_description": "said by the provider"})
	default:
		p.answer(w, http.StatusOK, map[string]any{"access_token": "a", "token_type": "Bearer", "expires_in": 60, "id_token": p.idToken(asked.Get("nonce"))})
	}
}

// idToken says who signed in, in the words of claims where they differ from what is right.
func (p *provider) idToken(nonce string) string {
	claims := map[string]any{
		"iss": p.server.URL, "aud": clientID, "sub": "subject-of-ann", "nonce": nonce, "email": "ann@acme.example", "email_verified": true,
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

func (p *provider) answer(w http.ResponseWriter, status int, what map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(p.json(what))
}

func (p *provider) json(what any) []byte {
	b, err := json.Marshal(what)
	if err != nil {
		p.t.Error(err)
	}
	return b
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
