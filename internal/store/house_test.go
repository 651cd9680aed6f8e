package store_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"aftercall/conversation"
	"aftercall/deliver"
	"aftercall/internal/postgres/pgtest"
	"aftercall/internal/store"
	"aftercall/reason"
	"aftercall/triggers"
)

// house is a store on a database of its own with one account, and with the queue's table for a queue.
type house struct {
	*store.Store
	url      string
	revision string
	ingest   *store.Ingest
	planner  *store.Planner

	mu       sync.Mutex
	decides  []store.DecideJob // as asked for, a rolled-back transaction's included
	delivers []store.DeliverJob
}

func open(t testing.TB, o store.Options) *house {
	t.Helper()
	return openAt(t, pgtest.New(t), o)
}

func openAt(t testing.TB, url string, o store.Options) *house {
	t.Helper()
	s, err := store.Open(t.Context(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	h := &house{Store: s, url: url}
	h.revision = h.account(t, "acme")
	h.ingest, h.planner = s.NewIngest(h.enqueueDecides), s.NewPlanner(h.enqueueDelivers)
	return h
}

// account makes an account with an active revision and returns its id.
func (h *house) account(t testing.TB, id string) (revision string) {
	t.Helper()
	revision, err := h.SaveRevision(t.Context(), store.RevisionFiles{AccountID: id, Digest: "d1", Format: 1,
		Files: map[string][]byte{"account.yaml": []byte("account: " + id)}}, "test")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Activate(t.Context(), store.Activation{AccountID: id, RevisionID: revision, By: "test"}); err != nil {
		t.Fatal(err)
	}
	return revision
}

const insertJob = `INSERT INTO river_job (args, kind, queue, state, scheduled_at, max_attempts)
	VALUES ($1, $2, 'default', 'available', coalesce($3, now()), 25)`

func (h *house) enqueueDecides(ctx context.Context, tx pgx.Tx, jobs []store.DecideJob) error {
	h.mu.Lock()
	h.decides = append(h.decides, jobs...)
	h.mu.Unlock()
	var b pgx.Batch
	for _, j := range jobs {
		b.Queue(insertJob, args(map[string]any{"conversation_id": j.ConversationID, "run": j.Run}), "conversation.decide", at(j.At))
	}
	return tx.SendBatch(ctx, &b).Close()
}

func (h *house) enqueueDelivers(ctx context.Context, tx pgx.Tx, jobs []store.DeliverJob) error {
	h.mu.Lock()
	h.delivers = append(h.delivers, jobs...)
	h.mu.Unlock()
	var b pgx.Batch
	for _, j := range jobs {
		b.Queue(insertJob, args(map[string]any{"conversation_id": j.ConversationID, "channel": j.Channel}), "delivery.send", at(j.At))
	}
	return tx.SendBatch(ctx, &b).Close()
}

func (h *house) enqueueSwept(ctx context.Context, tx pgx.Tx, jobs store.SweepJobs) error {
	if err := h.enqueueDecides(ctx, tx, jobs.Decides); err != nil {
		return err
	}
	for _, id := range jobs.Erasures {
		if _, err := tx.Exec(ctx, insertJob, args(map[string]any{"erasure_id": id}), "erase.work", nil); err != nil {
			return err
		}
	}
	return h.enqueueDelivers(ctx, tx, jobs.Delivers)
}

func args(m map[string]any) []byte {
	b, _ := json.Marshal(m)
	return b
}

func at(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// asked are the jobs asked for so far.
func (h *house) asked() ([]store.DecideJob, []store.DeliverJob) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.decides, h.delivers
}

// exec changes the database behind the store's back.
func (h *house) exec(t testing.TB, sql string, args ...any) {
	t.Helper()
	if _, err := h.Pool().Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func (h *house) count(t testing.TB, sql string, args ...any) (n int) {
	t.Helper()
	if err := h.Pool().QueryRow(t.Context(), "SELECT count(*) FROM "+sql, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return n
}

// ended is when the calls of these tests ended.
func ended() time.Time { return time.Date(2026, 11, 20, 10, 5, 0, 0, time.UTC) }

// phoneCall is a finished call.
func phoneCall(id string) *conversation.Conversation {
	return &conversation.Conversation{
		ExternalID: id, Agent: conversation.Agent{ID: "reception", Name: "Reception"}, Channel: conversation.ChannelPhone,
		Direction: conversation.Inbound, Status: conversation.Completed, StartedAt: ended().Add(-5 * time.Minute),
		EndedAt: ended(), FromNumber: "+44 7700 900123", ToNumber: "+442071838750",
		Customer: conversation.Customer{Name: "Ann Example", Email: "Ann@Example.com"},
		Turns: []conversation.Turn{{Role: conversation.RoleAgent, Text: "Hello."},
			{Role: conversation.RoleCustomer, Text: "Please call me back tomorrow.", AtMS: 1200}},
	}
}

// arrival is the webhook of a finished call.
func (h *house) arrival(c *conversation.Conversation) store.Arrival {
	return store.Arrival{
		Event: store.Event{AccountID: "acme", Source: "phone", Identity: "ended:" + c.ExternalID, Type: "call.ended",
			ContentType: "application/json", Body: []byte(`{"id":"` + c.ExternalID + `"}`), ReceivedAt: ended()},
		Conversation: c, RevisionID: h.revision, DecideAt: ended(), Final: true,
	}
}

func (h *house) accept(t testing.TB, a store.Arrival) store.Accepted {
	t.Helper()
	got, err := h.ingest.Accept(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// plan is what a decision on a call leads to: one automation that fires with n e-mails, one that does not fire.
func (h *house) plan(conversationID string, mails int) *store.Plan {
	p := &store.Plan{
		AccountID: "acme", ConversationID: conversationID, RevisionID: h.revision, Run: 1, Version: 1,
		State:   store.StateDecided,
		Actions: map[string]int{"callback": 1},
		Decisions: []triggers.Decision{
			{Automation: "callback", Verdict: triggers.Fires, Reason: reason.Always},
			{Automation: "complaint", Verdict: triggers.No, Reason: reason.ConditionNotMet},
		},
	}
	for n := range mails {
		p.Deliveries = append(p.Deliveries, store.Delivery{
			ID: uuid.NewString(), Automation: "callback", Channel: deliver.Email,
			Recipient: fmt.Sprintf("email:team%d@acme.example", n), State: store.Planned, DueAt: ended(),
			DeadlineAt: time.Now().Add(6 * time.Hour),
			Content:    store.Content{Subject: "Callback", Text: "Ann wants a callback.", To: []string{fmt.Sprintf("email:team%d@acme.example", n)}},
		})
	}
	return p
}

func (h *house) save(t testing.TB, p *store.Plan) {
	t.Helper()
	if saved, err := h.planner.Save(t.Context(), p); err != nil || !saved.OK {
		t.Fatalf("save: %v, %v", saved, err)
	}
}

// decided accepts a call and plans n e-mails for it.
func (h *house) decided(t testing.TB, id string, mails int) *store.Plan {
	t.Helper()
	p := h.plan(h.accept(t, h.arrival(phoneCall(id))).ConversationID, mails)
	h.save(t, p)
	return p
}

func (h *house) claim(t testing.TB, conversationID, worker string) []store.Claimed {
	t.Helper()
	return h.claimOn(t, conversationID, deliver.Email, worker)
}

func (h *house) claimOn(t testing.TB, conversationID, channel, worker string) []store.Claimed {
	t.Helper()
	claimed, err := h.Claim(t.Context(), conversationID, channel, worker, time.Now(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return claimed
}

// outcome is a receipt for a claim.
func outcome(c store.Claimed, worker string, s store.DeliveryState) store.Outcome {
	o := store.Outcome{AccountID: c.AccountID, DeliveryID: c.ID, Attempt: c.Attempt, WorkerID: worker, State: s,
		StartedAt: c.ClaimedAt, FinishedAt: c.ClaimedAt.Add(time.Millisecond), Address: "team@acme.example"}
	switch s {
	case store.Sent:
		o.Provider, o.ProviderID = "smtp", "m-1"
	case store.Retrying:
		o.DueAt, o.Class, o.Status = c.ClaimedAt, "rate_limited", 429
	}
	return o
}

func (h *house) record(t testing.TB, o store.Outcome) {
	t.Helper()
	if err := h.RecordOutcome(t.Context(), o); err != nil {
		t.Fatal(err)
	}
}

func (h *house) story(t testing.TB, conversationID string) store.Story {
	t.Helper()
	s, err := h.Story(t.Context(), "acme", conversationID)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// balanced fails the test unless the ledger balances.
func (h *house) balanced(t testing.TB) store.Tally {
	t.Helper()
	tally, wrong, err := h.Audit(t.Context())
	if err != nil || len(wrong) > 0 {
		t.Fatalf("audit: %+v, %v", wrong, err)
	}
	return tally
}
