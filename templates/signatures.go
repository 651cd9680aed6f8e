package templates

import (
	"fmt"
	"strings"
)

// parameter is what a helper takes at one position.
type parameter int

const (
	anyValue    parameter = iota
	dateValue             // something that may hold a date
	timeValue             // something that may hold a time of day
	fixedText             // a text in quotes
	dateLayout            // a text in quotes: a format of dates
	timeLayout            // a text in quotes: a format of times
	wholeNumber           // a number from 1
)

// helper is the signature of one of our helpers: pure functions of their arguments.
type helper struct {
	takes    []parameter
	optional string // stands in for the last parameter if it is left out
	usage    string
}

// signature finds a helper an author may use.
func signature(name string) (helper, bool) {
	switch name {
	case "date":
		return helper{[]parameter{dateValue, dateLayout}, "dddd D MMMM YYYY", "{{date name}} or {{date name 'ddd D MMM'}}"}, true
	case "time":
		return helper{[]parameter{timeValue, timeLayout}, "h:mm A", "{{time name}} or {{time name 'HH:mm'}}"}, true
	case "upper", "lower", "title":
		return helper{[]parameter{anyValue}, "", "{{" + name + " name}}"}, true
	case "truncate":
		return helper{[]parameter{anyValue, wholeNumber}, "", "{{truncate name 100}}"}, true
	case "default":
		return helper{[]parameter{anyValue, anyValue}, "", "{{default name 'text'}}"}, true
	case "join":
		return helper{[]parameter{anyValue, fixedText}, ", ", "{{join metadata.list}} or {{join metadata.list '; '}}"}, true
	case "eq":
		return helper{[]parameter{anyValue, anyValue}, "", "{{#if (eq name 'text')}}"}, true
	}
	return helper{}, false
}

// Helper is a word of ours that may stand between braces, for whoever offers words to authors.
type Helper struct {
	Name, Usage string
	Block       bool // it opens a block: {{#if name}} … {{/if}}
}

// Helpers lists the blocks and the helpers that there are.
func Helpers() []Helper {
	all := []Helper{
		{"if", "{{#if name}} … {{else}} … {{/if}}", true}, {"unless", "{{#unless name}} … {{/unless}}", true},
		{"each", "{{#each metadata.list}} {{this}} {{/each}}", true}, {"with", "{{#with metadata.thing}} {{this.part}} {{/with}}", true},
	}
	for _, name := range helperNames() {
		h, _ := signature(name)
		all = append(all, Helper{Name: name, Usage: h.usage})
	}
	return all
}

func helperNames() []string {
	return []string{"date", "time", "upper", "lower", "title", "truncate", "default", "join", "eq"}
}

// checkCall checks a helper's name, the number of its arguments and each of them; nil if it was refused. What was left
// out is filled in, so that the engine always sees the exact number.
func (r *reader) checkCall(e *expr, head span) *expr {
	h, ok := signature(e.name)
	if !ok {
		r.unknownHelper(e, head)
		return nil
	}
	if len(e.args) == len(h.takes)-1 && h.optional != "" {
		e.args = append(e.args, &expr{kind: textExpr, span: span{e.end, e.end}, name: h.optional, text: h.optional})
	}
	if len(e.args) != len(h.takes) {
		r.p.add(CodeArguments, e.start, e.length(), fmt.Sprintf("%s takes %s, not %d", e.name, count(h), len(e.args)), "write "+h.usage)
		return nil
	}
	for i, want := range h.takes {
		if !r.checkArgument(e, e.args[i], want, h) {
			return nil
		}
	}
	return e
}

func count(h helper) string {
	switch n := len(h.takes); {
	case h.optional != "":
		return fmt.Sprintf("%d or %d arguments", n-1, n)
	case n == 1:
		return "1 argument"
	default:
		return fmt.Sprintf("%d arguments", n)
	}
}

func (r *reader) unknownHelper(e *expr, head span) {
	if isBlockWord(e.name) {
		r.p.add(CodeHelper, head.start, head.length(), fmt.Sprintf("%s must open a block", e.name), fmt.Sprintf("write {{#%s …}} … {{/%s}}", e.name, e.name))
		return
	}
	help := "the helpers are " + strings.Join(helperNames(), ", ")
	if near := nearest(e.name, helperNames()); near != "" {
		help = "did you mean " + near + "?"
	}
	r.p.add(CodeHelper, head.start, head.length(), "unknown helper "+shown(e.name), help)
}

// checkArgument checks one argument against what its position takes.
func (r *reader) checkArgument(call, arg *expr, want parameter, h helper) bool {
	wrong := func(code, message, help string) bool {
		r.p.add(code, arg.start, arg.length(), message, help)
		return false
	}
	kind := r.kindOf(arg)
	switch want {
	case dateValue:
		if kind != KindDate && kind != KindOpen {
			return wrong(CodeNotADate, fmt.Sprintf("%s is not a date", shown(arg.name)), typeHelp(arg, "date"))
		}
	case timeValue:
		if kind != KindTime && kind != KindOpen {
			return wrong(CodeNotADate, fmt.Sprintf("%s is not a time of day", shown(arg.name)), typeHelp(arg, "time"))
		}
	case wholeNumber:
		if arg.kind != wordExpr || strings.Trim(arg.text, "0123456789") != "" || strings.Trim(arg.text, "0") == "" {
			return wrong(CodeArguments, call.name+" needs a number from 1 here", "write "+h.usage)
		}
	case fixedText, dateLayout, timeLayout:
		if arg.kind != textExpr {
			return wrong(CodeArguments, call.name+" needs a text in quotes here", "write "+h.usage)
		}
		if bad := layoutFault(arg.text, want); bad != "" {
			return wrong(CodeArguments, fmt.Sprintf("%q is no part of a %s format", shown(bad), call.name), layoutHelp(want))
		}
	}
	return true
}

func typeHelp(arg *expr, kind string) string {
	if arg.kind == pathExpr && strings.HasPrefix(arg.name, "dyn_") {
		return fmt.Sprintf("declare it under variables: as { type: %s }", kind)
	}
	return "print it as it is: {{" + shown(arg.name) + "}}"
}

func layoutHelp(want parameter) string {
	if want == timeLayout {
		return "the parts are H HH h hh m mm A a; put other words in [brackets]"
	}
	return "the parts are D DD ddd dddd M MM MMM MMMM YY YYYY; put other words in [brackets]"
}
