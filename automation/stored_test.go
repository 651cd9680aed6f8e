package automation_test

import (
	"fmt"
	"slices"
	"testing"

	"aftercall/automation"
)

// TestAStoredRevisionGoesOn: what only newer rules refuse is refused where config comes in and nowhere else. Which of the
// broken folders that concerns is said in them.
func TestAStoredRevisionGoesOn(t *testing.T) {
	t.Parallel()
	for _, s := range specimens(t) {
		comesIn, _ := automation.Compile(s.files)
		stored, _ := automation.Restore(s.files)
		if want := comesIn != nil || s.said("stored") == "goes on"; (stored != nil) != want {
			t.Errorf("%s: a stored revision goes on: %v, want %v", s.name, stored != nil, want)
		}
	}
}

// TestAStoredDefaultIsKept: until defaults were held against every type, any was taken; what calls are decided by is
// still what was written.
func TestAStoredDefaultIsKept(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"date", "time", "money", "phone", "email", "url"} {
		files := automation.Files{"account.yaml": []byte(office), "rules.yaml": fmt.Appendf(nil, `variables:
  dyn_last: { type: %s, ask: What was said last, default: whatever }
automations:
  - id: one
    when: always
    actions:
      - team_alert: { text: "{{dyn_last}}" }
`, kind)}
		if rev, _ := automation.Compile(files); rev != nil {
			t.Errorf("%s: it comes in", kind)
		}
		rev, problems := automation.Restore(files)
		if rev == nil {
			t.Errorf("%s: %v", kind, problems)
			continue
		}
		warned := slices.ContainsFunc(rev.Warnings, func(p automation.Problem) bool { return p.Code == "AC104" && p.Severity == automation.Warning })
		if rev.Declarations["dyn_last"].Default != "whatever" || rev.Digest != files.Digest() || !warned {
			t.Errorf("%s: default %q, warnings %v", kind, rev.Declarations["dyn_last"].Default, rev.Warnings)
		}
	}
}
