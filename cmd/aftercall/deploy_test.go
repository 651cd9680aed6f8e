package main

// What an operator copies from deploy/ and looks up in docs/operations must fit the program.

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"aftercall/internal/signals"
)

// rule is one alert of deploy/prometheus/alerts.yaml.
type rule struct {
	Alert, Expr, For    string
	Labels, Annotations map[string]string
}

func rules(t *testing.T) (all []rule) {
	t.Helper()
	var file struct {
		Groups []struct {
			Name  string
			Rules []rule
		}
	}
	if err := yaml.Unmarshal([]byte(page(t, "deploy/prometheus/alerts.yaml")), &file); err != nil {
		t.Fatal(err)
	}
	for _, g := range file.Groups {
		all = append(all, g.Rules...)
	}
	if len(all) < 10 {
		t.Fatalf("only %d rules", len(all))
	}
	return all
}

// panelQueries are the expressions of the dashboard's panels, by title.
func panelQueries(t *testing.T) map[string]string {
	t.Helper()
	var board struct {
		Panels []struct {
			Title, Type string
			Targets     []struct{ Expr string }
		}
	}
	if err := json.Unmarshal([]byte(page(t, "deploy/grafana/aftercall.json")), &board); err != nil {
		t.Fatal(err)
	}
	queries := map[string]string{}
	for _, p := range board.Panels {
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("the panel %q asks nothing", p.Title)
		}
		for n, target := range p.Targets {
			queries[fmt.Sprintf("%s %d", p.Title, n)] = strings.ReplaceAll(target.Expr, "$__rate_interval", "5m")
		}
	}
	if len(queries) < 20 {
		t.Fatalf("only %d queries", len(queries))
	}
	return queries
}

