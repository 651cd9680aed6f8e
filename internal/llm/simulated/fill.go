package simulated

import (
	"slices"
	"strings"
)

// fill answers a form by the rules.
func (r *rules) fill(f form) reply {
	a := reply{form: f, Verdicts: map[string]verdict{}, Routes: map[string]string{}}
	for _, q := range f.Questions {
		a.Verdicts[q.ID] = r.decide(q, f.Turns)
	}
	for _, c := range f.Choices {
		a.Routes[c.ID], _ = r.choose(c.Options, "", f.Turns)
		if a.Routes[c.ID] == "" {
			a.Routes[c.ID] = "otherwise"
		}
	}
	for _, b := range f.Blanks {
		if s, ok := r.value(b, f); ok {
			s.Name = b.Name
			a.Variables = append(a.Variables, s)
		}
	}
	if f.Summary {
		a.Text = r.summary(f.Turns)
	}
	return a
}

// decide answers one question: by the topics it names, else by the words it shares with what was said.
func (r *rules) decide(q question, turns []turn) verdict {
	found := evidence{}
	named := r.named(q.Ask)
	if named == nil {
		named = r.named(strings.ReplaceAll(q.ID, "-", " "))
	}
	for _, t := range named {
		if e := r.listen(t, turns, q.From); e.Turn > 0 {
			if found = e; !e.open {
				break
			}
		}
	}
	if named == nil {
		found = r.resemble(q.Ask, turns, q.From)
	}
	if found.open {
		return verdict{[]evidence{found}, "unsure"}
	}
	yes := found.Turn > 0
	if q.Absence == "none" {
		// The question is about something that did not happen; "did nobody …" is yes if it was not heard.
		if yes = !yes; yes {
			return verdict{[]evidence{}, "yes"}
		}
		return verdict{[]evidence{found}, "no"}
	}
	if !yes {
		return verdict{[]evidence{}, "no"}
	}
	return verdict{[]evidence{found}, "yes"}
}

// named are the topics a question is about.
func (r *rules) named(ask string) []topic {
	var all []topic
	for _, t := range r.topics {
		if t.cues.MatchString(ask) {
			all = append(all, t)
		}
	}
	return all
}

// listen goes through the conversation and keeps the last word on a topic. Its evidence is turn 0 if there is none.
func (r *rules) listen(t topic, turns []turn, from string) evidence {
	var found evidence
	for i, say := range turns {
		if say.Who != "customer" && say.Who != "agent" {
			continue
		}
		for _, s := range sentences(say.Text) {
			switch heard := r.hear(t, say.Who, s); heard {
			case meant:
				if e := r.attribute(say, s, turns, i, from); e.Turn > 0 {
					found = e
				}
			case denied:
				found = evidence{}
			case offered:
				next := answerTo(turns, i)
				switch {
				case r.declines(next.Text):
					found = evidence{}
				case r.accepts(next.Text):
					found = accepted(say, s, next, from)
				case r.wavers(next.Text) && found.Turn == 0:
					found = accepted(say, s, next, from)
					found.open = true
				}
			}
		}
	}
	return found
}

// heard is what a sentence means for a topic.
type heard int

const (
	nothing heard = iota
	meant
	denied
	offered
)

func (r *rules) hear(t topic, who, sentence string) heard {
	text := strings.ReplaceAll(sentence, "’", "'")
	if t.undo != nil && t.undo.MatchString(text) {
		return denied
	}
	if who == "agent" && t.offer != nil && t.offer.MatchString(text) {
		return offered
	}
	p := t.customer
	if who == "agent" {
		p = t.agent
	}
	if p == nil || !p.MatchString(text) { // most sentences end here
		return nothing
	}
	if t.never != nil {
		text = t.never.ReplaceAllString(text, " ~ ")
	}
	at := p.FindStringIndex(text)
	switch {
	case at == nil:
		return nothing
	case !t.firm && r.negated(text[:at[0]], text[at[1]:]):
		return denied
	}
	return meant
}

// answerTo is the customer's next turn after i.
func answerTo(turns []turn, i int) turn {
	for _, t := range turns[i+1:] {
		if t.Who == "customer" {
			return t
		}
	}
	return turn{}
}

// accepted is the evidence of an accepted offer: the customer's words, or the offer if only the agent's count.
func accepted(offer turn, sentence string, next turn, from string) evidence {
	if from == "agent" {
		return quote(offer, sentence)
	}
	return evidence{Turn: next.T, Quote: next.Text}
}

// attribute finds words of the speaker who counts. For what the agent stated ("you are booked") these are the
// customer's nearest words: what came next, if it was consent, else what came before.
func (r *rules) attribute(say turn, sentence string, turns []turn, i int, from string) evidence {
	if from != "customer" && from != "agent" || say.Who == from {
		return quote(say, sentence)
	}
	if from == "agent" {
		return evidence{}
	}
	if next := answerTo(turns, i); r.accepts(next.Text) {
		return evidence{Turn: next.T, Quote: next.Text}
	}
	for j := i - 1; j >= 0; j-- {
		if turns[j].Who == "customer" && len(strings.Fields(turns[j].Text)) >= 3 {
			return evidence{Turn: turns[j].T, Quote: turns[j].Text}
		}
	}
	return evidence{}
}

