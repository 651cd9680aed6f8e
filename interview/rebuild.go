package interview

import (
	"strconv"
	"strings"
)

// Prompt is what a model call asked, in the parts it is read by.
type Prompt struct {
	Rules      string // the same for every call
	Sheet      string // what the config asks
	Facts      string // of the call, with the calendar
	Transcript string // as the model reads it
	Reminder   string
	Hash       string // of the whole, with the schema
}

// Rebuild puts together again what a recorded call asked, from its form and the answers that were used. ok is false where
// that cannot be known: the transcript has changed since, the config never asked this, or an answer it followed from is gone.
// Whether it is the same word for word, the hash tells.
func Rebuild(f Form, part string, used map[string][]byte) (p Prompt, ok bool) {
	x := NewInterviewer(nil, nil, Limits{}).exchange(f, used)
	for _, s := range f.Sheets {
		round, is := x.roundOf(part, s.Key)
		if !is {
			continue
		}
		if a, known := x.asked(s, round); known {
			return x.prompt(a), true
		}
	}
	return Prompt{}, false
}

// prompt lays out what was asked.
func (x *exchange) prompt(a ask) Prompt {
	q := x.form.request(x.laid(a.sheet), a.turns, a.note, x.limits.AnswerTokens)
	facts, after := x.form.facts(a.sheet), reminder+a.note
	return Prompt{
		Rules: rules, Sheet: strings.TrimPrefix(q.Messages[0].Content, rules), Facts: facts,
		Transcript: strings.TrimSuffix(strings.TrimPrefix(q.Messages[1].Content, facts), after), Reminder: after, Hash: PromptHash(q),
	}
}

// asked is what was asked in a round of a sheet: the whole, a window, or what followed from the answers to those.
func (x *exchange) asked(s Sheet, round string) (a ask, ok bool) {
	if alone, is := strings.CutPrefix(round, requiredRound); is {
		name, rest, more := strings.Cut(alone, "/")
		if more {
			rest = "/" + rest
		}
		small := s.only(func(Question) bool { return false }, func(b Blank) bool { return b.Name == name })
		small.Key += requiredRound + name
		if small.empty() {
			return ask{}, false
		}
		return x.asked(small, rest)
	}
	switch round {
	case "":
		return ask{sheet: s, turns: x.turns}, true
	case repairRound:
		first, known := x.answered(s, "")
		small := s.doubtful(first)
		return x.mending(small), known && !small.empty()
	case confirmRound:
		return x.confirmed(s)
	}
	number, is := strings.CutPrefix(round, "/w")
	i, err := strconv.Atoi(number)
	if all := x.cut(); is && err == nil && i >= 1 && i <= len(all) {
		return window(s, i-1, all[i-1]), true
	}
	return ask{}, false
}

// confirmed is what the second look at the windows asked.
func (x *exchange) confirmed(s Sheet) (a ask, ok bool) {
	var read []result
	for i, w := range x.cut() {
		part := strings.TrimPrefix(window(s, i, w).part, s.Key)
		r, known := x.answered(s, part)
		if !known {
			return ask{}, false
		}
		read = append(read, r)
	}
	r := s.together(read)
	small := s.affirmed(r)
	return x.confirming(small, r), !small.empty()
}

// answered is what came of the answer that was used for a round.
func (x *exchange) answered(s Sheet, round string) (r result, ok bool) {
	raw, ok := x.recalled[s.Key+round+"@"+x.heard]
	if !ok {
		return result{}, false
	}
	a, err := decode(raw)
	if err != nil {
		return result{}, false
	}
	return x.judge(s, a), true
}

// cut gives the windows that the transcript is read in: because it is too long for us, else because it was for the model.
func (x *exchange) cut() [][]piece {
	limit := x.limits.WindowTokens
	if all := tokens(x.turns); all <= x.limits.TranscriptTokens {
		limit = min(limit, all/2)
	}
	return windows(x.turns, limit, x.limits.OverlapTurns)
}
