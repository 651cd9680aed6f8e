package rehearsal

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"aftercall/automation"
	"aftercall/conversation"
	"aftercall/internal/llm"
	"aftercall/interview"
	"aftercall/triggers"
	"aftercall/worker"
)

// Sample is a call with what is certain about it. What it does not speak of is not judged.
type Sample struct {
	ID      string
	Call    *conversation.Conversation
	Account *automation.Revision
	Now     time.Time
	Fires   map[string]bool  // by automation
	Values  map[string]Known // by variable
}

// Known is the value that a variable has.
type Known struct {
	is    match
	loose bool // letters and digits are compared, without case: the labels are of many hands
}

func (k Known) fits(text string) bool {
	if !k.loose {
		return k.is.fits(text, true)
	}
	return slices.ContainsFunc(k.is.any, func(s string) bool { return letters(s) == letters(text) })
}

// Samples are the suite's cases as a labelled set. Expectations of texts and recipients are no labels.
func (s *Suite) Samples() []Sample {
	var all []Sample
	for _, c := range s.Cases {
		one := Sample{ID: s.Path + ": " + c.Name, Call: c.Call, Account: s.Account, Now: c.Now, Fires: map[string]bool{}, Values: map[string]Known{}}
		if c.Want.Fires != nil {
			for _, a := range s.Account.Automations {
				one.Fires[a.ID] = slices.Contains(*c.Want.Fires, a.ID)
			}
		}
		for _, v := range c.Want.Variables {
			one.Values[v.name] = Known{is: v.is}
		}
		all = append(all, one)
	}
	return all
}

// Report is what a model made of a set.
type Report struct {
	Model         string            `json:"model"`
	Simulated     bool              `json:"simulated"`
	Conversations int               `json:"conversations"`
	Tries         int               `json:"tries"`    // of each; all figures but flips, tokens and latency are of the first
	Failures      int               `json:"failures"` // conversations about which the model could not be asked
	Triggers      []Trigger         `json:"triggers"`
	Variables     Values            `json:"variables"`
	ByVariable    map[string]Values `json:"by_variable"`
	Quotes        Share             `json:"quotes"` // of the yeses, those whose quote stands in the call, said by the right speaker
	Flips         Share             `json:"flips"`  // of what the model was asked to decide, what was not decided the same way in every try
	Calls         int               `json:"calls"`
	TokensIn      int               `json:"tokens_in"`
	TokensOut     int               `json:"tokens_out"`
	P50           time.Duration     `json:"p50_ns"` // of the model's time for one conversation
	P95           time.Duration     `json:"p95_ns"`
	First         error             `json:"-"` // why the first of the failures failed
}

// Trigger counts the decisions on one automation whose outcome is certain.
type Trigger struct {
	ID     string `json:"id"`
	Right  int    `json:"fired_right"`
	Wrong  int    `json:"fired_wrong"`
	Missed int    `json:"missed"`
	Silent int    `json:"silent_right"`
	Unsure int    `json:"unsure"` // among missed and silent: for a person to look at
}

// Values counts variables whose value is certain.
type Values struct {
	Right    int `json:"right"`
	Wrong    int `json:"wrong"`
	Missed   int `json:"missed"`   // it was stated
	Invented int `json:"invented"` // it was not
	Absent   int `json:"absent"`   // it was not, and none was given
}

// Share is a part of a whole.
type Share struct {
	Part int `json:"part"`
	Of   int `json:"of"`
}

// Precision is the share of what fired that was right.
func (t Trigger) Precision() Share { return Share{t.Right, t.Right + t.Wrong} }

// Recall is the share of what should have fired that did.
func (t Trigger) Recall() Share { return Share{t.Right, t.Right + t.Missed} }

// Value is the share as a number from 0 to 1; 0 of nothing.
func (s Share) Value() float64 {
	if s.Of == 0 {
		return 0
	}
	return float64(s.Part) / float64(s.Of)
}

// Wilson is the interval that holds the true share in 95 of 100 sets like this one.
func (s Share) Wilson() (low, high float64) {
	if s.Of == 0 {
		return 0, 1
	}
	const z = 1.959964
	n, p := float64(s.Of), s.Value()
	middle := (p + z*z/(2*n)) / (1 + z*z/n)
	reach := z * math.Sqrt(p*(1-p)/n+z*z/(4*n*n)) / (1 + z*z/n)
	return max(0, middle-reach), min(1, middle+reach)
}

// beside is how many conversations are asked about at once.
const beside = 8

