package automation_test

import (
	"testing"

	"aftercall/automation"
	"aftercall/deliver"
)

// TestSourceSender: e-mails about a source's calls come from its own sender, if it names one, and from the account's otherwise.
func TestSourceSender(t *testing.T) {
	t.Parallel()
	account := deliver.Address{Name: "Acme", Address: "calls@acme.example"}
	for _, c := range []struct {
		from    string // of the source
		want    deliver.Address
		format  int
		problem string // the code of the first; "" if there is none
	}{
		{"", account, 1, ""},
		{`, from: { email: "Acme Berlin <berlin@acme.example>" }`, deliver.Address{Name: "Acme Berlin", Address: "berlin@acme.example"}, 8, ""},
		{`, from: { email: berlin@acme.example }`, deliver.Address{Address: "berlin@acme.example"}, 8, ""},
		{`, from: { email: berlin }`, account, 0, "AC108"},
		{`, from: { email: "Acme\nBcc: eve@evil.example <berlin@acme.example>" }`, account, 0, "AC105"},
		{`, from: { sms: "+442071838750" }`, account, 0, "AC107"},
		{`, from: {}`, account, 0, "AC107"},
		{`, from: berlin@acme.example`, account, 0, "AC102"},
	} {
		rev, problems := automation.Compile(automation.Files{"account.yaml": []byte("account: acme\ntimezone: Europe/London\nfrom: { email: Acme <calls@acme.example> }\n" +
			"sources: [ { id: berlin, type: native, secret: \"${ENV:BERLIN}\"" + c.from + " } ]\n")})
		switch {
		case c.problem == "" && (rev == nil || rev.Sender("berlin") != c.want || rev.Sender("api") != account || rev.Format != c.format):
			t.Errorf("%s: %+v, %v", c.from, rev, problems)
		case c.problem != "" && (len(problems) == 0 || problems[0].Code != c.problem || problems[0].Line != 4):
			t.Errorf("%s: %v, want %s on line 4", c.from, problems, c.problem)
		}
	}
}
