package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"

	"aftercall/deliver"
	"aftercall/deliver/chatter"
)

// exchange is one post through the channel, with what Salesforce answers and what it was asked.
type exchange struct {
	config        chatter.Config
	login, answer []byte
	loginStatus   int
	status        int

	mu          sync.Mutex
	form        url.Values
	sent        []byte
	logins      int
	receipt     deliver.Receipt
	failed      error
	mention, to string
}

func (e *exchange) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e.mu.Lock()
	defer e.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("Content-Type", "application/json")
	if strings.HasSuffix(r.URL.Path, "/oauth2/token") {
		e.logins++
		e.form, _ = url.ParseQuery(string(body))
		w.WriteHeader(e.loginStatus)
		_, _ = w.Write(e.login)
		return
	}
	e.sent = body
	w.WriteHeader(e.status)
	_, _ = w.Write(e.answer)
}

// play makes the post.
func (e *exchange) play(ctx context.Context) error {
	s := httptest.NewServer(e)
	defer s.Close()
	e.config.LoginURL, e.config.InstanceURL = s.URL, s.URL
	c, err := chatter.New(e.config)
	if err != nil {
		return fmt.Errorf("open the channel: %w", err)
	}
	e.receipt, e.failed = c.Send(ctx, deliver.Message{
		DeliveryID: "conformance", Text: "When should we meet for release planning?", CC: []deliver.Address{{Address: e.mention}},
		Fields: map[string]string{chatter.FieldGroupID: e.to},
	})
	return nil
}

// freshKey is a key of nobody's: the assertion is looked at, not checked.
func freshKey() string {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return ""
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
}

// salesforce is the Chatter channel: an answer is given to a post or to a log-in, and a request is compared with what the channel
// sends for the same post or log-in.
func salesforce() door {
	return door{try: func(ctx context.Context, _ *hall, f fixture) (string, error) {
		return throughChatter(ctx, path.Base(f.path), f.body)
	}}
}

// salesforceLanes are what must become of each file.
func salesforceLanes() []lane {
	return []lane{
		{"salesforce/error_400_bad_mention.reconstructed.json", salesforce(), "refused bad_request, 1 log-in"},
		{"salesforce/error_400_required_field.json", salesforce(), "refused bad_request, 1 log-in"},
		{"salesforce/error_401_not_valid_for_rest.json", salesforce(), "retry auth, 1 log-in"},
		{"salesforce/error_401_session_expired.json", salesforce(), "retry session_ended, 2 log-ins"},
		{"salesforce/error_403_request_limit.reconstructed.json", salesforce(), "retry quota, 1 log-in"},
		{"salesforce/error_404_not_found.reconstructed.json", salesforce(), "refused bad_request, 1 log-in"},
		{"salesforce/error_503_rate.reconstructed.json", salesforce(), "retry rate_limited, 1 log-in"},
		{"salesforce/oauth_error_400_invalid_grant.reconstructed.json", salesforce(), "retry auth, 1 log-in"},
		{"salesforce/oauth_error_400_missing_grant.json", salesforce(), "retry auth, 1 log-in"},
		{"salesforce/oauth_response_200.reconstructed.json", salesforce(), "sent, 1 log-in"},
		{"salesforce/oauth_response_200_jwt.reconstructed.json", salesforce(), "sent, 1 log-in"},
		{"salesforce/response_201_feed_element.reconstructed.json", salesforce(), "sent 0D5D0000000DaSbKAK, 1 log-in"},
		{"salesforce/oauth_request_client_credentials.txt", salesforce(), "as sent"},
		{"salesforce/oauth_request_jwt_bearer.txt", salesforce(), "as sent, without client_id, client_secret"},
		{"salesforce/oauth_request_refresh_token.txt", salesforce(), "not sent: neither flow has a refresh token"},
		{"salesforce/request_feed_element.json", salesforce(), "as sent"},
		{"salesforce/request_feed_element.jsforce.json", salesforce(), "as sent, without markup"},
	}
}

