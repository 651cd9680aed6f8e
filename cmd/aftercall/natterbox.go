package main

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
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
	ours = natterboxTag.ReplaceAllStringFunc(text, func(tag string) string {
		if name, ok := natterboxMacros()[tag]; ok {
			return name
		}
		if custom := natterboxCustom.FindStringSubmatch(tag); custom != nil {
			return "{{metadata." + custom[1] + "}}"
		}
		if !slices.Contains(lost, tag) {
			lost = append(lost, tag)
		}
		return ""
	})
	return ours, lost
}

// importNatterbox prints a text of a Notify app in our names, and warns of what is lost. Natterbox exports no policies, so one text
// at a time is all there is.
func importNatterbox(c *console, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	ours, lost := fromNatterbox(strings.ReplaceAll(string(text), "{{", `\{{`))
	for _, tag := range lost {
		fmt.Fprintf(c.err, "warning: %s has no counterpart and prints nothing\n", tag)
	}
	fmt.Fprint(c.out, ours)
	return nil
}
