package ops_test

import (
	"log/slog"
	"strings"
	"testing"

	"aftercall/internal/store"
	"aftercall/ops"
	"aftercall/reason"
	"aftercall/triggers"
	"aftercall/worker"
)

// TestAReplayAsksNobodyAndSendsNothingAgain: of the same revision everything is answered, and everything went out.
func TestAReplayAsksNobodyAndSendsNothingAgain(t *testing.T) {
	t.Parallel()
	d := sit(t)
	s := d.call("callback: yes. dyn_when: 2026-11-24.")
	id, asked := s.Conversation.ID, d.model.asked.Load()
	p, err := d.Rehearse(t.Context(), "acme", id, ops.Same, false)
	d.must(err)
	if p.Goes() != 0 || len(p.Deliveries) != 5 || p.Open || len(p.Decisions) != 3 {
		t.Errorf("%d go, preview %+v", p.Goes(), p)
	}
	for _, x := range p.Decisions {
		if x.Before != x.Verdict {
			t.Errorf("%s was %s and would be %s", x.Automation, x.Before, x.Verdict)
		}
	}
	run, err := d.Replay(t.Context(), d.by(), "acme", id, ops.Same, false)
	d.must(err)
	if twice, err := d.Replay(t.Context(), d.by(), "acme", id, ops.Same, false); err != nil || twice != run {
		t.Errorf("pressed twice: run %d and %d, %v", run, twice, err)
	}
	after := d.settled(id)
	for _, x := range after.Deliveries {
		if x.Run == run && (x.State != store.Skipped || x.Reason != reason.SentBefore || !strings.Contains(x.Detail, "in run 1.")) {
			t.Errorf("%s %d is %s (%s: %s)", x.Automation, x.Action, x.State, x.Reason, x.Detail)
		}
	}
	d.is(d.of(after, 1, "every-call", 1), store.Planned) // it waits in its own run
	if d.model.asked.Load() != asked || len(after.Tasks) != 1 || d.mail.to("support@acme.example") != 1 || !after.DecidedAt.Equal(s.DecidedAt) {
		t.Errorf("asked %d times more, %d tasks, %d mails", d.model.asked.Load()-asked, len(after.Tasks), d.mail.to("support@acme.example"))
	}
	if d.acts(store.ActReplayed) != 1 {
		t.Errorf("%d lines in the audit log", d.acts(store.ActReplayed))
	}
	d.balanced()
}

// TestASandboxCapturesAndIsForgotten: everything goes to the capture sink, once more each time, and no later run takes notice.
func TestASandboxCapturesAndIsForgotten(t *testing.T) {
	t.Parallel()
	d := sit(t)
	s := d.call("callback: yes. dyn_when: 2026-11-24. confirm: unsure.")
	id, mails := s.Conversation.ID, d.mail.to("support@acme.example")
	p, err := d.Rehearse(t.Context(), "acme", id, ops.Same, true)
	d.must(err)
	if p.Goes() != 4 {
		t.Errorf("%d go to the capture sink", p.Goes())
	}
	run, err := d.Replay(t.Context(), d.by(), "acme", id, ops.Same, true)
	d.must(err)
	after := d.settled(id)
	for _, action := range []int{0, 2} {
		x := d.of(after, run, "callback", action)
		if x.State != store.Sent || x.Provider != "capture" || !x.Test {
			t.Errorf("action %d is %s by %q, test %v", action, x.State, x.Provider, x.Test)
		}
	}
	d.is(d.of(after, run, "callback", 1), store.Skipped) // a task would be left to people
	for _, x := range after.Decisions {
		if x.Run == run && x.Review {
			t.Errorf("%s of a sandbox waits for a review", x.Automation)
		}
		if x.Run == 1 && x.Settled != nil {
			t.Errorf("the sandbox settled %s", x.Automation)
		}
	}
	if d.mail.to("support@acme.example") != mails || len(after.Tasks) != 1 {
		t.Error("a sandbox sent something")
	}
	captured, _, err := d.store.CapturedMessages(t.Context(), "acme", "", "", 50)
	if err != nil || len(captured) != 3 {
		t.Errorf("%d captured, %v", len(captured), err)
	}
	_, err = d.Approve(t.Context(), d.by(), "acme", id, run, "confirm")
	d.refused(err, "sandbox")
	next, err := d.Replay(t.Context(), d.by(), "acme", id, ops.Same, false)
	d.must(err)
	if x := d.of(d.settled(id), next, "callback", 0); x.Detail != "It is sent in run 1." {
		t.Errorf("left out because %q", x.Detail)
	}
	d.balanced()
}

