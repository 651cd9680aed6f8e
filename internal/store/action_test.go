package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"aftercall/internal/store"
)

func somebody() store.Actor { return store.Actor{Name: "ann@acme.example"} }

// run1 plans one automation once more, for a later run.
func (h *house) run1(conversationID string, mails int) *store.Plan {
	p := h.plan(conversationID, mails)
	p.Decisions = p.Decisions[:1]
	return p
}

// anHour is how long what is sent again may still go out.
func anHour(string) time.Duration { return time.Hour }

// act makes every query of what people do pass once.
func (h *house) act(t *testing.T) {
	t.Helper()
	ctx, by, now := t.Context(), somebody(), time.Now()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	p := h.decided(t, "acted", 4)
	id, mails := p.ConversationID, p.Deliveries
	h.exec(t, "UPDATE deliveries SET state = 'held', reason = 'breaker_open' WHERE id = ANY($1)", []string{mails[2].ID, mails[3].ID})
	for range 2 {
		must(h.CancelDelivery(ctx, by, "acme", mails[0].ID))
	}
	_, err := h.ResendDelivery(ctx, by, "acme", mails[0].ID, now, anHour, h.enqueueDelivers)
	must(err)
	h.claim(t, id, "gone")
	h.exec(t, "INSERT INTO workers (id, host, version, started_at, beat_at) VALUES ('gone', '', '', now(), '2000-01-01')")
	h.sweep(t)
	must(h.SettleDelivery(ctx, by, "acme", mails[1].ID, store.Failed))
	must(h.ReleaseDelivery(ctx, by, "acme", mails[2].ID, store.Release{DueAt: now, DeadlineAt: now.Add(time.Hour)}, h.enqueueDelivers))
	must(h.MarkDecision(ctx, by, "acme", id, 1, "callback", true, "no"))
	_, err = h.ReadDecision(ctx, "acme", id, 1, "callback")
	must(err)
	_, err = h.HeldDelivery(ctx, "acme", mails[3].ID)
	must(err)
	_, _, err = h.FindDelivery(ctx, mails[3].ID)
	must(err)
	run, err := h.AskReplay(ctx, by, "acme", id, store.AskedReplay{RevisionID: h.revision}, func(context.Context, pgx.Tx, int) error { return nil })
	must(err)
	must(h.RunWaits(ctx, "acme", id, run, "later"))
	open, err := h.LoadRun(ctx, id, run)
	must(err)
	again := h.run1(id, 4)
	again.Run = run
	must(h.SaveReplay(ctx, again, open, h.enqueueDelivers))
	must(h.FailRun(ctx, "acme", id, run, "too late"))
	_, err = h.SaveTakeover(ctx, by, store.Takeover{Cause: store.CauseFix, OfRun: 1, Automation: "callback", Plan: h.run1(id, 4)}, h.enqueueDelivers)
	must(err)
	_, err = h.BeforeRun(ctx, "acme", id, 0)
	must(err)
	held := h.decided(t, "dismissed", 1)
	h.exec(t, "UPDATE deliveries SET state = 'held', reason = 'breaker_open' WHERE id = $1", held.Deliveries[0].ID)
	must(h.Dismiss(ctx, by, "acme", held.ConversationID, 1, "callback"))
	h.bulk(t)
}

// bulk makes every query of bulk jobs pass once.
func (h *house) bulk(t *testing.T) {
	t.Helper()
	ctx, by := t.Context(), somebody()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	p := h.plan(h.accept(t, h.arrival(phoneCall("many"))).ConversationID, 3)
	for n := range p.Deliveries {
		p.Deliveries[n].ID = uuid.Must(uuid.NewV7()).String() // a window of time is a range of ids
	}
	h.save(t, p)
	f := store.BulkFilter{Since: time.Now().Add(-time.Hour), Until: time.Now().Add(time.Hour), Automation: "callback"}
	_, _, err := h.CountBulk(ctx, "acme", store.BulkRequest{Action: store.BulkReplaySame, Filter: f})
	must(err)
	_, _, err = h.CountBulk(ctx, "acme", store.BulkRequest{Action: store.BulkSettleSent, Filter: f})
	must(err)
	f.State = store.Planned
	id, err := h.AskBulk(ctx, by, "acme", store.BulkRequest{Action: store.BulkCancel, Filter: f}, func(context.Context, pgx.Tx, string) error { return nil })
	must(err)
	b, err := h.Bulk(ctx, id)
	must(err)
	items, err := h.NextOfBulk(ctx, b, 10)
	must(err)
	must(h.SkipBulkItem(ctx, b, store.BulkItem{ID: items[0], Result: store.BulkRefused, Detail: "not now"}))
	own := by
	own.Bulk = id
	must(h.CancelDelivery(ctx, own, "acme", items[1]))
	if err := h.CancelDelivery(ctx, own, "acme", items[1]); !errors.Is(err, store.ErrBulkMoved) {
		t.Errorf("an item that is done: %v", err)
	}
	_, _, err = h.Bulks(ctx, "", "", 10)
	must(err)
	told, _, err := h.BulkItems(ctx, id, "", 10)
	if err != nil || len(told) != 2 || told[0].Detail != "not now" || told[1].Result != store.BulkDone {
		t.Errorf("items %+v, %v", told, err)
	}
	for range 2 {
		must(h.AbortBulk(ctx, by, "acme", id))
	}
	if err := h.CancelDelivery(ctx, own, "acme", items[2]); !errors.Is(err, store.ErrBulkMoved) {
		t.Errorf("an item of a job that was aborted: %v", err)
	}
	if b, err = h.Bulk(ctx, id); err != nil || b.Done != 1 || b.Refused != 1 || b.State != store.BulkAborted || b.EndedBy != by.Name {
		t.Errorf("%+v, %v", b, err)
	}
}

