package automation_test

import (
	"testing"

	"aftercall/automation"
	"aftercall/recipients"
)

// TestRegion: numbers without a country code are of the region that is named, else of the country of the sender of texts.
func TestRegion(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		lines, want string
		format      int
		number      string // 030 901820, as it is understood
	}{
		{"", "", 1, ""},
		{`from: { sms: "+442071838750" }`, "GB", 1, ""},
		{`from: { sms: "+493090182000" }`, "DE", 1, "+4930901820"},
		{"region: DE", "DE", 8, "+4930901820"},
		{"region: DE\nfrom: { sms: \"+442071838750\" }", "DE", 8, "+4930901820"},
		{"from: { sms: \"+442071838750\" }\nregion: de", "DE", 8, "+4930901820"},
		{"region: NO", "NO", 8, ""}, // Norway, not a word for false
	} {
		rev, problems := automation.Compile(automation.Files{"account.yaml": []byte("account: acme\ntimezone: Europe/London\n" + c.lines + "\n")})
		if rev == nil || rev.Directory.Region != c.want || rev.Format != c.format {
			t.Errorf("%s: %+v, %v; want %q, format %d", c.lines, rev, problems, c.want, c.format)
			continue
		}
		if number, no := recipients.Phone("030 901820", rev.Directory.Region); c.number != "" && (number != c.number || no != nil) {
			t.Errorf("%s: %q, %+v; want %s", c.lines, number, no, c.number)
		}
	}
	for _, wrong := range []string{"region: UK", "region: Germany", "region: [DE]", "region: 49", `region: ""`, "region: 001"} {
		rev, problems := automation.Compile(automation.Files{"account.yaml": []byte("account: acme\ntimezone: Europe/London\n" + wrong + "\n")})
		if rev != nil || len(problems) == 0 || problems[0].Line != 3 || problems[0].Help == "" {
			t.Errorf("%s: %+v, %v; want an error on line 3 with a remedy", wrong, rev, problems)
		}
	}
}
