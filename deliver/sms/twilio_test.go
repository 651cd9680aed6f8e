package sms_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"aftercall/deliver"
	"aftercall/deliver/delivertest"
	"aftercall/deliver/sms"
)

const (
	sid     = "AC0123456789abcdef0123456789abcdef"
	token   = "local-test-token"
	service = "MG0123456789abcdef0123456789abcdef"
	from    = "+442071838750"
	to      = "+447700900123"
)

func channel(t *testing.T, c sms.Config) *sms.Twilio {
	t.Helper()
	if c.AuthToken == "" {
		c.AuthToken = token
	}
	c.AccountSID = sid
	c.Report = func(account, delivery string) string {
		return "https://calls.acme.example/callbacks/twilio/" + account + "/status?delivery=" + delivery
	}
	ch, err := sms.NewTwilio(c)
	if err != nil {
		t.Fatal(err)
	}
	return ch
}

// shape makes the suite's mail a text.
func shape(m *deliver.Message) {
	m.Channel, m.Subject, m.HTML, m.CC = deliver.SMS, "", "", nil
	m.From, m.To = deliver.Address{Address: from}, []deliver.Address{{Name: "Pat Canary", Address: to}}
}

func text(id string) deliver.Message {
	m := delivertest.Message(id)
	shape(&m)
	return m
}

func TestTwilioConforms(t *testing.T) {
	t.Parallel()
	delivertest.Run(t, func(t *testing.T, s delivertest.Situation) delivertest.Rig {
		server := delivertest.NewTwilio(sid, token)
		t.Cleanup(server.Close)
		server.Fail(func(_ int, m delivertest.Text) delivertest.Fault { return fault(s, m) })
		c := sms.Config{BaseURL: server.URL}
		switch s {
		case delivertest.NoAccess:
			c.AuthToken = "another-token"
		case delivertest.Unreachable:
			gone := httptest.NewServer(http.NotFoundHandler())
			gone.Close()
			c.BaseURL = gone.URL
		}
		return delivertest.Rig{Channel: channel(t, c), Shape: shape, Huge: delivertest.TooLong, Secrets: []string{token, sid, to, to[1:], from}, Received: func() (all []delivertest.Copy) {
			for _, m := range server.Texts() {
				all = append(all, delivertest.Copy{Delivery: m.DeliveryID(), Key: m.Report, Text: m.Body})
			}
			return all
		}}
	})
}

func fault(s delivertest.Situation, m delivertest.Text) delivertest.Fault {
	switch s {
	case delivertest.RateLimited:
		return delivertest.Fault{Status: 429, Body: refusal(20429, "Too Many Requests")}
	case delivertest.Failing:
		return delivertest.Fault{Status: 503, Body: "<html>upstream canary</html>"}
	case delivertest.Refuses:
		return delivertest.Fault{Status: 400, Body: refusal(21211, "The 'To' number "+to+" (canary) is not a valid phone number.")}
	case delivertest.Silent:
		return delivertest.Fault{Silent: true}
	case delivertest.Cut:
		return delivertest.Fault{Cut: true}
	case delivertest.LateAnswer:
		return delivertest.Fault{Late: 5 * time.Second}
	case delivertest.HugeAnswer:
		return delivertest.Fault{Status: 400, Body: strings.Repeat("canary ", 3<<20)}
	case delivertest.EchoesInput:
		return delivertest.Fault{Status: 400, Body: refusal(21999, m.Body+m.To+token+sid)}
	}
	return delivertest.Fault{}
}

func refusal(code int, message string) string {
	b, _ := json.Marshal(map[string]any{"code": code, "message": message, "more_info": "https://www.twilio.com/docs/errors/", "status": 400})
	return string(b)
}

