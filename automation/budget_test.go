package automation_test

import (
	"testing"

	"aftercall/automation"
)

func TestBudget(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		budget         string
		tokens, format int
		problem        string // AC…: message; "" if there is none
	}{
		{"", 0, 1, ""},
		{"budget: { tokens_per_day: 2000000 }", 2_000_000, 2, ""},
		{"budget: { tokens_per_day: 1 }", 1, 2, ""},
		{"budget: { tokens_per_day: 0 }", 0, 0, "AC102: tokens_per_day must be a whole number from 1 to 1000000000000"},
		{"budget: { tokens_per_day: -5 }", 0, 0, "AC102: tokens_per_day must be a whole number from 1 to 1000000000000"},
		{"budget: { tokens_per_day: 2.5 }", 0, 0, "AC102: tokens_per_day must be a whole number from 1 to 1000000000000"},
		{"budget: { tokens_per_day: \"2000000\" }", 0, 0, "AC102: tokens_per_day must be a whole number from 1 to 1000000000000"},
		{"budget: { tokens_per_day: 2m }", 0, 0, "AC102: tokens_per_day must be a whole number from 1 to 1000000000000"},
		{"budget:", 0, 0, "AC102: budget must be a mapping"},
		{"budget: 2000000", 0, 0, "AC102: budget must be a mapping"},
		{"budget: {}", 0, 0, "AC107: the budget has no tokens_per_day"},
	} {
		rev, problems := automation.Compile(automation.Files{"account.yaml": []byte("account: acme\ntimezone: Europe/London\n" + c.budget + "\n")})
		switch {
		case c.problem == "" && (rev == nil || rev.TokensPerDay != c.tokens || rev.Format != c.format):
			t.Errorf("%s: %+v, %v", c.budget, rev, problems)
		case c.problem != "" && (len(problems) != 1 || problems[0].Code+": "+problems[0].Message != c.problem || problems[0].Line != 3):
			t.Errorf("%s: %v, want %s on line 3", c.budget, problems, c.problem)
		}
	}
}
