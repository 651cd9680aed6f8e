package triggers_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"aftercall/interview"
	"aftercall/reason"
	"aftercall/triggers"
)

func TestJudge(t *testing.T) {
	t.Parallel()
	quote := []interview.Evidence{{Turn: 2, Quote: "please call me back"}}
	type D = triggers.Decision
	cases := []struct {
		name   string
		t      triggers.Trigger
		answer interview.Answer
		want   D
	}{
		{"yes with evidence", triggers.Trigger{}, interview.Answer{Verdict: interview.Yes, Evidence: quote},
			D{Verdict: triggers.Fires, Reason: reason.Fired, Evidence: quote}},
		{"no", triggers.Trigger{}, interview.Answer{Verdict: interview.No},
			D{Verdict: triggers.No, Reason: reason.ConditionNotMet}},
		{"unsure goes to review", triggers.Trigger{}, interview.Answer{Verdict: interview.NotSure},
			D{Verdict: triggers.Unsure, Reason: reason.Unsure, Review: true}},
		{"unsure and skip", triggers.Trigger{OnUnsure: triggers.Skip}, interview.Answer{Verdict: interview.NotSure},
			D{Verdict: triggers.Skipped, Reason: reason.Unsure}},
		{"unsure and fire", triggers.Trigger{OnUnsure: triggers.Fire}, interview.Answer{Verdict: interview.NotSure},
			D{Verdict: triggers.Fires, Reason: reason.Unsure}},
		{"yes without evidence never fires", triggers.Trigger{}, interview.Answer{Verdict: interview.Yes},
			D{Verdict: triggers.Unsure, Reason: reason.EvidenceNotFound, Review: true}},
		{"evidence not found", triggers.Trigger{OnUnsure: triggers.Review}, interview.Answer{Verdict: interview.Yes, Problem: reason.EvidenceNotFound},
			D{Verdict: triggers.Unsure, Reason: reason.EvidenceNotFound, Review: true}},
		{"wrong speaker and skip", triggers.Trigger{OnUnsure: triggers.Skip}, interview.Answer{Verdict: interview.Yes, Problem: reason.WrongSpeaker},
			D{Verdict: triggers.Skipped, Reason: reason.WrongSpeaker}},
		{"wrong speaker and fire keeps the problem", triggers.Trigger{OnUnsure: triggers.Fire}, interview.Answer{Verdict: interview.Yes, Problem: reason.WrongSpeaker},
			D{Verdict: triggers.Fires, Reason: reason.WrongSpeaker}},
		{"absence fires on a bare yes", triggers.Trigger{Absence: true}, interview.Answer{Verdict: interview.Yes},
			D{Verdict: triggers.Fires, Reason: reason.Fired}},
		{"failed sheet is reviewed even with on_unsure fire", triggers.Trigger{OnUnsure: triggers.Fire}, interview.Answer{Verdict: interview.NotSure, Problem: reason.ModelRefused},
			D{Verdict: triggers.Unsure, Reason: reason.ModelRefused, Review: true}},
		{"failed sheet is reviewed even with on_unsure skip", triggers.Trigger{OnUnsure: triggers.Skip}, interview.Answer{Problem: reason.BudgetExceeded},
			D{Verdict: triggers.Unsure, Reason: reason.BudgetExceeded, Review: true}},
		{"always", triggers.Trigger{Always: true, NeedsValues: true}, interview.Answer{Problem: reason.AnswerInvalid},
			D{Verdict: triggers.Fires, Reason: reason.Always}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.t.ID, c.want.Automation = "a", "a"
			got := triggers.Judge([]triggers.Trigger{c.t}, interview.Said{Answers: map[string]interview.Answer{"a": c.answer}})
			if diff := cmp.Diff([]D{c.want}, got, cmpopts.EquateEmpty()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestJudgeKeepsOrderAndMissesNobody(t *testing.T) {
	t.Parallel()
	due := []triggers.Trigger{{ID: "b"}, {ID: "a", Always: true}, {ID: "c"}}
	got := triggers.Judge(due, interview.Said{Answers: map[string]interview.Answer{"c": {Verdict: interview.No}}})
	var ids []string
	for _, d := range got {
		ids = append(ids, d.Automation)
	}
	if diff := cmp.Diff([]string{"b", "a", "c"}, ids); diff != "" {
		t.Error(diff)
	}
	if got[0].Reason != reason.AnswerInvalid || !got[0].Review {
		t.Errorf("a question without an answer became %+v", got[0])
	}
}

func TestFree(t *testing.T) {
	t.Parallel()
	free, asked := triggers.Free([]triggers.Trigger{
		{ID: "a", Always: true}, {ID: "b", Always: true, NeedsValues: true}, {ID: "c", Ask: "Did it rain?"},
	})
	if len(free) != 1 || free[0].ID != "a" || len(asked) != 2 || asked[0].ID != "b" || asked[1].ID != "c" {
		t.Errorf("got free %v, asked %v", free, asked)
	}
}
