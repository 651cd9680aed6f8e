package store_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"aftercall/deliver"
	"aftercall/internal/store"
)

func reported(id string, f deliver.Fact) deliver.Report {
	r := deliver.Report{AccountID: "acme", DeliveryID: id, Provider: "twilio", ProviderID: "SM1", Fact: f, At: ended()}
	if f == deliver.Lost {
		r.Class, r.Status, r.Detail = "unreachable", 30003, "The handset is switched off."
	}
	return r
}

func (h *house) report(t *testing.T, r ...deliver.Report) []store.Reported {
	t.Helper()
	news, err := h.Report(t.Context(), r...)
	if err != nil {
		t.Fatal(err)
	}
	return news
}

// TestReportsInAnyOrder: whatever a provider reports, in whatever order and how often, before or after the sender says what it
// heard itself (or dies), the delivery ends where the last fact by rank puts it, and the ledger balances.
func TestReportsInAnyOrder(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	heard := [][]deliver.Fact{
		{deliver.Taken}, {deliver.Arrived}, {deliver.Lost},
		{deliver.Taken, deliver.Arrived}, {deliver.Arrived, deliver.Taken}, {deliver.Arrived, deliver.Arrived},
		{deliver.Taken, deliver.Lost}, {deliver.Lost, deliver.Taken}, {deliver.Arrived, deliver.Lost}, {deliver.Lost, deliver.Arrived},
	}
	h.beat(t, "w1", "dead")
	for n, own := range []store.DeliveryState{store.Sent, store.Unknown, store.Retrying, store.Sending} {
		worker := "w1"
		if own == store.Sending {
			worker = "dead"
		}
		p := h.decided(t, fmt.Sprintf("c%d", n), 3*len(heard))
		claimed := h.claim(t, p.ConversationID, worker)
		speak := func(c store.Claimed) {
			if own != store.Sending {
				h.record(t, outcome(c, worker, own))
			}
		}
		for i, facts := range heard {
			for before := range 3 {
				c := claimed[3*i+before]
				for k, f := range facts {
					if k == before {
						speak(c)
					}
					h.report(t, reported(c.ID, f))
				}
				if before >= len(facts) {
					speak(c)
				}
			}
		}
		if own == store.Sending {
			h.kill(t, "dead")
			if swept := h.sweep(t); swept.Unknown != 0 {
				t.Errorf("%d in doubt that a provider has reported on", swept.Unknown)
			}
		}
		for _, d := range h.story(t, p.ConversationID).Deliveries {
			i := slices.IndexFunc(claimed, func(c store.Claimed) bool { return c.ID == d.ID })
			facts := heard[i/3]
			want := slices.MaxFunc(facts, func(a, b deliver.Fact) int { return a.Rank() - b.Rank() })
			if string(d.State) != string(want) || want != deliver.Taken && d.Reported != want {
				t.Errorf("%s, then %v, own word after %d: %s, reported %q; want %s", own, facts, i%3, d.State, d.Reported, want)
			}
			if want == deliver.Lost && d.Detail == "" {
				t.Errorf("%s, then %v: it does not say why it was lost", own, facts)
			}
		}
		if again := h.claim(t, p.ConversationID, "w2"); len(again) != 0 {
			t.Errorf("%s: %d are sent again", own, len(again))
		}
	}
	h.balanced(t)
}

// TestReportsOfOthersAreNotTaken: of another account, of nothing, of what never went out, of what a person has dealt with.
func TestReportsOfOthersAreNotTaken(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	p := h.decided(t, "c1", 3)
	claimed := h.claim(t, p.ConversationID, "w1")
	h.record(t, outcome(claimed[0], "w1", store.Sent))
	h.record(t, outcome(claimed[1], "w1", store.Failed))
	waiting := h.plan(h.accept(t, h.arrival(phoneCall("c2"))).ConversationID, 1)
	waiting.Deliveries[0].DueAt = time.Now().Add(time.Hour)
	h.save(t, waiting)

	other := reported(claimed[0].ID, deliver.Arrived)
	other.AccountID = "umbra"
	for name, r := range map[string]deliver.Report{
		"another account's": other, "no delivery's": reported("0192f3a4-0000-7000-8000-000000000001", deliver.Arrived), "no id": reported("x", deliver.Arrived),
		"a refused one's": reported(claimed[1].ID, deliver.Arrived), "a planned one's": reported(waiting.Deliveries[0].ID, deliver.Arrived),
		"no news": reported(claimed[0].ID, deliver.Taken), "no fact": reported(claimed[0].ID, "read"),
	} {
		if news := h.report(t, r); len(news) != 0 {
			t.Errorf("%s was taken: %+v", name, news)
		}
	}
	nameless := reported(claimed[0].ID, deliver.Arrived)
	nameless.AccountID = ""
	want := store.Reported{DeliveryID: claimed[0].ID, AccountID: "acme", Channel: deliver.Email, Was: store.Sent, Is: store.Delivered}
	if news := h.report(t, reported(claimed[0].ID, deliver.Taken), nameless, reported(claimed[0].ID, deliver.Taken)); len(news) != 1 || news[0] != want {
		t.Errorf("of several the highest counts: %+v, want %+v", news, want)
	}
	h.record(t, outcome(claimed[2], "w1", store.Sent))
	h.balanced(t)
}
