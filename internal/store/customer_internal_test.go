package store

import "testing"

// TestMentioned: a customer is found in whatever is posted, beside other figures and in forms too, and nobody else is.
func TestMentioned(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]struct{ phone, email bool }{
		`{"from": "+44 (0)7700 900-123"}`:                                 {true, false},
		`{"note": "call 07700 900123 2026-11-22 10.30"}`:                  {true, false},
		`{"note": "2026-11-22 07700 900123"}`:                             {true, false},
		`{"note": "07700 900124 / 07700 900123 / 07700 900125"}`:          {true, false},
		`{"note": "+44 7700 900124 - 07700 900123"}`:                      {true, false},
		`{"note": "+44 7700 900123 (0) 12"}`:                              {true, false},
		`{"note": "+39 700 900 123"}`:                                     {false, false},
		`{"note": "+39 (0)700 900 123 - 12"}`:                             {false, false},
		`{"note": "700 900 124, 2026-11-22"}`:                             {false, false},
		`{"to": "Ann <ANN@example.com>"}`:                                 {false, true},
		"From=%2B447700900123&To=%2B442071838750":                         {true, false},
		"0=07700+900123&1=x":                                              {true, false},
		"note=call+07700+900123+at+10&mail=ann%40example.com":             {true, true},
		"broken=%zz&mail=ann%40example.com&from=%2B44%207700%20900%20123": {true, true},
		"a;b=1&mail=ann%40example.com":                                    {false, true},
		"mail=ann%40example.com.invalid.example&from=%2B447700900124":     {false, true}, // its beginning is the same: rather too much than too little
		"call ann@example.com or 07700.900.123 back":                      {true, true},
	} {
		for who, want := range map[string]bool{"+44 7700 900123": want.phone, "ann@example.com": want.email} {
			c, err := ParseCustomer(who)
			if err != nil {
				t.Fatal(err)
			}
			if got := c.mentioned([]byte(body)); got != want {
				t.Errorf("%s in %s: %v", who, body, got)
			}
		}
	}
}
