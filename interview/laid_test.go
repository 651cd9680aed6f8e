package interview

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aftercall/conversation"
)

// A sheet is laid out once, and another one at the same place is never taken for it.
func TestSheetsAreLaidOutOnce(t *testing.T) {
	t.Parallel()
	var all table
	sheet := func(ask string) Sheet {
		return Sheet{Key: "all/0/repair", Questions: []Question{{ID: "callback", Ask: ask}}, Blanks: []Blank{{Name: "dyn_day", Type: "date"}}}
	}
	first := all.sheet("r1", sheet("Did they?"))
	if all.sheet("r1", sheet("Did they?")) != first {
		t.Error("an equal sheet was laid out again")
	}
	if all.sheet("r2", sheet("Did they?")) == first {
		t.Error("another revision's sheet was taken for it")
	}
	other := sheet("Did they?")
	other.Blanks = nil
	for _, s := range []Sheet{sheet("Will they?"), other} {
		l := all.sheet("r1", s)
		if want := lay(s); l.stable != want.stable || string(l.schema) != string(want.schema) || l.hash != want.hash || len(l.told()) != len(want.told()) {
			t.Errorf("%+v was laid out as %q, %s", s, l.stable, l.schema)
		}
	}
	for i := range 3 * mostLaid {
		all.sheet(fmt.Sprint(i), sheet("Did they?"))
	}
	if len(all.laid) > mostLaid {
		t.Errorf("%d sheets are kept, at most %d should be", len(all.laid), mostLaid)
	}
}

// The runs of a text are its words, eight at a time.
func TestRunsAsDefined(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(7, 7))
	texts := []string{"", "one", "one two three four five six seven", "one two three four five six seven eight", "๑.๒ ๑.2 日本語 a b c d e f, 1.5 2,5 .5"}
	for range 300 {
		texts = append(texts, babble(r, 40))
	}
	found := 0
	for _, text := range texts {
		f := fold(text)
		var got, want []string
		eachRun(f, func(run string) bool { got = append(got, run); return false })
		words := strings.Fields(f.spaced)
		for i := 0; i+echoWords <= len(words); i++ {
			want = append(want, strings.Join(words[i:i+echoWords], " "))
		}
		found += len(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("runs of %q (-want +got)\n%s", text, diff)
		}
	}
	if found < 100 {
		t.Errorf("the texts have %d runs only", found)
	}
}

// Answers are kept under the transcript's name: if it were spelled otherwise, what was paid for would be asked again.
func TestHeardKeepsItsSpelling(t *testing.T) {
	t.Parallel()
	turns := []conversation.Turn{
		{Role: conversation.RoleAgent, Text: "Hello \"there\"\n\t", AtMS: 0}, {Role: conversation.RoleCustomer, Text: "Grüße \u202e \x00\xff 日本", AtMS: 61_000},
		{Role: conversation.RoleTool, Text: "", AtMS: 1 << 33},
	}
	if got := heard(turns); got != "353a149d" {
		t.Errorf("heard = %s", got)
	}
}
