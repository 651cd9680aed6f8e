package automation_test

import (
	"testing"

	"aftercall/automation"
)

func TestRetention(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		retention    string
		days, format int
		problem      string // AC…: message; "" if there is none
	}{
		{"", 0, 1, ""},
		{"retention: { days: 90 }", 90, 5, ""},
		{"retention: { days: 1 }", 1, 5, ""},
		{"retention: { days: 0 }", 0, 0, "AC102: days must be a whole number from 1 to 36500"},
		{"retention: { days: 90d }", 0, 0, "AC102: days must be a whole number from 1 to 36500"},
		{"retention: 90", 0, 0, "AC102: retention must be a mapping"},
		{"retention: {}", 0, 0, "AC107: the retention has no days"},
	} {
		rev, problems := automation.Compile(automation.Files{"account.yaml": []byte("account: acme\ntimezone: Europe/London\n" + c.retention + "\n")})
		switch {
		case c.problem == "" && (rev == nil || rev.KeepDays != c.days || rev.Format != c.format):
			t.Errorf("%s: %+v, %v", c.retention, rev, problems)
		case c.problem != "" && (len(problems) != 1 || problems[0].Code+": "+problems[0].Message != c.problem || problems[0].Line != 3):
			t.Errorf("%s: %v, want %s on line 3", c.retention, problems, c.problem)
		}
	}
}
