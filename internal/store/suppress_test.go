package store_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aftercall/deliver"
	"aftercall/internal/store"
	"aftercall/reason"
)

// directly is where the e-mails of these tests go: their recipients are addresses.
func directly(c store.Claimed) (to []string) {
	for _, key := range c.Content.To {
		to = append(to, strings.TrimPrefix(key, "email:"))
	}
	return to
}

func optOut(address string) deliver.Suppression {
	return deliver.Suppression{AccountID: "acme", Channel: deliver.Email, Address: address, Reason: reason.OptedOut, Source: deliver.FromRecipient}
}

func (h *house) suppress(t *testing.T, all ...deliver.Suppression) {
	t.Helper()
	if err := h.Suppress(t.Context(), all...); err != nil {
		t.Fatal(err)
	}
}

// silence makes every query of reports and of what they suppress pass.
func (h *house) silence(t *testing.T) {
	t.Helper()
	again := optOut("team1@acme.example")
	again.Reason, again.Word = "", "W1"
	h.suppress(t, optOut("team0@acme.example"), again)
	p := h.decided(t, "c-silent", 2)
	claimed, err := h.Claim(t.Context(), p.ConversationID, deliver.Email, "w1", time.Now(), directly)
	if err != nil || len(claimed) != 1 {
		t.Fatalf("claimed %+v, %v", claimed, err)
	}
	h.record(t, outcome(claimed[0], "w1", store.Sent))
	mine := reported(claimed[0].ID, deliver.Arrived)
	mine.Suppress, mine.Address = reason.Bounced, "nobody@acme.example"
	theirs := mine
	theirs.DeliveryID = ""
	h.report(t, mine, theirs)
}

// TestWhoHasOptedOutIsSkippedByTheClaim, by the plan's own and by the queue's: nothing is handed out, and the ledger says why.
func TestWhoHasOptedOutIsSkippedByTheClaim(t *testing.T) {
	t.Parallel()
	for name, take := range map[string]func(*testing.T, *house, *store.Plan) []store.Claimed{
		"of the plan": func(t *testing.T, h *house, p *store.Plan) []store.Claimed {
			p.Sender = store.Sender{WorkerID: "w1", Channels: map[string]bool{deliver.Email: true}, To: directly}
			saved, err := h.planner.Save(t.Context(), p)
			if err != nil {
				t.Fatal(err)
			}
			return saved.Claimed
		},
		"of the queue": func(t *testing.T, h *house, p *store.Plan) []store.Claimed {
			h.save(t, p)
			claimed, err := h.Claim(t.Context(), p.ConversationID, deliver.Email, "w1", time.Now(), directly)
			if err != nil {
				t.Fatal(err)
			}
			return claimed
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t, store.Options{})
			h.account(t, "umbra")
			p := h.plan(h.accept(t, h.arrival(phoneCall("c1"))).ConversationID, 5)
			p.Deliveries[2].Content.To = []string{"team0@acme.example", "team2@acme.example"}
			bounced, again, foreign, text := optOut("team1@acme.example"), optOut("team3@acme.example"), optOut("team4@acme.example"), optOut("team4@acme.example")
			bounced.Reason, again.Reason, foreign.AccountID, text.Channel = reason.Bounced, "", "umbra", deliver.SMS
			h.suppress(t, optOut("Team0@Acme.example"), optOut("team0@acme.example"), bounced, optOut("team3@acme.example"), again, foreign, text)
			late := bounced
			late.Address = "team0@acme.example"
			h.suppress(t, late) // who has opted out has not bounced

			left := map[string]map[string]reason.Code{}
			for _, c := range take(t, h, p) {
				left[c.ID] = c.LeaveOut
				h.record(t, outcome(c, "w1", store.Sent))
			}
			if len(left) != 3 || left[p.Deliveries[2].ID]["team0@acme.example"] != reason.OptedOut || left[p.Deliveries[3].ID] != nil || left[p.Deliveries[4].ID] != nil {
				t.Errorf("claimed %v of %+v", left, p.Deliveries)
			}
			for _, d := range h.story(t, p.ConversationID).Deliveries {
				want := map[string]reason.Code{p.Deliveries[0].ID: reason.OptedOut, p.Deliveries[1].ID: reason.Bounced}[d.ID]
				if d.Reason != want || (d.State == store.Skipped) != (want != "") || want != "" && (d.Claims != 0 || len(d.Attempts) != 0) {
					t.Errorf("%s is %s as %q after %d claims, want %q", d.Recipient, d.State, d.Reason, d.Claims, want)
				}
			}
			h.balanced(t)
		})
	}
}

