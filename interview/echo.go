package interview

import "strings"

// echoWords is how many words in a row of the instructions, which nobody said on the call, are no chance.
const echoWords = 8

// instructed knows the runs of words in a sheet's instructions. A caller who talks the model into repeating them would
// read them in a message; so no value and no summary may hold one. Runs that were said on the call are everybody's.
type instructed struct {
	runs  map[string]bool
	heard func(run string) bool
}

// instructed is made from what the model was told, without what was said.
func (x *exchange) instructed(s Sheet) *instructed {
	return &instructed{runs: x.laid(s).told(), heard: x.reader.holds}
}

// runs are the runs of words in a text.
func runs(text string) map[string]bool {
	all := map[string]bool{}
	eachRun(fold(text), func(run string) bool {
		all[run] = true
		return false
	})
	return all
}

// echoed reports whether a text repeats the instructions.
func (n *instructed) echoed(text string) bool {
	return eachRun(fold(text), func(run string) bool { return n.runs[run] && !n.heard(run) })
}

// eachRun goes through the runs of echoWords words until one is found. A run is a piece of the folded text, in which one
// space stands before and after each word.
func eachRun(f folded, found func(run string) bool) bool {
	var spaces [echoWords + 1]int // where the last ones stood, in turn
	seen := 0
	for i := range len(f.spaced) {
		if f.spaced[i] != ' ' {
			continue
		}
		spaces[seen%len(spaces)] = i
		if seen++; seen > echoWords && found(f.spaced[spaces[seen%len(spaces)]+1:i]) {
			return true
		}
	}
	return false
}

// holds reports whether a run of folded words stands in any turn.
func (r *reader) holds(run string) bool {
	for i := range r.turns {
		if strings.Contains(r.fold(i).spaced, " "+run+" ") {
			return true
		}
	}
	return false
}
