package triggers

import (
	"aftercall/interview"
	"aftercall/reason"
)

// Free splits due triggers into those that need no model (Always, and no stated values) and the others.
func Free(due []Trigger) (free, asked []Trigger) {
	for _, t := range due {
		if t.Always && !t.NeedsValues {
			free = append(free, t)
		} else {
			asked = append(asked, t)
		}
	}
	return free, asked
}

// Judge turns the checked answers into one decision per due trigger, in their order.
func Judge(due []Trigger, said interview.Said) []Decision {
	decisions := make([]Decision, 0, len(due))
	for _, t := range due {
		decisions = append(decisions, t.judge(said))
	}
	return decisions
}

// judge decides one trigger. An Always trigger fires whatever became of the interview: values it wanted are then
// absent, which variables and require deal with.
func (t Trigger) judge(said interview.Said) Decision {
	d := Decision{Automation: t.ID}
	if t.Always {
		d.Verdict, d.Reason = Fires, reason.Always
		if t.Count != nil {
			d.Detail = t.Count.Tally(t.Count.AtLeast) // as far as can be said before the others are counted
		}
		return d
	}
	a, ok := said.Answers[t.ID]
	if !ok {
		return t.failed(d, reason.AnswerInvalid, "The form came back without an answer to this question.")
	}
	d.Evidence, d.Detail = a.Evidence, a.Detail
	switch {
	case broken(a.Problem):
		return t.failed(d, a.Problem, a.Detail)
	case a.Problem != "":
		return t.unsure(d, a.Problem)
	case a.Verdict == interview.No:
		d.Verdict, d.Reason = No, reason.ConditionNotMet
	case a.Verdict == interview.Yes && (t.Absence || len(a.Evidence) > 0):
		d.Verdict, d.Reason = Fires, reason.Fired
	case a.Verdict == interview.Yes:
		return t.unsure(d, reason.EvidenceNotFound)
	default:
		return t.unsure(d, reason.Unsure)
	}
	return d
}

// broken reports whether the question was not answered at all. The author's on_unsure speaks of what the transcript
// leaves open; it is no permission to fire, or to stay silent, because the model was not able to read it.
func broken(p reason.Code) bool {
	switch p {
	case reason.ModelRefused, reason.AnswerInvalid, reason.BudgetExceeded, reason.ModelUnavailable:
		return true
	}
	return false
}

func (t Trigger) failed(d Decision, why reason.Code, detail string) Decision {
	d.Verdict, d.Reason, d.Detail, d.Review = Unsure, why, detail, true
	return d
}

// unsure applies the author's on_unsure. The reason stays, so that an automation that fired without evidence says so.
func (t Trigger) unsure(d Decision, why reason.Code) Decision {
	d.Reason = why
	switch t.OnUnsure {
	case Fire:
		d.Verdict = Fires
	case Skip:
		d.Verdict = Skipped
	default:
		d.Verdict, d.Review = Unsure, true
	}
	return d
}
