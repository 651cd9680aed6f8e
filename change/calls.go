package change

import (
	"cmp"
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"aftercall/automation"
	"aftercall/conversation"
	"aftercall/internal/store"
	"aftercall/interview"
	"aftercall/triggers"
	"aftercall/worker"
)

// Calls is what a change would have made of stored calls.
type Calls struct {
	Looked    int       `json:"looked"`    // how many there were to look at
	From      time.Time `json:"from"`      // the first accepted, and
	To        time.Time `json:"to"`        // the last
	Changed   int       `json:"changed"`   // of how many something would differ
	Unjudged  int       `json:"unjudged"`  // of how many something cannot be said without asking a model
	Simulated int       `json:"simulated"` // on how many the simulated model had answered
	// Estimated prompt tokens of all of them, whether or not they were asked for again.
	TokensBefore int `json:"tokens_before"`
	TokensAfter  int `json:"tokens_after"`
	// Tokens that a model was asked with now, prompts and answers.
	Spent       int          `json:"spent"`
	Automations []Automation `json:"automations"` // those of which something differs or is not known
	Effects     []Effect     `json:"effects"`     // every difference, the last call first
}

// Automation counts an automation's calls by what would differ.
type Automation struct {
	ID         string `json:"id"`
	Fires      int    `json:"fires"`      // newly
	Stops      int    `json:"stops"`      // firing
	Review     int    `json:"review"`     // newly waits for a person
	Recipients int    `json:"recipients"` // others
	Outcome    int    `json:"outcome"`    // held, skipped, sent or sent later where it was not
	Texts      int    `json:"texts"`      // differ
	Unjudged   int    `json:"unjudged"`
}

// How many calls are read at once, and how many are rehearsed side by side where a model is asked.
const (
	page     = 100
	sideways = 8
)

// rehearse looks at the last calls, page by page, with the base and with the candidate.
func rehearse(ctx context.Context, q Question, base *automation.Revision) (*Calls, error) {
	sum := &Calls{Automations: []Automation{}, Effects: []Effect{}}
	before, after := newSide(q, base), newSide(q, q.Candidate)
	counts := map[string]*Automation{}
	for cursor := ""; sum.Looked < q.Calls; {
		calls, next, err := q.Store.StoredCalls(ctx, base.AccountID, cursor, min(page, q.Calls-sum.Looked))
		if err != nil {
			return nil, err
		}
		found, err := each(calls, sideBySide(q), func(c store.StoredCall) (comparison, error) { return q.look(ctx, c, before, after) })
		if err != nil {
			return nil, err
		}
		for n, f := range found {
			sum.add(calls[n], f, counts)
		}
		if cursor = next; next == "" {
			break
		}
	}
	for _, a := range q.order(base) {
		if c := counts[a]; c != nil {
			sum.Automations = append(sum.Automations, *c)
		}
	}
	return sum, nil
}

// sideBySide is how many calls are rehearsed at once: as many as there are processors, or as a model may be asked.
func sideBySide(q Question) int {
	if q.Model != nil {
		return sideways
	}
	return runtime.GOMAXPROCS(0)
}

// each does one thing with every call, some at a time, and gives what came of them in their order.
func each(calls []store.StoredCall, atOnce int, do func(store.StoredCall) (comparison, error)) ([]comparison, error) {
	found, errs := make([]comparison, len(calls)), make([]error, len(calls))
	places := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for n, c := range calls {
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			found[n], errs[n] = do(c)
		})
	}
	all.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err // one is enough: they mostly fail alike
		}
	}
	return found, nil
}

// order lists every automation: the candidate's in file order, then those that are gone.
func (q Question) order(base *automation.Revision) []string {
	var ids []string
	for _, a := range slices.Concat(q.Candidate.Automations, base.Automations) {
		if !slices.Contains(ids, a.ID) {
			ids = append(ids, a.ID)
		}
	}
	return ids
}

