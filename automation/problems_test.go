package automation_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"aftercall/automation"
)

var update = flag.Bool("update", false, "rewrite the wanted problems in testdata")

// TestProblems compiles the folders in testdata/problems and compares everything reported with their last section, want.
// A folder without account.yaml gets the office's.
func TestProblems(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/problems/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no test data: %v", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			t.Parallel()
			ar, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			files, want := automation.Files{"account.yaml": []byte(office)}, ""
			last := len(ar.Files) - 1
			for _, f := range ar.Files[:last] {
				files[f.Name] = f.Data
			}
			if ar.Files[last].Name != "want" {
				t.Fatalf("the last section is %s, want it to be want", ar.Files[last].Name)
			}
			want = string(ar.Files[last].Data)
			got := report(t, files)
			if *update {
				ar.Files[last].Data = []byte(got)
				if err := os.WriteFile(name, txtar.Format(ar), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("problems (-want +got)\n%s", diff)
			}
		})
	}
}

// report compiles and prints, and checks what holds for every folder.
func report(t *testing.T, files automation.Files) string {
	t.Helper()
	rev, problems := automation.Compile(files)
	var b strings.Builder
	failed := false
	for _, p := range problems {
		failed = failed || p.Severity == automation.Error
		b.WriteString(p.String())
		if p.Message == "" || p.Help == "" || p.Code == "" || p.Line < 1 || p.Col < 1 || p.Length < 1 {
			t.Errorf("incomplete problem: %+v", p)
		}
	}
	if failed != (rev == nil) {
		t.Errorf("revision is nil: %v, errors: %v", rev == nil, failed)
	}
	if b.Len() == 0 {
		return "nothing to report\n"
	}
	return b.String()
}

// A misspelt key is reported as that, and not as one that is missing as well. What only stands for something together with
// its value, a sender or an address that may be written to, is reported where it is used.
func TestMisspeltKeys(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ file, right, wrong, also string }{
		{"account.yaml", "allow", "alow", "AC301: the account's allow-list does not contain this address"},
		{"account.yaml", "email", "emial", "AC107: the account has no e-mail sender"},
		{"account.yaml", "account", "acount", ""},
		{"account.yaml", "timezone", "timezon", ""},
		{"account.yaml", "tokens_per_day", "tokens_per_dai", ""},
		{"rules.yaml", "variables", "variabels", ""},
		{"rules.yaml", "automations", "automatons", ""},
		{"rules.yaml", "actions", "actoins", ""},
		{"rules.yaml", "when", "whenn", ""},
		{"rules.yaml", "id", "idd", ""},
		{"rules.yaml", "subject", "subjct", ""},
	} {
		files := map[string]string{
			"account.yaml": "account: acme\nname: Acme\ntimezone: UTC\nallow: { domains: [a.example] }\nfrom: { email: a@a.example }\nbudget: { tokens_per_day: 5000000 }\n",
			"rules.yaml": "variables: { dyn_size: { type: text } }\nautomations:\n  - id: one\n    name: One\n    when: always\n    actions:\n" +
				"      - email: { to: [b@a.example], subject: Hello, body: \"How large: {{dyn_size}}\" }\n",
		}
		if !strings.Contains(files[c.file], c.right+": ") && !strings.Contains(files[c.file], c.right+":\n") {
			t.Fatalf("%s has no key %s", c.file, c.right)
		}
		files[c.file] = strings.Replace(files[c.file], c.right+":", c.wrong+":", 1)
		in := automation.Files{}
		for name, text := range files {
			in[name] = []byte(text)
		}
		var errors []string
		_, problems := automation.Compile(in)
		for _, p := range problems {
			if p.Severity == automation.Error {
				errors = append(errors, p.Code+": "+p.Message)
			}
		}
		want := []string{"AC101: unknown key " + c.wrong}
		if c.also != "" {
			want = append(want, c.also)
		}
		if diff := cmp.Diff(want, errors); diff != "" {
			t.Errorf("%s (-want +got)\n%s", c.wrong, diff)
		}
	}
}
