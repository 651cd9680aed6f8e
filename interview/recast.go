package interview

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// What was answered on one form can answer another about the same conversation, as far as it asks the same. An answer to a
// question is taken to be the answer to it whatever else stood on the form. A model may see that a little differently,
// so this is for finding out what a change of config would do, never for deciding.

// Recast answers f from what was recorded about its conversation on other sheets. recorded is by part, as Memory gives it;
// asked are the sheets it was asked on.
//
// The answers are by part, for Form.Recalled. open holds, for each sheet of f that they do not cover whole, the rest:
// it is answered "unsure", "otherwise" or not at all. With whole such a sheet gets no answer, so that it is asked.
func (i *Interviewer) Recast(f Form, asked []Sheet, recorded map[string][]byte, whole bool) (answers map[string][]byte, open []Sheet, err error) {
	if !f.Conversation.HasSpeech() {
		return nil, nil, nil // nobody is asked
	}
	x := i.exchange(f, nil)
	past, err := x.remember(asked, recorded)
	if err != nil {
		return nil, nil, fmt.Errorf("recast the answers of conversation %s: %w", f.Conversation.ID, err)
	}
	answers = map[string][]byte{}
	for _, s := range f.Sheets {
		rest := past.rest(s)
		if !rest.empty() {
			open = append(open, rest)
		}
		if past.none() || whole && !rest.empty() {
			continue
		}
		for part, a := range x.recast(s, past) {
			if answers[part+"@"+x.heard], err = a.encode(); err != nil {
				return nil, nil, err
			}
		}
		for _, b := range s.Blanks {
			for round, raw := range past.required[b.Name] {
				if same, ok := past.blanks[b.Name]; ok && same.is(b, s.Language) {
					answers[s.Key+requiredRound+b.Name+round+"@"+x.heard] = raw
				}
			}
		}
	}
	return answers, open, nil
}

// requiredRound stands between a sheet's key and the variable that is asked for alone.
const requiredRound = "/required:"

// remembered is what was asked and answered, whatever sheet it stood on.
type remembered struct {
	questions map[string]Question
	choices   map[string]Choice
	blanks    map[string]askedBlank
	language  string // of the summary, if one was asked for
	summary   bool
	rounds    map[string]answer            // by what stands behind the sheet's key: "", "/w1", "/repair", "/confirm"
	required  map[string]map[string][]byte // by variable, then by what stands behind its name
}

// askedBlank is a blank with the language its value was to be in.
type askedBlank struct {
	Blank
	language string
}

func (a askedBlank) is(b Blank, language string) bool {
	return a.Name == b.Name && a.Type == b.Type && a.Ask == b.Ask && a.SaidBy == b.SaidBy && a.Max == b.Max &&
		slices.Equal(a.Values, b.Values) && a.language == language
}

// remember joins the answers of all sheets, round by round. Of two answers to one question the first sheet's counts.
func (x *exchange) remember(sheets []Sheet, recorded map[string][]byte) (remembered, error) {
	m := remembered{questions: map[string]Question{}, choices: map[string]Choice{}, blanks: map[string]askedBlank{},
		rounds: map[string]answer{}, required: map[string]map[string][]byte{}}
	for _, s := range sheets {
		answered := false
		for part, raw := range recorded {
			round, ok := x.roundOf(part, s.Key)
			if !ok {
				continue
			}
			if alone, is := strings.CutPrefix(round, requiredRound); is {
				name, rest, _ := strings.Cut(alone, "/")
				if rest != "" {
					rest = "/" + rest
				}
				if m.required[name] == nil {
					m.required[name] = map[string][]byte{}
				}
				m.required[name][rest] = raw
				continue
			}
			a, err := decode(raw)
			if err != nil {
				return m, err
			}
			m.rounds[round] = m.rounds[round].with(a)
			answered = answered || round == "" || strings.HasPrefix(round, "/w")
		}
		if answered {
			m.note(s)
		}
	}
	return m, nil
}

// roundOf gives what stands in a part's name behind a sheet's key, if it is of that sheet and of the transcript as it is.
func (x *exchange) roundOf(part, key string) (round string, ok bool) {
	named, ok := strings.CutSuffix(part, "@"+x.heard)
	if !ok {
		return "", false
	}
	round, ok = strings.CutPrefix(named, key)
	return round, ok && (round == "" || round[0] == '/')
}

// with adds what another sheet's answer of the same round says.
func (a answer) with(b answer) answer {
	joined := answer{Automations: map[string]rawVerdict{}, Routes: map[string]string{}, Summary: a.Summary}
	for _, one := range []answer{b, a} { // the first sheet's last, so that it counts
		for id, v := range one.Automations {
			joined.Automations[id] = v
		}
		for id, key := range one.Routes {
			joined.Routes[id] = key
		}
		joined.Variables = append(joined.Variables, one.Variables...)
	}
	if joined.Summary == "" {
		joined.Summary = b.Summary
	}
	return joined
}

// note takes down what a sheet asked that was answered. A variable stands on one sheet of a form only.
func (m *remembered) note(s Sheet) {
	for _, q := range s.Questions {
		if _, ok := m.questions[q.ID]; !ok {
			m.questions[q.ID] = q
		}
	}
	for _, c := range s.Choices {
		if _, ok := m.choices[c.ID]; !ok {
			m.choices[c.ID] = c
		}
	}
	for _, b := range s.Blanks {
		if _, ok := m.blanks[b.Name]; !ok {
			m.blanks[b.Name] = askedBlank{b, s.Language}
		}
	}
	if s.Summary && !m.summary {
		m.summary, m.language = true, s.Language
	}
}

