package ops_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aftercall/automation"
	"aftercall/conversation"
	"aftercall/deliver"
	"aftercall/deliver/capture"
	"aftercall/deliver/teamalert"
	"aftercall/internal/llm"
	"aftercall/internal/postgres/pgtest"
	"aftercall/internal/store"
	"aftercall/interview"
	"aftercall/ops"
	"aftercall/worker"
)

const config = `account: acme
name: Acme Clinic
timezone: Europe/London
from: { email: "calls@acme.example" }
allow: { domains: [acme.example], contacts: true }
people: { maria: { name: Maria Lopez, email: maria@acme.example } }
variables:
  dyn_when: { type: date, ask: "When the customer wants to be called back" }
automations:
  - id: every-call
    when: always
    actions:
      - email: { to: [log@acme.example], subject: "Call", body: "A call." }
      - email: { to: [late@acme.example], subject: "Later", body: "A call, an hour ago.", send: { after: 1h } }
  - id: callback
    when: { ask: "Did the customer ask to be called back?" }
    require: [dyn_when]
    actions:
      - email: { to: [support@acme.example], subject: "Call back on {{dyn_when}}", body: "Call back." }
      - task: { title: "Call back on {{dyn_when}}", priority: high, due: { after: 4h }, assignee: maria }
      - team_alert: { to: all, text: "A callback is wanted." }
  - id: confirm
    when: { ask: "Was an appointment made?" }
    actions:
      - email: { to: ["{{customer_email}}"], subject: "Your appointment", body: "We call you on {{dyn_when}}." }
      - email: { to: [front@acme.example], subject: "Appointment", body: "One was made." }
`

// script is a model that answers as the call tells it to: the customer says "callback: yes" and "dyn_when: 2026-11-24".
type script struct {
	asked atomic.Int64
	away  atomic.Bool
}

func (s *script) Complete(_ context.Context, q llm.Request) (llm.Reply, error) {
	s.asked.Add(1)
	if s.away.Load() {
		return llm.Reply{}, &llm.Error{Kind: llm.Unavailable, Detail: "it is away"}
	}
	var form struct {
		Properties struct {
			Automations struct{ Properties map[string]any }
			Variables   any
		}
	}
	if err := json.Unmarshal(q.Schema, &form); err != nil {
		return llm.Reply{}, fmt.Errorf("read the form: %w", err)
	}
	said := turns(q.Messages[len(q.Messages)-1].Content)
	answer := map[string]any{"variables": []any{}}
	if verdicts := form.Properties.Automations.Properties; verdicts != nil {
		all := map[string]any{}
		for id := range verdicts {
			verdict, turn := said.told(id)
			evidence := []any{}
			if verdict == "yes" {
				evidence = []any{map[string]any{"turn": turn, "quote": said[turn-1]}}
			}
			all[id] = map[string]any{"verdict": verdict, "evidence": evidence}
		}
		answer["automations"] = all
	}
	if day, turn := said.told("dyn_when"); turn > 0 {
		answer["variables"] = []any{map[string]any{"name": "dyn_when", "turn": turn, "quote": said[turn-1], "weekday_said": "none", "value": day}}
	}
	out, err := json.Marshal(answer)
	return llm.Reply{Content: string(out), Model: "script", TokensIn: 10, TokensOut: 10}, err
}

// spoken is what was said, turn by turn.
type spoken []string

// turns reads the transcript back from a prompt.
func turns(prompt string) (said spoken) {
	for line := range strings.Lines(prompt) {
		var turn struct{ Text string }
		if strings.HasPrefix(line, `{"t":`) && json.Unmarshal([]byte(line), &turn) == nil {
			said = append(said, turn.Text)
		}
	}
	return said
}

// told is what a turn tells of a name, and which; "no" and 0 if none does.
func (s spoken) told(name string) (string, int) {
	for n, text := range s {
		if value, ok := strings.CutPrefix(text, name+": "); ok {
			return value, n + 1
		}
	}
	return "no", 0
}

