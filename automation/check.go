package automation

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"aftercall/interview"
)

// lint reports what is not wrong, but probably not meant.
func (c *compiler) lint() {
	if c.partial {
		return // what seems unused may be used where nothing could be read
	}
	for _, name := range slices.Sorted(maps.Keys(c.rev.Declarations)) {
		if _, ok := c.used[name]; !ok && !c.unread[name] {
			c.declared[name].named().warn(codeUnused, fmt.Sprintf("%s is declared, but nothing uses it", name), "use it in a text, if, require or route, or take it out")
		}
	}
	if c.english() {
		c.naming()
	}
	for _, name := range c.paths() {
		if strings.HasSuffix(name, ".hbs") && c.docs[name] != nil && !c.bodies[name] {
			c.docs[name].problem(1, 1, 1, Warning, codeUnused, "no automation uses this file", "name it under body_file, or take it out")
		}
	}
}

// Budgets of one form. What is beyond them some providers refuse, and all answer worse.
const (
	maxOffered = 300  // keys of options, in the schema of a form
	maxPrompt  = 8000 // tokens of instructions before the first word of a call
)

// bytesPerToken is what a token of English text comes to.
const bytesPerToken = 4

// checkForms refuses an automation that one form cannot hold, and warns of forms that are too much for some models.
func (c *compiler) checkForms() {
	agents := []string{""}
	for _, a := range c.rev.Automations {
		if len(a.Dyn) > maxBlanks {
			c.automation(a, Error, codeTooMany, fmt.Sprintf("the automation needs %d stated variables; a form can ask for %d", len(a.Dyn), maxBlanks),
				"split it, or ask for less")
		}
		for _, id := range a.Trigger.Agents {
			if !slices.Contains(agents, id) {
				agents = append(agents, id)
			}
		}
	}
	for _, id := range agents {
		for _, s := range c.rev.form(id).sheets {
			c.checkSheet(s)
		}
	}
}

// automation reports something about a whole automation.
func (c *compiler) automation(a Automation, s Severity, code, message, help string) {
	c.report(Problem{File: a.File, Line: a.Line, Col: a.Col, Length: 1, Severity: s, Code: code, Message: message, Help: help})
}

// checkSheet holds one form against the budgets. An automation on the forms of several agents is reported once, since
// equal problems are one.
func (c *compiler) checkSheet(s interview.Sheet) {
	offered, largest := 0, interview.Choice{}
	for _, choice := range s.Choices {
		offered += len(choice.Options)
		if len(choice.Options) > len(largest.Options) {
			largest = choice
		}
	}
	if a := c.rev.Automation(largest.ID); a != nil && offered > maxOffered {
		c.automation(*a, Warning, codeSchema, fmt.Sprintf("with this route a form offers %d options; some providers refuse more than %d", offered, maxOffered),
			"route on fewer options")
	}
	if tokens := s.PromptSize() / bytesPerToken; tokens > maxPrompt {
		if a := c.rev.Automation(firstOf(s)); a != nil {
			c.automation(*a, Warning, codePrompt, fmt.Sprintf("the form that begins with this automation takes about %d tokens of every prompt; %d leave room for the call", tokens, maxPrompt),
				"shorten questions, and what is said under ask, values and options")
		}
	}
}

// firstOf is an automation on a sheet.
func firstOf(s interview.Sheet) string {
	if len(s.Questions) > 0 {
		return s.Questions[0].ID
	}
	if len(s.Choices) > 0 {
		return s.Choices[0].ID
	}
	return ""
}