// TestAReplayByTheActiveConfigAsksOnce: the preview asks, and the replay finds it answered.
func TestAReplayByTheActiveConfigAsksOnce(t *testing.T) {
	t.Parallel()
	d := sit(t)
	s := d.call("callback: unsure. moved: yes. confirm: no.")
	id := s.Conversation.ID
	changed := strings.ReplaceAll(config, "id: confirm", "id: moved")
	d.activate("acme", changed)
	asked := d.model.asked.Load()

	nobody, err := ops.New(ops.Config{Store: d.store, River: d.worker.Client(), Revisions: d.revisions, Logger: slog.New(slog.DiscardHandler)})
	d.must(err)
	if p, err := nobody.Rehearse(t.Context(), "acme", id, ops.Active, false); err != nil || !p.Open || len(p.Deliveries) > 0 {
		t.Errorf("without a model: %+v, %v", p, err)
	}
	for range 2 {
		p, err := d.Rehearse(t.Context(), "acme", id, ops.Active, false)
		d.must(err)
		if p.Goes() != 1 || p.Digest == s.Digest {
			t.Errorf("%d go: %+v", p.Goes(), p.Deliveries)
		}
	}
	run, err := d.Replay(t.Context(), d.by(), "acme", id, ops.Active, false)
	d.must(err)
	after := d.settled(id)
	if n := d.model.asked.Load() - asked; n != 1 {
		t.Errorf("the model was asked %d times more, want once", n)
	}
	d.is(d.of(after, run, "moved", 1), store.Sent)
	d.is(d.of(after, run, "moved", 0), store.Held)
	d.is(d.of(after, run, "every-call", 0), store.Skipped)
	for _, x := range after.Decisions {
		if x.Run == 1 && x.Automation == "callback" && (x.Settled == nil || x.Settled.As != "replayed" || x.Settled.Run != run) {
			t.Errorf("the review of the first run ended %+v", x.Settled)
		}
	}
	next, err := d.Approve(t.Context(), d.by(), "acme", id, run, "callback")
	d.must(err)
	d.is(d.of(d.settled(id), next, "callback", 0), store.Held)
	d.balanced()
}

// TestAReplayWaitsForTheModel, and says so meanwhile.
func TestAReplayWaitsForTheModel(t *testing.T) {
	t.Parallel()
	d := sit(t)
	s := d.call("moved: yes.")
	d.activate("acme", strings.ReplaceAll(config, "id: confirm", "id: moved"))
	d.model.away.Store(true)
	_, err := d.Rehearse(t.Context(), "acme", s.Conversation.ID, ops.Active, false)
	d.refused(err, "cannot be asked now")
	run, err := d.Replay(t.Context(), d.by(), "acme", s.Conversation.ID, ops.Active, false)
	d.must(err)
	d.until(s.Conversation.ID, func(s store.Story) bool { return strings.Contains(s.Runs[0].Problem, "waits for the model") })
	_, err = d.Replay(t.Context(), d.by(), "acme", s.Conversation.ID, ops.Same, false)
	d.refused(err, "Run 2 of this call is not done yet")
	d.balanced()
	d.model.away.Store(false)
	after := d.settled(s.Conversation.ID)
	d.is(d.of(after, run, "moved", 1), store.Sent)
	if r := after.Runs[0]; r.State != store.RunDone || r.Problem != "" || r.DoneAt.IsZero() {
		t.Errorf("run %+v", r)
	}
	d.balanced()
}

// TestARunIsSavedOnce: its job may run twice at once.
func TestARunIsSavedOnce(t *testing.T) {
	t.Parallel()
	d := sit(t)
	s := d.call("callback: no.")
	run, err := d.Replay(t.Context(), d.by(), "acme", s.Conversation.ID, ops.Same, true)
	d.must(err)
	after := d.settled(s.Conversation.ID)
	open, err := d.store.LoadRun(t.Context(), s.Conversation.ID, run)
	d.must(err)
	rev, err := d.revisions.ByID(t.Context(), open.RevisionID)
	d.must(err)
	again, _ := worker.Sampled(open.Conversation, rev, "callback", after.AcceptedAt)
	again.Run = run
	d.must(d.store.SaveReplay(t.Context(), again, open, nil)) // it would panic if it had a job to insert
	if n := len(d.settled(s.Conversation.ID).Deliveries); n != len(after.Deliveries) {
		t.Errorf("%d deliveries, were %d", n, len(after.Deliveries))
	}
	for _, x := range after.Decisions {
		if x.Run == run && x.Automation == "callback" && x.Verdict != triggers.No {
			t.Errorf("decided %s", x.Verdict)
		}
	}
	d.balanced()
}