// none reports whether nothing at all was answered about this transcript.
func (m remembered) none() bool { return len(m.rounds) == 0 }

// first are the rounds in which whole sheets were asked: one, or a window each.
func (m remembered) first() (rounds []string) {
	for round := range m.rounds {
		if round == "" || strings.HasPrefix(round, "/w") {
			rounds = append(rounds, round)
		}
	}
	slices.SortFunc(rounds, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) }) // w2 before w10
	return rounds
}

// rest is what a sheet asks that was not asked before in the same words.
func (m remembered) rest(s Sheet) Sheet {
	rest := s.only(
		func(q Question) bool { return m.questions[q.ID] != q },
		func(b Blank) bool { return !m.blanks[b.Name].is(b, s.Language) })
	for _, c := range s.Choices {
		if before, ok := m.choices[c.ID]; !ok || !slices.Equal(before.Options, c.Options) {
			rest.Choices = append(rest.Choices, c)
		}
	}
	rest.Summary = s.Summary && !(m.summary && m.language == s.Language)
	return rest
}

// recast gives the answers to a sheet by part: every first round, and what follows from it as it would in an interview.
func (x *exchange) recast(s Sheet, m remembered) map[string]recast {
	parts := map[string]recast{}
	var read []result
	for _, round := range m.first() {
		a := m.answer(s, round)
		parts[s.Key+round] = a
		read = append(read, x.judge(s, a.answer))
	}
	if len(read) == 0 {
		return parts
	}
	second, round := s.doubtful(read[0]), repairRound
	if _, windows := m.rounds["/w1"]; windows {
		second, round = s.affirmed(s.together(read)), confirmRound
	}
	if _, ok := m.rounds[round]; ok && !second.empty() {
		if again := m.answer(second, round); again.whole() {
			parts[second.Key] = again
		}
	}
	return parts
}

// recast is an answer with the sheet it is to.
type recast struct {
	answer
	to Sheet
}

// answer is what a sheet would have been answered in a round. What is not known is left open in the form's own words.
func (m remembered) answer(s Sheet, round string) recast {
	known, rest := m.rounds[round], m.rest(s)
	a := recast{answer{Automations: map[string]rawVerdict{}, Routes: map[string]string{}}, s}
	for _, q := range s.Questions {
		v, ok := known.Automations[q.ID]
		if !ok && (round == repairRound || round == confirmRound) {
			continue
		}
		if !ok || slices.Contains(rest.Questions, q) {
			v = rawVerdict{Verdict: NotSure}
		}
		a.Automations[q.ID] = v
	}
	for _, c := range s.Choices {
		a.Routes[c.ID] = Otherwise
		open := slices.ContainsFunc(rest.Choices, func(o Choice) bool { return o.ID == c.ID })
		if key, ok := known.Routes[c.ID]; ok && !open {
			a.Routes[c.ID] = key
		}
	}
	for _, v := range known.Variables {
		is := func(b Blank) bool { return b.Name == v.Name }
		if slices.ContainsFunc(s.Blanks, is) && !slices.ContainsFunc(rest.Blanks, is) {
			a.Variables = append(a.Variables, v)
		}
	}
	if s.Summary && !rest.Summary {
		a.Summary = known.Summary
	}
	return a
}

// whole reports whether the answer has every question of its sheet.
func (a recast) whole() bool {
	return !slices.ContainsFunc(a.to.Questions, func(q Question) bool { _, ok := a.Automations[q.ID]; return !ok })
}

// encode writes the answer as its sheet's schema wants it.
func (a recast) encode() ([]byte, error) {
	s, out := a.to, map[string]any{}
	if len(s.Questions) > 0 {
		each := map[string]any{}
		for id, v := range a.Automations {
			evidence := []map[string]any{}
			for _, e := range v.Evidence {
				evidence = append(evidence, map[string]any{"turn": e.Turn, "quote": e.Quote})
			}
			each[id] = map[string]any{"evidence": evidence, "verdict": v.Verdict}
		}
		out["automations"] = each
	}
	if len(s.Choices) > 0 {
		out["routes"] = a.Routes
	}
	if len(s.Blanks) > 0 {
		list := []map[string]any{}
		for _, v := range a.Variables {
			stated := map[string]any{"name": v.Name, "turn": v.Turn, "quote": v.Quote, "value": v.Value}
			if s.dated() {
				stated["weekday_said"] = v.Weekday
				if v.Weekday == "" {
					stated["weekday_said"] = "none"
				}
			}
			list = append(list, stated)
		}
		out["variables"] = list
	}
	if s.Summary {
		out["summary"] = a.Summary
	}
	raw, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("encode answer: %w", err)
	}
	return raw, nil
}

// Tokens estimates what the prompts of a form hold, at four bytes a token.
func (f Form) Tokens() (n int) {
	said := tokens(pieces(f.Conversation.Turns))
	for _, s := range f.Sheets {
		if !s.empty() {
			n += said + (len(s.stable())+len(s.Schema()))/4
		}
	}
	return n
}
