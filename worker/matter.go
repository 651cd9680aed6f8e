package worker

import (
	"context"
	"sync"
	"time"

	"aftercall/automation"
	"aftercall/conversation"
	"aftercall/internal/store"
	"aftercall/interview"
	"aftercall/triggers"
	"aftercall/variables"
)

// matter is a conversation with the revision that decides it, past its gates. Its steps are the ones that a worker's job
// and a rehearsal have in common: they compute and ask, and keep nothing but the answers, in the interviewer's memory.
type matter struct {
	conv        *conversation.Conversation
	rev         *automation.Revision
	loc         *time.Location // the conversation's zone
	interviewer *interview.Interviewer
	sandbox     bool // everything goes to the capture sink
	read        bool // by a person, who says what fires

	stopped          []triggers.Decision // by the gates
	due, free, asked []triggers.Trigger  // past the gates: all, those that need no model, the others
	form             interview.Form
}

// consider applies the gates to the triggers that are open, and lays out the form for those that need a model. facts are what
// is known beside the conversation, its zone excepted.
func consider(i *interview.Interviewer, c *conversation.Conversation, rev *automation.Revision, open []triggers.Trigger, facts triggers.Facts) *matter {
	m := &matter{conv: c, rev: rev, loc: c.Location(rev.Location), interviewer: i}
	facts.Location = m.loc
	m.due, m.stopped = triggers.Gate(c, open, facts)
	m.free, m.asked = triggers.Free(m.due)
	m.form = interview.New(c, rev.ID, m.loc, nil)
	if len(m.asked) > 0 {
		m.form.Sheets = rev.Sheets(c.Agent.ID, m.due, c.Summary == "")
	}
	return m
}

// ask fills in the form, judges it, and asks once more, alone, for each required value that was absent on an automation
// that fires. The error is that of a model that is away, or of the interviewer's memory.
func (m *matter) ask(ctx context.Context) (interview.Said, []triggers.Decision, error) {
	said := interview.Said{Variables: map[string]interview.Stated{}}
	if len(m.form.Sheets) > 0 {
		var err error
		if said, err = m.interviewer.Ask(ctx, m.form); err != nil {
			return said, nil, err
		}
	}
	decisions := triggers.Judge(m.due, said)
	for _, name := range required(m.rev, decisions) {
		if _, stated := said.Variables[name]; stated || len(m.form.Sheets) == 0 {
			continue
		}
		s, ok, err := m.interviewer.AskFor(ctx, m.form, m.rev.Blank(name))
		if err != nil {
			return said, nil, err
		}
		if ok {
			said.Variables[name] = s
		}
	}
	return said, decisions, nil
}

// counts is what the automations that fire for several count the conversation as.
func (m *matter) counts(decisions []triggers.Decision) (all []store.Counting) {
	for _, a := range firing(m.rev, decisions) {
		if n := a.Trigger.Count; n != nil {
			by, _ := n.Values(m.conv)
			all = append(all, store.Counting{Automation: a.ID, By: by, At: m.conv.EndedAt, Count: *n})
		}
	}
	return all
}

// suspect finds the turn for which messages to the customer are held, once it is needed; 0: none, which it is as well where a person
// has read the call.
func (m *matter) suspect() func() (turn int) {
	if m.read {
		return func() int { return 0 }
	}
	return sync.OnceValue(func() int { return triggers.Suspicious(m.conv) })
}

// limits are what the stated values are checked against.
func (m *matter) limits() variables.Limits {
	return variables.Limits{Location: m.loc, Region: m.rev.Directory.Region, Hosts: m.rev.Directory.Allow.Domains}
}

// declared are the variables that the automations that fire need, in file order, each once.
func declared(rev *automation.Revision, decisions []triggers.Decision) (decls []variables.Declaration) {
	var names []string
	for _, a := range firing(rev, decisions) {
		names = append(names, a.Dyn...)
	}
	for _, name := range unique(names) {
		decls = append(decls, rev.Declarations[name])
	}
	return decls
}

// required are the variables without which an automation that fires sends nothing, each once.
func required(rev *automation.Revision, decisions []triggers.Decision) (names []string) {
	for _, a := range firing(rev, decisions) {
		names = append(names, a.Require...)
	}
	return unique(names)
}

// firing are the automations that fire.
func firing(rev *automation.Revision, decisions []triggers.Decision) (out []*automation.Automation) {
	for _, dec := range decisions {
		if dec.Verdict == triggers.Fires {
			out = append(out, rev.Automation(dec.Automation))
		}
	}
	return out
}
