package dashboard

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"aftercall/internal/store"
)

// healthView answers "is it healthy" in one sentence, with what speaks against it, each linked to where it can be seen.
type healthView struct {
	badge
	Sentence string
	Causes   []finding
}

// finding is one thing that is not as it should be.
type finding struct {
	badge
	Sentence, Path, Link string
}

// From when on something is worth a look, and from when on it is trouble.
const (
	longWait     = 2 * time.Minute
	veryLongWait = 10 * time.Minute
	modelFew     = 3 // answers that failed
)

// health judges a situation. What waits for a person to review it is work, not ill health.
func (s situation) health(of func(account string) names) healthView {
	causes := s.notWorking()
	causes = append(causes, s.late()...)
	causes = append(causes, s.modelFails()...)
	causes = append(causes, s.failing()...)
	causes = append(causes, s.stoppedByBreakers(of)...)
	causes = append(causes, s.runaway(of)...)
	for _, c := range s.configs {
		causes = append(causes, finding{badge{"look", "question", "warn"}, "The config of " + c.Account + " is not what is in its folder.", "", ""})
	}
	h := healthView{Causes: causes}
	bad := slices.IndexFunc(causes, func(c finding) bool { return c.Tone == "bad" })
	received, _ := s.sum(func(x store.Slice) int { return x.Received })
	switch {
	case bad >= 0:
		h.badge, h.Sentence = badge{"not healthy", "cross", "bad"}, causes[bad].Sentence+andMore(len(causes)-1)
	case len(causes) > 0:
		h.badge, h.Sentence = badge{"have a look", "question", "warn"}, "It works. "+causes[0].Sentence+andMore(len(causes)-1)
	case received == 0:
		h.badge, h.Sentence = badge{"healthy", "check", "good"}, "It works and it is quiet: no call came in during the last hour."
	default:
		h.badge, h.Sentence = badge{"healthy", "check", "good"}, fmt.Sprintf("It works: %s came in during the last hour, none waits that is due, and nothing failed.",
			count(received, "call", "calls"))
	}
	return h
}

// andMore says how many things there are besides.
func andMore(n int) string {
	if n == 0 {
		return ""
	}
	return " And " + count(n, "more thing", "more things") + "."
}

func (s situation) notWorking() (causes []finding) {
	if s.working == 0 {
		causes = append(causes, finding{badge{"stopped", "cross", "bad"}, "No worker is running: calls are accepted, and nothing is decided or sent.", "", ""})
	}
	for _, stop := range s.stops {
		causes = append(causes, finding{badge{"budget", "cross", "bad"}, stop.Account + " has used up its model budget for today.",
			address("/conversations", "q", "outcome:unsure", "account", s.account), "Calls to look through"})
	}
	return causes
}

// late says that calls wait longer than they should.
func (s situation) late() []finding {
	waited := s.now.Sub(s.Waiting.OldestAt)
	if s.Waiting.Calls == 0 || waited < longWait {
		return nil
	}
	b := badge{"waiting", "clock", "warn"}
	if waited >= veryLongWait {
		b.Tone = "bad"
	}
	said := upTo(s.Waiting.Calls, store.OverviewMost) + " calls are due and not decided"
	if s.Waiting.Calls == 1 {
		said = "1 call is due and not decided"
	}
	if s.Waiting.ForModel > 0 {
		said += fmt.Sprintf(", %s of them for want of the model", upTo(s.Waiting.ForModel, store.OverviewMost))
	}
	return []finding{{b, said + "; the oldest has waited for " + ago(waited) + ".", conversationPath(s.Waiting.OldestID), "The oldest"}}
}

// modelFails says that the model does not answer as it should: a few times and more than one in five.
func (s situation) modelFails() []finding {
	all, failed := 0, 0
	kinds := []string{}
	for _, m := range s.Model {
		if all += m.Calls; !m.Valid {
			failed += m.Calls
			kinds = append(kinds, words(or(m.ErrorKind, "not valid")))
		}
	}
	if failed < modelFew || failed*5 < all {
		return nil
	}
	return []finding{{badge{"model", "cross", "bad"}, fmt.Sprintf("The model failed %d of the last %d times: %s.", failed, all, strings.Join(kinds, ", ")),
		address("/conversations", "q", "state:waiting after:any", "account", s.account), "Calls that wait for it"}}
}

// failing says which deliveries did not go out.
func (s situation) failing() (causes []finding) {
	for _, kind := range []struct {
		state store.DeliveryState
		badge
		one, many string
	}{
		{store.Failed, badge{"failed", "cross", "bad"}, "delivery failed", "deliveries failed"},
		{store.Unknown, badge{"unknown", "question", "bad"}, "delivery became unknown", "deliveries became unknown"},
		{store.Retrying, badge{"retrying", "again", "warn"}, "delivery is to be tried again", "deliveries are to be tried again"},
	} {
		n, ways := 0, []string{}
		for _, t := range s.Troubles {
			if t.State == kind.state {
				n += t.Deliveries
				ways = append(ways, strings.ToLower(channelWord(t.Channel))+" "+or(words(t.Class), "without a class"))
			}
		}
		if n > 0 {
			said := fmt.Sprintf("%s in the last hour: %s.", count(n, kind.one, kind.many), strings.Join(shortList(ways), ", "))
			causes = append(causes, finding{kind.badge, said, s.deliveries(kind.state, "", "1h"), "Which"})
		}
	}
	return causes
}

// shortList is the beginning of a list, with how many are left out.
func shortList(words []string) []string {
	const most = 3
	if len(words) <= most {
		return words
	}
	return append(append([]string{}, words[:most]...), fmt.Sprintf("%d more", len(words)-most))
}

// stoppedByBreakers says which automations fire so often that they are held.
func (s situation) stoppedByBreakers(of func(account string) names) (causes []finding) {
	for _, b := range s.breakers {
		if v := breakerOf(b, of(b.AccountID)); b.Open {
			causes = append(causes, finding{badge{"held", "pause", "bad"}, v.Automation + " fires too often: what it would send or write is held.", v.Path, "Look at it"})
		}
	}
	return causes
}

// runaway says which automation fires far more often than it did: its last thirty took a quarter of the calls that the thirty
// before took, and one call in five or more.
func (s situation) runaway(of func(account string) names) (causes []finding) {
	for _, a := range s.Fired {
		if a.CallsNow == 0 || a.CallsBefore < 4*a.CallsNow || a.CallsNow > 5*30 {
			continue
		}
		name, _ := of(a.AccountID).automation(a.Automation)
		causes = append(causes, finding{badge{"often", "again", "warn"}, fmt.Sprintf("%s fired on 30 of the last %d calls; the 30 times before took %s calls.",
			name, a.CallsNow, upTo(a.CallsBefore, store.OverviewMost)), s.firings(a), "These calls"})
	}
	return causes
}
