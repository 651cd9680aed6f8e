package chatter_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercall/deliver"
	"aftercall/deliver/chatter"
	"aftercall/deliver/delivertest"
)

const (
	clientID = "3MVG9.local"
	secret   = "local+secret/="
	maria    = "005D00000016QxpIAE"
	support  = "0F9B000000000W2KAI"
	contact  = "003D00000012AbcIAE"
)

// known are the names that the local Salesforce knows.
func known() map[string][]string {
	return map[string][]string{
		"user:Maria Lopez":  {maria},
		"user:Sam O'Neill":  {"005D00000016QxqIAE", "005D00000016QxrIAE"},
		`group:Back\slash'`: {"0F9B000000000W3KAI"},
		"group:Support":     {support},
	}
}

func server(t *testing.T) *delivertest.Salesforce {
	t.Helper()
	s := delivertest.NewSalesforce(clientID, secret, known())
	t.Cleanup(s.Close)
	return s
}

func channel(t *testing.T, url string, change func(*chatter.Config)) *chatter.Channel {
	t.Helper()
	c := chatter.Config{ClientID: clientID, ClientSecret: secret, LoginURL: url, InstanceURL: url}
	if change != nil {
		change(&c)
	}
	ch, err := chatter.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return ch
}

// onRecord posts the suite's message, which is a mail, on a record.
type onRecord struct{ *chatter.Channel }

func (c onRecord) Send(ctx context.Context, m deliver.Message) (deliver.Receipt, error) {
	m.Channel, m.To, m.Fields = deliver.Chatter, nil, map[string]string{chatter.FieldRecord: contact}
	return c.Channel.Send(ctx, m)
}

func TestConforms(t *testing.T) {
	t.Parallel()
	delivertest.Run(t, func(t *testing.T, situation delivertest.Situation) delivertest.Rig {
		s := server(t)
		s.Fail(func(_ int, p delivertest.Post) delivertest.Fault { return fault(situation, p) })
		url := s.URL
		if situation == delivertest.Unreachable {
			gone := httptest.NewServer(http.NotFoundHandler())
			gone.Close()
			url = gone.URL
		}
		ch := channel(t, url, func(c *chatter.Config) {
			if situation == delivertest.NoAccess {
				c.ClientSecret = "another"
			}
		})
		return delivertest.Rig{Channel: onRecord{ch}, Huge: delivertest.TooLong, Secrets: []string{secret, "LOCAL.0001", contact}, Received: func() (all []delivertest.Copy) {
			for _, p := range s.Posts() {
				all = append(all, delivertest.Copy{Delivery: p.Delivery, Key: p.Delivery, Text: p.Text})
			}
			return all
		}}
	})
}

func fault(s delivertest.Situation, p delivertest.Post) delivertest.Fault {
	switch s {
	case delivertest.RateLimited:
		return delivertest.Fault{Status: 503, Body: `[{"errorCode":"REQUEST_LIMIT_EXCEEDED","message":"You have exceeded the per-hour limit"}]`}
	case delivertest.Failing:
		return delivertest.Fault{Status: 503, Body: "<html>upstream canary</html>"}
	case delivertest.Refuses:
		return delivertest.Fault{Status: 400, Body: `[{"errorCode":"INVALID_ID_FIELD","message":"Invalid identifier: canary"}]`}
	case delivertest.Silent:
		return delivertest.Fault{Silent: true}
	case delivertest.Cut:
		return delivertest.Fault{Cut: true}
	case delivertest.LateAnswer:
		return delivertest.Fault{Late: 5 * time.Second}
	case delivertest.HugeAnswer:
		return delivertest.Fault{Status: 400, Body: strings.Repeat("canary ", 3<<20)}
	case delivertest.EchoesInput:
		echo, _ := json.Marshal([]map[string]string{{"message": string(p.Raw) + p.Token, "errorCode": p.Token}})
		return delivertest.Fault{Status: 400, Body: string(echo)}
	}
	return delivertest.Fault{}
}

// message is a post with these fields.
func message(fields map[string]string) deliver.Message {
	return deliver.Message{DeliveryID: "0190-post", Attempt: 1, Channel: deliver.Chatter, Text: "A canary called.", Fields: fields}
}

