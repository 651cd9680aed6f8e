package callbacks_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"aftercall/deliver"
	"aftercall/deliver/delivertest"
	"aftercall/deliver/email"
	"aftercall/internal/store"
	"aftercall/reason"
)

const (
	ann  = "ann@example.com"
	bob  = "bob@example.com"
	door = "/in/callbacks/sendgrid/events"
)

func (w *world) verification(s *delivertest.Signer) email.Key {
	w.t.Helper()
	key, err := email.ParseKey(s.Public)
	w.must(err)
	return key
}

// happening is an event as SendGrid posts it.
type happening map[string]any

// of is an event of a message, with more members or others.
func of(id, kind, address string, more ...any) happening {
	e := happening{"event": kind, "email": address, "timestamp": time.Now().Unix() - 60, "sg_event_id": uuid.NewString(), "sg_message_id": "sg9.filter0001.16648.5515E0B88.0",
		"smtp-id": "<14c5d75ce93.dfd.64b469@ismtpd-555>", "category": []string{"cat facts"}, "pool": map[string]any{"id": 210}, "tls": 1,
		"delivery_id": id, "automation_id": "confirm", "conversation_id": "c1", "attempt": "1"}
	for i := 0; i < len(more); i += 2 {
		e[more[i].(string)] = more[i+1]
	}
	return e
}

// batch is what SendGrid posts: events with line breaks between and behind them.
func batch(events ...happening) []byte {
	var all []string
	for _, e := range events {
		raw, _ := json.Marshal(e) // maps of words and numbers
		all = append(all, string(raw))
	}
	return []byte("[" + strings.Join(all, ",\r\n") + "]\r\n")
}

// postEvents plays SendGrid's part.
func (w *world) postEvents(body []byte, s *delivertest.Signer, at time.Time) int {
	w.t.Helper()
	timestamp, signature, err := s.Sign(body, at)
	w.must(err)
	return w.postRaw(body, timestamp, signature)
}

func (w *world) postRaw(body []byte, timestamp, signature string) int {
	w.t.Helper()
	r := httptest.NewRequest(http.MethodPost, door, strings.NewReader(string(body)))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(email.TimestampHeader, timestamp)
	r.Header.Set(email.SignatureHeader, signature)
	answer := httptest.NewRecorder()
	w.doors.ServeHTTP(answer, r)
	return answer.Code
}

func (w *world) happens(events ...happening) {
	w.t.Helper()
	if got := w.postEvents(batch(events...), w.signer, time.Now()); got != http.StatusNoContent {
		w.t.Fatalf("%v: %d", events, got)
	}
}

// ended records what its sender heard of a message.
func (w *world) ended(c store.Claimed, state store.DeliveryState, providerID string) {
	w.t.Helper()
	w.must(w.RecordOutcome(w.t.Context(), store.Outcome{AccountID: "acme", DeliveryID: c.ID, Attempt: 1, WorkerID: "w1", State: state, Class: "timeout",
		Provider: "sendgrid", ProviderID: providerID, StartedAt: time.Now(), FinishedAt: time.Now(), Address: ann}))
}

// TestWhatSendGridReportsMovesTheMail: every event, in any order and again, settles what is unknown and ends at the highest that was heard.
func TestWhatSendGridReportsMovesTheMail(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id, claimed := w.sendingTo(deliver.Email, "c1", ann)
	mail := claimed[0].ID
	w.ended(claimed[0], store.Unknown, "")
	for _, step := range []struct {
		event happening
		want  store.DeliveryState
	}{
		{of(mail, "open", ann), store.Unknown}, {of(mail, "click", ann, "url", "https://acme.example"), store.Unknown}, {of(mail, "what is new", ann), store.Unknown},
		{of(mail, "Processed", ann, "timestamp", "1513299569"), store.Sent}, {of(mail, "deferred", ann, "response", "400 try again later"), store.Sent},
		{of(mail, "delivered", ann), store.Delivered}, {of(mail, "processed", ann), store.Delivered}, {of(mail, "delivered", ann), store.Delivered},
		{of(mail, "bounce", ann, "type", "blocked", "status", "5.7.1", "reason", "554 5.7.1 <"+ann+"> not welcome", "bounce_classification", "Reputation"), store.Failed},
		{of(mail, "delivered", ann), store.Failed},
	} {
		w.happens(step.event)
		if d := w.state(id); d.State != step.want || step.want != store.Unknown && (d.Provider != "sendgrid" || d.ProviderID != "sg9") {
			t.Errorf("after %s it is %s by %s %q, want %s", step.event["event"], d.State, d.Provider, d.ProviderID, step.want)
		}
	}
	d := w.state(id)
	if len(d.Attempts) != 1 || d.Attempts[0].Class != "blocked" || d.Attempts[0].Status != 554 || !strings.Contains(d.Detail, "does not trust the sender") {
		t.Errorf("it says too little: %+v", d)
	}
	if since := time.Since(d.ReportedAt); since < 30*time.Second || since > 5*time.Minute {
		t.Errorf("reported at %s, which is not when it happened", d.ReportedAt)
	}
	if next, more := w.sendingTo(deliver.Email, "c2", ann); len(more) != 1 {
		t.Errorf("what is blocked for now is not sent again: %+v", w.state(next))
	}
	if line := w.log.String(); strings.Contains(line, "@") || strings.Contains(line, "welcome") || !strings.Contains(line, mail) || !strings.Contains(line, `"was":"unknown"`) {
		t.Errorf("the log: %s", line)
	}
}

