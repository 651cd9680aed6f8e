// Package delivertest is what a channel is tested with: a conformance suite that every channel passes, and real local
// servers that stand in for providers.
//
// It owns Run, SendGrid, Twilio and Salesforce (HTTP servers with the wire formats of mail/send, Messages and the Connect API), Push (a
// push service, with browsers that decrypt), what these have in common (provider.go), and SMTP (a mail server). The servers listen on loopback, judge what they are given as strictly as
// the real ones, record it, and misbehave on demand.
//
// It promises that what a server recorded really arrived, and that a fault is exactly the one that was asked for. It is
// used by tests and trial runs, never by the product.
package delivertest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aftercall/deliver"
)

// Situation is what a provider does to a channel in the suite.
type Situation string

// The situations.
const (
	Accepts     Situation = "accepts"
	RateLimited Situation = "rate limited"
	Failing     Situation = "failing"      // the provider's own fault, said so
	Refuses     Situation = "refuses"      // the message is at fault
	NoAccess    Situation = "no access"    // the key is wrong
	Unreachable Situation = "unreachable"  // nobody listens
	Silent      Situation = "silent"       // took everything, never answers
	Cut         Situation = "cut"          // took everything, hangs up
	HugeAnswer  Situation = "huge answer"  // refuses, with megabytes
	LateAnswer  Situation = "late answer"  // accepts after the caller's deadline
	EchoesInput Situation = "echoes input" // refuses, and repeats the message and the credentials in its answer
)

// Rig is a channel in front of a provider in one situation.
type Rig struct {
	Channel    deliver.Channel
	Received   func() []Copy          // what the provider had whole, in that order
	Secrets    []string               // what must not be in any error: keys, passwords
	Shape      func(*deliver.Message) // makes the suite's e-mail one of the channel's messages; nil leaves it
	Once       bool                   // a delivery that is handed over again changes nothing, so that what is uncertain is tried again
	Huge       Fate                   // of a message with megabytes of text
	Impossible string                 // why the channel cannot meet the situation; nothing else is set then
}

// Copy is a message as a provider has it.
type Copy struct {
	Delivery string // the delivery it names
	Key      string // by which the provider, or whoever looks there, tells a repeat from another message
	Text     string
}

// Fate is what becomes of a message with megabytes of text.
type Fate int

// The fates.
const (
	Whole     Fate = iota // it arrives as it was written
	Shortened             // its beginning arrives
	TooLong               // it is refused before it goes out
)

// ids are the deliveries of what the provider has.
func (r Rig) ids() (all []string) {
	for _, c := range r.Received() {
		all = append(all, c.Delivery)
	}
	return all
}

// message is the suite's message as the channel takes it.
func (r Rig) message(deliveryID string) deliver.Message {
	m := Message(deliveryID)
	if r.Shape != nil {
		r.Shape(&m)
	}
	return m
}

// Factory builds a rig, which says so if the channel cannot meet the situation. Every channel meets Accepts.
type Factory func(t *testing.T, s Situation) Rig

// want is what the suite expects in a situation.
var want = []struct {
	in       Situation
	verdict  deliver.Verdict // "" for a receipt
	received bool            // whether the provider had the message
	patient  bool            // tried again only after a minute or more
}{
	{in: Accepts, received: true},
	{in: RateLimited, verdict: deliver.Retry},
	{in: Failing, verdict: deliver.Retry},
	{in: Refuses, verdict: deliver.Refused},
	{in: NoAccess, verdict: deliver.Retry, patient: true},
	{in: Unreachable, verdict: deliver.Retry},
	{in: Silent, verdict: deliver.Unknown, received: true},
	{in: Cut, verdict: deliver.Unknown, received: true},
	{in: HugeAnswer, verdict: deliver.Refused},
	{in: LateAnswer, verdict: deliver.Unknown, received: true},
	{in: EchoesInput, verdict: deliver.Refused},
}

