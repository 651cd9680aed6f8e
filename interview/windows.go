package interview

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"aftercall/reason"
)

// A transcript beyond the limit is read in windows that overlap, each with the same sheet, and put together here:
//
//   - a question is yes if a window says so and one confirming call over the cited turns, with twenty turns around each,
//     says so too; if that call does not, it is unsure. A question about something that did not happen is yes only if
//     every window says yes.
//   - a variable is what the windows agree on; if they differ, it is a conflict, with the last value.
//   - a route is that of the last window that chose one.
//   - a summary is those of the windows, in order.
//
// A bad answer is repaired once per window. Evidence that does not hold is not asked for again window by window: the
// confirming call does that. Parts of a very long turn are read in different windows; quotes are checked against all of it.

// tokensPerTurn is what a line of the transcript costs beside its text.
const tokensPerTurn = 12

// tokens estimates the length of a transcript: four bytes a token.
func tokens(turns []piece) int {
	n := 0
	for _, t := range turns {
		n += len(t.text)/4 + tokensPerTurn
	}
	return n
}

// windows cuts turns into stretches of at most limit tokens of which two share some turns, but never more than half a
// window, so that each goes on.
func windows(turns []piece, limit, overlap int) [][]piece {
	limit = max(limit, 4*tokensPerTurn)
	turns = split(turns, limit)
	var all [][]piece
	for from := 0; from < len(turns); {
		to, size := from, 0
		for to < len(turns) && (to == from || size+tokens(turns[to:to+1]) <= limit) {
			size += tokens(turns[to : to+1])
			to++
		}
		all = append(all, turns[from:to])
		if to == len(turns) {
			break
		}
		back := to
		for back > from+1 && to-back < overlap && tokens(turns[back-1:to]) <= limit/2 {
			back--
		}
		from = back
	}
	return all
}

// split cuts turns that are longer than a window, at spaces where there are any.
func split(turns []piece, limit int) []piece {
	most := (limit - tokensPerTurn) * 4
	all := make([]piece, 0, len(turns))
	for _, t := range turns {
		for len(t.text) > most {
			at := cutAt(t.text, most)
			part := t
			part.text, t.text = t.text[:at], t.text[at:]
			all = append(all, part)
		}
		all = append(all, t)
	}
	return all
}

// cutAt is the last place at or before most at which a text can be cut: after a space, else between two characters.
func cutAt(s string, most int) int {
	for i := most; i > most/2; i-- {
		if s[i-1] == ' ' {
			return i
		}
	}
	for i := most; i > 0; i-- {
		if s[i]&0xC0 != 0x80 { // the first byte of a character
			return i
		}
	}
	return most
}

// inWindows fills in a sheet window by window. The whole is refused before the first call if its budget cannot suffice.
func (x *exchange) inWindows(ctx context.Context, s Sheet, limit int) (result, error) {
	all := windows(x.turns, limit, x.limits.OverlapTurns)
	l := x.laid(s)
	each := len(l.stable)/4 + len(l.schema)/4 + limit
	if len(all) > x.limits.Calls || len(all)*each > x.limits.PromptTokens {
		return result{}, &failure{reason.BudgetExceeded, fmt.Sprintf("The transcript would have to be read in %d windows.", len(all))}
	}
	settle, err := x.setAside(ctx, s, all)
	if err != nil {
		return result{}, err
	}
	defer settle()
	var read []result
	for i, w := range all {
		a, _, err := x.put(ctx, window(s, i, w))
		if errors.Is(err, errTooLong) {
			return result{}, &failure{reason.BudgetExceeded, "Not even a part of the transcript fits the model."}
		}
		if err != nil {
			return result{}, err
		}
		read = append(read, x.judge(s, a))
	}
	return x.confirm(ctx, s, s.together(read))
}

// together puts the windows' results together.
func (s Sheet) together(read []result) result {
	r := result{answers: map[string]Answer{}, routes: map[string]string{}, variables: map[string]Stated{}}
	for _, q := range s.Questions {
		r.answers[q.ID] = q.together(read)
	}
	for _, c := range s.Choices {
		r.routes[c.ID] = Otherwise
	}
	for _, w := range read {
		for id, key := range w.routes {
			if key != Otherwise {
				r.routes[id] = key
			}
		}
		for name, v := range w.variables {
			if earlier, ok := r.variables[name]; ok {
				v = merge(earlier, v)
			}
			r.variables[name] = v
		}
		if w.summary != "" && r.summary != w.summary {
			r.summary = clip(clean(r.summary+" "+w.summary), longestSummary)
		}
	}
	return r
}

