package templates_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aftercall/templates"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func goldenValues() templates.Values {
	return templates.Values{
		"customer_name": "Dana <Ö'Neil> & *Co*", "customer_number": "+447700900123", "customer_email": "dana@example.com",
		"agent_name": "Ava", "account_name": "Acme Clinic", "conversation_date": "2026-11-21 15:04 GMT", "conversation_time": "3:04 PM",
		"conversation_summary": "They agreed on a visit.\nThe boiler is off.", "conversation_url": "https://calls.example/c?id=1&t=2",
		"conversation_transcript": "Agent: Hello, how can I help?\nCustomer: My boiler # is *off*\nAgent: [click](https://evil.example)",
		"dyn_day":                 "2026-11-24", "dyn_at": "14:30", "dyn_link": "https://meet.example/abc_(1)", "dyn_severity": "critical",
		"metadata": map[string]any{"items": []any{map[string]any{"name": "Lamp | Desk", "price": "12.50 EUR"}, map[string]any{"name": "Chair"}}},
	}
}

// TestGolden renders every body in testdata to its HTML and its text; -update rewrites what is wanted.
func TestGolden(t *testing.T) {
	t.Parallel()
	bodies, err := filepath.Glob("testdata/*.hbs")
	if err != nil || len(bodies) < 4 {
		t.Fatalf("got %d bodies, %v; want at least 4", len(bodies), err)
	}
	for _, body := range bodies {
		t.Run(filepath.Base(body), func(t *testing.T) {
			t.Parallel()
			src, err := os.ReadFile(body)
			if err != nil {
				t.Fatal(err)
			}
			format := templates.Markdown
			if strings.HasSuffix(body, ".html.hbs") {
				format = templates.HTML
			}
			got := render(t, string(src), format, goldenValues())
			golden(t, strings.TrimSuffix(body, ".hbs")+".golden.html", got.HTML)
			golden(t, strings.TrimSuffix(body, ".hbs")+".golden.txt", got.Text+"\n\nmissing: "+strings.Join(got.Missing, " ")+"\n")
		})
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}