// Message is the message that the suite sends; every string in it that is personal is told apart by "canary".
func Message(deliveryID string) deliver.Message {
	return deliver.Message{
		DeliveryID: deliveryID, Attempt: 1, AccountID: "acme", ConversationID: "call-1", AutomationID: "callback-requested",
		Channel: deliver.Email,
		From:    deliver.Address{Name: "Acme Clinic", Address: "calls@acme.example"},
		To:      []deliver.Address{{Name: "Pat Canary", Address: "pat.canary@example.com"}},
		Subject: "Callback canary", Text: "The canary wants a call back.", HTML: "<p>The canary wants a call back.</p>",
	}
}

// Run holds a channel against every situation its factory knows, and logs the others with the reason.
func Run(t *testing.T, build Factory) {
	t.Helper()
	for _, w := range want {
		t.Run(string(w.in), func(t *testing.T) {
			t.Parallel()
			r, ok := inSituation(t, build, w.in)
			if !ok {
				return
			}
			id := "0190-" + strings.ReplaceAll(string(w.in), " ", "-")
			err := send(t, r, r.message(id))
			judge(t, err, r.uncertain(w.verdict), w.patient)
			keepsSecrets(t, err, r.Secrets)
			if got := slices.Contains(r.ids(), id); got != w.received {
				t.Errorf("the provider had the message: %t, want %t", got, w.received)
			}
		})
	}
	for name, story := range map[string]struct {
		in   Situation
		tell func(*testing.T, Rig)
	}{
		"cancelled before it began":            {Accepts, cancelledBefore},
		"cancelled while the provider has it":  {Silent, cancelledDuring},
		"the same delivery twice, and another": {Accepts, twice},
		"a huge message":                       {Accepts, huge},
		"many at once":                         {Accepts, manyAtOnce},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if r, ok := inSituation(t, build, story.in); ok {
				story.tell(t, r)
			}
		})
	}
}

// inSituation builds a rig; ok is false, and the reason logged, if the channel cannot meet the situation.
func inSituation(t *testing.T, build Factory, s Situation) (r Rig, ok bool) {
	t.Helper()
	r = build(t, s)
	switch {
	case r.Impossible == "":
		return r, true
	case s == Accepts:
		t.Fatalf("the channel has nothing that accepts: %s", r.Impossible)
	}
	t.Logf("%q does not apply: %s", s, r.Impossible)
	return r, false
}

// uncertain is the verdict of a channel where another would say verdict: whoever can repeat harmlessly is certain.
func (r Rig) uncertain(verdict deliver.Verdict) deliver.Verdict {
	if r.Once && verdict == deliver.Unknown {
		return deliver.Retry
	}
	return verdict
}

func cancelledBefore(t *testing.T, r Rig) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := r.Channel.Send(ctx, r.message("0190-cancelled"))
	if err != nil { // a channel inside this machine may well not look at the context
		judge(t, err, deliver.Retry, false)
	}
	if got := len(r.Received()); (err == nil) != (got == 1) {
		t.Errorf("error %v, and the provider had %d messages", err, got)
	}
}

// cancelledDuring ends the context, long before its deadline, when the provider has the message and has not answered.
func cancelledDuring(t *testing.T, r Rig) {
	ctx, cancel := context.WithTimeout(t.Context(), 15*sendWithin)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		_, err := r.Channel.Send(ctx, r.message("0190-cancelled-during"))
		ended <- err
	}()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for len(r.Received()) == 0 {
		select {
		case <-look.C:
		case err := <-ended:
			t.Fatalf("Send came back before its provider answered: %v", err)
		}
	}
	cancel()
	select {
	case err := <-ended:
		judge(t, err, r.uncertain(deliver.Unknown), false)
		keepsSecrets(t, err, r.Secrets)
	case <-time.After(sendWithin):
		t.Error("Send goes on after it was cancelled")
	}
}

// twice hands one delivery over twice, as it is when an answer was lost, and then another one.
func twice(t *testing.T, r Rig) {
	for _, id := range []string{"0190-twice", "0190-twice", "0190-another"} {
		judge(t, send(t, r, r.message(id)), "", false)
	}
	wanted := []string{"0190-twice", "0190-twice", "0190-another"}
	if r.Once {
		wanted = wanted[1:]
	}
	got := r.Received()
	if ids := r.ids(); !slices.Equal(ids, wanted) {
		t.Fatalf("received %v, want %v", ids, wanted)
	}
	first, again, other := got[0].Key, got[len(got)-2].Key, got[len(got)-1].Key
	if first == "" || again != first || other == first {
		t.Errorf("the keys are %q, again %q, and of another delivery %q; a repeat must be known by its key", first, again, other)
	}
}