// look rehearses one call with both revisions and compares.
func (q Question) look(ctx context.Context, c store.StoredCall, before, after *side) (comparison, error) {
	pinned, err := q.Revisions.ByID(ctx, c.RevisionID)
	if err != nil {
		return comparison{}, err
	}
	asked := pinned.EverySheet(c.Conversation.Agent.ID)
	was, err := before.rehearse(ctx, c, asked)
	if err != nil {
		return comparison{}, err
	}
	is, err := after.rehearse(ctx, c, asked)
	if err != nil {
		return comparison{}, err
	}
	return weigh(c, was, is, q.order(before.rev)), nil
}

// add counts one call in.
func (sum *Calls) add(c store.StoredCall, f comparison, counts map[string]*Automation) {
	if sum.Looked++; sum.Looked == 1 {
		sum.To = c.AcceptedAt
	}
	sum.From = c.AcceptedAt
	sum.TokensBefore, sum.TokensAfter, sum.Spent = sum.TokensBefore+f.before, sum.TokensAfter+f.after, sum.Spent+f.spent
	if c.Simulated {
		sum.Simulated++
	}
	if len(f.effects) > 0 {
		sum.Changed++
	}
	if len(f.unjudged) > 0 {
		sum.Unjudged++
	}
	of := func(id string) *Automation {
		if counts[id] == nil {
			counts[id] = &Automation{ID: id}
		}
		return counts[id]
	}
	for _, id := range f.unjudged {
		of(id).Unjudged++
	}
	type kind struct{ automation, kind string }
	counted := map[kind]bool{} // an automation's three other texts are one call with other texts
	for _, e := range f.effects {
		k := kind{e.Automation, e.Kind}
		if n := of(e.Automation).count(e.Kind); !counted[k] {
			*n++
		}
		counted[k] = true
	}
	sum.Effects = append(sum.Effects, f.effects...)
}

// count gives the counter of a kind of effect.
func (a *Automation) count(kind string) *int {
	switch kind {
	case Fires:
		return &a.Fires
	case Stops:
		return &a.Stops
	case Review:
		return &a.Review
	case Recipients:
		return &a.Recipients
	case Outcome:
		return &a.Outcome
	}
	return &a.Texts
}

// side is one revision with what rehearses calls under it.
type side struct {
	rev         *automation.Revision
	memory      *recollection
	interviewer *interview.Interviewer
	asks        bool
}

func newSide(q Question, rev *automation.Revision) *side {
	s := &side{rev: rev, memory: newRecollection(q.Model == nil), asks: q.Model != nil}
	if model := q.Model; model != nil {
		s.interviewer = interview.NewInterviewer(model, s.memory, q.Limits)
	} else {
		s.interviewer = interview.NewInterviewer(nobody{}, s.memory, q.Limits)
	}
	return s
}

// rehearse decides one call from what was recorded about it.
func (s *side) rehearse(ctx context.Context, c store.StoredCall, asked []interview.Sheet) (outcome, error) {
	form := s.form(c.Conversation)
	answers, open, err := s.interviewer.Recast(form, asked, c.Answers, s.asks)
	if err != nil {
		return outcome{}, err
	}
	s.memory.begin(c.Conversation.ID, answers)
	r, err := worker.Rehearse(ctx, s.interviewer, c.Conversation, s.rev, c.AcceptedAt)
	spent, unanswered := s.memory.end(c.Conversation.ID)
	if err != nil {
		return outcome{}, fmt.Errorf("rehearse conversation %s: %w", c.Conversation.ID, err)
	}
	o := outcome{rev: s.rev, plan: r.Plan, tokens: form.Tokens(), spent: spent}
	if !s.asks {
		o.unknown = gapsOf(open, unanswered)
	}
	return o, nil
}

// form is what the call would be asked: what a worker asks of it, for the same reasons.
func (s *side) form(c *conversation.Conversation) interview.Form {
	loc := c.Location(s.rev.Location)
	form := interview.New(c, cmp.Or(s.rev.ID, s.rev.Digest), loc, nil)
	due, _ := triggers.Gate(c, s.rev.Triggers(), triggers.Facts{Location: loc})
	if _, needs := triggers.Free(due); len(needs) > 0 {
		form.Sheets = s.rev.Sheets(c.Agent.ID, due, c.Summary == "")
	}
	return form
}
