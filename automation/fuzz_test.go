package automation_test

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"aftercall/automation"
)

// FuzzCompile: whatever stands in a folder, Compile neither panics nor gives a revision beside an error, every problem has
// a place in a file, and the same files give the same report.
func FuzzCompile(f *testing.F) {
	names, err := filepath.Glob("testdata/problems/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	broken, err := filepath.Glob("testdata/broken/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range append(names, broken...) {
		ar, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range ar.Files[:len(ar.Files)-1] {
			f.Add(file.Data)
		}
	}
	f.Add([]byte(callback))
	for _, s := range []string{"", "a", "{{", "? {a: b}\n: c", "&a [*a]", "a: !!binary x", "\ufeffautomations: []", "automations:\n- {}", "%YAML 1.1\n---\n",
		"automations: [{actions: [{email: {subject: \"\\u00e9{{x\\\n  }}\"}}]}]", "people: {a: {phone: 00441}}", "\xff", "a: |2\n  {{x}}"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		files := automation.Files{"account.yaml": []byte(office), "callback.md.hbs": []byte("{{dyn_callback_when}}"), "f.yaml": src}
		got := report(t, files)
		if diff := cmp.Diff(got, report(t, files)); diff != "" {
			t.Errorf("two reports on the same files differ\n%s", diff)
		}
		if rev, _ := automation.Compile(files); rev != nil {
			rev.Sheets("reception", rev.Triggers(), true)
		}
	})
}