func TestTwilioAnswers(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	retry, refused := deliver.Retry, deliver.Refused
	for name, tt := range map[string]struct {
		status, code int
		header       map[string]string
		want         deliver.Error
	}{
		"20003 wrong token waits for its mending": {401, 20003, nil, deliver.Error{Verdict: retry, Class: "auth", After: 10 * time.Minute}},
		"401 without a code":                      {401, 0, nil, deliver.Error{Verdict: retry, Class: "auth", After: 10 * time.Minute}},
		"70004 a key without the right":           {401, 70004, nil, deliver.Error{Verdict: retry, Class: "forbidden", After: 10 * time.Minute}},
		"403":                                     {403, 0, nil, deliver.Error{Verdict: retry, Class: "forbidden", After: 10 * time.Minute}},
		"20404 another account":                   {404, 20404, nil, deliver.Error{Verdict: refused, Class: "wrong_url"}},
		"404 of something else":                   {404, 0, nil, deliver.Error{Verdict: refused, Class: "wrong_url"}},
		"308 is not followed":                     {308, 0, map[string]string{"Location": "https://elsewhere.example/"}, deliver.Error{Verdict: refused, Class: "wrong_url"}},
		"20429":                                   {429, 20429, nil, deliver.Error{Verdict: retry, Class: "rate_limited"}},
		"429 with Retry-After":                    {429, 20429, map[string]string{"Retry-After": "7"}, deliver.Error{Verdict: retry, Class: "rate_limited", After: 7 * time.Second}},
		"429 with a date":                         {429, 0, map[string]string{"Retry-After": "Sat, 21 Nov 2026 12:02:00 GMT"}, deliver.Error{Verdict: retry, Class: "rate_limited", After: 2 * time.Minute}},
		"429 for a year":                          {429, 0, map[string]string{"Retry-After": "99999999999"}, deliver.Error{Verdict: retry, Class: "rate_limited", After: time.Hour}},
		"21211 not a number":                      {400, 21211, nil, deliver.Error{Verdict: refused, Class: "bad_number"}},
		"21614 a landline":                        {400, 21614, nil, deliver.Error{Verdict: refused, Class: "bad_number"}},
		"21408 a country that is not enabled":     {400, 21408, nil, deliver.Error{Verdict: retry, Class: "forbidden", After: 10 * time.Minute}},
		"21606 a sender of somebody else":         {400, 21606, nil, deliver.Error{Verdict: retry, Class: "sender", After: 10 * time.Minute}},
		"21610 opted out is final":                {400, 21610, nil, deliver.Error{Verdict: refused, Class: "opted_out"}},
		"21611 a full queue":                      {400, 21611, nil, deliver.Error{Verdict: retry, Class: "rate_limited", After: time.Minute}},
		"21617 too long":                          {400, 21617, nil, deliver.Error{Verdict: refused, Class: "too_long"}},
		"a code nobody knows":                     {400, 21999, nil, deliver.Error{Verdict: refused, Class: "bad_request"}},
		"500":                                     {500, 0, nil, deliver.Error{Verdict: retry, Class: "server_error"}},
		"503 with a code counts as 503":           {503, 21610, nil, deliver.Error{Verdict: retry, Class: "server_error"}},
		"204 is no Twilio":                        {204, 0, nil, deliver.Error{Verdict: deliver.Unknown, Class: "protocol"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := "<html><body>No server is available to handle this request.</body></html>"
			if tt.code != 0 {
				body = refusal(tt.code, "Attempt to send to "+to)
			}
			c := channel(t, sms.Config{BaseURL: delivertest.Answers(t, tt.status, tt.header, body), Now: func() time.Time { return now }})
			_, err := c.Send(t.Context(), text("d-1"))
			var got *deliver.Error
			if !errors.As(err, &got) {
				t.Fatalf("Send: %v, want a *deliver.Error", err)
			}
			tt.want.Status = tt.status
			if diff := cmp.Diff(tt.want, *got, cmpopts.IgnoreFields(deliver.Error{}, "Detail")); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTwilioRequest(t *testing.T) {
	t.Parallel()
	server := delivertest.NewTwilio(sid, token)
	t.Cleanup(server.Close)
	const report = "https://calls.acme.example/callbacks/twilio/acme/status?delivery=0190-request"
	for name, tt := range map[string]struct {
		service, chosen string
		want            delivertest.Text
	}{
		"from the account's number":        {"", "", delivertest.Text{From: from}},
		"by a service":                     {service, "", delivertest.Text{Service: service}},
		"by a service, from a chosen one":  {service, from, delivertest.Text{Service: service, From: from}},
		"from a chosen one and no service": {"", from, delivertest.Text{From: from}},
	} {
		m := text("0190-request")
		m.Text = "Hi there & welcome 👍\nSee you"
		m.Fields = map[string]string{sms.FieldFrom: tt.chosen}
		receipt, err := channel(t, sms.Config{BaseURL: server.URL + "/", Service: tt.service}).Send(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		all := server.Texts()
		got := all[len(all)-1]
		tt.want.To, tt.want.Body, tt.want.Report, tt.want.SID = to, m.Text, report, got.SID
		if diff := cmp.Diff(tt.want, got, cmpopts.IgnoreFields(delivertest.Text{}, "At")); diff != "" {
			t.Errorf("%s: the request (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff(deliver.Receipt{Provider: "twilio", ProviderID: got.SID}, receipt); diff != "" {
			t.Errorf("%s: receipt (-want +got):\n%s", name, diff)
		}
	}
}

// Twilio said 201: the text is on its way, whatever else stands in the answer.
func TestTwilioTookItThoughItsAnswerCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{"no JSON": "<html>", "cut off": `{"sid": "SM0`, "nothing": "", "an id that is none": `{"sid": "canary@example.com"}`} {
		got, err := channel(t, sms.Config{BaseURL: delivertest.Answers(t, 201, nil, body)}).Send(t.Context(), text("d-1"))
		if want := (deliver.Receipt{Provider: "twilio"}); err != nil || got != want {
			t.Errorf("%s: Send = %v, %v, want %v", name, got, err, want)
		}
	}
}

func TestTwilioRefusesBeforeItSends(t *testing.T) {
	t.Parallel()
	server := delivertest.NewTwilio(sid, token)
	t.Cleanup(server.Close)
	c := channel(t, sms.Config{BaseURL: server.URL})
	for name, tt := range map[string]struct {
		change func(*deliver.Message)
		class  string
	}{
		"nobody":              {func(m *deliver.Message) { m.To = nil }, "bad_message"},
		"two numbers":         {func(m *deliver.Message) { m.To = append(m.To, m.To[0]) }, "bad_message"},
		"a national number":   {func(m *deliver.Message) { m.To[0].Address = "07700900123" }, "bad_message"},
		"another channel":     {func(m *deliver.Message) { m.To[0].Address = "whatsapp:+447700900123" }, "bad_message"},
		"no sender":           {func(m *deliver.Message) { m.From.Address = "" }, "bad_message"},
		"no text":             {func(m *deliver.Message) { m.Text = " \n" }, "bad_message"},
		"a control character": {func(m *deliver.Message) { m.Text = "a\x00b" }, "bad_message"},
		"no id":               {func(m *deliver.Message) { m.DeliveryID = "" }, "bad_message"},
		"eleven pieces":       {func(m *deliver.Message) { m.Text = strings.Repeat("a", 10*153+1) }, "too_long"},
		"eleven of the other": {func(m *deliver.Message) { m.Text = strings.Repeat("李", 10*67+1) }, "too_long"},
	} {
		m := text("d-1")
		tt.change(&m)
		_, err := c.Send(t.Context(), m)
		if e := deliver.AsError(err); err == nil || e.Verdict != deliver.Refused || e.Class != tt.class {
			t.Errorf("%s: %v, want refused as %s", name, err, tt.class)
		}
	}
	m := text("d-1")
	m.Text = strings.Repeat("a", 10*153)
	if _, err := c.Send(t.Context(), m); err != nil {
		t.Errorf("ten pieces: %v", err)
	}
	if n := len(server.Texts()); n != 1 {
		t.Errorf("the server had %d texts, want the one that is right", n)
	}
}

func TestNewTwilioRefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]sms.Config{
		"no account":            {AuthToken: token},
		"an API key":            {AccountSID: "SK0123456789abcdef0123456789abcdef", AuthToken: token},
		"no token":              {AccountSID: sid},
		"token with line break": {AccountSID: sid, AuthToken: "x\nX-Evil: 1"},
		"a number as service":   {AccountSID: sid, AuthToken: token, Service: from},
		"no scheme":             {AccountSID: sid, AuthToken: token, BaseURL: "api.twilio.com"},
		"password in URL":       {AccountSID: sid, AuthToken: token, BaseURL: "https://u:hunter2@api.twilio.com"},
	} {
		if _, err := sms.NewTwilio(c); err == nil {
			t.Errorf("%s: accepted", name)
		} else if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), token) {
			t.Errorf("%s: the error gives a secret away", name)
		}
	}
}
