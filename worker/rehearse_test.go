package worker_test

import (
	"cmp"
	"context"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"aftercall/automation"
	"aftercall/conversation"
	"aftercall/internal/llm/openai"
	"aftercall/internal/llm/simulated"
	"aftercall/internal/store"
	"aftercall/interview"
	"aftercall/reason"
	"aftercall/triggers"
	"aftercall/worker"
)

// forgetful is an interviewer's memory that keeps nothing: each rehearsal asks anew.
type forgetful struct{}

func (forgetful) Recall(context.Context, string, string) (map[string][]byte, error) { return nil, nil }

func (forgetful) Record(_ context.Context, c interview.Call) ([]byte, error) { return c.Answer, nil }

// outcome is what the line and a rehearsal must have in common.
type outcome struct {
	Automation string
	Verdict    triggers.Verdict
	Reason     reason.Code
	Sent       []letter
}

type letter struct{ Channel, Recipient, Subject, Text, HTML string }

func outcomes(decisions []triggers.Decision, deliveries []store.Delivery) (all []outcome) {
	for _, d := range decisions {
		o := outcome{Automation: d.Automation, Verdict: d.Verdict, Reason: d.Reason}
		for _, x := range deliveries {
			if x.Automation == d.Automation {
				o.Sent = append(o.Sent, letter{x.Channel, x.Recipient, x.Content.Subject, x.Content.Text, x.Content.HTML})
			}
		}
		all = append(all, o)
	}
	slices.SortFunc(all, func(a, b outcome) int { return cmp.Compare(a.Automation, b.Automation) })
	return all
}

// TestARehearsalDecidesAsTheLineDoes: the same call, model and revision give the same decisions and the same messages; the
// rehearsal adds no line to the ledger.
func TestARehearsalDecidesAsTheLineDoes(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(simulated.New(simulated.Options{}))
	t.Cleanup(server.Close)
	model, err := openai.New(openai.Config{BaseURL: server.URL + "/v1", Model: simulated.ModelName})
	must(t, err)
	b := begin(t, model, worker.Config{}, true)
	line := b.until(func(s store.Story) bool {
		return s.State == store.StateDecided && state(s, "callback") == store.Sent && state(s, "every-call") == store.Sent
	})
	rev, ok := b.revisions.Active("acme")
	if !ok {
		t.Fatal("no active revision")
	}

	i := interview.NewInterviewer(model, forgetful{}, interview.Limits{})
	r, err := worker.Rehearse(t.Context(), i, line.Conversation, rev, time.Now())
	must(t, err)

	var decided []triggers.Decision
	for _, d := range line.Decisions {
		decided = append(decided, d.Decision)
	}
	var sent []store.Delivery
	for _, d := range line.Deliveries {
		d.Content, err = b.store.Message(t.Context(), "acme", b.id, d.ID)
		must(t, err)
		sent = append(sent, d.Delivery)
	}
	if diff := gocmp.Diff(outcomes(decided, sent), outcomes(r.Plan.Decisions, r.Plan.Deliveries)); diff != "" {
		t.Errorf("the rehearsal differs from the line (-line +rehearsal):\n%s", diff)
	}
	if !r.Plan.Simulated || r.Said.Calls != 1 || r.Plan.ConversationID != line.Conversation.ID {
		t.Errorf("simulated %t, %d calls, conversation %q", r.Plan.Simulated, r.Said.Calls, r.Plan.ConversationID)
	}
	after, err := b.store.Story(t.Context(), "acme", b.id)
	must(t, err)
	if len(after.Deliveries) != len(line.Deliveries) || len(after.Calls) != len(line.Calls) {
		t.Errorf("after the rehearsal there are %d deliveries and %d model calls, before it there were %d and %d",
			len(after.Deliveries), len(after.Calls), len(line.Deliveries), len(line.Calls))
	}
}

// TestARehearsalWithoutItsModelIsAnError: on the line the call would wait; nobody waits for a rehearsal.
func TestARehearsalWithoutItsModelIsAnError(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	i := interview.NewInterviewer(hanging{}, forgetful{}, interview.Limits{})
	rev, problems := automation.Compile(automation.Files{"account.yaml": []byte(account)})
	if rev == nil {
		t.Fatal(problems)
	}
	call := &conversation.Conversation{ExternalID: "call-1", Channel: conversation.ChannelPhone, Status: conversation.Completed,
		Turns: []conversation.Turn{{Role: conversation.RoleCustomer, Text: "Please call me back tomorrow."}}}
	if _, err := worker.Rehearse(ctx, i, call, rev, time.Now()); err == nil {
		t.Error("a model that hangs gave a rehearsal")
	}
}