// huge hands over a message with some four million characters.
func huge(t *testing.T, r Rig) {
	m := r.message("0190-huge")
	m.Text = strings.Repeat("The canary wants a call back.\n", 1<<17) + "That is all."
	err := sendIn(t, r, m, 15*sendWithin)
	if r.Huge == TooLong {
		judge(t, err, deliver.Refused, false)
		keepsSecrets(t, err, r.Secrets)
		if n := len(r.Received()); n != 0 {
			t.Errorf("the provider had %d messages", n)
		}
		return
	}
	judge(t, err, "", false)
	got := r.Received()
	if len(got) != 1 {
		t.Fatalf("the provider had %d messages, want 1", len(got))
	}
	text := strings.ReplaceAll(got[0].Text, "\r\n", "\n")
	if r.Huge == Whole && text != m.Text {
		t.Errorf("of %d characters %d arrived, or others", len(m.Text), len(text))
	}
	if r.Huge == Shortened && (!strings.HasPrefix(text, "The canary wants") || len(text) > len(m.Text)/100) {
		t.Errorf("%d characters arrived, want a short beginning", len(text))
	}
}

// sendWithin is the deadline that the suite gives a send; a channel must come back soon after it.
const sendWithin = 2 * time.Second

func send(t *testing.T, r Rig, m deliver.Message) error {
	t.Helper()
	return sendIn(t, r, m, sendWithin)
}

func sendIn(t *testing.T, r Rig, m deliver.Message, within time.Duration) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	began := time.Now()
	receipt, err := r.Channel.Send(ctx, m)
	if took := time.Since(began); took > 2*within {
		t.Errorf("Send took %v with a deadline of %v", took, within)
	}
	if err == nil && receipt.Provider == "" {
		t.Error("the receipt names no provider")
	}
	return err
}

func judge(t *testing.T, err error, verdict deliver.Verdict, patient bool) {
	t.Helper()
	if verdict == "" {
		if err != nil {
			t.Errorf("Send: %v, want a receipt", err)
		}
		return
	}
	var e *deliver.Error
	if !errors.As(err, &e) {
		t.Fatalf("Send: %v (%T), want a *deliver.Error", err, err)
	}
	if e.Verdict != verdict {
		t.Errorf("verdict = %v (%v), want %v", e.Verdict, e, verdict)
	}
	if e.Class == "" {
		t.Errorf("%v has no class", e)
	}
	if patient && e.After < time.Minute {
		t.Errorf("tried again after %v; a key is not mended that fast", e.After)
	}
}

// keepsSecrets checks that an error can be stored, logged and shown.
func keepsSecrets(t *testing.T, err error, secrets []string) {
	t.Helper()
	if err == nil {
		return
	}
	said := strings.ToLower(fmt.Sprintf("%v %+v %#v", err, err, err))
	for _, s := range append([]string{"canary", "@", "127.0.0.1"}, secrets...) {
		if strings.Contains(said, strings.ToLower(s)) {
			t.Errorf("the error gives away %q: %s", s, said)
		}
	}
}

func manyAtOnce(t *testing.T, r Rig) {
	const n = 40
	var all sync.WaitGroup
	wanted := make([]string, n)
	for i := range n {
		wanted[i] = fmt.Sprintf("0190-many-%02d", i)
		all.Go(func() {
			// A busy machine may take its time over forty; whether all arrive is the question.
			if err := sendIn(t, r, r.message(wanted[i]), 15*sendWithin); err != nil {
				t.Errorf("send %d: %v", i, err)
			}
		})
	}
	all.Wait()
	got := slices.Sorted(slices.Values(r.ids()))
	if !slices.Equal(got, wanted) {
		t.Errorf("received %v, want each of %d once", got, n)
	}
}