func page(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile("../../" + path)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func catalogue() []signals.Metric { return newSignals(slog.New(slog.DiscardHandler)).Catalogue() }

// measured are the labels of everything that can be asked for, and their words, by the name a query uses.
func measured() map[string]map[string][]string {
	known := map[string]map[string][]string{ // of Prometheus itself, and of its library
		"up": {}, "go_goroutines": {}, "process_resident_memory_bytes": {}, "process_cpu_seconds_total": {},
	}
	for _, m := range catalogue() {
		labels := map[string][]string{}
		for _, l := range m.Labels {
			labels[l.Name] = l.Words
		}
		known[m.Name] = labels
		if m.Kind == "histogram" {
			known[m.Name+"_bucket"], known[m.Name+"_count"], known[m.Name+"_sum"] = labels, labels, labels
		}
	}
	return known
}

// TestRulesAndPanelsAskForWhatIsMeasured: every metric, every label and every word of a label in a query exists. That
// Prometheus understands the query is tested in deploy/check, with Prometheus's own parser.
func TestRulesAndPanelsAskForWhatIsMeasured(t *testing.T) {
	t.Parallel()
	queries := panelQueries(t)
	for _, r := range rules(t) {
		queries["the alert "+r.Alert] = r.Expr
	}
	known, asked := measured(), map[string]bool{}
	for where, query := range queries {
		for _, fault := range faultsOf(query, known, asked) {
			t.Errorf("%s: %s", where, fault)
		}
	}
	for _, m := range catalogue() {
		looked := asked[m.Name] || asked[m.Name+"_bucket"] || asked[m.Name+"_count"] || asked[m.Name+"_sum"]
		if !looked && m.Name != "aftercall_database_up" { // part of being ready
			t.Errorf("%s is measured, and neither a rule nor a panel looks at it", m.Name)
		}
	}
}

// How a query names a metric with its matchers, one of them, and the labels by which it joins.
var (
	selector = regexp.MustCompile(`\b((?:aftercall|go|process)_[a-z_]+|up)\b(?:\{([^}]*)\})?`)
	matcher  = regexp.MustCompile(`([a-z_]+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"`)
	grouping = regexp.MustCompile(`\b(?:by|on|without|ignoring)\s*\(([^)]*)\)`)
)

// faultsOf lists what a query asks for that does not exist, and notes what it asks for.
func faultsOf(query string, known map[string]map[string][]string, asked map[string]bool) (faults []string) {
	say := func(format string, a ...any) { faults = append(faults, fmt.Sprintf(format, a...)) }
	labels := map[string]bool{"le": true} // of the metrics in this query
	found := selector.FindAllStringSubmatch(query, -1)
	if len(found) == 0 {
		say("asks for nothing")
	}
	for _, s := range found {
		of, ok := known[s[1]]
		if !ok {
			say("asks for %s, which nobody measures", s[1])
			continue
		}
		asked[s[1]] = true
		for label := range of {
			labels[label] = true
		}
		for _, m := range matcher.FindAllStringSubmatch(s[2], -1) {
			words, ok := of[m[1]]
			if !ok && m[1] != "job" { // which is Prometheus's own
				say("%s has no label %s", s[1], m[1])
			}
			for word := range strings.SplitSeq(m[2], "|") {
				if ok && !slices.Contains(words, word) {
					say("%s of %s is never %q", m[1], s[1], word)
				}
			}
		}
	}
	for _, g := range grouping.FindAllStringSubmatch(query, -1) {
		for label := range strings.SplitSeq(g[1], ",") {
			if label = strings.TrimSpace(label); !labels[label] {
				say("nothing here has a label %s", label)
			}
		}
	}
	return faults
}

// TestAQueryForNothingIsFound: the test above would find a typing error.
func TestAQueryForNothingIsFound(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		`vector(1)`:                                                  "asks for nothing",
		`sum(rate(aftercall_webhook_total[5m]))`:                     "asks for aftercall_webhook_total, which nobody measures",
		`aftercall_webhooks_total{outcom="failed"}`:                  "aftercall_webhooks_total has no label outcom",
		`aftercall_webhooks_total{outcome=~"failed|unavailible"}`:    `outcome of aftercall_webhooks_total is never "unavailible"`,
		`sum by (chanel) (rate(aftercall_deliveries_total[5m])) > 0`: "nothing here has a label chanel",
	} {
		if diff := cmp.Diff([]string{want}, faultsOf(query, measured(), map[string]bool{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", query, diff)
		}
	}
}

// TestEveryAlertHasItsRunbook, and no runbook is about an alert that does not exist.
func TestEveryAlertHasItsRunbook(t *testing.T) {
	t.Parallel()
	const book = "docs/operations/runbooks.md"
	var alerts, headings []string
	for _, r := range rules(t) {
		alerts = append(alerts, r.Alert)
		if want := book + "#" + strings.ToLower(r.Alert); r.Annotations["runbook_url"] != want {
			t.Errorf("%s: runbook %q, want %s", r.Alert, r.Annotations["runbook_url"], want)
		}
		if s := r.Labels["severity"]; s != "page" && s != "ticket" {
			t.Errorf("%s: severity %q", r.Alert, s)
		}
		if s := r.Annotations["summary"]; !strings.HasSuffix(s, ".") {
			t.Errorf("%s: the summary %q is no sentence", r.Alert, s)
		}
		if _, err := time.ParseDuration(r.For); r.For != "" && err != nil {
			t.Errorf("%s: for %q: %v", r.Alert, r.For, err)
		}
	}
	paragraphs := regexp.MustCompile(`(?m)^## (\w+)$`).FindAllStringSubmatchIndex(page(t, book), -1)
	text := page(t, book)
	for n, at := range paragraphs {
		headings = append(headings, text[at[2]:at[3]])
		end := len(text)
		if n+1 < len(paragraphs) {
			end = paragraphs[n+1][0]
		}
		for _, word := range []string{"**Look**", "**Do"} {
			if !strings.Contains(text[at[1]:end], word) {
				t.Errorf("the runbook of %s does not say %s", text[at[2]:at[3]], word)
			}
		}
	}
	if diff := cmp.Diff(alerts, headings); diff != "" {
		t.Errorf("alerts and runbooks (-alerts +runbooks):\n%s", diff)
	}
}

// TestOperationsPagesLinkToWhatExists: a runbook that leads nowhere at night is worse than none.
func TestOperationsPagesLinkToWhatExists(t *testing.T) {
	t.Parallel()
	heading, link := regexp.MustCompile(`(?m)^#+ (.+)$`), regexp.MustCompile(`\]\(([a-z]+\.md)?(?:#([^)]+))?\)`)
	anchors := func(file string) map[string]bool {
		found := map[string]bool{"": true} // the page itself
		for _, m := range heading.FindAllStringSubmatch(page(t, "docs/operations/"+file), -1) {
			found[strings.NewReplacer(" ", "-", ",", "", ":", "").Replace(strings.ToLower(m[1]))] = true
		}
		return found
	}
	links := 0
	for _, file := range []string{"runbooks.md", "reasons.md"} {
		for _, m := range link.FindAllStringSubmatch(page(t, "docs/operations/"+file), -1) {
			target := file
			if m[1] != "" {
				target = m[1]
			}
			if links++; !anchors(target)[m[2]] {
				t.Errorf("%s links to %s#%s, which does not exist", file, target, m[2])
			}
		}
	}
	if links < 10 {
		t.Errorf("only %d links were found", links)
	}
}

// TestMetricsAreDocumented holds docs/operations/metrics.md against the metrics there are; -update writes its table.
func TestMetricsAreDocumented(t *testing.T) {
	t.Parallel()
	const file, begin, end = "docs/operations/metrics.md", "| metric |", "\n\n"
	text := page(t, file)
	from := strings.Index(text, begin)
	if from < 0 {
		t.Fatalf("%s has no table", file)
	}
	to := from + strings.Index(text[from:]+end, end)
	want := metricsTable()
	if *update {
		if err := os.WriteFile("../../"+file, []byte(text[:from]+want+text[min(to, len(text)):]), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, strings.TrimSpace(text[from:min(to, len(text))])); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// metricsTable is the table as it has to be.
func metricsTable() string {
	rows := []string{"| metric | kind | labels and their words | what it is |", "|---|---|---|---|"}
	for _, m := range catalogue() {
		var labels []string
		for _, l := range m.Labels {
			words := strings.Join(l.Words, ", ")
			if l.Name == "version" { // of whichever binary it is
				words = "this binary's"
			}
			labels = append(labels, "`"+l.Name+"`: "+words)
		}
		rows = append(rows, fmt.Sprintf("| `%s` | %s | %s | %s |", m.Name, m.Kind, strings.Join(labels, "; "), m.Help))
	}
	return strings.Join(rows, "\n")
}