// TestAMailIsKnownByWhatIsHandedBack: by our id, by the id that SendGrid's answer gave, or, where SendGrid was the SMTP server, by our Message-ID.
func TestAMailIsKnownByWhatIsHandedBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, c := range map[string]func(id string) happening{
		"our id, without theirs": func(id string) happening { return of(id, "delivered", ann, "sg_message_id", nil, "smtp-id", nil) },
		"what is no id": func(string) happening {
			return of("", "delivered", ann, "sg_message_id", "sg-what is no id.recvd-5f54b.0")
		},
		"their id, as it is": func(string) happening {
			return of("", "delivered", ann, "sg_message_id", "sg-their-id-as-it-is.recvd-5f54b.0")
		},
		"our Message-ID": func(id string) happening {
			return of("", "delivered", ann, "sg_message_id", nil, "smtp-id", "<"+id+"@acme.example>")
		},
		"nothing of ours": func(string) happening {
			return of("", "delivered", ann, "sg_message_id", "other.x", "smtp-id", "<a@b>")
		},
		"another's id": func(string) happening { return of(uuid.NewString(), "delivered", ann, "sg_message_id", nil) },
	} {
		id, claimed := w.sendingTo(deliver.Email, name, ann)
		w.ended(claimed[0], store.Sent, "sg-"+strings.ReplaceAll(strings.ReplaceAll(name, " ", "-"), ",", ""))
		w.happens(c(claimed[0].ID), happening{"event": 7}, nil)
		want := store.Delivered
		if name == "nothing of ours" || name == "another's id" || name == "what is no id" { // which no id can be
			want = store.Sent
		}
		if d := w.state(id); d.State != want {
			t.Errorf("%s: it is %s, want %s", name, d.State, want)
		}
	}
}

// TestWhoIsNotWrittenToAnyMore: an address that is gone, or whose owner wants no more, is left out of the next mail; the later word counts, whenever
// it is heard, and so does a person's.
func TestWhoIsNotWrittenToAnyMore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	hour := func(n int) int64 { return time.Now().Add(-time.Duration(n) * time.Hour).Unix() }
	for name, c := range map[string]struct {
		events []func(mail, address string) happening
		want   reason.Code
	}{
		"came back for good": {[]func(mail, address string) happening{
			func(m, a string) happening {
				return of(m, "bounce", a, "type", "bounce", "reason", "550 5.1.1 no such user")
			}}, reason.Bounced},
		"came back for now": {[]func(mail, address string) happening{
			func(m, a string) happening { return of(m, "bounce", a, "type", "blocked") }}, ""},
		"came back, who knows why": {[]func(mail, address string) happening{
			func(m, a string) happening { return of(m, "bounce", a, "status", "5.0.0") }}, ""},
		"dropped: bounced before": {[]func(mail, address string) happening{
			func(m, a string) happening { return of(m, "dropped", a, "reason", "Bounced Address") }}, reason.Bounced},
		"dropped: unsubscribed": {[]func(mail, address string) happening{
			func(m, a string) happening { return of(m, "dropped", a, "reason", "Unsubscribed Address") }}, reason.OptedOut},
		"dropped: no credits": {[]func(mail, address string) happening{
			func(m, a string) happening { return of(m, "dropped", a, "reason", "Recipient List over Package Quota") }}, ""},
		"calls it spam": {[]func(mail, address string) happening{
			func(m, a string) happening { return of(m, "delivered", a) }, func(m, a string) happening { return of(m, "spamreport", a) }}, reason.OptedOut},
		"unsubscribes, in capitals": {[]func(mail, address string) happening{
			func(m, a string) happening { return of(m, "unsubscribe", strings.ToUpper(a)) }}, reason.OptedOut},
		"thinks better of it": {[]func(mail, address string) happening{
			func(m, a string) happening { return of(m, "group_unsubscribe", a, "timestamp", hour(3)) },
			func(m, a string) happening { return of(m, "group_resubscribe", a, "timestamp", hour(2)) },
			func(m, a string) happening { return of(m, "group_unsubscribe", a, "timestamp", hour(3)) }}, ""},
		"opted out, and came back": {[]func(mail, address string) happening{
			func(m, a string) happening { return of(m, "unsubscribe", a, "timestamp", hour(3)) },
			func(m, a string) happening { return of(m, "bounce", a, "type", "bounce") }}, reason.OptedOut},
	} {
		address := "to." + strconv.Itoa(len(name)) + strings.ReplaceAll(name, " ", ".") + "@example.com"
		_, claimed := w.sendingTo(deliver.Email, name+" 1", address)
		w.ended(claimed[0], store.Sent, "")
		for _, e := range c.events {
			w.happens(e(claimed[0].ID, address))
		}
		id, _ := w.sendingTo(deliver.Email, name+" 2", address)
		want := store.Skipped
		if c.want == "" {
			want = store.Sending
		}
		if d := w.state(id); d.State != want || d.Reason != c.want {
			t.Errorf("%s: the next mail is %s as %q, want %s as %q", name, d.State, d.Reason, want, c.want)
		}
		if other, _ := w.sendingTo(deliver.SMS, name+" 3", address); w.state(other).State != store.Sending {
			t.Errorf("%s: texts stopped, too", name)
		}
	}
	if line := w.log.String(); strings.Contains(strings.ToLower(line), "example.com") {
		t.Errorf("the log: %s", line)
	}
}

