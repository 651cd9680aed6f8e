package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"aftercall/deliver"
	"aftercall/internal/store"
	"aftercall/reason"
	"aftercall/recipients"
)

func TestClaimHandsOutWhatASendNeeds(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	p := h.plan(h.accept(t, h.arrival(phoneCall("c1"))).ConversationID, 3)
	p.Deliveries[1].DueAt = time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond)
	p.Deliveries[2].DeadlineAt = time.Now().Add(-time.Second)
	h.save(t, p)
	claimed := h.claim(t, p.ConversationID, "w1")
	if len(claimed) != 1 {
		t.Fatalf("claimed %+v", claimed)
	}
	c := claimed[0]
	if c.ID != p.Deliveries[0].ID || c.ExternalID != "c1" || c.Attempt != 1 || c.Content.Text == "" || c.AccountID != "acme" ||
		c.Contact != (recipients.ContactRecord{Name: "Ann Example", Email: "Ann@Example.com", Number: "+44 7700 900123"}) {
		t.Errorf("claimed %+v", c)
	}
	story := h.story(t, p.ConversationID)
	if late := story.Deliveries[2]; late.State != store.Failed || late.Reason != reason.TooLate {
		t.Errorf("past its deadline: %+v", late)
	}
	if at, ok, err := h.NextDue(t.Context(), p.ConversationID, deliver.Email); err != nil || !ok || !at.Equal(p.Deliveries[1].DueAt) {
		t.Errorf("next due %v, %v, %v", at, ok, err)
	}
	if _, ok, err := h.NextDue(t.Context(), p.ConversationID, deliver.SMS); err != nil || ok {
		t.Errorf("next due on another channel: %v, %v", ok, err)
	}
	for _, test := range []struct {
		attempt int
		worker  string
		holds   bool
	}{{1, "w1", true}, {2, "w1", false}, {1, "w2", false}} {
		if holds, err := h.Holds(t.Context(), c.ID, test.attempt, test.worker); err != nil || holds != test.holds {
			t.Errorf("attempt %d of %s holds: %v, %v", test.attempt, test.worker, holds, err)
		}
	}
	h.balanced(t)
}

