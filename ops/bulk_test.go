package ops_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"aftercall/deliver"
	"aftercall/internal/store"
)

// refuses is a provider that refuses what goes to one address.
func refuses(address string) func(deliver.Message) error {
	return func(m deliver.Message) error {
		if m.To[0].Address == address {
			return &deliver.Error{Verdict: deliver.Refused, Class: "bad_mailbox", Status: 550}
		}
		return nil
	}
}

// lately is a filter for everything of these tests.
func lately() store.BulkFilter {
	return store.BulkFilter{Since: time.Now().Add(-time.Hour), Until: time.Now().Add(time.Hour)}
}

// done waits until a bulk job has ended.
func (d *desk) done(id string) store.Bulk {
	d.Helper()
	ctx, cancel := context.WithTimeout(d.Context(), 60*time.Second)
	defer cancel()
	for {
		b, err := d.store.Bulk(ctx, id)
		d.must(err)
		if b.State != store.BulkRunning {
			return b
		}
	}
}

// TestABulkJobDoesEachItemOnce, however many workers are at it and however often one of them breaks off.
func TestABulkJobDoesEachItemOnce(t *testing.T) {
	t.Parallel()
	d := sit(t)
	const calls = 24
	d.mail.fail(refuses("log@acme.example"))
	var ids [calls]string
	for n := range ids {
		ids[n] = d.post("Hello.")
	}
	for _, id := range ids {
		d.is(d.of(d.settled(id), 1, "every-call", 0), store.Failed)
	}
	other := d.of(d.settled(ids[3]), 1, "every-call", 0) // somebody was faster with this one
	d.mail.fail(nil)
	_, err := d.Resend(t.Context(), d.by(), "acme", other.ID)
	d.must(err)
	d.settled(ids[3])

	r := store.BulkRequest{Action: store.BulkResend, Filter: lately()}
	_, err = d.Bulk(t.Context(), d.by(), "acme", r)
	d.refused(err, "Say which state")
	r.Filter.State, r.Filter.Class, r.Filter.Automation, r.Filter.Channel = store.Failed, "bad_mailbox", "every-call", deliver.Email
	if n, more, err := d.CountBulk(t.Context(), "acme", r); n != calls || more || err != nil {
		t.Errorf("%d found, more %v, %v", n, more, err)
	}
	id, err := d.Bulk(t.Context(), d.by(), "acme", r)
	d.must(err)
	var twins sync.WaitGroup
	for range 3 { // beside the worker, and breaking off
		twins.Go(func() {
			for more := true; more; {
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
				again, err := d.Work(ctx, id)
				more = again || err != nil
				cancel()
			}
		})
	}
	b := d.done(id)
	twins.Wait()
	if b.State != store.BulkEnded || b.Done != calls-1 || b.Refused != 1 || b.Failed != 0 || b.Counted != calls || b.By.Name != d.by().Name {
		t.Errorf("%+v", b)
	}
	for _, id := range ids {
		s := d.settled(id)
		d.is(d.of(s, 1, "every-call", 0), store.Sent)
	}
	if n := d.mail.to("log@acme.example"); n != calls {
		t.Errorf("%d messages went out for %d calls", n, calls)
	}
	items, _, err := d.store.BulkItems(t.Context(), id, "", 200)
	if err != nil || len(items) != calls {
		t.Errorf("%d items, %v", len(items), err)
	}
	for _, i := range items {
		switch {
		case i.Result == store.BulkDone && i.Made == "", i.ConversationID == "", i.Result == store.BulkRefused && (i.ID != other.ID || i.Detail == ""):
			t.Errorf("item %+v", i)
		}
	}
	if n := d.acts(store.ActResent); n != calls {
		t.Errorf("%d lines in the audit log", n)
	}
	if found, _, err := d.store.Bulks(t.Context(), "acme", "", 10); err != nil || len(found) != 1 || found[0].Request.String() != b.Request.String() {
		t.Errorf("%+v, %v", found, err)
	}
	d.balanced()
}