// TestAWordCountsOnce, by whomever it is heard again: it is another account's, and another channel's, only if they hear it themselves. What
// was not written down was not heard.
func TestAWordCountsOnce(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	h.account(t, "umbra")
	word := func(account, channel, id string, why reason.Code) deliver.Suppression {
		return deliver.Suppression{AccountID: account, Channel: channel, Address: "+447700900123", Reason: why, Source: deliver.FromRecipient, Word: id}
	}
	lost := word("acme", deliver.SMS, "W0", reason.TooLate)
	if err := h.Suppress(t.Context(), lost); err == nil {
		t.Fatal("a reason that is none was taken")
	}
	var twins sync.WaitGroup
	for range 4 {
		twins.Go(func() {
			if err := h.Suppress(t.Context(), word("acme", deliver.SMS, "W0", reason.OptedOut)); err != nil {
				t.Error(err)
			}
		})
	}
	twins.Wait()
	h.suppress(t, word("acme", deliver.SMS, "W1", ""), word("acme", deliver.SMS, "W0", reason.OptedOut),
		word("umbra", deliver.SMS, "W0", reason.OptedOut), word("acme", deliver.Email, "W0", reason.OptedOut))
	for where, want := range map[string]int{
		"suppressions WHERE account_id = 'acme' AND channel = 'sms' AND reason = ''":            1,
		"suppressions WHERE account_id = 'acme' AND channel = 'email' AND reason = 'opted_out'": 1,
		"suppressions WHERE account_id = 'umbra' AND reason = 'opted_out'":                      1,
		"heard_words WHERE octet_length(word) = 32":                                             4,
	} {
		if n := h.count(t, where); n != want {
			t.Errorf("%d %s, want %d", n, where, want)
		}
	}
}

// TestWordsOnAnAddressInEveryOrder lead to the same, also on a row of an older version.
func TestWordsOnAnAddressInEveryOrder(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	day := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	for name, words := range map[string]struct {
		said []reason.Code // an hour apart
		want reason.Code
	}{
		"lifted after it came back":                    {[]reason.Code{reason.OptedOut, reason.Bounced, ""}, ""},
		"came back after it was lifted":                {[]reason.Code{reason.OptedOut, "", reason.Bounced}, reason.Bounced},
		"opted out, and came back":                     {[]reason.Code{"", reason.OptedOut, reason.Bounced}, reason.OptedOut},
		"opted out of what came back and was lifted":   {[]reason.Code{reason.Bounced, "", reason.OptedOut}, reason.OptedOut},
		"an opt-out that was lifted, and nothing else": {[]reason.Code{reason.OptedOut, ""}, ""},
	} {
		for n, order := range orders(len(words.said)) {
			for _, old := range []bool{false, true} { // the first was heard by an older version
				channel := fmt.Sprint(name, n, old)
				for i, at := range order {
					h.suppress(t, deliver.Suppression{AccountID: "acme", Channel: channel, Address: "a@example.com", Reason: words.said[at], Source: deliver.FromProvider,
						At: day.Add(time.Duration(at) * time.Hour)})
					if old && i == 0 {
						h.exec(t, "UPDATE suppressions SET opted_out_at = NULL, bounced_at = NULL, lifted_at = NULL WHERE channel = $1", channel)
					}
				}
				var got reason.Code
				if err := h.Pool().QueryRow(t.Context(), "SELECT reason FROM suppressions WHERE channel = $1", channel).Scan(&got); err != nil || got != words.want {
					t.Errorf("%s, heard in the order %v (by an older version: %v): %q, want %q (%v)", name, order, old, got, words.want, err)
				}
			}
		}
	}
}

// orders are all the orders of n things.
func orders(n int) (all [][]int) {
	if n == 0 {
		return [][]int{nil}
	}
	for _, rest := range orders(n - 1) {
		for at := range n {
			all = append(all, slices.Insert(slices.Clone(rest), at, n-1))
		}
	}
	return all
}

// TestAReportThatSuppresses keeps the address by the delivery's own account and channel, with the report or not at all.
func TestAReportThatSuppresses(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	p := h.decided(t, "c1", 2)
	first := h.claim(t, p.ConversationID, "w1")[0]
	h.record(t, outcome(first, "w1", store.Sent))
	r := reported(first.ID, deliver.Lost)
	r.Suppress, r.Address = reason.Bounced, "team0@acme.example"
	h.report(t, r)
	h.report(t, r)
	next := h.plan(h.accept(t, h.arrival(phoneCall("c2"))).ConversationID, 2)
	h.save(t, next)
	claimed, err := h.Claim(t.Context(), next.ConversationID, deliver.Email, "w1", time.Now(), directly)
	if err != nil || len(claimed) != 1 || claimed[0].ID != next.Deliveries[1].ID {
		t.Errorf("claimed %+v, %v", claimed, err)
	}
	if err := h.Suppress(t.Context(), deliver.Suppression{AccountID: "acme", Channel: deliver.Email, Address: "a@acme.example", Reason: reason.TooLate}); err == nil {
		t.Error("a reason that is none was taken")
	}
	if n := h.count(t, "suppressions WHERE account_id = 'acme' AND octet_length(address) = 32"); n != 1 {
		t.Errorf("%d addresses are kept as a hash, want 1", n)
	}
}