// provider is an e-mail provider that takes what it is given, unless it is told otherwise by the subject of a message.
type provider struct {
	mu    sync.Mutex
	taken []deliver.Message
	fails func(m deliver.Message) error // nil: takes it
}

func (p *provider) Send(_ context.Context, m deliver.Message) (deliver.Receipt, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fails != nil {
		if err := p.fails(m); err != nil {
			return deliver.Receipt{}, err
		}
	}
	p.taken = append(p.taken, m)
	return deliver.Receipt{Provider: "test", ProviderID: m.DeliveryID}, nil
}

// fail sets what the provider does not take; nil: everything is taken.
func (p *provider) fail(f func(m deliver.Message) error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fails = f
}

// to counts what an address was sent.
func (p *provider) to(address string) (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.taken {
		if m.To[0].Address == address {
			n++
		}
	}
	return n
}

// desk is a person at a running line: a worker on a database of its own, with one account.
type desk struct {
	*testing.T
	*ops.Ops
	store     *store.Store
	revisions *worker.Revisions
	worker    *worker.Worker
	ingest    *store.Ingest
	model     *script
	mail      *provider
	revision  string
	ahead     atomic.Int64 // of the clock of the desk, in nanoseconds
	calls     atomic.Int64
}

func sit(t *testing.T) *desk {
	t.Helper()
	d := &desk{T: t, model: &script{}, mail: &provider{}}
	db, err := store.Open(t.Context(), pgtest.New(t), store.Options{})
	d.must(err)
	t.Cleanup(db.Close)
	d.store, d.revisions = db, worker.NewRevisions(db, slog.New(slog.DiscardHandler))
	d.revision = d.activate("acme", config)
	d.must(d.revisions.Start(t.Context()))
	jobs, err := worker.NewInserter(db)
	d.must(err)
	interviewer := interview.NewInterviewer(d.model, db, interview.Limits{})
	log := slog.New(slog.DiscardHandler)
	d.Ops, err = ops.New(ops.Config{Store: db, River: jobs, Revisions: d.revisions, Interviewer: interviewer, Logger: log,
		Now: func() time.Time { return time.Now().Add(time.Duration(d.ahead.Load())) }})
	d.must(err)
	d.worker, err = worker.New(worker.Config{Store: db, Revisions: d.revisions, Interviewer: interviewer, Logger: log, Bulk: d.Work,
		Channels: map[string]deliver.Channel{deliver.Email: d.mail, deliver.TeamAlert: teamalert.New(db)}, Capture: capture.New(db)})
	d.must(err)
	d.ingest = db.NewIngest(worker.EnqueueDecides(jobs))
	d.must(d.worker.Start(t.Context()))
	t.Cleanup(func() { d.must(d.worker.Stop(context.Background())) })
	return d
}

func (d *desk) must(err error) {
	d.Helper()
	if err != nil {
		d.Fatal(err)
	}
}

// activate makes a config the active one of an account.
func (d *desk) activate(account, yaml string) (id string) {
	d.Helper()
	files := automation.Files{"account.yaml": []byte(yaml)}
	rev, problems := automation.Compile(files)
	if rev == nil {
		d.Fatal(problems)
	}
	id, err := d.store.SaveRevision(d.Context(), store.RevisionFiles{AccountID: account, Digest: rev.Digest, Format: automation.Format, Files: files}, "test")
	d.must(err)
	_, err = d.store.Activate(d.Context(), store.Activation{AccountID: account, RevisionID: id, By: "test"})
	d.must(err)
	d.must(d.revisions.Refresh(d.Context()))
	return id
}

func (d *desk) by() store.Actor { return store.Actor{Name: "maria@acme.example", Address: "192.0.2.1"} }

// call posts a call in which this is said, and returns it decided, with everything sent that is due.
func (d *desk) call(said string) store.Story {
	d.Helper()
	return d.settled(d.post(said))
}

