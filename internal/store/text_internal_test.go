package store

import (
	"encoding/json"
	"testing"
	"unicode/utf8"
)

func TestPhoneKey(t *testing.T) {
	t.Parallel()
	for number, want := range map[string]string{
		"+44 7700 900123": "700900123", "07700-900-123": "700900123", "0044 (0)7700 900123": "700900123",
		"tel:+447700900123": "700900123", "sip:+447700900123@pbx.example": "700900123", "+12125550100;ext=22": "125550100",
		"": "", "anonymous": "", "112": "", "ann@example.com": "", "c-2024": "", "12345": "12345",
	} {
		if got := phoneKey(number); got != want {
			t.Errorf("%q: %q, want %q", number, got, want)
		}
	}
}

func FuzzEncode(f *testing.F) {
	for _, s := range []string{"", "\x00", `\u0000`, "\\\x00", "\\\\\x00\xff", "\u2028<&>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		b, err := encode(map[string]string{"k": s})
		if err != nil {
			t.Fatal(err)
		}
		var back map[string]string
		if err := json.Unmarshal(b, &back); err != nil {
			t.Fatalf("%q: %v", b, err)
		}
		got := back["k"]
		for _, r := range got {
			if r == 0 {
				t.Errorf("%q still holds NUL", b)
			}
		}
		if !utf8.ValidString(clean(s)) {
			t.Errorf("%q is not clean", s)
		}
		if want := clean(s); got != want && utf8.ValidString(s) {
			t.Errorf("%q came back as %q", s, got)
		}
	})
}
