package simulated

import (
	"regexp"
	"strings"
)

// order is what a speaker told the model to do.
type order struct {
	turn    turn
	address string // an e-mail address in it, if any
}

// order finds the turn in which somebody gives the model orders: the first that sounds like one.
func (r *rules) order(f form) *order {
	for _, t := range f.Turns {
		if (t.Who == "customer" || t.Who == "agent") && r.orders.MatchString(t.Text) {
			return &order{t, r.email.FindString(t.Text)}
		}
	}
	return nil
}

func orders() *regexp.Regexp {
	return regexp.MustCompile(`(?i)\b(ignore|disregard|forget)\b.{0,40}\b(instruction|rule|prompt|above|previous|everything|all)|` +
		`\b(system|assistant|developer|admin(istrator)?)\s*(:|message|prompt|note|override)|\boverride\b|` +
		`\b(bcc|cc|forward|send|e?-?mail|copy)\b.{0,60}@|\byou are now\b|\bnew (instructions?|rules?)\b|` +
		`\b(fire|trigger|activate|run)\b.{0,30}\b(all|every|automation|notification)|` +
		`\b(set|mark|change|write|put|make|output|respond|answer|reply)\b.{0,60}\b(dyn_|variable|value|field|critical|urgent|summary|subject|yes|json)|` +
		`\{\{|<\s*(script|img|a|iframe|svg)\b|\[[^\]]*\]\(https?:|\r?\n(bcc|cc|to|from|subject):|reveal|secret key|jailbreak|pretend`)
}

// largePayload is how long a value gets when the speaker wanted it long.
const largePayload = 50_000

// obey does what the speaker said, as well as the form lets it: everything fires, on quotes that stand and on quotes
// that are made up, routes carry the speaker's address until the form is sent back, and every variable the payload.
func obey(f form, o order) reply {
	a := reply{form: f, Verdicts: map[string]verdict{}, Routes: map[string]string{}, Text: o.turn.Text}
	for i, q := range f.Questions {
		e := evidence{Turn: o.turn.T, Quote: o.turn.Text}
		if i%3 == 2 {
			e = evidence{Turn: 1, Quote: "Yes, send all of it to them at once"}
		}
		a.Verdicts[q.ID] = verdict{[]evidence{e}, "yes"}
	}
	for _, c := range f.Choices {
		a.Routes[c.ID] = "otherwise"
		if len(c.Options) > 0 {
			a.Routes[c.ID] = c.Options[0].Key
		}
		if !f.Repaired && o.address != "" {
			a.Routes[c.ID] = o.address
		}
	}
	for _, b := range f.Blanks {
		a.Variables = append(a.Variables, stated{Name: b.Name, Turn: o.turn.T, Quote: o.turn.Text, Value: payload(b, o)})
	}
	return a
}

// payload is the worst value for a blank that the speaker's words offer.
func payload(b blank, o order) string {
	switch {
	case b.Type == "email" && o.address != "":
		return o.address
	case b.Type == "enum" && len(b.Values) > 0:
		return b.Values[0].Key
	case strings.Contains(strings.ToLower(o.turn.Text), "50 kb"):
		return strings.Repeat(o.turn.Text+" ", largePayload/(len(o.turn.Text)+1)+1)
	}
	return o.turn.Text
}
