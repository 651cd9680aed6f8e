package main

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"aftercall/templates"
)

// natterboxMacros are what the texts of Natterbox's Notify app call what we have under another name. docs/platforms/natterbox.md
// has the same table, and a test holds the two together. A number is written in full here, where some of theirs leave parts out.
func natterboxMacros() map[string]string {
	return map[string]string{
		"$(CallerNumber)":       "{{customer_number}}",
		"$(E164CallerNumber)":   "{{customer_number}}",
		"$(CalledNumber)":       "{{to_number}}",
		"$(CalledNumberIn)":     "{{to_number}}",
		"$(E164CalledNumber)":   "{{to_number}}",
		"$(E164CalledNumberIn)": "{{to_number}}",
		"$(CallStartDate)":      "{{conversation_date}}",
		"$(CallStartTime)":      "{{conversation_time}}",
		"$(UUID)":               "{{conversation_uuid}}",
	}
}

var (
	natterboxTag    = regexp.MustCompile(`\$\([A-Za-z_][^()\s]*\)`)
	natterboxCustom = regexp.MustCompile(`^\$\(Custom_([A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)\)$`)
)

// fromNatterbox is a text with Natterbox's macros as ours, and those that are lost, each once in their order. What has no
// counterpart prints nothing.
func fromNatterbox(text string) (ours string, lost []string) {
	var out imported
	for text != "" {
		at := natterboxTag.FindStringIndex(text)
		if at == nil {
			out.write(text)
			break
		}
		out.write(text[:at[0]])
		tag := text[at[0]:at[1]]
		if inside, ok := natterboxMacro(tag); ok {
			out.tag(inside)
		} else if !slices.Contains(lost, tag) {
			lost = append(lost, tag)
		}
		text = text[at[1]:]
	}
	return out.String(), lost
}

// natterboxMacro is what a macro is between our braces.
func natterboxMacro(tag string) (inside string, ok bool) {
	if ours, ok := natterboxMacros()[tag]; ok {
		return strings.Trim(ours, "{}"), true
	}
	custom := natterboxCustom.FindStringSubmatch(tag)
	if custom == nil || !isTag("metadata."+custom[1]) {
		return "", false
	}
	return "metadata." + custom[1], true
}

// importNatterbox prints a text of a Notify app in our names, and warns of what is lost. Natterbox exports no policies, so one text
// at a time is all there is.
func importNatterbox(c *console, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	ours, lost := fromNatterbox(strings.TrimPrefix(string(text), "\ufeff"))
	for _, tag := range lost {
		fmt.Fprintf(c.err, "warning: %s has no counterpart and prints nothing\n", tag)
	}
	if faults := importedFaults(ours, templates.Plain); len(faults) > 0 {
		return fmt.Errorf("%s: %s; %s", file, faults[0].Message, faults[0].Help)
	}
	fmt.Fprint(c.out, ours)
	return nil
}
