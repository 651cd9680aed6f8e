package automation

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// lint reports what is not wrong, but probably not meant.
func (c *compiler) lint() {
	if c.partial {
		return // what seems unused may be used where nothing could be read
	}
	for _, name := range slices.Sorted(maps.Keys(c.rev.Declarations)) {
		if _, ok := c.used[name]; !ok {
			c.declared[name].warn(codeUnused, fmt.Sprintf("%s is declared, but nothing uses it", name), "use it in a text, if, require or route, or take it out")
		}
	}
	for _, name := range c.paths() {
		if strings.HasSuffix(name, ".hbs") && c.docs[name] != nil && !c.bodies[name] {
			c.docs[name].problem(1, 1, 1, Warning, codeUnused, "no automation uses this file", "name it under body_file, or take it out")
		}
	}
}

// checkForms refuses an automation that one form cannot hold.
func (c *compiler) checkForms() {
	for _, a := range c.rev.Automations {
		if len(a.Dyn) > maxBlanks {
			c.report(Problem{File: a.File, Line: a.Line, Col: 1, Length: 1, Severity: Error, Code: codeTooMany,
				Message: fmt.Sprintf("the automation needs %d stated variables; a form can ask for %d", len(a.Dyn), maxBlanks),
				Help:    "split it, or ask for less"})
		}
	}
}
