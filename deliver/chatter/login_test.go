package chatter_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercall/deliver"
	"aftercall/deliver/chatter"
)

func pemKey(t *testing.T) (*rsa.PrivateKey, string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key, string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
}

func TestLoginByAssertion(t *testing.T) {
	t.Parallel()
	s := server(t)
	key, text := pemKey(t)
	s.Key = &key.PublicKey
	_, other := pemKey(t)
	for name, tt := range map[string]struct {
		key string
		ok  bool
	}{"its own key": {text, true}, "another key": {other, false}} {
		ch := channel(t, s.URL, func(c *chatter.Config) { c.ClientSecret, c.Username, c.PrivateKey = "", "poster@acme.example", tt.key })
		_, err := ch.Send(t.Context(), message(map[string]string{"record": contact}))
		var want error
		if !tt.ok {
			want = &deliver.Error{Verdict: deliver.Retry, Class: "auth", Status: 400, After: 10 * time.Minute, Detail: "Salesforce does not accept the log-in: invalid_grant"}
		}
		if diff := cmp.Diff(want, err); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestARefusedLoginIsNotRepeatedAtOnce: posts queue up behind a wrong key, and Salesforce locks out who asks too often.
func TestARefusedLoginIsNotRepeatedAtOnce(t *testing.T) {
	t.Parallel()
	s := server(t)
	now := time.Now()
	ch := channel(t, s.URL, func(c *chatter.Config) { c.ClientSecret, c.Now = "wrong", func() time.Time { return now } })
	for range 3 {
		if _, err := ch.Send(t.Context(), message(map[string]string{"record": contact})); deliver.AsError(err).Class != "auth" {
			t.Fatalf("Send: %v", err)
		}
	}
	if got := s.Logins(); got != 1 {
		t.Errorf("%d log-ins, want one", got)
	}
	now = now.Add(time.Minute)
	s.Secret = "wrong" // it has been put right
	if _, err := ch.Send(t.Context(), message(map[string]string{"record": contact})); err != nil {
		t.Errorf("after a minute: %v", err)
	}
}

// TestTheTokenStaysWithSalesforce: the answer to the log-in says where the API is.
func TestTheTokenStaysWithSalesforce(t *testing.T) {
	t.Parallel()
	for _, instance := range []string{
		"", "http://acme.my.salesforce.com", "https://salesforce.com.evil.example", "https://evilsalesforce.com", "https://acme.my.salesforce.com@evil.example",
		"https://evil.example/.salesforce.com", "//evil.example", "https://127.0.0.1",
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/services/oauth2/token" {
				t.Errorf("%s: %s was asked for", instance, r.URL.Path)
			}
			_, _ = io.WriteString(w, `{"access_token":"canary","instance_url":"`+instance+`"}`)
		}))
		ch := channel(t, s.URL, func(c *chatter.Config) { c.InstanceURL = "" })
		_, err := ch.Send(t.Context(), message(map[string]string{"record": contact}))
		if e := deliver.AsError(err); e.Verdict != deliver.Retry || e.Detail != "the answer to the log-in leads away from Salesforce" {
			t.Errorf("%q: %v", instance, err)
		}
		s.Close()
	}
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	_, key := pemKey(t)
	for name, c := range map[string]chatter.Config{
		"nothing":                {},
		"no secret":              {ClientID: clientID},
		"secret and key":         {ClientID: clientID, ClientSecret: secret, Username: "x", PrivateKey: key},
		"key without user":       {ClientID: clientID, PrivateKey: key},
		"no key":                 {ClientID: clientID, Username: "x", PrivateKey: "hunter2"},
		"line break":             {ClientID: clientID + "\n", ClientSecret: secret, LoginURL: "https://acme.my.salesforce.com"},
		"secret at the big door": {ClientID: clientID, ClientSecret: secret},
		"in the clear":           {ClientID: clientID, ClientSecret: secret, LoginURL: "http://acme.my.salesforce.com"},
		"password in URL":        {ClientID: clientID, ClientSecret: secret, LoginURL: "https://u:hunter2@acme.my.salesforce.com"},
		"instance in the clear":  {ClientID: clientID, Username: "x", PrivateKey: key, InstanceURL: "http://acme.my.salesforce.com"},
	} {
		if _, err := chatter.New(c); err == nil {
			t.Errorf("%s: accepted", name)
		} else if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error gives a secret away", name)
		}
	}
	for _, c := range []chatter.Config{{ClientID: clientID, Username: "x", PrivateKey: key}, {ClientID: clientID, ClientSecret: secret, LoginURL: "https://acme.my.salesforce.com/"}} {
		if _, err := chatter.New(c); err != nil {
			t.Errorf("New: %v", err)
		}
	}
}