// TestABulkJobIsNarrowedToADomain, as the list of deliveries is: to what goes to it, and to the calls that had such a delivery.
func TestABulkJobIsNarrowedToADomain(t *testing.T) {
	t.Parallel()
	d := sit(t)
	d.revision = d.activate("acme", strings.NewReplacer("[late@acme.example]", "[late@acme.example, pat@partner.example]", "domains: [", "domains: [partner.example, ").Replace(config))
	for range 2 {
		d.call("Hello.")
	}
	r := store.BulkRequest{Action: store.BulkCancel, Filter: lately()}
	r.Filter.State = store.Planned
	again := store.BulkRequest{Action: store.BulkReplaySame, Sandbox: true, Filter: lately()}
	for domain, want := range map[string][2]int{"": {4, 2}, "partner.example": {2, 2}, " @Partner.Example": {2, 2}, "elsewhere.example": {0, 0}, "example": {0, 0}} {
		r.Filter.Domain, again.Filter.Domain = domain, domain
		n, _, err := d.CountBulk(t.Context(), "acme", r)
		d.must(err)
		calls, _, err := d.CountBulk(t.Context(), "acme", again)
		d.must(err)
		if n != want[0] || calls != want[1] {
			t.Errorf("%q: %d deliveries and %d calls, want %v", domain, n, calls, want)
		}
	}
	for _, none := range []string{"@", " ", strings.Repeat("x", 400)} { // which would fit everything
		r.Filter.Domain = none
		_, _, err := d.CountBulk(t.Context(), "acme", r)
		d.refused(err, "That is no domain")
	}
	r.Filter.Domain = "@Partner.example"
	id, err := d.Bulk(t.Context(), d.by(), "acme", r)
	d.must(err)
	if b := d.done(id); b.Done != 2 || b.Refused+b.Failed != 0 || !strings.Contains(b.Request.String(), "domain partner.example") {
		t.Errorf("%+v: %s", b, b.Request)
	}
	r.Filter.Domain = ""
	if n, _, err := d.CountBulk(t.Context(), "acme", r); n != 2 || err != nil {
		t.Errorf("%d are still to be sent, %v; want what goes to the other domain", n, err)
	}
	d.balanced()
}

// TestABulkJobIsAborted: what is done stays done, and nothing is done after it.
func TestABulkJobIsAborted(t *testing.T) {
	t.Parallel()
	d := sit(t)
	for n := range 12 {
		d.call(fmt.Sprintf("Hello %d.", n))
	}
	r := store.BulkRequest{Action: store.BulkCancel, Filter: lately()}
	r.Filter.State = store.Planned
	id, err := d.Bulk(t.Context(), d.by(), "acme", r)
	d.must(err)
	for range 2 {
		if err := d.AbortBulk(t.Context(), d.by(), "acme", id); err != nil {
			d.refused(err, "done already")
		}
	}
	b := d.done(id)
	if more, err := d.Work(t.Context(), id); more || err != nil {
		t.Errorf("there is more of it: %v, %v", more, err)
	}
	var cancelled int
	d.must(d.store.Pool().QueryRow(t.Context(), "SELECT count(*) FROM deliveries WHERE state = 'cancelled'").Scan(&cancelled))
	if after := d.done(id); after.Done != cancelled || after.Done != b.Done {
		t.Errorf("%d were called off, the job says %d and %d", cancelled, b.Done, after.Done)
	}
	d.balanced()
}

// TestCallsAreReplayedInBulk by what was decided about them, in a sandbox and then for good.
func TestCallsAreReplayedInBulk(t *testing.T) {
	t.Parallel()
	d := sit(t)
	wanted, other := d.call("callback: unsure."), d.call("callback: no.")
	d.activate("acme", config+"  - id: added\n    when: always\n    actions: [ { email: { to: [added@acme.example], subject: A, body: A. } } ]\n")
	r := store.BulkRequest{Action: store.BulkReplayActive, Sandbox: true, Filter: lately()}
	r.Filter.Automation, r.Filter.Reason = "callback", "unsure"
	for _, sandbox := range []bool{true, false} {
		r.Sandbox = sandbox
		id, err := d.Bulk(t.Context(), d.by(), "acme", r)
		d.must(err)
		if b := d.done(id); b.Done != 1 || b.Counted != 1 {
			t.Errorf("%+v", b)
		}
		d.settled(wanted.Conversation.ID)
		if n := d.mail.to("added@acme.example"); (n == 1) == sandbox {
			t.Errorf("sandbox %v: %d mails", sandbox, n)
		}
	}
	if s := d.settled(wanted.Conversation.ID); len(s.Runs) != 2 || s.Runs[0].By != d.by().Name {
		t.Errorf("runs %+v", s.Runs)
	}
	if s := d.settled(other.Conversation.ID); len(s.Runs) != 0 {
		t.Errorf("runs of the other call %+v", s.Runs)
	}
	d.balanced()
}

func TestWhatIsNoBulkRequest(t *testing.T) {
	t.Parallel()
	d := sit(t)
	f := lately()
	turned := f
	turned.Until = turned.Since
	for say, r := range map[string]store.BulkRequest{
		"no bulk action":         {Action: "delete", Filter: f},
		"from when to when":      {Action: store.BulkCancel, Filter: turned},
		"Only a replay":          {Action: store.BulkCancel, Filter: f, Sandbox: true},
		"The filter finds":       {Action: store.BulkRelease, Filter: f},
		"Say from when to when:": {Action: store.BulkReplaySame},
	} {
		_, err := d.Bulk(t.Context(), d.by(), "acme", r)
		d.refused(err, say)
	}
}
