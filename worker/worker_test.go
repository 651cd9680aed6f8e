package worker_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"aftercall/automation"
	"aftercall/conversation"
	"aftercall/deliver"
	"aftercall/deliver/capture"
	"aftercall/internal/llm"
	"aftercall/internal/postgres/pgtest"
	"aftercall/internal/store"
	"aftercall/interview"
	"aftercall/reason"
	"aftercall/triggers"
	"aftercall/worker"
)

const account = `account: acme
name: Acme Clinic
timezone: Europe/London
from: { email: "calls@acme.example" }
allow: { domains: [acme.example] }
people: { maria: { name: Maria Lopez, email: Maria@acme.example } }
automations:
  - id: every-call
    when: always
    actions: [ { email: { to: [log@acme.example], subject: "Call", body: "A call." } } ]
  - id: callback
    when: { ask: "Did the customer ask to be called back?" }
    actions: [ { email: { to: [support@acme.example], subject: "Call back", body: "Call back." } } ]
`

// bench is a worker on a real database with one account and one call to decide.
type bench struct {
	*testing.T
	store     *store.Store
	revisions *worker.Revisions
	id        string // of the call
}

// begin starts a worker built from c, whose Store, Revisions, Interviewer and Logger it fills in, and posts one call.
func begin(t *testing.T, model llm.Model, c worker.Config, follow bool) *bench {
	t.Helper()
	ctx := t.Context()
	db, err := store.Open(ctx, pgtest.New(t), store.Options{})
	must(t, err)
	t.Cleanup(db.Close)
	files := automation.Files{"account.yaml": []byte(account)}
	rev, problems := automation.Compile(files)
	if rev == nil {
		t.Fatal(problems)
	}
	id, err := db.SaveRevision(ctx, store.RevisionFiles{AccountID: "acme", Digest: rev.Digest, Format: automation.Format, Files: files}, "test")
	must(t, err)
	_, err = db.Activate(ctx, store.Activation{AccountID: "acme", RevisionID: id, By: "test"})
	must(t, err)
	b := &bench{T: t, store: db, revisions: worker.NewRevisions(db, slog.New(slog.DiscardHandler))}
	if follow {
		must(t, b.revisions.Start(ctx))
	}
	c.Store, c.Revisions, c.Logger = db, b.revisions, slog.New(slog.DiscardHandler)
	c.Interviewer, c.Capture = interview.NewInterviewer(model, db, interview.Limits{}), capture.New(db)
	w, err := worker.New(c)
	must(t, err)
	must(t, w.Start(ctx))
	t.Cleanup(func() { must(t, w.Stop(context.Background())) })
	accepted, err := db.NewIngest(worker.EnqueueDecides(w.Client())).Accept(ctx, store.Arrival{
		Event: store.Event{AccountID: "acme", Source: "api", Identity: "call-1", Type: "conversation", Body: []byte("{}")},
		Conversation: &conversation.Conversation{
			ExternalID: "call-1", Channel: conversation.ChannelPhone, Direction: conversation.Inbound, Status: conversation.Completed,
			StartedAt: time.Now().Add(-time.Minute), EndedAt: time.Now(),
			Turns: []conversation.Turn{{Role: conversation.RoleCustomer, Text: "Please call me back tomorrow."}},
		},
		RevisionID: id, DecideAt: time.Now(),
	})
	must(t, err)
	b.id = accepted.ConversationID
	return b
}

// until waits for a state of the call; the database is where the state is, so it is asked again and again.
func (b *bench) until(done func(store.Story) bool) store.Story {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
	defer cancel()
	for {
		s, err := b.store.Story(ctx, "acme", b.id)
		if err != nil {
			b.Fatalf("the call does not get there: %v", err)
		}
		if done(s) {
			return s
		}
	}
}

