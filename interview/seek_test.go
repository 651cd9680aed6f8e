package interview

// Inside the package: what is tested is how much is read, and that it is read as the plain definition would.

import (
	"math/rand/v2"
	"strings"
	"testing"

	"aftercall/conversation"
	"aftercall/reason"
)

// plainHolds is the definition of holds, word for word and slow.
func plainHolds(f, q folded) bool {
	if q.halves < enough || len(q.tight) > len(f.tight) {
		return false
	}
	if strings.Contains(f.spaced, q.spaced) {
		return true
	}
	for i := 0; i+len(q.tight) <= len(f.tight); i++ {
		if f.tight[i:i+len(q.tight)] == q.tight && plainEdge(f, i) && plainEdge(f, i+len(q.tight)) {
			return true
		}
	}
	return false
}

// plainEdge counts its way to the offset.
func plainEdge(f folded, offset int) bool {
	for i := 0; i < len(f.spaced); i++ {
		if offset == 0 && f.spaced[i] == ' ' {
			return true
		}
		if f.spaced[i] != ' ' {
			if offset--; offset < 0 {
				return false
			}
		}
	}
	return offset == 0
}

// plainLocate is the definition of locate, without a bound.
func plainLocate(turns []conversation.Turn, e Evidence, by Speaker) (Evidence, reason.Code) {
	q, code := fold(e.Quote), reason.EvidenceNotFound
	if e.Turn >= 1 && e.Turn <= len(turns) {
		if f := fold(turns[e.Turn-1].Text); f.is(q) || plainHolds(f, q) {
			if counts(turns[e.Turn-1].Role, by) {
				return e, ""
			}
			code = reason.WrongSpeaker
		}
	}
	var in []int
	for i, t := range turns {
		if counts(t.Role, by) && plainHolds(fold(t.Text), q) {
			in = append(in, i+1)
		}
	}
	if len(in) != 1 {
		return e, code
	}
	return Evidence{Turn: in[0], Quote: e.Quote}, ""
}

// babble is a short text of few different characters, so that much of it repeats.
func babble(r *rand.Rand, most int) string {
	alphabet := []rune("aaaaaabA   .,'1１-请下ก๕\u0301\u200dé")
	var b strings.Builder
	for range r.IntN(most) {
		b.WriteRune(alphabet[r.IntN(len(alphabet))])
	}
	return b.String()
}

// excerpt is often a piece of the text with its spaces moved.
func excerpt(r *rand.Rand, text string) string {
	rs := []rune(text)
	if len(rs) == 0 || r.IntN(4) == 0 {
		return babble(r, 12)
	}
	from := r.IntN(len(rs))
	var b strings.Builder
	for _, c := range rs[from : from+1+r.IntN(len(rs)-from)] {
		if c != ' ' || r.IntN(3) > 0 {
			b.WriteRune(c)
		}
		if r.IntN(4) == 0 {
			b.WriteByte(' ')
		}
	}
	return b.String()
}

func TestHoldsAsDefined(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(2, 11))
	held, sought, not := 0, 0, 0
	for range 60_000 {
		text := babble(r, 40)
		quote := excerpt(r, text)
		f, q := fold(text), fold(quote)
		for offset := range len(f.tight) + 1 {
			if got, want := f.edge(offset), plainEdge(f, offset); got != want {
				t.Fatalf("text %q: edge(%d) is %v, want %v", text, offset, got, want)
			}
		}
		want := plainHolds(f, q)
		if got := f.holds(q); got != want {
			t.Fatalf("text %q, quote %q: %v, want %v", text, quote, got, want)
		}
		switch {
		case want && !strings.Contains(f.spaced, q.spaced):
			sought++
		case want:
			held++
		case q.halves >= enough && strings.Contains(f.tight, q.tight):
			not++
		}
	}
	if min(held, sought, not) < 1000 {
		t.Errorf("the texts try too little: %d held word for word, %d with spaces moved, %d not at the edges of words", held, sought, not)
	}
}

func TestLocateAsDefined(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 11))
	roles := []conversation.Role{conversation.RoleAgent, conversation.RoleCustomer, conversation.RoleCustomer, "tool"}
	speakers := []Speaker{Anyone, Agent, Customer}
	seen := map[reason.Code]int{}
	moved := 0
	for range 8_000 {
		var turns []conversation.Turn
		for range 1 + r.IntN(5) {
			turns = append(turns, conversation.Turn{Role: roles[r.IntN(len(roles))], Text: babble(r, 30)})
		}
		reader := newReader(turns)
		for range 4 { // the same reader: what it remembers must not matter
			e := Evidence{Turn: r.IntN(len(turns) + 2), Quote: excerpt(r, turns[r.IntN(len(turns))].Text)}
			by := speakers[r.IntN(len(speakers))]
			got, code := reader.locate(e, by)
			want, wantCode := plainLocate(turns, e, by)
			if got != want || code != wantCode {
				t.Fatalf("%+v by %q in %+v: %+v %q, want %+v %q", e, by, turns, got, code, want, wantCode)
			}
			seen[code]++
			if got != e {
				moved++
			}
		}
	}
	if min(seen[""], seen[reason.EvidenceNotFound], seen[reason.WrongSpeaker], moved) < 100 {
		t.Errorf("the texts try too little: %v, %d moved", seen, moved)
	}
}