// resemble finds the sentence that shares most with a question: at least two words that carry meaning, or the only one
// there is, and no "not" before them.
func (r *rules) resemble(ask string, turns []turn, from string) evidence {
	wanted := unique(r.stems(ask))
	need := min(2, len(wanted))
	var found evidence
	best := need - 1
	for _, t := range turns {
		if !speaks(t, from) {
			continue
		}
		for _, s := range sentences(t.Text) {
			score, first := r.shared(wanted, s)
			if score == 0 || score < best || score == best && found.Turn == 0 {
				continue
			}
			if r.negated(s[:first], "") {
				if score >= need {
					found, best = evidence{}, need-1
				}
				continue
			}
			if score > best {
				found, best = quote(t, s), score
			}
		}
	}
	if best < need {
		return evidence{}
	}
	return found
}

// shared counts the wanted stems in a sentence; first is where the first of them stands.
func (r *rules) shared(wanted []string, sentence string) (score, first int) {
	seen := map[string]bool{}
	first = len(sentence)
	for _, at := range r.word.FindAllStringIndex(sentence, -1) {
		for _, s := range r.stems(sentence[at[0]:at[1]]) {
			if slices.Contains(wanted, s) && !seen[s] {
				seen[s] = true
				first = min(first, at[0])
			}
		}
	}
	return len(seen), first
}

func speaks(t turn, from string) bool {
	if from == "customer" || from == "agent" {
		return t.Who == from
	}
	return t.Who == "customer" || t.Who == "agent"
}

func unique(all []string) []string {
	slices.Sort(all)
	return slices.Compact(all)
}

// choose takes the option whose key and note share most with what the customer said; "" if none shares anything. A
// topic named by the note ("money, invoices") counts as well.
func (r *rules) choose(options []option, from string, turns []turn) (string, evidence) {
	if from == "" {
		from = "customer"
	}
	key, best, where := "", 0, evidence{}
	for _, o := range options {
		wanted := unique(r.stems(strings.ReplaceAll(o.Key, "_", " ") + " " + o.When + " " + usual(o.Key)))
		score, top, at := 0, 0, evidence{}
		for _, t := range turns {
			if !speaks(t, from) {
				continue
			}
			for _, s := range sentences(t.Text) {
				n, first := r.shared(wanted, s)
				if n > 0 && !r.negated(s[:first], "") {
					score += n
					if n > top {
						top, at = n, quote(t, s)
					}
				}
			}
		}
		for _, t := range r.named(o.When + " " + o.Key) {
			if e := r.listen(t, turns, from); e.Turn > 0 && !e.open {
				score += 2
				if at.Turn == 0 {
					at = e
				}
			}
		}
		if score > best {
			key, best, where = o.Key, score, at
		}
	}
	return key, where
}

// usual are words that go with the usual degrees, for options without a note.
func usual(key string) string {
	switch strings.ToLower(key) {
	case "critical", "urgent", "emergency":
		return "urgent emergency danger outage everything down completely stopped flood fire bleeding"
	case "high":
		return "serious today blocked deadline quickly angry"
	case "medium", "normal":
		return "problem issue"
	case "low", "minor":
		return "minor small question rush wondering"
	}
	return ""
}

// summary puts together what the customer came for, the weightiest sentence of each, and how it ended.
func (r *rules) summary(turns []turn) string {
	var parts []string
	add := func(s string) {
		if s = strings.TrimSpace(s); s != "" && !slices.Contains(parts, s) {
			parts = append(parts, s)
		}
	}
	add(r.opening(turns))
	for _, t := range r.topics {
		if len(parts) == 2 {
			break
		}
		if e := r.listen(t, turns, "customer"); e.Turn > 0 {
			add(e.Quote)
		}
	}
	for i := len(turns) - 1; i >= 0; i-- {
		if t := turns[i]; t.Who == "agent" && len(strings.Fields(t.Text)) >= 6 {
			add(t.Text)
			break
		}
	}
	if len(parts) == 0 {
		return "Simulated summary: little was said."
	}
	return "Simulated summary: " + clip(strings.Join(parts, " "), 600)
}

// opening is the customer's first sentence of some length.
func (r *rules) opening(turns []turn) string {
	for _, t := range turns {
		if t.Who != "customer" {
			continue
		}
		for _, s := range sentences(t.Text) {
			if len(r.stems(s)) >= 3 {
				return s
			}
		}
	}
	return ""
}

func clip(s string, n int) string {
	if rs := []rune(s); len(rs) > n {
		return strings.TrimSpace(string(rs[:n]))
	}
	return s
}
