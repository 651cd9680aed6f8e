package chromium

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
)

//go:embed axe.min.js
var axe string

// finding is what axe has against a page.
type finding struct {
	ID, Impact, Help string
	Nodes            []struct{ HTML, FailureSummary string }
}

// Barriers are the serious and critical findings of axe about the page as it stands: what keeps somebody from using it. With
// rules, only these are looked at.
func (p *Page) Barriers(rules ...string) (found []string) {
	p.t.Helper()
	if !Evaluate[bool](p, `"axe" in window`) {
		Evaluate[bool](p, axe+"\n;true")
	}
	only, err := json.Marshal(rules)
	if err != nil {
		p.t.Fatal(err)
	}
	said := Evaluate[string](p, `(only => {
		const options = {resultTypes: ["violations"], iframes: false, preload: false};
		if (only) options.runOnly = {type: "rule", values: only};
		return axe.run(document, options).then(r => JSON.stringify(r.violations.filter(v => ["serious", "critical"].includes(v.impact))));
	})(`+string(only)+`)`)
	var all []finding
	if err := json.Unmarshal([]byte(said), &all); err != nil {
		p.t.Fatal(err)
	}
	for _, f := range all {
		for _, n := range f.Nodes {
			found = append(found, fmt.Sprintf("%s (%s): %.200s: %s", f.ID, f.Impact, n.HTML, strings.Join(strings.Fields(n.FailureSummary), " ")))
		}
	}
	return found
}
