package check_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"text/template"

	"github.com/prometheus/prometheus/promql/parser"
	"go.yaml.in/yaml/v4"
)

// query is one expression with the place it stands at.
type query struct{ where, text string }

func read(t *testing.T, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// understood fails the test for a query that Prometheus would refuse, and for one that is no list of series.
func understood(t *testing.T, queries []query) {
	t.Helper()
	for _, q := range queries {
		expr, err := parser.NewParser(parser.Options{}).ParseExpr(q.text)
		if err != nil {
			t.Errorf("%s: %v", q.where, err)
		} else if expr.Type() != parser.ValueTypeVector {
			t.Errorf("%s: gives %s", q.where, expr.Type())
		}
	}
}

func TestRules(t *testing.T) {
	var file struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	if err := yaml.Load(read(t, "../prometheus/alerts.yaml"), &file, yaml.WithKnownFields()); err != nil {
		t.Fatal(err)
	}
	var queries []query
	for _, g := range file.Groups {
		for _, r := range g.Rules {
			queries = append(queries, query{r.Alert, r.Expr})
			speaks(t, r.Alert, r.Annotations["summary"])
		}
	}
	if len(queries) < 20 {
		t.Errorf("only %d rules", len(queries))
	}
	understood(t, queries)
}

// speaks fails the test for a sentence that Prometheus could not fill in.
func speaks(t *testing.T, where, sentence string) {
	t.Helper()
	same := func(v any) any { return v }
	_, err := template.New(where).Funcs(template.FuncMap{"humanize": same, "humanizePercentage": same, "humanizeDuration": same}).
		Parse("{{ $labels := .Labels }}{{ $value := .Value }}" + sentence)
	if err != nil {
		t.Errorf("%s: %v", where, err)
	}
}

func TestDashboard(t *testing.T) {
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(read(t, "../grafana/aftercall.json"), &board); err != nil {
		t.Fatal(err)
	}
	var queries []query
	for _, p := range board.Panels {
		for _, target := range p.Targets {
			queries = append(queries, query{p.Title, strings.ReplaceAll(target.Expr, "$__rate_interval", "5m")})
		}
	}
	if len(queries) < 30 {
		t.Errorf("only %d queries", len(queries))
	}
	understood(t, queries)
}