// Evaluate asks a model about every call of a set, each as often as wanted, and counts. The error is ctx's.
func Evaluate(ctx context.Context, model llm.Model, set []Sample, tries int) (Report, error) {
	made := make([]trial, len(set))
	places := make(chan struct{}, beside)
	var all sync.WaitGroup
	for i, s := range set {
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			made[i] = s.ask(ctx, model, tries)
		})
	}
	all.Wait()
	if err := ctx.Err(); err != nil {
		return Report{}, err
	}
	r := Report{Conversations: len(set), Tries: tries, ByVariable: map[string]Values{}}
	figures, took := map[string]*Trigger{}, []time.Duration{}
	for i, t := range made {
		r.calls(t.calls)
		took = append(took, t.took...)
		if t.err != nil {
			r.Failures++
			r.First = cmp.Or(r.First, t.err)
			continue
		}
		r.count(set[i], t, figures)
	}
	for _, id := range slices.Sorted(maps.Keys(figures)) {
		r.Triggers = append(r.Triggers, *figures[id])
	}
	slices.Sort(took)
	r.P50, r.P95 = percentile(took, 50), percentile(took, 95)
	return r, nil
}

// trial is what became of one sample.
type trial struct {
	outcomes []*outcome // by try
	calls    []interview.Call
	took     []time.Duration
	err      error
}

// ask rehearses a sample as often as wanted, each time with a memory of its own.
func (s Sample) ask(ctx context.Context, model llm.Model, tries int) (t trial) {
	for range tries {
		memory := NewMemory()
		r, err := worker.Rehearse(ctx, interview.NewInterviewer(patient{model}, memory, interview.Limits{}), s.Call, s.Account, s.Now)
		calls := memory.Calls()
		t.calls = append(t.calls, calls...)
		if err != nil {
			t.err = err
			return t
		}
		if len(calls) > 0 {
			t.took = append(t.took, latency(calls))
		}
		t.outcomes = append(t.outcomes, outcomeOf(r, s.Call, s.Account))
	}
	return t
}

// latency is how long the answers took to come; what was waited for a turn at a busy model is not in it.
func latency(calls []interview.Call) (sum time.Duration) {
	for _, c := range calls {
		sum += c.Reply.Latency
	}
	return sum
}

func (r *Report) calls(calls []interview.Call) {
	for _, c := range calls {
		r.Calls, r.TokensIn, r.TokensOut = r.Calls+1, r.TokensIn+c.Reply.TokensIn, r.TokensOut+c.Reply.TokensOut
		r.Model, r.Simulated = cmp.Or(r.Model, c.Reply.Model), r.Simulated || c.Reply.Simulated
	}
}

// count judges what became of a sample.
func (r *Report) count(s Sample, t trial, figures map[string]*Trigger) {
	first := t.outcomes[0]
	for id, wanted := range s.Fires {
		if figures[id] == nil {
			figures[id] = &Trigger{ID: id}
		}
		figures[id].add(wanted, first.decision(id).Verdict)
	}
	for name, known := range s.Values {
		v := r.ByVariable[name]
		text, there := first.value(name)
		v.add(known, text, there)
		r.Variables.add(known, text, there)
		r.ByVariable[name] = v
	}
	for _, a := range first.Said.Answers {
		if a.Verdict == interview.Yes {
			r.Quotes.Of++
			if a.Problem == "" {
				r.Quotes.Part++
			}
		}
	}
	for id := range first.Said.Answers {
		r.Flips.Of++
		if slices.ContainsFunc(t.outcomes, func(o *outcome) bool { return o.decision(id).Verdict != first.decision(id).Verdict }) {
			r.Flips.Part++
		}
	}
}

func (t *Trigger) add(wanted bool, got triggers.Verdict) {
	switch {
	case got == triggers.Fires && wanted:
		t.Right++
	case got == triggers.Fires:
		t.Wrong++
	case wanted:
		t.Missed++
	default:
		t.Silent++
	}
	if got == triggers.Unsure {
		t.Unsure++
	}
}

func (v *Values) add(known Known, text string, there bool) {
	switch {
	case known.is.absent && there:
		v.Invented++
	case known.is.absent:
		v.Absent++
	case !there:
		v.Missed++
	case known.fits(text):
		v.Right++
	default:
		v.Wrong++
	}
}

// percentile is the nearest rank of sorted times; 0 of none.
func percentile(sorted []time.Duration, p int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[max((len(sorted)*p+99)/100, 1)-1]
}