// TestWhatPeopleDoIsOneTransactionWithItsLine: where the queue does not take the job, nothing has happened.
func TestWhatPeopleDoIsOneTransactionWithItsLine(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	p := h.decided(t, "c1", 1)
	h.record(t, outcome(h.claim(t, p.ConversationID, "w1")[0], "w1", store.Sent))
	broken := func(context.Context, pgx.Tx, []store.DeliverJob) error { return errors.New("the queue is full") }
	if _, err := h.ResendDelivery(t.Context(), somebody(), "acme", p.Deliveries[0].ID, time.Now(), anHour, broken); err == nil {
		t.Error("it was sent again without a job")
	}
	if n := h.count(t, "deliveries"); n != 1 || h.count(t, "audit_log") != 0 || h.count(t, "settlements") != 0 {
		t.Errorf("%d deliveries, %d lines, %d settlements", n, h.count(t, "audit_log"), h.count(t, "settlements"))
	}
	h.balanced(t)
}

// TestActionsBalance takes each action once.
func TestActionsBalance(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	h.act(t)
	h.balanced(t)
	if n := h.count(t, "deliveries WHERE resend_of IS NOT NULL AND deadline_at = due_at + interval '1 hour'"); n != 1 {
		t.Errorf("%d were sent again for as long as their channel allows, want 1", n)
	}
}

// TestARestoreBreaksOffWhatPeopleAskedFor: the original may have done it.
func TestARestoreBreaksOffWhatPeopleAskedFor(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	id := h.decided(t, "c1", 1).ConversationID
	none := func(context.Context, pgx.Tx, int) error { return nil }
	run, err := h.AskReplay(t.Context(), somebody(), "acme", id, store.AskedReplay{RevisionID: h.revision}, none)
	if err != nil {
		t.Fatal(err)
	}
	f := store.BulkFilter{Since: time.Now().Add(-time.Hour), Until: time.Now().Add(time.Hour)}
	bulk, err := h.AskBulk(t.Context(), somebody(), "acme", store.BulkRequest{Action: store.BulkReplaySame, Filter: f},
		func(context.Context, pgx.Tx, string) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Restored(t.Context(), ttl); err != nil {
		t.Fatal(err)
	}
	open, err := h.LoadRun(t.Context(), id, run)
	if err != nil || open.State != store.RunFailed {
		t.Errorf("the run is %s, %v", open.State, err)
	}
	late := h.run1(id, 1)
	late.Run = run
	if err := h.SaveReplay(t.Context(), late, open, h.enqueueDelivers); err != nil || h.count(t, "deliveries") != 1 {
		t.Errorf("its job, late: %v, %d deliveries", err, h.count(t, "deliveries"))
	}
	if b, err := h.Bulk(t.Context(), bulk); err != nil || b.State != store.BulkAborted || b.EndedBy == "" {
		t.Errorf("the bulk job is %+v, %v", b, err)
	}
	h.balanced(t)
}

// TestWhatIsErasedMeanwhileIsNotPutRight: nothing of it comes back.
func TestWhatIsErasedMeanwhileIsNotPutRight(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	p := h.decided(t, "c1", 1)
	id := p.ConversationID
	for _, table := range []string{"events", "decisions", "deliveries"} {
		h.exec(t, "DELETE FROM "+table+" WHERE conversation_id = $1", id)
	}
	h.exec(t, "DELETE FROM conversations WHERE id = $1", id)
	again := h.run1(id, 1)
	again.Run = 2
	_, fixed := h.SaveTakeover(t.Context(), somebody(), store.Takeover{Cause: store.CauseFix, OfRun: 1, Automation: "callback", Plan: h.run1(id, 1)}, h.enqueueDelivers)
	_, resent := h.ResendDelivery(t.Context(), somebody(), "acme", p.Deliveries[0].ID, time.Now(), anHour, h.enqueueDelivers)
	for name, err := range map[string]error{
		"a replay's job": h.SaveReplay(t.Context(), again, store.OpenRun{}, h.enqueueDelivers), "a fix": fixed, "a resend": resent,
		"a dismissal": h.Dismiss(t.Context(), somebody(), "acme", id, 1, "callback"),
	} {
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if h.count(t, "deliveries") != 0 || h.count(t, "audit_log") != 0 {
		t.Errorf("%d deliveries, %d lines", h.count(t, "deliveries"), h.count(t, "audit_log"))
	}
	h.balanced(t)
}