// drones are turns that begin a quote over and over.
var drones = []struct {
	name        string
	text, quote func(n int) string
}{
	{"one letter for three", func(n int) string { return strings.Repeat("a", n) }, func(int) string { return "a a a" }},
	{"one letter for many", func(n int) string { return strings.Repeat("a", n) }, func(int) string { return strings.Repeat("a ", longestQuote/2) }},
	{"letters with another end", func(n int) string { return strings.Repeat("a ", n/2) }, func(int) string { return strings.Repeat("aa ", longestQuote/4) + "b" }},
	{"a quote that ends within a word", func(n int) string { return strings.Repeat("aab ", n/4) }, func(int) string { return strings.Repeat("aa b ", 50) + "a" }},
	{"a quote as long as its turn", func(n int) string { return strings.Repeat("ab", n/2) }, func(n int) string { return strings.Repeat("a b ", min(n, longestQuote)/4) }},
}

// TestSeekReadsOnce counts steps: a turn costs no more than twice its length and the quote's.
func TestSeekReadsOnce(t *testing.T) {
	t.Parallel()
	for _, d := range drones {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			for _, n := range []int{1_000, 10_000, conversation.MaxText} {
				f, q := fold(d.text(n)), fold(d.quote(n))
				found, steps := f.seek(q.tight)
				if most := 2 * (len(f.tight) + len(q.tight)); steps > most || steps < len(f.tight) {
					t.Errorf("%d bytes: %d steps, want at least the text and at most %d", n, steps, most)
				}
				if found {
					t.Errorf("%d bytes: found", n)
				}
			}
		})
	}
}

// TestSearchIsBounded: a form that has searched its share of other turns gets no more, and loses only that.
func TestSearchIsBounded(t *testing.T) {
	t.Parallel()
	said := conversation.Turn{Role: conversation.RoleCustomer, Text: "please call me back"}
	turns := []conversation.Turn{said, {Role: conversation.RoleCustomer, Text: strings.Repeat("a", 1000)}, {Role: "tool", Text: strings.Repeat("b", 5000)}}
	r := newReader(turns)
	if r.left != mostSearched {
		t.Fatalf("a form begins with %d", r.left)
	}
	here, there := Evidence{Turn: 1, Quote: "call me back"}, Evidence{Turn: 2, Quote: "call me back"}
	each := len("pleasecallmeback") + 1000 // what a tool wrote is not searched
	r.left = 2 * each
	for range 100 {
		if got, code := r.locate(here, Customer); got != here || code != "" {
			t.Fatalf("a quote in its turn: %+v %q", got, code)
		}
		if got, code := r.locate(Evidence{Turn: 2, Quote: "no"}, Customer); got.Turn != 2 || code != reason.EvidenceNotFound {
			t.Fatalf("two words: %+v %q", got, code)
		}
	}
	if r.left != 2*each {
		t.Errorf("quotes that are not looked for elsewhere cost %d", 2*each-r.left)
	}
	for i := range 4 {
		got, code := r.locate(there, Customer)
		want, wantCode := here, reason.Code("")
		if i >= 2 {
			want, wantCode = there, reason.EvidenceNotFound
		}
		if got != want || code != wantCode {
			t.Errorf("search %d: %+v %q, want %+v %q", i, got, code, want, wantCode)
		}
	}
	if got, code := r.locate(here, Customer); got != here || code != "" {
		t.Errorf("a quote in its turn, afterwards: %+v %q", got, code)
	}
}

// TestTurnsAreFoldedOnce: what a turn says is read the first time only.
func TestTurnsAreFoldedOnce(t *testing.T) {
	t.Parallel()
	turns := []conversation.Turn{{Role: conversation.RoleCustomer, Text: "please call me back"}, {Role: conversation.RoleCustomer, Text: "on Tuesday at three"}}
	r := newReader(turns)
	if _, code := r.locate(Evidence{Turn: 1, Quote: "not said by anyone"}, Customer); code != reason.EvidenceNotFound {
		t.Fatalf("got %q", code)
	}
	turns[0].Text, turns[1].Text = "", ""
	for turn, quote := range map[int]string{1: "call me back", 2: "Tuesday at three"} {
		if _, code := r.locate(Evidence{Turn: turn, Quote: quote}, Customer); code != "" {
			t.Errorf("turn %d was folded again: %q", turn, code)
		}
	}
}

// BenchmarkDrone is the longest turn there is, made to be slow to search.
func BenchmarkDrone(b *testing.B) {
	for _, d := range drones {
		b.Run(d.name, func(b *testing.B) {
			turns := []conversation.Turn{{Role: conversation.RoleCustomer, Text: d.text(conversation.MaxText)}}
			e := Evidence{Turn: 1, Quote: d.quote(conversation.MaxText)}
			b.ReportAllocs()
			for b.Loop() {
				if Find(turns, e, Customer) != reason.EvidenceNotFound {
					b.Fatal("found")
				}
			}
		})
	}
}
