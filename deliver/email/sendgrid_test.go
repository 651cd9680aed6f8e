package email_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercall/deliver"
	"aftercall/deliver/delivertest"
	"aftercall/deliver/email"
)

const sgKey = "SG.local-test-key"

func sendGrid(t *testing.T, url string) *email.SendGrid {
	t.Helper()
	c, err := email.NewSendGrid(email.SendGridConfig{Key: sgKey, BaseURL: url})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSendGridConforms(t *testing.T) {
	t.Parallel()
	delivertest.Run(t, func(t *testing.T, s delivertest.Situation) delivertest.Rig {
		key := sgKey
		if s == delivertest.NoAccess {
			key = "SG.another-key"
		}
		server := delivertest.NewSendGrid(key)
		t.Cleanup(server.Close)
		server.Fail(func(_ int, m delivertest.Mail) delivertest.Fault { return sendGridFault(s, m) })
		url := server.URL
		if s == delivertest.Unreachable {
			url = nobody(t)
		}
		return delivertest.Rig{Channel: sendGrid(t, url), Secrets: []string{sgKey}, Received: func() (all []delivertest.Copy) {
			for _, m := range server.Mails() {
				all = append(all, delivertest.Copy{Delivery: m.Args[email.ArgDelivery], Key: m.Args[email.ArgDelivery], Text: m.Text})
			}
			return all
		}}
	})
}

// nobody is the address of a server that has gone.
func nobody(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	return s.URL
}

func sendGridFault(s delivertest.Situation, m delivertest.Mail) delivertest.Fault {
	switch s {
	case delivertest.RateLimited:
		return delivertest.Fault{Status: 429, Body: `{"errors":[{"field":null,"message":"too many requests"}]}`}
	case delivertest.Failing:
		return delivertest.Fault{Status: 503, Body: "<html>upstream canary</html>"}
	case delivertest.Refuses:
		return delivertest.Fault{Status: 400, Body: `{"errors":[{"message":"Does not contain a valid address: pat.canary@example.com","field":"personalizations.0.to.0.email"}]}`}
	case delivertest.Silent:
		return delivertest.Fault{Silent: true}
	case delivertest.Cut:
		return delivertest.Fault{Cut: true}
	case delivertest.LateAnswer:
		return delivertest.Fault{Late: 5 * time.Second}
	case delivertest.HugeAnswer:
		return delivertest.Fault{Status: 400, Body: strings.Repeat("canary ", 3<<20)}
	case delivertest.EchoesInput:
		echo, _ := json.Marshal(map[string]any{"errors": []map[string]string{{"message": string(m.Raw), "field": m.To[0]}, {"message": sgKey, "field": sgKey}}})
		return delivertest.Fault{Status: 400, Body: string(echo)}
	}
	return delivertest.Fault{}
}

func TestSendGridAnswers(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	tests := map[string]struct {
		status int
		header map[string]string
		body   string
		want   deliver.Error
	}{
		"400 names the fields": {400, nil, `{"errors":[{"message":"The subject is required.","field":"subject","help":"x"},{"message":"no","field":"personalizations.0.to.0.email"}]}`,
			deliver.Error{Verdict: deliver.Refused, Class: "bad_request", Detail: "SendGrid finds fault with subject, personalizations.0.to.0.email"}},
		"401 wrong key waits for its mending": {401, nil, `{"errors":[{"message":"The provided authorization grant is invalid, expired, or revoked","field":null,"help":null}]}`,
			deliver.Error{Verdict: deliver.Retry, Class: "auth", After: 10 * time.Minute, Detail: "SendGrid does not accept the API key"}},
		"401 credits is a quota": {401, nil, `{"errors":[{"message":"Maximum credits exceeded","field":null,"help":null}]}`,
			deliver.Error{Verdict: deliver.Retry, Class: "quota", After: time.Hour, Detail: "the SendGrid account has used up its credits"}},
		"403 sender identity": {403, nil, `{"errors":[{"message":"The from address does not match a verified Sender Identity. Mail cannot be sent until","field":"from","help":null}]}`,
			deliver.Error{Verdict: deliver.Retry, Class: "forbidden", After: 10 * time.Minute, Detail: "the sender is not a verified SendGrid sender identity"}},
		"404 wrong base URL":      {404, nil, "", deliver.Error{Verdict: deliver.Refused, Class: "wrong_url", Detail: "there is no SendGrid API at the configured base URL"}},
		"405":                     {405, nil, "", deliver.Error{Verdict: deliver.Refused, Class: "wrong_url", Detail: "there is no SendGrid API at the configured base URL"}},
		"308 is not followed":     {308, map[string]string{"Location": "https://elsewhere.example/"}, "", deliver.Error{Verdict: deliver.Refused, Class: "wrong_url", Detail: "there is no SendGrid API at the configured base URL"}},
		"413":                     {413, nil, `{"errors":[{"message":"The total size of your message exceeds 30MB.","field":null}]}`, deliver.Error{Verdict: deliver.Refused, Class: "too_large"}},
		"415":                     {415, nil, "", deliver.Error{Verdict: deliver.Refused, Class: "bad_request"}},
		"429 with a reset":        {429, map[string]string{"X-RateLimit-Reset": "1795262490"}, "", deliver.Error{Verdict: deliver.Retry, Class: "rate_limited", After: 90 * time.Second}},
		"429 with Retry-After":    {429, map[string]string{"Retry-After": "7"}, "", deliver.Error{Verdict: deliver.Retry, Class: "rate_limited", After: 7 * time.Second}},
		"429 with a date":         {429, map[string]string{"Retry-After": "Sat, 21 Nov 2026 12:02:00 GMT"}, "", deliver.Error{Verdict: deliver.Retry, Class: "rate_limited", After: 2 * time.Minute}},
		"429 for a year":          {429, map[string]string{"Retry-After": "99999999999"}, "", deliver.Error{Verdict: deliver.Retry, Class: "rate_limited", After: time.Hour}},
		"429 in the past":         {429, map[string]string{"X-RateLimit-Reset": "1"}, "", deliver.Error{Verdict: deliver.Retry, Class: "rate_limited"}},
		"500 with a message only": {500, nil, `{"errors":[{"message":"Internal Server Error"}]}`, deliver.Error{Verdict: deliver.Retry, Class: "server_error"}},
		"502 from a gateway":      {502, nil, "<html>", deliver.Error{Verdict: deliver.Retry, Class: "server_error"}},
		"204 is no SendGrid":      {204, nil, "", deliver.Error{Verdict: deliver.Unknown, Class: "protocol", Detail: "the answer is none that SendGrid gives"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := email.NewSendGrid(email.SendGridConfig{Key: sgKey, BaseURL: delivertest.Answers(t, tt.status, tt.header, tt.body), Now: func() time.Time { return now }})
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.Send(t.Context(), delivertest.Message("d-1"))
			var got *deliver.Error
			if !errors.As(err, &got) {
				t.Fatalf("Send: %v, want a *deliver.Error", err)
			}
			tt.want.Status = tt.status
			if diff := cmp.Diff(tt.want, *got); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSendGridRequest(t *testing.T) {
	t.Parallel()
	server := delivertest.NewSendGrid(sgKey)
	t.Cleanup(server.Close)
	m := delivertest.Message("0190-request")
	m.Attempt = 3
	m.ReplyTo = deliver.Address{Address: "front@acme.example"}
	m.To = append(m.To, deliver.Address{Address: "Second@Example.com"})
	m.CC = []deliver.Address{{Address: "second@example.com"}, {Name: "李 雷", Address: "cc@example.com"}}
	receipt, err := sendGrid(t, server.URL+"/").Send(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(deliver.Receipt{Provider: "sendgrid", ProviderID: "local-000001"}, receipt); diff != "" {
		t.Errorf("receipt (-want +got):\n%s", diff)
	}
	var got bytes.Buffer
	if err := json.Indent(&got, server.Mails()[0].Raw, "", " "); err != nil {
		t.Fatal(err)
	}
	var parsed, wanted any
	_ = json.Unmarshal(got.Bytes(), &parsed)
	_ = json.Unmarshal([]byte(`{
		"from": {"name": "Acme Clinic", "email": "calls@acme.example"},
		"reply_to": {"email": "front@acme.example"},
		"subject": "Callback canary",
		"personalizations": [{
			"to": [{"name": "Pat Canary", "email": "pat.canary@example.com"}, {"email": "Second@Example.com"}],
			"cc": [{"name": "李 雷", "email": "cc@example.com"}]}],
		"content": [
			{"type": "text/plain", "value": "The canary wants a call back."},
			{"type": "text/html", "value": "<p>The canary wants a call back.</p>"}],
		"custom_args": {"delivery_id": "0190-request", "conversation_id": "call-1", "automation_id": "callback-requested", "attempt": "3"}
	}`), &wanted)
	if diff := cmp.Diff(wanted, parsed); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
}

// A server that closes its idle connections must cost neither a mail nor a second copy.
func TestSendGridSurvivesClosedIdleConnections(t *testing.T) {
	t.Parallel()
	server := delivertest.NewSendGrid(sgKey)
	t.Cleanup(server.Close)
	c := sendGrid(t, server.URL)
	accepted := 0
	for i := range 20 {
		_, err := c.Send(t.Context(), delivertest.Message("0190-idle-"+string(rune('a'+i))))
		if err != nil && deliver.AsError(err).Verdict == deliver.Refused {
			t.Fatalf("send %d: %v", i, err)
		}
		if err == nil {
			accepted++
		}
		server.HangUpIdle()
	}
	seen := map[string]int{}
	for _, m := range server.Mails() {
		seen[m.Args[email.ArgDelivery]]++
	}
	if accepted == 0 || len(seen) < accepted {
		t.Errorf("%d receipts, but only %d mails arrived", accepted, len(seen))
	}
	for id, n := range seen {
		if n != 1 {
			t.Errorf("%s arrived %d times", id, n)
		}
	}
}

func TestNewSendGridRefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]email.SendGridConfig{
		"no key":              {BaseURL: "https://api.sendgrid.com"},
		"key with line break": {Key: "SG.x\nX-Evil: 1"},
		"no scheme":           {Key: sgKey, BaseURL: "api.sendgrid.com"},
		"other scheme":        {Key: sgKey, BaseURL: "ftp://api.sendgrid.com"},
		"password in URL":     {Key: sgKey, BaseURL: "https://u:hunter2@api.sendgrid.com"},
	} {
		if _, err := email.NewSendGrid(c); err == nil {
			t.Errorf("%s: accepted", name)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error gives the password away", name)
		}
	}
}
