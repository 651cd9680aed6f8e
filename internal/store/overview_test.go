package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"aftercall/internal/llm"
	"aftercall/internal/store"
	"aftercall/interview"
	"aftercall/reason"
	"aftercall/triggers"
)

func lookOver(t *testing.T, r *store.Reader) store.Overview {
	t.Helper()
	o, err := r.Overview(t.Context(), store.OverviewQuery{Now: time.Now(), Automations: []store.AutomationFired{
		{AccountID: "acme", Automation: "callback"}, {AccountID: "acme", Automation: "complaint"}, {AccountID: "umbra", Automation: "callback"}}})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// TestTheOverviewWalksItsIndexes.
func TestTheOverviewWalksItsIndexes(t *testing.T) {
	t.Parallel()
	h := filled(t)
	for _, name := range []string{
		"OverviewCalls, conversations_(?:pkey|by_account), id >=", "OverviewCalls, decisions_pkey, conversation_id =", "OverviewCalls, deliveries_key, conversation_id =",
		"OverviewTroubles, deliveries_moved, updated_at >=", "OverviewTroubles, attempts_pkey, delivery_id =",
		"OverviewWaiting, conversations_undecided_by_account, account_id =", "OverviewReview, decisions_unsure, account_id =",
		"OverviewReview, deliveries_(?:troubled|moved), state =", "OverviewModel, interviews_by_conversation, conversation_id =",
		"OverviewAutomations, decisions_fired_run, automation =", "OverviewAutomations, conversations_by_account, id >=",
		"LastActivation, activations_by_account, account_id =",
	} {
		h.boundBy(t, name, func(r *store.Reader) error {
			lookOver(t, r)
			return nil
		})
	}
}

func TestAnOverviewTellsHowItGoes(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	began := time.Now()
	h.afternoon(t)
	for _, kind := range []string{"rate_limited", ""} {
		id := h.accept(t, h.arrival(phoneCall("asked "+kind))).ConversationID
		_, err := h.Record(t.Context(), interview.Call{ConversationID: id, AccountID: "acme", RevisionID: h.revision, Part: "all/0", Valid: kind == "",
			ErrorKind: kind, At: time.Now(), Reply: llm.Reply{Model: "m"}})
		if err != nil {
			t.Fatal(err)
		}
	}
	later := h.arrival(phoneCall("later"))
	later.DecideAt, later.Final = time.Now().Add(time.Hour), false
	h.accept(t, later)
	o := lookOver(t, h.Within(store.Only("acme")))
	sum := store.Slice{}
	for _, s := range o.Slices {
		sum.Received, sum.Decided, sum.Fired = sum.Received+s.Received, sum.Decided+s.Decided, sum.Fired+s.Fired
		sum.Sent, sum.Failing = sum.Sent+s.Sent, sum.Failing+s.Failing
	}
	if want := (store.Slice{Received: 9, Decided: 5, Fired: 3, Sent: 1, Failing: 1}); sum != want || o.Capped {
		t.Errorf("%+v, want %+v", sum, want)
	}
	times := cmpopts.IgnoreTypes(time.Time{})
	for what, diff := range map[string]string{
		"troubles": cmp.Diff([]store.Trouble{{State: store.Failed, Channel: "email", Deliveries: 1}}, o.Troubles, times),
		"waiting":  cmp.Diff(store.Waiting{Calls: 3, OldestID: o.Waiting.OldestID}, o.Waiting, times),
		"review":   cmp.Diff(store.Review{Unsure: 1, Held: 1}, o.Review),
		"model":    cmp.Diff([]store.ModelAnswers{{Model: "m", ErrorKind: "rate_limited", Calls: 1}, {Model: "m", Valid: true, Calls: 1}}, o.Model, times),
		"config":   cmp.Diff(store.LastChange{AccountID: "acme", By: "test", Digest: "d1"}, o.Config, times),
		"automations": cmp.Diff([]store.AutomationFired{{AccountID: "acme", Automation: "callback"}, {AccountID: "acme", Automation: "complaint"}},
			o.Fired, times),
	} {
		if diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
	if last := o.Fired[0].Last; last.Before(began.Add(-time.Minute)) || !o.Fired[1].Last.IsZero() || o.Waiting.OldestAt.Before(began.Add(-time.Minute)) {
		t.Errorf("it fired last at %s, and what never did at %s", last, o.Fired[1].Last)
	}
	if other := lookOver(t, h.Within(store.Only("umbra"))); len(other.Troubles)+other.Waiting.Calls+other.Review.Held+len(other.Fired)-1 != 0 {
		t.Errorf("the other account: %+v", other)
	}
}

// TestAJumpShowsInTheFirings: thirty firings on thirty calls, after thirty on a hundred and twenty.
func TestAJumpShowsInTheFirings(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	for n := range 150 {
		p := h.plan(h.accept(t, h.arrival(phoneCall(time.Duration(n).String()))).ConversationID, 0)
		p.Actions = map[string]int{"callback": 0}
		if n < 120 && n%4 != 0 {
			p.Actions, p.Decisions[0] = nil, triggers.Decision{Automation: "callback", Verdict: triggers.No, Reason: reason.ConditionNotMet}
		}
		h.save(t, p)
	}
	if got := lookOver(t, h.Reader).Fired[0]; got.CallsNow != 30 || got.CallsBefore != 120 {
		t.Errorf("%+v, want 30 and 120", got)
	}
}

// TestTheFiguresAreBounded: of more calls than are looked at the newest count, and the page says since when.
func TestTheFiguresAreBounded(t *testing.T) {
	t.Parallel()
	h := filled(t)
	h.exec(t, `WITH n AS (SELECT g, now() - g * interval '0.1 seconds' AS at FROM generate_series(1, 2500) AS g)
		INSERT INTO conversations (id, account_id, source, external_id, revision_id, content, state, version, decide_at, decided_at, accepted_at,
			started_at, ended_at, channel, direction, status, agent_id, agent_name, customer_name, customer_email, customer_number, email_key, phone_key, far_phone_key)
		SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '70008000' || lpad(to_hex(g), 12, '0'))::uuid, 'acme', 'phone', 'new-' || g, $1::uuid,
			'{}', 'decided', 2, at, at, at, at, at, 'phone', 'inbound', 'completed', 'a', 'A', '', '', '', '', '', '' FROM n`, h.revision)
	o := lookOver(t, h.Reader)
	received := 0
	for _, s := range o.Slices {
		received += s.Received
	}
	if age := time.Since(o.Since); received != store.OverviewMost || !o.Capped || age < 150*time.Second || age > 10*time.Minute {
		t.Errorf("%d calls, capped %v, since %s", received, o.Capped, age)
	}
}
