package callbacks_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"aftercall/callbacks"
	"aftercall/conversation"
	"aftercall/deliver"
	"aftercall/deliver/delivertest"
	"aftercall/deliver/sms"
	"aftercall/internal/postgres/pgtest"
	"aftercall/internal/store"
	"aftercall/reason"
	"aftercall/triggers"
)

const (
	public   = "https://calls.acme.example/in"
	token    = "12345"
	customer = "+447700900123"
)

// world is one account's ledger with doors before it.
type world struct {
	*store.Store
	t            *testing.T
	revision     string
	doors        http.Handler
	log          *bytes.Buffer
	signer, next *delivertest.Signer // of SendGrid's events
}

func newWorld(t *testing.T) *world {
	t.Helper()
	s, err := store.Open(t.Context(), pgtest.New(t), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	w := &world{Store: s, t: t, log: &bytes.Buffer{}}
	w.signer, err = delivertest.NewSigner()
	w.must(err)
	w.next, err = delivertest.NewSigner()
	w.must(err)
	w.revision, err = s.SaveRevision(t.Context(), store.RevisionFiles{AccountID: "acme", Digest: "d", Format: 1, Files: map[string][]byte{"account.yaml": []byte("account: acme")}}, "test")
	w.must(err)
	_, err = s.Activate(t.Context(), store.Activation{AccountID: "acme", RevisionID: w.revision, By: "test"})
	w.must(err)
	desk, err := callbacks.New(callbacks.Config{Store: s, Known: func(account string) bool { return account == "acme" }, PublicURL: public + "/",
		Doors: append(callbacks.Twilio("next", token), callbacks.SendGrid(w.verification(w.next), w.verification(w.signer))), Logger: slog.New(slog.NewJSONHandler(w.log, nil))})
	w.must(err)
	mux := http.NewServeMux()
	for _, r := range desk.Routes() {
		mux.Handle(r.Pattern(), r.Handler)
	}
	w.doors = http.StripPrefix("/in", mux)
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// sending plans a text to the customer for a call and claims it.
func (w *world) sending(call string) (conversationID string, claimed []store.Claimed) {
	w.t.Helper()
	return w.sendingTo(deliver.SMS, call, customer)
}

// sendingTo plans a message to the customer for a call, by a channel, and claims it.
func (w *world) sendingTo(channel, call string, to ...string) (conversationID string, claimed []store.Claimed) {
	w.t.Helper()
	at := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
	kept, err := w.NewIngest(func(context.Context, pgx.Tx, []store.DecideJob) error { return nil }).Accept(w.t.Context(), store.Arrival{
		Event:        store.Event{AccountID: "acme", Source: "phone", Identity: call, Type: "call.ended", ContentType: "application/json", Body: []byte("{}"), ReceivedAt: at},
		Conversation: &conversation.Conversation{ExternalID: call, Channel: conversation.ChannelPhone, Status: conversation.Completed, StartedAt: at, EndedAt: at},
		RevisionID:   w.revision, DecideAt: at, Final: true})
	w.must(err)
	saved, err := w.NewPlanner(func(context.Context, pgx.Tx, []store.DeliverJob) error { return nil }).Save(w.t.Context(), &store.Plan{
		AccountID: "acme", ConversationID: kept.ConversationID, RevisionID: w.revision, Run: 1, Version: 1, State: store.StateDecided, Actions: map[string]int{"confirm": 1},
		Decisions: []triggers.Decision{{Automation: "confirm", Verdict: triggers.Fires, Reason: reason.Always}},
		Deliveries: []store.Delivery{{ID: uuid.NewString(), Automation: "confirm", Channel: channel, Recipient: "contact:customer", Customer: true,
			State: store.Planned, DueAt: at, DeadlineAt: time.Now().Add(time.Hour), Content: store.Content{Text: "Hello", To: []string{"contact:customer"}}}},
		Sender: store.Sender{WorkerID: "w1", Channels: map[string]bool{channel: true}, To: func(store.Claimed) []string { return to }},
	})
	w.must(err)
	return kept.ConversationID, saved.Claimed
}

// state is how the call's one text stands.
func (w *world) state(conversationID string) store.StoryDelivery {
	w.t.Helper()
	story, err := w.Story(w.t.Context(), "acme", conversationID)
	w.must(err)
	_, wrong, err := w.Audit(w.t.Context())
	if err != nil || len(wrong) > 0 {
		w.t.Errorf("the audit: %+v, %v", wrong, err)
	}
	return story.Deliveries[0]
}

func status(word, code string) url.Values {
	form := url.Values{"MessageSid": {"SM9"}, "SmsSid": {"SM9"}, "MessageStatus": {word}, "SmsStatus": {word}, "To": {customer}, "From": {"+442071838750"}, "AccountSid": {"AC1"}}
	if code != "" {
		form.Set("ErrorCode", code)
	}
	return form
}

// post plays Twilio's part at an address, signed as it is written there.
func (w *world) post(address string, form url.Values, signature string) int {
	w.t.Helper()
	if signature == "" {
		signature = sms.Sign(token, address, form)
	}
	r := httptest.NewRequest(http.MethodPost, strings.TrimPrefix(address, "https://calls.acme.example"), strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set(sms.SignatureHeader, signature)
	answer := httptest.NewRecorder()
	w.doors.ServeHTTP(answer, r)
	return answer.Code
}

func at(id string) string { return callbacks.TwilioReports(public)("acme", id) }

const inbound = public + "/callbacks/twilio/acme/messages"

func TestWhatTwilioReportsMovesTheText(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id, claimed := w.sending("c1")
	c := claimed[0]
	o := store.Outcome{AccountID: "acme", DeliveryID: c.ID, Attempt: 1, WorkerID: "w1", State: store.Unknown, Class: "timeout", StartedAt: time.Now(), FinishedAt: time.Now(), Address: customer}
	w.must(w.RecordOutcome(t.Context(), o))
	for _, step := range []struct {
		word, code string
		want       store.DeliveryState
	}{
		{"queued", "", store.Sent}, {"sent", "", store.Sent}, {"delivered", "", store.Delivered}, {"sent", "", store.Delivered}, {"delivered", "", store.Delivered},
		{"receiving", "", store.Delivered}, {"undelivered", "30003", store.Failed}, {"delivered", "", store.Failed},
	} {
		if got := w.post(at(c.ID), status(step.word, step.code), ""); got != http.StatusNoContent {
			t.Fatalf("%s: %d", step.word, got)
		}
		if d := w.state(id); d.State != step.want || d.ProviderID != "SM9" {
			t.Errorf("after %s it is %s by %q, want %s", step.word, d.State, d.ProviderID, step.want)
		}
	}
	d := w.state(id)
	if len(d.Attempts) != 1 || d.Attempts[0].Class != "unreachable" || d.Attempts[0].Status != 30003 || d.Detail == "" || d.ReportedAt.IsZero() {
		t.Errorf("it says too little: %+v", d)
	}
	if line := w.log.String(); strings.Contains(line, customer[1:]) || !strings.Contains(line, c.ID) || !strings.Contains(line, `"was":"unknown"`) {
		t.Errorf("the log: %s", line)
	}
}

func TestWhatIsNotTwiliosIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id, claimed := w.sending("c1")
	address, form := at(claimed[0].ID), status("delivered", "")
	other, _ := url.Parse(address)
	other.RawQuery = "delivery=" + uuid.NewString()
	for name, c := range map[string]struct {
		address, signature string
		form               url.Values
		want               int
	}{
		"no signature":         {address, "none", form, 401},
		"another form's":       {address, sms.Sign(token, address, status("sent", "")), form, 401},
		"another delivery's":   {address, sms.Sign(token, other.String(), form), form, 401},
		"another token's":      {address, sms.Sign("54321", address, form), form, 401},
		"an address inside":    {address, sms.Sign(token, strings.Replace(address, "https://calls.acme.example", "http://10.0.0.1:8080", 1), form), form, 401},
		"of no account":        {strings.Replace(address, "/acme/", "/umbra/", 1), "", form, 404},
		"too much":             {address, "", url.Values{"x": {strings.Repeat("a", 1<<20)}}, 413},
		"about nothing here":   {other.String(), "", form, 204},
		"about nothing at all": {strings.TrimSuffix(address, "?"+strings.SplitN(address, "?", 2)[1]), "", form, 204},
	} {
		if got := w.post(c.address, c.form, c.signature); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
	if d := w.state(id); d.State != store.Sending || d.Reported != "" {
		t.Errorf("it is %s, reported %q", d.State, d.Reported)
	}
}

// TestStopAndStart: who answers STOP gets no text any more, until START; whatever else they write changes nothing.
func TestStopAndStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n, step := range []struct {
		body string
		want store.DeliveryState
	}{
		{"Thank you", store.Sending}, {"HELP", store.Sending}, {"Stop.", store.Skipped}, {"stop", store.Skipped}, {"Why?", store.Skipped}, {"START", store.Sending},
	} {
		w.writes(fmt.Sprintf("SM8%d", n), step.body)
		id, _ := w.sending("c" + string(rune('a'+n)))
		d := w.state(id)
		if d.State != step.want || (d.Reason == reason.OptedOut) != (step.want == store.Skipped) {
			t.Errorf("after %q a text is %s as %q, want %s", step.body, d.State, d.Reason, step.want)
		}
	}
	if got := w.post(inbound, url.Values{"From": {customer}, "Body": {"STOP"}}, "none"); got != http.StatusUnauthorized {
		t.Errorf("a STOP that Twilio did not sign: %d", got)
	}
	if line := w.log.String(); strings.Contains(line, customer[1:]) || strings.Contains(line, "Thank you") {
		t.Errorf("the log: %s", line)
	}
}

// writes has the customer text something to the account, and Twilio post it.
func (w *world) writes(sid, body string) {
	w.t.Helper()
	form := url.Values{"MessageSid": {sid}, "From": {customer}, "To": {"+442071838750"}, "Body": {body}, "NumMedia": {"0"}}
	if got := w.post(inbound, form, ""); got != http.StatusNoContent {
		w.t.Fatalf("%s: %d", body, got)
	}
}

// TestAWordThatIsPostedAgainDoesNotCount: Twilio signs no time, so that what it has posted can be posted again for ever, by a proxy or
// from a log.
func TestAWordThatIsPostedAgainDoesNotCount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, claimed := w.sending("c1")
	refused := func() {
		w.t.Helper()
		if got := w.post(at(claimed[0].ID), status("failed", "21610"), ""); got != http.StatusNoContent {
			w.t.Fatal(got)
		}
	}
	for n, step := range []struct {
		does func()
		want store.DeliveryState
	}{
		{func() { w.writes("SM1", "START") }, store.Sending}, // yesterday, from nobody on the list
		{func() { w.writes("SM2", "STOP") }, store.Skipped},
		{func() { w.writes("SM1", "START") }, store.Skipped},
		{func() { w.writes("", "START") }, store.Skipped},
		{func() { w.writes("SM3", "START") }, store.Sending},
		{func() { w.writes("SM2", "STOP") }, store.Sending},
		{refused, store.Skipped},
		{func() { w.writes("SM4", "START") }, store.Sending},
		{refused, store.Sending},
		{func() { w.writes("", "STOP") }, store.Skipped},
	} {
		step.does()
		id, _ := w.sending(fmt.Sprintf("d%d", n))
		if d := w.state(id); d.State != step.want {
			t.Errorf("after step %d a text is %s as %q, want %s", n+1, d.State, d.Reason, step.want)
		}
	}
	if d := w.state(first); d.State != store.Sending || d.Reported != deliver.Lost {
		t.Errorf("the first text is %s, reported %q", d.State, d.Reported)
	}
}

// TestARefusalByWayOfAReportCounts: a messaging service says only afterwards that somebody has opted out.
func TestARefusalByWayOfAReportCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, claimed := w.sending("c1")
	if got := w.post(at(claimed[0].ID), status("failed", "21610"), ""); got != http.StatusNoContent {
		t.Fatal(got)
	}
	w.must(w.RecordOutcome(t.Context(), store.Outcome{AccountID: "acme", DeliveryID: claimed[0].ID, Attempt: 1, WorkerID: "w1", State: store.Sent, Provider: "twilio",
		ProviderID: "SM9", StartedAt: time.Now(), FinishedAt: time.Now()}))
	if d := w.state(first); d.State != store.Failed {
		t.Errorf("it is %s", d.State)
	}
	if id, more := w.sending("c2"); len(more) != 0 || w.state(id).Reason != reason.OptedOut {
		t.Errorf("the next one is sent: %+v", more)
	}
}