func TestClaimIsExclusive(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	second, err := store.Open(t.Context(), h.url, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	var conversations []string
	for n := range 20 {
		conversations = append(conversations, h.decided(t, fmt.Sprintf("c%d", n), 5).ConversationID)
	}
	var mu sync.Mutex
	holder := map[string]string{}
	var all sync.WaitGroup
	for n := range 8 {
		worker := fmt.Sprintf("w%d", n)
		from := []*store.Store{h.Store, second}[n%2]
		all.Go(func() {
			for _, id := range conversations {
				claimed, err := from.Claim(t.Context(), id, deliver.Email, worker, time.Now(), nil)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				for _, c := range claimed {
					if holder[c.ID] != "" {
						t.Errorf("%s claimed by %s and %s", c.ID, holder[c.ID], worker)
					}
					holder[c.ID] = worker
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if len(holder) != 100 {
		t.Errorf("%d of 100 deliveries claimed", len(holder))
	}
	for id, worker := range holder {
		if holds, err := h.Holds(t.Context(), id, 1, worker); err != nil || !holds {
			t.Errorf("%s does not hold %s: %v", worker, id, err)
		}
	}
	h.balanced(t)
}

// A claim whose commit was never answered was handed to nobody, so it must not stay in the ledger as sending.
func TestClaimThatNeverReturnedIsGivenBack(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(*house, *line) (conversation string, err error){
		"of a job": func(h *house, l *line) (string, error) {
			p := h.decided(t, "c1", 2)
			l.loseNextCommit()
			_, err := h.Claim(t.Context(), p.ConversationID, deliver.Email, "w1", time.Now(), nil)
			return p.ConversationID, err
		},
		"of a plan": func(h *house, l *line) (string, error) {
			p := h.plan(h.accept(t, h.arrival(phoneCall("c1"))).ConversationID, 2)
			p.Sender = store.Sender{WorkerID: "w1", Channels: map[string]bool{deliver.Email: true}}
			l.loseNextCommit()
			_, err := h.planner.Save(t.Context(), p)
			return p.ConversationID, err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, line := openBehind(t)
			id, err := lose(h, line)
			if !store.Away(err) {
				t.Fatalf("%v, want the database away", err)
			}
			back := 0
			for deadline := time.Now().Add(time.Minute); back == 0 && time.Now().Before(deadline); {
				back, _ = h.GiveBack(t.Context(), h.enqueueDelivers) // the lost commit may still be under way
			}
			_, delivers := h.asked()
			if want := (store.DeliverJob{AccountID: "acme", ConversationID: id, Channel: deliver.Email}); back != 2 || delivers[len(delivers)-1] != want {
				t.Fatalf("%d went back, jobs %+v", back, delivers)
			}
			claimed := h.claim(t, id, "w1")
			if len(claimed) != 2 || claimed[0].Attempt != 1 {
				t.Fatalf("claimed again: %+v", claimed)
			}
			for _, c := range claimed {
				h.record(t, outcome(c, "w1", store.Sent))
			}
			if back, err := h.GiveBack(t.Context(), h.enqueueDelivers); back != 0 || err != nil {
				t.Errorf("%d of a later claim went back: %v", back, err)
			}
			h.balanced(t)
		})
	}
}

// A worker whose lease lapsed while the database was away still knows that a claim nobody answered sent nothing.
func TestLostClaimThatWasDoubtedIsGivenBack(t *testing.T) {
	t.Parallel()
	h, line := openBehind(t)
	h.beat(t, "w1")
	p := h.decided(t, "c1", 2)
	line.loseNextCommit()
	if _, err := h.Claim(t.Context(), p.ConversationID, deliver.Email, "w1", time.Now(), nil); !store.Away(err) {
		t.Fatalf("%v, want the database away", err)
	}
	doubted := 0
	for deadline := time.Now().Add(time.Minute); doubted == 0 && time.Now().Before(deadline); {
		h.kill(t, "w1") // the lost commit may still be under way
		doubted = h.sweep(t).Unknown
		h.beat(t, "w1")
	}
	if doubted != 2 {
		t.Fatalf("%d doubted, want 2", doubted)
	}
	if back, err := h.GiveBack(t.Context(), h.enqueueDelivers); back != 2 || err != nil {
		t.Fatalf("%d went back: %v", back, err)
	}
	h.balanced(t)
	claimed := h.claim(t, p.ConversationID, "w1")
	if len(claimed) != 2 || claimed[0].Attempt != 2 {
		t.Fatalf("claimed again: %+v", claimed)
	}
	for _, c := range claimed {
		h.record(t, outcome(c, "w1", store.Sent))
	}
	h.balanced(t)
}

func TestRecordOutcome(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		before string // done to the delivery behind the worker's back
		told   store.DeliveryState
		change func(*store.Outcome)
		want   store.DeliveryState
		fenced bool
	}{
		"sent":                           {told: store.Sent, want: store.Sent},
		"to be tried again":              {told: store.Retrying, want: store.Retrying},
		"refused":                        {told: store.Failed, want: store.Failed},
		"not allowed":                    {told: store.Skipped, want: store.Skipped},
		"held":                           {told: store.Held, want: store.Held},
		"no answer":                      {told: store.Unknown, want: store.Unknown},
		"doubted meanwhile, but sent":    {before: doubt, told: store.Sent, want: store.Sent},
		"doubted meanwhile, and refused": {before: doubt, told: store.Failed, want: store.Failed},
		"doubted meanwhile, and unsent":  {before: doubt, told: store.Retrying, want: store.Retrying},
		"of an earlier attempt":          {before: "UPDATE deliveries SET attempt = 2", told: store.Sent, want: store.Sending, fenced: true},
		"of another worker":              {told: store.Sent, change: func(o *store.Outcome) { o.WorkerID = "w2" }, want: store.Sending, fenced: true},
		"of another account":             {told: store.Sent, change: func(o *store.Outcome) { o.AccountID = "other" }, want: store.Sending, fenced: true},
		"of a delivery that is settled":  {before: "UPDATE deliveries SET state = 'cancelled'", told: store.Sent, want: store.Cancelled, fenced: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t, store.Options{})
			p := h.decided(t, "c1", 1)
			c := h.claim(t, p.ConversationID, "w1")[0]
			if test.before != "" {
				h.exec(t, test.before)
			}
			o := outcome(c, "w1", test.told)
			if test.change != nil {
				test.change(&o)
			}
			for range 2 { // the second time says what has been recorded already
				if err := h.RecordOutcome(t.Context(), o); errors.Is(err, store.ErrFenced) != test.fenced || (err != nil) != test.fenced {
					t.Errorf("recorded: %v, want fenced %v", err, test.fenced)
				}
			}
			d := h.story(t, p.ConversationID).Deliveries[0]
			if d.State != test.want {
				t.Errorf("state %s, want %s", d.State, test.want)
			}
			if !test.fenced && (len(d.Attempts) != 1 || d.Attempts[0].State != test.told || d.Address != "team@acme.example") {
				t.Errorf("delivery %+v", d)
			}
			if n := len(h.claim(t, p.ConversationID, "w2")); n != 0 && test.told != store.Retrying {
				t.Errorf("claimed %d deliveries again", n)
			}
		})
	}
}

// doubt is what a sweep does.
const doubt = `WITH d AS (UPDATE deliveries SET state = 'unknown' RETURNING *) INSERT INTO attempts
	SELECT id, attempt, account_id, worker_id, 'unknown', 'worker_lost', 0, '', '', '', claimed_at, now() FROM d`

func TestRecordOutcomeRefusesNonsense(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	c := h.claim(t, h.decided(t, "c1", 1).ConversationID, "w1")[0]
	for name, o := range map[string]store.Outcome{
		"still sending":           outcome(c, "w1", store.Sending),
		"retrying without a time": {AccountID: "acme", DeliveryID: c.ID, Attempt: 1, WorkerID: "w1", State: store.Retrying},
	} {
		if err := h.RecordOutcome(t.Context(), o); err == nil {
			t.Errorf("%s was recorded", name)
		}
	}
}

// A receipt outlives a database restart: it is kept and written when the database is back.
func TestRecordOutcomeWaitsForTheDatabase(t *testing.T) {
	t.Parallel()
	h, line := openBehind(t)
	p := h.decided(t, "c1", 3)
	claimed := h.claim(t, p.ConversationID, "w1")
	line.cut()
	errs := make(chan error, len(claimed))
	for _, c := range claimed[:2] {
		go func() { errs <- h.RecordOutcome(context.Background(), outcome(c, "w1", store.Sent)) }()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := h.RecordOutcome(ctx, outcome(claimed[2], "w1", store.Sent)); err == nil {
		t.Error("recorded without a database")
	}
	line.mend()
	for range 2 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	h.record(t, outcome(claimed[2], "w1", store.Sent))
	if tally := h.balanced(t); tally.Deliveries[store.Sent] != 3 {
		t.Errorf("tally %+v", tally)
	}
}

func TestRecordOutcomeEndsWithTheStore(t *testing.T) {
	t.Parallel()
	h, line := openBehind(t)
	c := h.claim(t, h.decided(t, "c1", 1).ConversationID, "w1")[0]
	line.cut()
	done := make(chan error, 1)
	go func() { done <- h.RecordOutcome(context.Background(), outcome(c, "w1", store.Sent)) }()
	h.Close()
	if err := <-done; !store.Away(err) {
		t.Errorf("recorded: %v", err)
	}
	if _, err := h.ingest.Accept(t.Context(), h.arrival(phoneCall("c2"))); !store.Away(err) {
		t.Errorf("a closed store accepted: %v", err)
	}
}
