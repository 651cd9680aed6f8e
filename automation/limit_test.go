package automation_test

import (
	"testing"

	"aftercall/automation"
)

func TestLimit(t *testing.T) {
	t.Parallel()
	const before = "account: acme\ntimezone: Europe/London\nautomations:\n  - id: log\n    when: always\n    actions: [ { team_alert: { to: all, text: A call. } } ]\n"
	for _, c := range []struct {
		limit          string
		perDay, format int
		problem        string // AC…: message; "" if there is none
	}{
		{"", 0, 1, ""},
		{"limit: { per_day: 200 }", 200, 5, ""},
		{"limit: { per_day: 0 }", 0, 0, "AC102: per_day must be a whole number from 1 to 1000000000"},
		{"limit: { per_day: many }", 0, 0, "AC102: per_day must be a whole number from 1 to 1000000000"},
		{"limit: 200", 0, 0, "AC102: limit must be a mapping"},
		{"limit: {}", 0, 0, "AC107: the limit has no per_day"},
	} {
		rev, problems := automation.Compile(automation.Files{"account.yaml": []byte(before + "    " + c.limit + "\n")})
		switch {
		case c.problem == "" && (rev == nil || rev.Automations[0].PerDay != c.perDay || rev.Format != c.format):
			t.Errorf("%s: %+v, %v", c.limit, rev, problems)
		case c.problem != "" && (len(problems) != 1 || problems[0].Code+": "+problems[0].Message != c.problem || problems[0].Line != 7):
			t.Errorf("%s: %v, want %s on line 7", c.limit, problems, c.problem)
		}
	}
}