// together makes one answer of those of the windows.
func (q Question) together(read []result) Answer {
	var yes, doubt Answer
	yeses, noes := 0, 0
	for _, w := range read {
		a := w.answers[q.ID]
		switch {
		case a.Problem != "" || a.Verdict == NotSure:
			if doubt.Verdict == "" || doubt.Problem == "" {
				doubt = a
			}
		case a.Verdict == Yes:
			yeses++
			yes.Verdict = Yes
			for _, e := range a.Evidence {
				if !slices.Contains(yes.Evidence, e) {
					yes.Evidence = append(yes.Evidence, e)
				}
			}
		default:
			noes++
		}
	}
	switch {
	case yeses == len(read), yeses > 0 && !q.Absence:
		yes.Evidence = yes.Evidence[:min(len(yes.Evidence), mostEvidence)]
		return yes
	case q.Absence && noes > 0, doubt.Verdict == "":
		return Answer{Verdict: No}
	default:
		return doubt
	}
}

// confirmRadius is how many turns around a cited one a second look sees.
const confirmRadius = 20

// confirm takes the second look at every yes of a window.
func (x *exchange) confirm(ctx context.Context, s Sheet, r result) (result, error) {
	small := s.affirmed(r)
	if small.empty() {
		return r, nil
	}
	a, _, err := x.put(ctx, x.confirming(small, r))
	var failed *failure
	switch {
	case errors.As(err, &failed):
		small.doubt(r, failed.code, failed.detail)
		return r, nil
	case errors.Is(err, errTooLong):
		small.doubt(r, reason.BudgetExceeded, "The second look does not fit the model.")
		return r, nil
	case err != nil:
		return result{}, err
	}
	for id, second := range x.judge(small, a).answers {
		r.answers[id] = secondLook(r.answers[id], second)
	}
	return r, nil
}

// confirming asks what confirm does.
func (x *exchange) confirming(small Sheet, r result) ask {
	var cited []Evidence
	for _, q := range small.Questions {
		cited = append(cited, r.answers[q.ID].Evidence...)
	}
	return ask{part: small.Key, purpose: purposeConfirm, sheet: small, turns: x.around(cited)}
}

// affirmed is what confirm looks at again: every yes of a window.
func (s Sheet) affirmed(r result) Sheet {
	small := s.only(func(q Question) bool {
		return !q.Absence && r.answers[q.ID].Verdict == Yes && r.answers[q.ID].Problem == ""
	}, func(Blank) bool { return false })
	small.Key = s.Key + confirmRound
	return small
}

// secondLook weighs the confirming answer to a yes with evidence. A yes again stands, on its own quote or on the first.
func secondLook(first, second Answer) Answer {
	switch {
	case second.Verdict == Yes && second.Problem == "":
		return second
	case second.Verdict == Yes:
		return first
	}
	return Answer{Verdict: NotSure, Evidence: first.Evidence, Detail: "One reading said yes, a second look did not."}
}

// doubt leaves every yes that could not be looked at again to a person.
func (s Sheet) doubt(r result, code reason.Code, detail string) {
	for _, q := range s.Questions {
		a := r.answers[q.ID]
		a.Verdict, a.Problem, a.Detail = NotSure, code, detail
		r.answers[q.ID] = a
	}
}

// around is the stretches of the transcript around the cited turns. They shrink until they fit one call; of a cited turn
// that alone is too long, the part that holds the quote is shown.
func (x *exchange) around(cited []Evidence) []piece {
	limit := x.limits.TranscriptTokens
	for radius := confirmRadius; radius > 0; radius /= 2 {
		if near := within(x.turns, cited, radius); tokens(near) <= limit {
			return near
		}
	}
	parts := split(within(x.turns, cited, 0), max(limit/len(cited), 4*tokensPerTurn))
	quoted := slices.DeleteFunc(slices.Clone(parts), func(p piece) bool {
		return !slices.ContainsFunc(cited, func(e Evidence) bool {
			if e.Turn != p.turn {
				return false
			}
			text, q := fold(p.text), fold(e.Quote)
			return text.is(q) || text.holds(q)
		})
	})
	if len(quoted) == 0 { // the cut went through every quote
		quoted = parts
	}
	return windows(quoted, limit, 0)[0]
}

// within is the turns that are at most radius turns away from a cited one.
func within(turns []piece, cited []Evidence, radius int) []piece {
	var near []piece
	for _, t := range turns {
		if slices.ContainsFunc(cited, func(e Evidence) bool { return t.turn >= e.Turn-radius && t.turn <= e.Turn+radius }) {
			near = append(near, t)
		}
	}
	return near
}