// state is the state of the only delivery of an automation, "" if there is none yet.
func state(s store.Story, automation string) store.DeliveryState {
	for _, d := range s.Deliveries {
		if d.Automation == automation {
			return d.State
		}
	}
	return ""
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// hanging is a model that takes a question and never answers it.
type hanging struct{}

func (hanging) Complete(ctx context.Context, _ llm.Request) (llm.Reply, error) {
	<-ctx.Done()
	return llm.Reply{}, ctx.Err()
}

// TestAHangingModelIsAModelThatIsAway: what needs no model goes out, the rest waits and says so.
func TestAHangingModelIsAModelThatIsAway(t *testing.T) {
	t.Parallel()
	b := begin(t, hanging{}, worker.Config{AskTimeout: 200 * time.Millisecond}, true)
	s := b.until(func(s store.Story) bool { return state(s, "every-call") == store.Sent })
	if s.State != store.StateWaiting {
		t.Errorf("the call is %s, want waiting", s.State)
	}
	for _, d := range s.Decisions {
		if d.Automation == "callback" && (d.Verdict != triggers.Waiting || d.Reason != reason.ModelUnavailable || d.Detail == "") {
			t.Errorf("callback: %s, %s, %q; want it to wait and to say for what", d.Verdict, d.Reason, d.Detail)
		}
	}
}

// exploding is a channel with a programmer's mistake in it.
type exploding struct{}

func (exploding) Send(context.Context, deliver.Message) (deliver.Receipt, error) {
	panic("secret-value")
}

// TestAPanicInAChannelIsADoubt: the process goes on, and the message, which may be out, is not sent again.
func TestAPanicInAChannelIsADoubt(t *testing.T) {
	t.Parallel()
	b := begin(t, hanging{}, worker.Config{
		AskTimeout: 200 * time.Millisecond, Channels: map[string]deliver.Channel{deliver.Email: exploding{}},
	}, true)
	s := b.until(func(s store.Story) bool { return state(s, "every-call") == store.Unknown })
	if a := s.Deliveries[0].Attempts; len(a) != 1 || a[0].Class != "panic" {
		t.Errorf("attempts: %+v", a)
	}
}

// stumbling is a model client with a programmer's mistake in it.
type stumbling struct{}

func (stumbling) Complete(context.Context, llm.Request) (llm.Reply, error) {
	panic("secret-value")
}

// TestAConversationThatPanicsEachTimeIsGivenUp: it is final after a few attempts, and waits for a person with its reason.
func TestAConversationThatPanicsEachTimeIsGivenUp(t *testing.T) {
	t.Parallel()
	soon := func() time.Time { return time.Now().Add(-1900 * time.Millisecond) } // shortens the wait for the next attempt
	b := begin(t, stumbling{}, worker.Config{Now: soon}, true)
	s := b.until(func(s store.Story) bool { return s.State == store.StateDecided })
	if len(s.Decisions) != 2 {
		t.Errorf("%d decisions, want 2", len(s.Decisions))
	}
	for _, d := range s.Decisions {
		if d.Verdict != triggers.Unsure || d.Reason != reason.WorkFailed || !d.Review {
			t.Errorf("%s: %s, %s, review %t; want it to be shown for review as failed", d.Automation, d.Verdict, d.Reason, d.Review)
		}
	}
	if n := len(s.Deliveries); n != 0 {
		t.Errorf("%d deliveries of a conversation that was given up", n)
	}
}

// TestWithoutConfigNothingIsGivenUp: a process that does not have the account's active revision (it was started in the
// middle of a roll-out, or could not read it) leaves the message for later.
func TestWithoutConfigNothingIsGivenUp(t *testing.T) {
	t.Parallel()
	b := begin(t, hanging{}, worker.Config{AskTimeout: 200 * time.Millisecond}, false)
	s := b.until(func(s store.Story) bool { return state(s, "every-call") == store.Retrying })
	if a := s.Deliveries[0].Attempts; len(a) != 1 || a[0].Class != "config_not_ready" {
		t.Errorf("attempts: %+v", a)
	}
}
