package chatter

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"aftercall/deliver"
	"aftercall/deliver/wire"
)

const (
	loginTime = 10 * time.Second
	// assertionLives is short: Salesforce takes three minutes at most of some organizations.
	assertionLives = 2 * time.Minute
	// refusedFor is how long a log-in that was refused is not tried again: posts queue up behind a wrong key.
	refusedFor = 30 * time.Second
)

// session is what a log-in gives.
type session struct{ token, instance string }

func (s *session) sign(r *http.Request) { r.Header.Set("Authorization", "Bearer "+s.token) }

// login gets sessions. Whoever has the turn may look at the current one, and asks for the next.
type login struct {
	clientID, secret, username string
	key                        *rsa.PrivateKey
	url, instance              string
	http                       *http.Client
	now                        func() time.Time

	turn    chan struct{}
	current *session
	refusal *deliver.Error // of the last log-in
	again   time.Time      // when a refused log-in is tried again
}

// session gives the current session, or a new one if there is none but the one that has ended. Those who come while somebody
// asks wait for the answer.
func (l *login) session(ctx context.Context, ended *session) (*session, *deliver.Error) {
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return nil, &deliver.Error{Verdict: deliver.Retry, Class: wire.ClassOf(ctx.Err()), Detail: "there was no session in time"}
	}
	if l.current != nil && l.current != ended {
		return l.current, nil
	}
	if now := l.now(); l.refusal != nil && now.Before(l.again) {
		again := *l.refusal
		return nil, &again
	}
	s, no := l.ask(ctx)
	l.current, l.refusal = s, nil
	if no != nil && no.Status != 0 {
		again := *no
		l.refusal, l.again = &again, l.now().Add(refusedFor)
	}
	return s, no
}

// ask logs in. Nothing is posted by it, so that it may always be tried again.
func (l *login) ask(ctx context.Context) (*session, *deliver.Error) {
	ctx, cancel := context.WithTimeout(ctx, loginTime)
	defer cancel()
	form, err := l.form()
	if err != nil {
		return nil, bad("the log-in cannot be signed")
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, l.url+"/services/oauth2/token", strings.NewReader(form.Encode()))
	if err != nil {
		return nil, bad("the log-in cannot be made")
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	res, err := l.http.Do(r)
	if err != nil {
		e := &deliver.Error{Verdict: deliver.Retry, Class: wire.ClassConnection, Detail: "Salesforce gave no answer to the log-in"}
		var slow net.Error
		if ctx.Err() != nil {
			e.Class = wire.ClassOf(ctx.Err())
		} else if errors.As(err, &slow) && slow.Timeout() {
			e.Class = wire.ClassTimeout
		}
		return nil, e
	}
	return l.judge(res)
}

// form is the request of one of the two flows.
func (l *login) form() (url.Values, error) {
	if l.key == nil {
		return url.Values{"grant_type": {"client_credentials"}, "client_id": {l.clientID}, "client_secret": {l.secret}}, nil
	}
	assertion, err := l.assertion()
	return url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {assertion}}, err
}

// assertion is the signed word of the connected app that it speaks for the user (RFC 7523, RS256).
func (l *login) assertion() (string, error) {
	audience := DefaultLogin
	if u, err := url.Parse(l.url); err == nil && (l.url == sandboxLogin || strings.HasSuffix(u.Hostname(), ".sandbox.my.salesforce.com")) {
		audience = sandboxLogin
	}
	claims, err := json.Marshal(map[string]any{"iss": l.clientID, "sub": l.username, "aud": audience, "exp": l.now().Add(assertionLives).Unix()})
	if err != nil {
		return "", err
	}
	signed := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256"}`)) + "." + base64.RawURLEncoding.EncodeToString(claims)
	digest := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, l.key, crypto.SHA256, digest[:])
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature), err
}

// judge reads the answer to a log-in.
func (l *login) judge(res *http.Response) (*session, *deliver.Error) {
	var answer struct {
		Token    string `json:"access_token"`
		Instance string `json:"instance_url"`
		Error    string
	}
	unread := json.NewDecoder(res.Body).Decode(&answer)
	if res.StatusCode == http.StatusOK && unread == nil {
		return l.opened(answer.Token, answer.Instance)
	}
	e := &deliver.Error{Verdict: deliver.Retry, Class: classAuth, Status: res.StatusCode, After: max(wire.After(res.Header, l.now()), afterOperator)}
	switch {
	case answer.Error == "rate_limit_exceeded", res.StatusCode == http.StatusTooManyRequests:
		e.Class, e.Detail = classRateLimited, "Salesforce has seen too many log-ins"
	case res.StatusCode >= 500:
		e.Class, e.After = classServer, wire.After(res.Header, l.now())
	case res.StatusCode < 400:
		e.Class, e.Detail = classWrongURL, "Salesforce does not log in at the configured address"
	case oauthError.MatchString(answer.Error):
		e.Detail = "Salesforce does not accept the log-in: " + answer.Error
	default:
		e.Detail = "Salesforce does not accept the log-in"
	}
	return nil, e
}

// oauthError is how OAuth's words for errors look.
var oauthError = regexp.MustCompile(`^[a-z][a-z_]{2,40}$`)

// opened checks a session before anything is sent by it: the answer says where the API is, and the token goes there.
func (l *login) opened(token, instance string) (*session, *deliver.Error) {
	no := &deliver.Error{Verdict: deliver.Retry, Class: classProtocol, Status: http.StatusOK, After: afterOperator}
	if token == "" || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		no.Detail = "the answer to the log-in holds no token"
		return nil, no
	}
	if l.instance != "" {
		return &session{token, l.instance}, nil
	}
	address, err := Address(instance)
	u, bad := url.Parse(address)
	if err != nil || bad != nil || u.Scheme != "https" || !salesforces(u.Hostname()) {
		no.Detail = "the answer to the log-in leads away from Salesforce"
		return nil, no
	}
	return &session{token, address}, nil
}

// salesforces are the hosts that a token may be sent to without an operator's word.
func salesforces(host string) bool {
	return strings.HasSuffix(host, ".salesforce.com") || strings.HasSuffix(host, ".salesforce.mil")
}