// throughChatter takes one file through the channel, and says what came of it.
func throughChatter(ctx context.Context, name string, text []byte) (string, error) {
	e := &exchange{
		config: chatter.Config{ClientID: "3MVG9cid", ClientSecret: "secret+/="}, mention: "005D00000016Qxp", to: "0F9B000000000W2",
		login: []byte(`{"access_token":"t","instance_url":"https://acme.my.salesforce.com"}`), loginStatus: http.StatusOK,
		answer: []byte(`{"id":"0D5D0000000DaSbKAK"}`), status: http.StatusCreated,
	}
	var status int
	kind, rest, _ := strings.Cut(name, "_")
	switch {
	case strings.HasPrefix(name, "oauth_request_refresh_token"):
		return "not sent: neither flow has a refresh token", nil
	case strings.HasPrefix(name, "oauth_request_jwt"):
		e.config.ClientSecret, e.config.Username, e.config.PrivateKey = "", "poster@acme.example", freshKey()
	case kind == "error" || kind == "response":
		_, _ = fmt.Sscanf(rest, "%d", &status)
		e.status, e.answer = status, text
	case strings.HasPrefix(name, "oauth_error_") || strings.HasPrefix(name, "oauth_response_"):
		_, _ = fmt.Sscanf(strings.SplitN(rest, "_", 2)[1], "%d", &status)
		e.loginStatus, e.login = status, text
	}
	if err := e.play(ctx); err != nil {
		return "", err
	}
	switch {
	case strings.HasPrefix(name, "oauth_request_"):
		return e.asked(text), nil
	case strings.HasPrefix(name, "request_"):
		return e.posted(text), nil
	}
	return e.became(strings.HasPrefix(name, "response_")), nil
}

// became says how the post ended.
func (e *exchange) became(withID bool) string {
	s := "sent"
	if e.failed != nil {
		no := deliver.AsError(e.failed)
		s = string(no.Verdict) + " " + no.Class
	} else if withID {
		s += " " + e.receipt.ProviderID
	}
	if e.logins != 1 {
		return fmt.Sprintf("%s, %d log-ins", s, e.logins)
	}
	return s + ", 1 log-in"
}

// asked compares a log-in with what the channel sent: the members of the fixture, and for those that are no proof their values.
func (e *exchange) asked(text []byte) string {
	want, err := url.ParseQuery(strings.TrimSpace(string(text)))
	if err != nil {
		return "not a form"
	}
	var without []string
	for name := range want {
		switch {
		case !e.form.Has(name):
			without = append(without, name)
		case name != "assertion" && e.form.Get(name) != want.Get(name):
			return "sent with another " + name
		}
	}
	if slices.Sort(without); len(without) > 0 {
		return "as sent, without " + strings.Join(without, ", ")
	}
	return "as sent"
}

// posted compares a post with what the channel sent: where it goes, and its first text and last mention.
func (e *exchange) posted(text []byte) string {
	type post struct {
		Type    string `json:"feedElementType"`
		Subject string `json:"subjectId"`
		Body    struct {
			Segments []struct{ Type, ID, MarkupType string } `json:"messageSegments"`
		}
	}
	var want, got post
	if json.Unmarshal(text, &want) != nil || json.Unmarshal(e.sent, &got) != nil {
		return "not JSON"
	}
	markup := len(want.Body.Segments)
	want.Body.Segments = slices.DeleteFunc(want.Body.Segments, func(s struct{ Type, ID, MarkupType string }) bool { return strings.HasPrefix(s.Type, "Markup") })
	plain := len(want.Body.Segments) == markup
	want.Body.Segments = slices.Compact(want.Body.Segments)
	if fmt.Sprint(want) != fmt.Sprint(got) {
		return "sent otherwise"
	}
	if plain {
		return "as sent"
	}
	return "as sent, without markup"
}
