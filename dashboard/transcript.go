package dashboard

import (
	"fmt"
	"sort"
	"strconv"
	"time"
	"unicode"

	"aftercall/conversation"
	"aftercall/interview"
)

// quoteView is evidence beside what rests on it, with a link to its turn.
type quoteView struct {
	Turn  int
	Quote string
	Known bool // the transcript has this turn
}

func quotes(es []interview.Evidence, turns int) []quoteView {
	var qs []quoteView
	for _, e := range es {
		if e.Turn == 0 && e.Quote == "" {
			continue
		}
		qs = append(qs, quoteView{Turn: e.Turn, Quote: e.Quote, Known: e.Turn >= 1 && e.Turn <= turns})
	}
	return qs
}

// turnView is one turn of the transcript.
type turnView struct {
	Number   int
	Who, At  string
	Role     string // agent, customer or other: how the turn is set
	Segments []segment
	Cited    []citation
}

// segment is a stretch of a turn; marked where something rests on it.
type segment struct {
	Text   string
	Marked bool
}

// citation links a turn back to what rests on it.
type citation struct{ Label, Anchor string }

// cited is evidence with what rests on it.
type cited struct {
	interview.Evidence
	By citation
}

// transcript lays out the turns, marking the words that decisions and values rest on.
func transcript(c *conversation.Conversation, evidence []cited) []turnView {
	said := make(map[int][]string)
	by := make(map[int][]citation)
	for _, e := range evidence {
		said[e.Turn] = append(said[e.Turn], e.Quote)
		if !hasCitation(by[e.Turn], e.By) {
			by[e.Turn] = append(by[e.Turn], e.By)
		}
	}
	views := make([]turnView, 0, len(c.Turns))
	for i, t := range c.Turns {
		v := turnView{Number: i + 1, Role: "other", Who: string(t.Role), At: length(time.Duration(t.AtMS) * time.Millisecond)}
		switch t.Role {
		case conversation.RoleAgent:
			v.Role, v.Who = "agent", or(c.Agent.Name, "Agent")
		case conversation.RoleCustomer:
			v.Role, v.Who = "customer", or(c.Customer.Name, "Customer")
		}
		v.Segments, v.Cited = mark(t.Text, said[i+1]), by[i+1]
		views = append(views, v)
	}
	return views
}

func hasCitation(cs []citation, c citation) bool {
	for _, have := range cs {
		if have == c {
			return true
		}
	}
	return false
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// turnAnchor is where a turn stands on its page.
func turnAnchor(n int) string { return "t" + strconv.Itoa(n) }

// Anchor is where the quote's turn stands.
func (q quoteView) Anchor() string { return turnAnchor(q.Turn) }

// Anchor is where the turn stands.
func (t turnView) Anchor() string { return turnAnchor(t.Number) }

// Label names the turn for those who cannot see where it stands.
func (t turnView) Label() string { return fmt.Sprintf("Turn %d", t.Number) }

// mark cuts text into segments, marking where the quotes stand. Quotes are looked for as the evidence check does it, with
// case, spaces and punctuation folded; one that is not found marks nothing. The segments joined are the text again.
func mark(text string, quotes []string) []segment {
	folded, where := fold(text)
	var spans [][2]int
	for _, q := range quotes {
		want, _ := fold(q)
		if i := indexRunes(folded, want); i >= 0 {
			last := where[i+len(want)-1]
			spans = append(spans, [2]int{where[i][0], last[1]})
		}
	}
	sort.Slice(spans, func(i, j int) bool { return spans[i][0] < spans[j][0] })
	var out []segment
	done := 0
	for _, s := range spans {
		if s[1] <= done {
			continue
		}
		from := max(s[0], done)
		if from > done {
			out = append(out, segment{Text: text[done:from]})
		}
		out = append(out, segment{Text: text[from:s[1]], Marked: true})
		done = s[1]
	}
	if done < len(text) || len(out) == 0 {
		out = append(out, segment{Text: text[done:]})
	}
	return out
}

// fold keeps letters and digits in lower case, each with the bytes it came from.
func fold(s string) (runes []rune, where [][2]int) {
	for i, r := range s {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			runes = append(runes, unicode.ToLower(r))
			where = append(where, [2]int{i, i + len(string(r))})
		}
	}
	return runes, where
}

func indexRunes(in, want []rune) int {
	if len(want) == 0 {
		return -1
	}
next:
	for i := 0; i+len(want) <= len(in); i++ {
		for j, r := range want {
			if in[i+j] != r {
				continue next
			}
		}
		return i
	}
	return -1
}
