package interview

import (
	"context"
	"errors"
	"slices"
	"strings"

	"aftercall/reason"
)

// result is a filled-in and checked sheet.
type result struct {
	answers   map[string]Answer
	routes    map[string]string
	variables map[string]Stated
	summary   string
}

// into adds the result of a sheet to what was said. A variable or automation belongs to one sheet only.
func (r result) into(said *Said, s Sheet) {
	for _, q := range s.Questions {
		said.Answers[q.ID] = r.answers[q.ID]
	}
	for _, c := range s.Choices {
		said.Routes[c.ID] = r.routes[c.ID]
	}
	for name, v := range r.variables {
		said.Variables[name] = v
	}
	if said.Summary == "" {
		said.Summary = r.summary
	}
}

// fill gets one sheet filled in: whole, or in windows where the transcript is too long.
func (x *exchange) fill(ctx context.Context, s Sheet) (result, error) {
	if tokens(x.turns) > x.limits.TranscriptTokens {
		return x.inWindows(ctx, s, x.limits.WindowTokens)
	}
	purpose := purposeInterview
	if strings.Contains(s.Key, "/required:") {
		purpose = purposeRequired
	}
	a, repaired, err := x.put(ctx, ask{part: s.Key, purpose: purpose, sheet: s, turns: x.turns})
	if errors.Is(err, errTooLong) {
		return x.inWindows(ctx, s, min(x.limits.WindowTokens, tokens(x.turns)/2))
	}
	if err != nil {
		return result{}, err
	}
	r := x.judge(s, a)
	if repaired {
		return r, nil
	}
	return x.mend(ctx, s, r)
}

// mend asks once more, and only for, the answers whose evidence did not hold. What comes back replaces them; if it
// cannot be had, they stay as they are, with their problem.
func (x *exchange) mend(ctx context.Context, s Sheet, r result) (result, error) {
	small := s.doubtful(r)
	if small.empty() {
		return r, nil
	}
	a, _, err := x.put(ctx, x.mending(small))
	var failed *failure
	switch {
	case errors.As(err, &failed) || errors.Is(err, errTooLong):
		return r, nil
	case err != nil:
		return result{}, err
	}
	second := x.judge(small, a)
	for id, answer := range second.answers {
		r.answers[id] = answer
	}
	for _, b := range small.Blanks {
		delete(r.variables, b.Name)
		if v, ok := second.variables[b.Name]; ok {
			r.variables[b.Name] = v
		}
	}
	return r, nil
}

// mending asks what mend does.
func (x *exchange) mending(small Sheet) ask {
	return ask{part: small.Key, purpose: purposeRepair, sheet: small, turns: x.turns, note: again, once: true}
}

// doubtful is what mend asks once more: the answers whose evidence did not hold.
func (s Sheet) doubtful(r result) Sheet {
	small := s.only(
		func(q Question) bool { return r.answers[q.ID].Problem != "" },
		func(b Blank) bool { return r.variables[b.Name].Problem != "" })
	small.Key = s.Key + repairRound
	return small
}

// What stands behind a sheet's key in the parts of its second rounds.
const (
	repairRound  = "/repair"
	confirmRound = "/confirm"
)

// only is the sheet with some of its questions and blanks, and nothing else.
func (s Sheet) only(question func(Question) bool, blank func(Blank) bool) Sheet {
	small := Sheet{Key: s.Key, Account: s.Account, Language: s.Language, For: s.For}
	for _, q := range s.Questions {
		if question(q) {
			small.Questions = append(small.Questions, q)
		}
	}
	for _, b := range s.Blanks {
		if blank(b) {
			small.Blanks = append(small.Blanks, b)
		}
	}
	return small
}

// judge checks what a model answered: only what was asked is read, and only evidence that stands is kept.
func (x *exchange) judge(s Sheet, a answer) result {
	r := result{answers: map[string]Answer{}, routes: map[string]string{}, variables: map[string]Stated{}}
	for _, q := range s.Questions {
		given, ok := a.Automations[q.ID]
		if !ok {
			r.answers[q.ID] = Answer{Verdict: NotSure, Problem: reason.AnswerInvalid, Detail: "The question was not answered."}
			continue
		}
		r.answers[q.ID] = x.verdict(q, given.Verdict, given.Evidence)
	}
	for _, c := range s.Choices {
		r.routes[c.ID] = c.pick(a.Routes[c.ID])
	}
	told := x.instructed(s)
	for _, b := range s.Blanks {
		taken := 0
		for _, given := range a.Variables {
			if given.Name == b.Name && taken < mostStatements {
				x.state(r.variables, b, given, told)
				taken++
			}
		}
	}
	if s.Summary {
		if summary := clip(clean(a.Summary), longestSummary); !told.echoed(summary) {
			r.summary = summary
		}
	}
	return r
}

// verdict keeps the evidence that holds. A yes that is left with none has a problem: that of its first quote.
func (x *exchange) verdict(q Question, v Verdict, given []rawEvidence) Answer {
	a := Answer{Verdict: v}
	var problem reason.Code
	for i, raw := range given {
		if i == mostEvidence {
			break
		}
		e, code := x.reader.locate(raw.evidence(), q.SaidBy)
		switch {
		case code == "" && !slices.Contains(a.Evidence, e):
			a.Evidence = append(a.Evidence, e)
		case problem == "":
			problem = code
		}
	}
	if v != Yes || q.Absence || len(a.Evidence) > 0 {
		return a
	}
	a.Problem = problem
	switch problem {
	case reason.WrongSpeaker:
		a.Detail = "The quoted words were said by somebody else than " + string(q.SaidBy) + "."
	case "":
		a.Problem, a.Detail = reason.EvidenceNotFound, "The yes came without a quote."
	default:
		a.Detail = "The quoted words do not stand in the turn named."
	}
	return a
}

// pick accepts a route only if it was offered.
func (c Choice) pick(key string) string {
	for _, o := range c.Options {
		if o.Key == key {
			return key
		}
	}
	return Otherwise
}

// state takes over one stated value. A second, different value for the same name is a conflict, unless only one of
// them has evidence: then that one is meant.
func (x *exchange) state(all map[string]Stated, b Blank, given rawStated, told *instructed) {
	value := clean(given.Value)
	if empty(value, given.Quote) || len([]rune(value)) > longestValue {
		return
	}
	e, code := x.reader.locate(given.evidence(), b.SaidBy)
	if code == "" && told.echoed(value) {
		code = reason.AnswerInvalid
	}
	s := Stated{Name: b.Name, Value: value, Weekday: given.Weekday, Evidence: e, Problem: code}
	if s.Weekday == "" {
		s.Weekday = "none"
	}
	if earlier, ok := all[b.Name]; ok {
		s = merge(earlier, s)
	}
	all[b.Name] = s
}

// merge makes one of two statements of a variable.
func merge(a, b Stated) Stated {
	switch {
	case b.Problem != "":
		return a
	case a.Problem != "":
		return b
	case fold(a.Value).tight == fold(b.Value).tight:
		a.Conflict = a.Conflict || b.Conflict
		return a
	}
	b.Conflict = true
	return b
}

// empty reports a value that only says that there is none. The words count as a value where they were quoted.
func empty(value, quote string) bool {
	switch strings.ToLower(strings.Trim(value, " .-–—")) {
	case "":
		return true
	case "none", "null", "unknown", "n/a", "not stated", "not_stated", "not specified", "not mentioned", "not provided":
		return !strings.Contains(strings.ToLower(quote), strings.ToLower(value))
	}
	return false
}
