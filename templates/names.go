package templates

import (
	"fmt"
	"slices"
	"strings"
)

// checkPath accepts a name that will mean something when a message is rendered; nil if it was refused.
func (r *reader) checkPath(e *expr, words []string, slash bool) *expr {
	refuse := func(message, help string) *expr {
		r.p.add(CodeUnknownName, e.start, e.length(), message, help)
		return nil
	}
	first := words[0]
	switch {
	case slices.Contains(words, ".."):
		return refuse("../ is not needed: variables have the same name everywhere", "leave out ../")
	case slash:
		return refuse("parts of a name are separated by a dot", "write "+strings.ReplaceAll(e.name, "/", "."))
	case first == "this" || first == ".":
		if r.inside("each", "with") == 0 {
			return refuse("this exists only inside {{#each}} and {{#with}}", "write the name of a variable")
		}
		e.kind, e.parts = itemExpr, e.parts[1:]
		return e
	case slices.Contains(words[1:], "this") || slices.Contains(words[1:], "."):
		return refuse("this may only begin a name", "write this.name")
	}
	kind, known := r.names[first]
	switch {
	case known && (len(words) == 1 || kind == KindOpen):
		return e
	case known:
		return refuse(fmt.Sprintf("%s is one value and has no parts", first), "write {{"+first+"}}")
	case strings.HasPrefix(first, "dyn_") && len(first) > len("dyn_") && len(words) == 1:
		return r.checkDyn(e, first)
	}
	return refuse("unknown variable "+shown(e.name), r.suggestion(e, first))
}

// checkDyn accepts the name of an undeclared dyn_ variable if it could be declared.
func (r *reader) checkDyn(e *expr, name string) *expr {
	for _, c := range name {
		if c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			r.p.add(CodeUnknownName, e.start, e.length(), fmt.Sprintf("%s is not a name that can be asked for", shown(name)), "write dyn_ names with letters, digits and _")
			return nil
		}
	}
	if len(name) > 64 {
		r.p.add(CodeUnknownName, e.start, e.length(), "this dyn_ name is longer than 64 characters", "shorten it, and say more under variables: with ask")
		return nil
	}
	return e
}

// suggestion says what the author may have meant by an unknown name.
func (r *reader) suggestion(e *expr, first string) string {
	if flat := strings.Join(e.parts, "_"); r.knows(flat) {
		return "did you mean " + flat + "?"
	}
	var candidates []string
	for name := range r.names {
		candidates = append(candidates, name)
	}
	slices.Sort(candidates)
	if near := nearest(first, candidates); near != "" {
		if len(e.parts) > 1 && r.names[near] == KindOpen {
			near += "." + strings.Join(e.parts[1:], ".")
		}
		return "did you mean " + near + "?"
	}
	if near := nearest(first, helperNames()); near != "" {
		return "did you mean the helper " + near + "?"
	}
	if r.inside("each", "with") > 0 {
		return "for a part of the item write this." + shown(e.name)
	}
	return "use a system variable, metadata.… for what the platform passed along, or a dyn_ name for what was said"
}

func (r *reader) knows(name string) bool {
	_, ok := r.names[name]
	return ok
}

// kindOf gives the kind of an expression's value.
func (r *reader) kindOf(e *expr) Kind { return kindOf(e, r.names) }

func kindOf(e *expr, names Names) Kind {
	switch e.kind {
	case itemExpr:
		return KindOpen
	case dataExpr, wordExpr:
		return KindNumber
	case pathExpr:
		if k, ok := names[e.parts[0]]; ok {
			return k
		}
		return KindText
	case callExpr:
		if e.name == "default" && (e.args[1].kind == textExpr || kindOf(e.args[0], names) == kindOf(e.args[1], names)) {
			return kindOf(e.args[0], names)
		}
	}
	return KindText
}
