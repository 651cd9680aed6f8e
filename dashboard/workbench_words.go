package dashboard

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"

	"github.com/yuin/goldmark"

	"aftercall/automation"
	"aftercall/internal/store"
	"aftercall/templates"
)

// wordsAnswer is what the page's module completes from, beside the names that come with each check.
type wordsAnswer struct {
	Schema  json.RawMessage `json:"schema"` // of the YAML files
	Helpers []helperAnswer  `json:"helpers"`
}

// helperAnswer is a word that may stand between braces, beside the names.
type helperAnswer struct {
	Name  string `json:"name"`
	Usage string `json:"usage"`
	Block bool   `json:"block"`
}

// words is GET /workbench/words.json: which keys and helpers there are.
func (b *workbench) words(*http.Request) (answer, error) {
	all := wordsAnswer{Schema: automation.Schema()}
	for _, h := range templates.Helpers() {
		all.Helpers = append(all.Helpers, helperAnswer(h))
	}
	body, err := json.Marshal(all)
	if err != nil {
		return answer{}, fmt.Errorf("write the words of the format: %w", err)
	}
	return answer{File: &file{Type: "application/json", Body: body}}, nil
}

// rulePage is the view of rule.html.
type rulePage struct {
	Code string
	Body template.HTML
}

// rule is GET /workbench/rules/{code}: what a code of the check means, in the words of `aftercall explain`.
func (b *workbench) rule(r *http.Request) (answer, error) {
	rule, ok := automation.RuleOf(r.PathValue("code"))
	if !ok {
		return answer{}, store.ErrNotFound
	}
	return ruleAnswer(rule)
}

func ruleAnswer(rule automation.Rule) (answer, error) {
	var body bytes.Buffer
	if err := goldmark.Convert([]byte(rule.Page), &body); err != nil {
		return answer{}, fmt.Errorf("lay out the page of rule %s: %w", rule.Code, err)
	}
	return answer{Template: "rule", Title: rule.Code + ": " + rule.Title, Section: "workbench", View: rulePage{
		Code: rule.Code, Body: template.HTML(body.String()), //nolint:gosec // a page of ours; Markdown's HTML is left out besides
	}}, nil
}
