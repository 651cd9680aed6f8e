package recipients_test

import (
	"testing"
	"time"

	"aftercall/recipients"
)

// TestZone: only what is certain, and only where all have the same.
func TestZone(t *testing.T) {
	t.Parallel()
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	d := recipients.Directory{Region: "GB", People: map[string]recipients.PersonEntry{
		"yui": {Key: "yui", Location: tokyo}, "ken": {Key: "ken", Location: tokyo}, "ann": {Key: "ann"}}}
	for name, c := range map[string]struct {
		keys   []string
		number string
		want   string
	}{
		"a person's own":                   {[]string{"person:yui"}, "", "Asia/Tokyo"},
		"a person of whom nothing is said": {[]string{"person:ann"}, "", ""},
		"somebody who is there no more":    {[]string{"person:bob"}, "", ""},
		"two with the same":                {[]string{"person:yui", "person:ken"}, "", "Asia/Tokyo"},
		"two, and one is not known":        {[]string{"person:yui", "person:ann"}, "", ""},
		"two that differ":                  {[]string{"person:yui", "phone:+442071838750"}, "", ""},
		"a number in one zone":             {[]string{"phone:+442071838750"}, "", "Europe/London"},
		"a city of a country with many":    {[]string{"contact:customer_number"}, "+12125550123", "America/New_York"},
		"a customer's mail, with a number": {[]string{"contact:customer_email"}, "+4930901820", "Europe/Berlin"},
		"without a country":                {[]string{"contact:customer_number"}, "020 7183 8750", "Europe/London"},
		"all of a country with many":       {[]string{"contact:customer_number"}, "+18005550199", ""},
		"no number":                        {[]string{"contact:customer_number"}, "", ""},
		"an address":                       {[]string{"email:a@b.example"}, "+442071838750", ""},
		"nobody":                           {nil, "", ""},
	} {
		got := ""
		if loc := d.Zone(c.keys, recipients.ContactRecord{Number: c.number}); loc != nil {
			got = loc.String()
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
