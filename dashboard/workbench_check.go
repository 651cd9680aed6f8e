package dashboard

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"aftercall/automation"
	"aftercall/variables"
)

// checkView is what the check found in a draft, and the names that may stand between {{ and }} in it.
type checkView struct {
	OK       bool // it compiles
	Summary  string
	Problems []problemView
	Names    []nameView
}

// problemView is one problem, for the list and for the editor.
type problemView struct {
	Index    int    `json:"-"`
	Tab      int    `json:"-"` // the file's number on the page; -1 if it is not there
	Badge    badge  `json:"-"`
	Shown    string `json:"-"` // the line and the caret under it, as the command line prints them
	File     string `json:"file"`
	Line     int    `json:"line"`
	Column   int    `json:"column"` // from 1, in characters
	Length   int    `json:"length"`
	Severity string `json:"severity"` // as the editor calls it: error or warning
	Code     string `json:"code"`
	Message  string `json:"message"`
	Help     string `json:"help"`
	Fix      string `json:"fix"` // what may be written in its place; "" if that takes a person
	Was      string `json:"was"` // what stands there now, if there is a fix
}

// nameView is one name for a template.
type nameView struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
	Says string `json:"says"`
	Dyn  bool   `json:"dyn"`
}

// checked lays out what the check found.
func (d draft) checked(rev *automation.Revision, problems []automation.Problem) checkView {
	v := checkView{OK: rev != nil, Problems: []problemView{}, Names: d.names(rev)}
	errs, warns := 0, 0
	for i, p := range problems {
		v.Problems = append(v.Problems, d.problem(i, p))
		if p.Severity == automation.Error {
			errs++
		} else {
			warns++
		}
	}
	v.Summary = count(errs, "error", "errors") + ", " + count(warns, "warning", "warnings")
	if len(problems) == 0 {
		v.Summary = "Nothing is wrong with it."
	}
	return v
}

// about reports whether a problem lies in a file.
func (v checkView) about(name string) bool {
	return slices.ContainsFunc(v.Problems, func(p problemView) bool { return p.File == name })
}

func (d draft) problem(n int, p automation.Problem) problemView {
	v := problemView{
		Index: n, Tab: d.find(p.File), Badge: badge{"error", "cross", "bad"}, Severity: "error", File: p.File, Line: p.Line, Column: p.Col,
		Length: p.Length, Code: p.Code, Message: p.Message, Help: p.Help,
	}
	if p.Severity != automation.Error {
		v.Badge, v.Severity = badge{"warning", "question", "warn"}, "warning"
	}
	bare := p
	bare.Help = "" // it stands below
	_, v.Shown, _ = strings.Cut(bare.String(), "\n")
	if v.Tab < 0 {
		return v
	}
	line := lineOf(d.Files[v.Tab].Text, p.Line)
	if word, ok := suggested(p, line); ok {
		v.Fix, v.Was = word, string([]rune(line)[p.Col-1:p.Col-1+p.Length])
	}
	return v
}

var dynName = regexp.MustCompile(`\bdyn_[a-z0-9_]{1,60}\b`)

// names lists what may stand between {{ and }}: the system's names, and every dyn_ name of the draft. While one types the
// draft seldom compiles, so its dyn_ names are read from the text; types and questions come with a revision.
func (d draft) names(rev *automation.Revision) []nameView {
	var out []nameView
	kinds, says := variables.SystemNames(), systemNames()
	for _, name := range slices.Sorted(maps.Keys(kinds)) {
		out = append(out, nameView{Name: name, Kind: kinds[name], Says: says[name]})
	}
	dyn := map[string]nameView{}
	for _, f := range d.Files {
		for _, name := range dynName.FindAllString(f.Text, -1) {
			dyn[name] = nameView{Name: name, Kind: string(variables.Text), Says: variables.Describe(name), Dyn: true}
		}
	}
	if rev != nil {
		for name, decl := range rev.Declarations {
			dyn[name] = nameView{Name: name, Kind: string(decl.Type), Says: or(decl.Ask, variables.Describe(name)), Dyn: true}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(dyn)) {
		out = append(out, dyn[name])
	}
	return out
}

// systemNames says what each system variable holds, for an author who looks for one.
func systemNames() map[string]string {
	return map[string]string{
		"account_name":            "the account's name",
		"agent_name":              "who took the call",
		"conversation_date":       "when it began: date, time and zone",
		"conversation_time":       "the time of day it began",
		"conversation_duration":   "how long it lasted, minutes and seconds",
		"conversation_status":     "how it ended: Completed, Failed, Transferred",
		"conversation_direction":  "Inbound or Outbound",
		"conversation_summary":    "what it was about, in a few sentences",
		"conversation_transcript": "every turn, a line each",
		"conversation_url":        "the call's page at the platform",
		"conversation_uuid":       "the platform's id of the call",
		"customer_number":         "the customer's telephone number",
		"to_number":               "the number that was called",
		"customer_name":           "the contact record's name",
		"customer_email":          "the contact record's e-mail address",
		"crm_record_id":           "the contact's id in the CRM",
		"metadata":                "what the platform passed along: metadata.plan",
	}
}

// Rule is the address of what the code means.
func (p problemView) Rule() string { return "/workbench/rules/" + url.PathEscape(p.Code) }

// Where says where a problem stands, as the command line does.
func (p problemView) Where() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column) }