// TestWhereAPostGoes has each kind of target, and what names none.
func TestWhereAPostGoes(t *testing.T) {
	t.Parallel()
	s := server(t)
	ch := channel(t, s.URL, nil)
	for name, tt := range map[string]struct {
		fields  map[string]string
		to      string
		subject string
		class   string // of the error
		detail  string
	}{
		"a record":             {fields: map[string]string{"record": contact}, subject: contact},
		"a record, short":      {fields: map[string]string{"record": contact[:15]}, subject: contact[:15]},
		"a user by name":       {fields: map[string]string{"user": "Maria Lopez"}, subject: maria},
		"a user by id":         {fields: map[string]string{"user": maria}, subject: maria},
		"a user's id":          {fields: map[string]string{"user_id": maria}, subject: maria},
		"a group by name":      {fields: map[string]string{"group": "Support"}, subject: support},
		"a group by id":        {fields: map[string]string{"group": support}, subject: support},
		"a group's id":         {fields: map[string]string{"group_id": support}, subject: support},
		"a name to be escaped": {fields: map[string]string{"group": `Back\slash'`}, subject: "0F9B000000000W3KAI"},
		"a person":             {to: maria, subject: maria},
		"a person by name":     {to: "Maria Lopez", subject: maria},
		"a name of two": {fields: map[string]string{"user": "Sam O'Neill"}, class: "ambiguous_name",
			detail: "Salesforce has several users of this name (005D00000016QxqIAE, 005D00000016QxrIAE); name one by its id"},
		"a name of nobody":    {fields: map[string]string{"group": "Canaries"}, class: "no_such_name", detail: "Salesforce has no active group of this name"},
		"a query in a name":   {fields: map[string]string{"user": "x' OR Name LIKE '%"}, class: "no_such_name", detail: "Salesforce has no active user of this name"},
		"a name on two lines": {fields: map[string]string{"user": "Maria\nLopez"}, class: "bad_message", detail: "this is not the name of a user"},
		"no id of a record":   {fields: map[string]string{"record": "canary"}, class: "bad_message", detail: "this is not the id of a record of Salesforce"},
		"a group's for a user's": {fields: map[string]string{"user_id": support}, class: "bad_message",
			detail: "this is not the id of a user of Salesforce"},
		"nowhere":    {class: "bad_message", detail: "a post is for exactly one record, user or group"},
		"two places": {fields: map[string]string{"record": contact, "group": support}, class: "bad_message", detail: "a post is for exactly one record, user or group"},
	} {
		m := message(tt.fields)
		m.DeliveryID = strings.NewReplacer(" ", "-", "'", "", ",", "").Replace(name)
		if tt.to != "" {
			m.To = []deliver.Address{{Address: tt.to}}
		}
		_, err := ch.Send(t.Context(), m)
		if tt.class != "" {
			want := &deliver.Error{Verdict: deliver.Refused, Class: tt.class, Detail: tt.detail}
			if diff := cmp.Diff(error(want), err); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
			continue
		}
		posts := s.Posts()
		if err != nil || len(posts) == 0 {
			t.Errorf("%s: %v, and %d posts", name, err, len(posts))
			continue
		}
		if last := posts[len(posts)-1]; last.Subject != tt.subject || last.Delivery != m.DeliveryID {
			t.Errorf("%s: posted on %s for %s, want %s", name, last.Subject, last.Delivery, tt.subject)
		}
	}
}

func TestWhatAPostSays(t *testing.T) {
	t.Parallel()
	s := server(t)
	m := message(map[string]string{"record": contact, "visibility": "internal"})
	m.Text = "\r\nFirst <b>line</b>\r\nsecond: é 👍\n"
	m.CC = []deliver.Address{{Address: maria}, {Address: "Maria Lopez"}}
	got, err := channel(t, s.URL, nil).Send(t.Context(), m)
	if want := (deliver.Receipt{Provider: "salesforce", ProviderID: "0D5D00000000001KAK"}); err != nil || got != want {
		t.Fatalf("Send = %v, %v, want %v", got, err, want)
	}
	want := `{"feedElementType":"FeedItem","subjectId":"` + contact + `","visibility":"InternalUsers","body":{"messageSegments":[` +
		`{"type":"Text","text":"First <b>line</b>\nsecond: é 👍\n\n"},{"type":"Mention","id":"` + maria + `"},{"type":"Text","text":" "},{"type":"Mention","id":"` + maria + `"}]}}`
	var sent, wanted any
	_ = json.Unmarshal(s.Posts()[0].Raw, &sent)
	_ = json.Unmarshal([]byte(want), &wanted)
	if diff := cmp.Diff(wanted, sent); diff != "" {
		t.Errorf("post (-want +got):\n%s", diff)
	}
	if n := len(s.Queries()); n != 1 {
		t.Errorf("%d questions for names, want one", n)
	}
}

func TestWhatIsNotPosted(t *testing.T) {
	t.Parallel()
	s := server(t)
	ch := channel(t, s.URL, nil)
	for name, change := range map[string]func(*deliver.Message){
		"no text":             func(m *deliver.Message) { m.Text = " \r\n" },
		"too long":            func(m *deliver.Message) { m.Text = strings.Repeat("👍", 5001) },
		"too many mentions":   func(m *deliver.Message) { m.CC = make([]deliver.Address, 26) },
		"odd visibility":      func(m *deliver.Message) { m.Fields["visibility"] = "AllUsers" },
		"id with a line feed": func(m *deliver.Message) { m.DeliveryID = "a\nb" },
	} {
		m := message(map[string]string{"record": contact})
		change(&m)
		_, err := ch.Send(t.Context(), m)
		if e := deliver.AsError(err); err == nil || e.Verdict != deliver.Refused {
			t.Errorf("%s: %v, want it refused", name, err)
		}
	}
	m := message(map[string]string{"record": contact})
	m.Text = strings.Repeat("é", 10_000)
	if _, err := ch.Send(t.Context(), m); err != nil {
		t.Errorf("10,000 characters: %v", err)
	}
	if n := len(s.Posts()); n != 1 {
		t.Errorf("%d posts, want one", n)
	}
}

// TestOneRefresh: sixteen posts find their session ended at the same time, and one log-in serves them all.
func TestOneRefresh(t *testing.T) {
	t.Parallel()
	s := server(t)
	ch := channel(t, s.URL, nil)
	send := func(n int) {
		var all sync.WaitGroup
		for range n {
			all.Go(func() {
				if _, err := ch.Send(t.Context(), message(map[string]string{"user": "Maria Lopez"})); err != nil {
					t.Errorf("Send: %v", err)
				}
			})
		}
		all.Wait()
	}
	for round := 1; round <= 3; round++ {
		send(16)
		if got := s.Logins(); got != round {
			t.Fatalf("round %d: %d log-ins", round, got)
		}
		s.Expire()
	}
	if got := len(s.Posts()); got != 3*16 {
		t.Errorf("%d posts, want each once", got)
	}
}
