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

// The situations. A factory gives no rig for those that its channel cannot meet.
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
	Channel  deliver.Channel
	Received func() []string        // delivery ids in the order in which the provider had them whole
	Secrets  []string               // what must not be in any error: keys, passwords
	Shape    func(*deliver.Message) // makes the suite's e-mail one of the channel's messages; nil leaves it
}

// message is the suite's message as the channel takes it.
func (r Rig) message(deliveryID string) deliver.Message {
	m := Message(deliveryID)
	if r.Shape != nil {
		r.Shape(&m)
	}
	return m
}

// Factory builds a rig; ok is false if the channel cannot meet the situation.
type Factory func(t *testing.T, s Situation) (r Rig, ok bool)

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

// Run holds a channel against every situation its factory knows.
func Run(t *testing.T, build Factory) {
	t.Helper()
	for _, w := range want {
		t.Run(string(w.in), func(t *testing.T) {
			t.Parallel()
			r, ok := build(t, w.in)
			if !ok {
				return
			}
			id := "0190-" + strings.ReplaceAll(string(w.in), " ", "-")
			err := send(t, r, r.message(id))
			judge(t, err, w.verdict, w.patient)
			keepsSecrets(t, err, r.Secrets)
			if got := slices.Contains(r.Received(), id); got != w.received {
				t.Errorf("the provider had the message: %t, want %t", got, w.received)
			}
		})
	}
	t.Run("cancelled before it began", func(t *testing.T) {
		t.Parallel()
		r, _ := build(t, Accepts)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := r.Channel.Send(ctx, r.message("0190-cancelled"))
		if err != nil { // a channel inside this machine may well not look at the context
			judge(t, err, deliver.Retry, false)
		}
		if got := len(r.Received()); (err == nil) != (got == 1) {
			t.Errorf("error %v, and the provider had %d messages", err, got)
		}
	})
	t.Run("many at once", func(t *testing.T) {
		t.Parallel()
		r, _ := build(t, Accepts)
		manyAtOnce(t, r)
	})
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
	got := slices.Sorted(slices.Values(r.Received()))
	if !slices.Equal(got, wanted) {
		t.Errorf("received %v, want each of %d once", got, n)
	}
}
