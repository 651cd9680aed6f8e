package main

import "strings"

// kazooBlock is a block of a template that is open: a condition, or something of which only the parts are known.
type kazooBlock struct {
	tag    string // as it began, for warnings
	word   string // if, for, …: {% endword %} ends it
	ours   string // if or unless, once that was written; "" while there is no tag of ours
	hidden bool   // this part of it prints nothing
	done   bool   // no other part of it will print anything
}

// block reads a tag of a block. What is neither of the words here only changes how the text in it is printed, which stays.
func (t *kazooText) block(tag, inside string) {
	word, rest, _ := strings.Cut(inside, " ")
	rest = strings.TrimSpace(rest)
	switch word {
	case "if":
		t.begin(tag, word)
		t.condition(tag, rest)
	case "for", "ifequal", "ifnotequal": // for over what is not set; empty is its else
		t.lost(tag + withoutCounterpart)
		t.begin(tag, word)
		t.part("", false)
	case "comment":
		t.begin(tag, word)
		t.part("", false)
	case "elif":
		if b := t.innermost(tag, "if"); b != nil {
			b.hidden = b.done // else its condition would not be warned of
			t.condition(tag, rest)
		}
	case "else":
		if t.innermost(tag, "if", "ifequal", "ifnotequal") != nil {
			t.part("", true)
		}
	case "empty":
		if t.innermost(tag, "for") != nil {
			t.part("", true)
		}
	default:
		t.end(tag, inside)
	}
}

const withoutCounterpart = " has no counterpart and counts as not fulfilled: what stands in it prints nothing, but for its else"

func (t *kazooText) begin(tag, word string) {
	hidden := t.hidden()
	t.open = append(t.open, &kazooBlock{tag: tag, word: word, hidden: hidden, done: hidden})
}

// innermost is the innermost open block if it is one of those that a tag belongs to.
func (t *kazooText) innermost(tag string, words ...string) *kazooBlock {
	if len(t.open) > 0 {
		b := t.open[len(t.open)-1]
		for _, word := range words {
			if b.word == word {
				return b
			}
		}
	}
	t.lost(tag + " belongs to no open block and prints nothing")
	return nil
}

// condition begins the part of a block behind an if or elif: a name, with not before it or without. What has no counterpart is
// not set; whether there are comments is known.
func (t *kazooText) condition(tag, test string) {
	word := "if"
	for strings.HasPrefix(test, "not ") {
		test = strings.TrimSpace(test[len("not "):])
		word = map[string]string{"if": "unless", "unless": "if"}[word]
	}
	name, filter, _ := strings.Cut(test, "|")
	name, filter = strings.TrimSpace(name), strings.TrimSpace(filter)
	ours, ok := kazooMacro(name)
	switch {
	case filter != "" && filter != "upper" && filter != "lower" && filter != "title":
		t.lost(tag + withoutCounterpart)
		t.part("", false)
	case name == "comments":
		t.part("", (t.comments != "") == (word == "if"))
	case ok:
		names := oursName.FindAllStringSubmatch(ours, -1)
		if test = names[0][1]; len(names) > 1 {
			test = "(default " + test + " " + names[1][1] + ")"
		}
		t.part(word+" "+test, true)
	default:
		t.lost(tag + withoutCounterpart)
		t.part("", word == "unless" && kazooPath.MatchString(name))
	}
}

// part begins a part of the innermost block: one that prints where a test of ours holds, or always, or never.
func (t *kazooText) part(test string, prints bool) {
	b := t.open[len(t.open)-1]
	if b.hidden = b.done || !prints; b.hidden {
		return
	}
	b.done = test == ""
	switch {
	case b.ours == "" && test != "":
		b.ours, _, _ = strings.Cut(test, " ")
		t.out.tag("#" + test)
	case b.ours != "":
		t.out.tag(strings.TrimSpace("else " + test))
	}
}

// end closes a block, and what was left open in it.
func (t *kazooText) end(tag, inside string) {
	word, isEnd := strings.CutPrefix(inside, "end")
	for n := len(t.open) - 1; isEnd && n >= 0; n-- {
		if t.open[n].word != word {
			continue
		}
		for len(t.open) > n+1 {
			t.close("is never closed")
		}
		t.close("")
		return
	}
	switch {
	case !isEnd:
		t.lost(tag + " has no counterpart and prints nothing")
	case word == "if" || word == "for" || word == "comment":
		t.lost(tag + " belongs to no open block and prints nothing")
	}
}

// close ends the innermost block. What is wrong with that is told also of one that printed nothing, such as a comment up to the end.
func (t *kazooText) close(wrong string) {
	last := t.open[len(t.open)-1]
	if last.ours != "" {
		t.out.tag("/" + last.ours)
	}
	if t.open = t.open[:len(t.open)-1]; wrong != "" {
		t.lost(last.tag + " " + wrong)
	}
}