// TestAPersonHasAnAddressWrittenToAgain, and what SendGrid says again of the time before does not count.
func TestAPersonHasAnAddressWrittenToAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, claimed := w.sendingTo(deliver.Email, "c1", ann, bob)
	w.ended(claimed[0], store.Sent, "")
	back := []happening{of(claimed[0].ID, "bounce", ann, "type", "bounce"), of(claimed[0].ID, "bounce", bob, "type", "bounce")}
	w.happens(back...)
	if id, more := w.sendingTo(deliver.Email, "c2", ann, bob); len(more) != 0 || w.state(id).Reason != reason.Bounced {
		t.Errorf("both came back, and still: %+v", more)
	}
	by := store.Actor{Name: "Maria"}
	w.must(w.Unsuppress(t.Context(), by, "acme", deliver.Email, ann))
	if err := w.Unsuppress(t.Context(), by, "acme", deliver.Email, ann); err == nil {
		t.Error("lifted twice")
	}
	w.happens(back...)
	_, more := w.sendingTo(deliver.Email, "c3", ann, bob)
	if len(more) != 1 || more[0].LeaveOut[ann] != "" || more[0].LeaveOut[bob] != reason.Bounced {
		t.Errorf("to ann again, not to bob: %+v", more)
	}
	w.happens(of(claimed[0].ID, "bounce", ann, "type", "bounce", "timestamp", time.Now().Unix()+1))
	if _, more := w.sendingTo(deliver.Email, "c4", ann); len(more) != 0 {
		t.Error("it came back once more, and is sent all the same")
	}
	acts, _, err := w.FindActs(t.Context(), store.ActQuery{What: store.ActUnsuppressed})
	if err != nil || len(acts) != 1 || acts[0].By.Name != "Maria" || strings.Contains(fmt.Sprint(acts), "@") {
		t.Errorf("the audit log: %+v, %v", acts, err)
	}
}

func TestWhatIsNotSendGridsIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id, claimed := w.sendingTo(deliver.Email, "c1", ann)
	stranger, err := delivertest.NewSigner()
	w.must(err)
	body, now := batch(of(claimed[0].ID, "processed", ann)), time.Now()
	timestamp, signature, err := w.signer.Sign(body, now)
	w.must(err)
	moved := append([]byte(timestamp[9:]), body...)
	for name, c := range map[string]struct{ got, want int }{
		"no signature":                     {w.postRaw(body, timestamp, ""), 401},
		"no timestamp":                     {w.postRaw(body, "", signature), 401},
		"another body":                     {w.postRaw(batch(of(claimed[0].ID, "delivered", ann)), timestamp, signature), 401},
		"without the last line break":      {w.postRaw(body[:len(body)-2], timestamp, signature), 401},
		"another moment":                   {w.postRaw(body, strconv.FormatInt(now.Unix()+1, 10), signature), 401},
		"a digit moved into the body":      {w.postRaw(moved, timestamp[:9], signature), 401},
		"something behind the signature":   {w.postRaw(body, timestamp, signature+"="), 401},
		"another's key":                    {w.postEvents(body, stranger, now), 401},
		"of the day before yesterday":      {w.postEvents(body, w.signer, now.Add(-26*time.Hour)), 401},
		"of the hour to come":              {w.postEvents(body, w.signer, now.Add(time.Hour)), 401},
		"no batch":                         {w.postEvents([]byte(`{"event": "delivered"}`), w.signer, now), 400},
		"nothing":                          {w.postEvents([]byte(`null`), w.signer, now), 400},
		"too much":                         {w.postEvents(append(body, make([]byte, 1<<20)...), w.signer, now), 413},
		"an empty batch":                   {w.postEvents([]byte("[]"), w.signer, now), 204},
		"whatever may stand in a batch":    {w.postEvents([]byte(`[null, 7, "x", [], {}, {"event": {}, "email": 7, "timestamp": "soon"}]`), w.signer, now), 204},
		"of yesterday, by the key to come": {w.postEvents(batch(of(uuid.NewString(), "processed", ann)), w.next, now.Add(-23*time.Hour)), 204},
	} {
		if c.got != c.want {
			t.Errorf("%s: %d, want %d", name, c.got, c.want)
		}
	}
	if d := w.state(id); d.State != store.Sending || d.Reported != "" {
		t.Errorf("it is %s, reported %q", d.State, d.Reported)
	}
}