func (d *desk) post(text string) (id string) {
	d.Helper()
	var said []conversation.Turn
	for sentence := range strings.SplitSeq(text, ". ") {
		said = append(said, conversation.Turn{Role: conversation.RoleCustomer, Text: strings.TrimSuffix(sentence, ".")})
	}
	external := fmt.Sprintf("call-%d", d.calls.Add(1))
	a, err := d.ingest.Accept(d.Context(), store.Arrival{
		Event: store.Event{AccountID: "acme", Source: "api", Identity: external, Type: "conversation", Body: []byte("{}"), ReceivedAt: time.Now()},
		Conversation: &conversation.Conversation{
			ExternalID: external, Channel: conversation.ChannelPhone, Direction: conversation.Inbound, Status: conversation.Completed,
			StartedAt: time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC), EndedAt: time.Now(), FromNumber: "+447700900123",
			Customer: conversation.Customer{Name: "Ann", Email: "ann@customer.example"},
			Turns:    said,
		},
		RevisionID: d.revision, DecideAt: time.Now(),
	})
	d.must(err)
	return a.ConversationID
}

// settled waits until a call is decided, its runs are done, and nothing of it is on its way.
func (d *desk) settled(id string) store.Story {
	d.Helper()
	return d.until(id, func(s store.Story) bool {
		for _, r := range s.Runs {
			if r.State == store.RunAsked {
				return false
			}
		}
		for _, x := range s.Deliveries {
			if x.State == store.Sending || (x.State == store.Planned || x.State == store.Retrying) && x.DueAt.Before(time.Now()) {
				return false
			}
		}
		return s.State == store.StateDecided
	})
}

func (d *desk) until(id string, done func(store.Story) bool) store.Story {
	d.Helper()
	ctx, cancel := context.WithTimeout(d.Context(), 60*time.Second)
	defer cancel()
	for {
		s, err := d.store.Story(ctx, "acme", id)
		if err != nil {
			d.Fatalf("the call does not get there: %v", err)
		}
		if done(s) {
			return s
		}
	}
}

// of finds the last delivery of an automation's action in a run.
func (d *desk) of(s store.Story, run int, automation string, action int) store.StoryDelivery {
	d.Helper()
	var found *store.StoryDelivery
	for n, x := range s.Deliveries {
		if x.Run == run && x.Automation == automation && x.Action == action {
			found = &s.Deliveries[n]
		}
	}
	if found == nil {
		d.Fatalf("run %d has no delivery of %s %d: %+v", run, automation, action, s.Decisions)
	}
	return *found
}

func (d *desk) is(x store.StoryDelivery, want store.DeliveryState) {
	d.Helper()
	if x.State != want {
		d.Errorf("%s %d in run %d is %s (%s: %s), want %s", x.Automation, x.Action, x.Run, x.State, x.Reason, x.Detail, want)
	}
}

// refused wants a sentence for whoever asked.
func (d *desk) refused(err error, part string) {
	d.Helper()
	var r *ops.Refused
	if !errors.As(err, &r) || !strings.Contains(r.Sentence, part) || !strings.HasSuffix(r.Sentence, ".") {
		d.Errorf("got %v, want it refused with a sentence that says %q", err, part)
	}
}

// balanced wants the ledger to balance.
func (d *desk) balanced() {
	d.Helper()
	_, wrong, err := d.store.Audit(d.Context())
	d.must(err)
	for _, w := range wrong {
		d.Errorf("%s: %v and %d more", w.Rule, w.IDs, w.More)
	}
}

// acts counts the lines of the audit log.
func (d *desk) acts(what store.Deed) (n int) {
	d.Helper()
	acts, _, err := d.store.Acts(d.Context(), "acme", "", 200)
	d.must(err)
	for _, a := range acts {
		if a.What == what && a.By.Name == d.by().Name {
			n++
		}
	}
	return n
}
