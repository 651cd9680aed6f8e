package automation_test

import (
	"testing"

	"aftercall/automation"
)

func TestAccountOf(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"account: acme\nname: Acme\n":              "acme",
		"# first\naccount: \"acme-2\"  # quoted\n": "acme-2",
		"account: acme\r\nname: [broken\r\n":       "acme",
		"name: Acme\n":                             "",
		"x: { account: acme }\n":                   "",
		"  account: acme\n":                        "",
		"account: Acme Clinic\n":                   "",
		"":                                         "",
	} {
		if got := automation.AccountOf(automation.Files{"account.yaml": []byte(text)}); got != want {
			t.Errorf("%q names %q, want %q", text, got, want)
		}
	}
	if got := automation.AccountOf(nil); got != "" {
		t.Errorf("no files name %q", got)
	}
}
