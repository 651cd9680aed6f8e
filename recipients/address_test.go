package recipients_test

import (
	"strings"
	"testing"

	"aftercall/recipients"
)

func TestEmail(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{
		{"plain", "support@acme.example", "support@acme.example"},
		{"domain is lowered, mailbox is not", "Support@ACME.Example", "Support@acme.example"},
		{"plus tag", "a+b@acme.example", "a+b@acme.example"},
		{"single label", "test@io", "test@io"},
		{"other script", "info@müller.example", "info@xn--mller-kva.example"},
		{"64 before the at", strings.Repeat("a", 64) + "@acme.example", strings.Repeat("a", 64) + "@acme.example"},
		{"65 before the at", strings.Repeat("a", 65) + "@acme.example", ""},
		{"255 in all", strings.Repeat("a", 60) + "@" + strings.Repeat(strings.Repeat("b", 47)+".", 4) + "ab", ""},
		{"empty", "", ""},
		{"no domain", "test", ""},
		{"no mailbox", "@iana.org", ""},
		{"two ats", "a@b@c.example", ""},
		{"display name", "Eve <eve@acme.example>", ""},
		{"angle brackets", "<eve@acme.example>", ""},
		{"comment", "eve(x)@acme.example", ""},
		{"list", "a@acme.example,b@acme.example", ""},
		{"quoted", `"a b"@acme.example`, ""},
		{"leading space", " a@acme.example", ""},
		{"line feed", "a@acme.example\nBcc: eve@evil.example", ""},
		{"carriage return at the end", "a@acme.example\r", ""},
		{"nul", "a\x00@acme.example", ""},
		{"double dot", "a..b@acme.example", ""},
		{"trailing dot", "a@acme.example.", ""},
		{"hyphen first", "a@-acme.example", ""},
		{"underscore", "a@ac_me.example", ""},
		{"address literal", "a@[127.0.0.1]", ""},
		{"bare address", "a@127.0.0.1", ""},
		{"mailbox in another script", "jörg@acme.example", ""},
		{"invalid utf-8", "a\xff@acme.example", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, p := recipients.Email(tt.in)
			if got != tt.want || (p == nil) != (tt.want != "") {
				t.Errorf("Email(%q) = %q, %v, want %q", tt.in, got, p, tt.want)
			}
		})
	}
}

func TestPhone(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, region, want string }{
		{"e164", "+442071838750", "", "+442071838750"},
		{"spaces and brackets", "+44 (0)20 7183-8750", "", "+442071838750"},
		{"national with a region", "020 7183 8750", "GB", "+442071838750"},
		{"national without", "020 7183 8750", "", ""},
		{"reserved for fiction", "+447700900123", "", "+447700900123"},
		{"us", "+1 (202) 555-0123", "", "+12025550123"},
		{"too short", "+44207183", "", ""},
		{"too long", "+4420718387501234", "", ""},
		{"uk premium", "+449012345678", "", ""},
		{"us premium", "+19002345678", "", ""},
		{"uk shared cost", "+448431234567", "", ""},
		{"vanity letters", "+1 800 FLOWERS", "", ""},
		{"line break", "+442071838750\n", "", ""},
		{"word", "eve", "GB", ""},
		{"empty", "", "GB", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, p := recipients.Phone(tt.in, tt.region)
			if got != tt.want || (p == nil) != (tt.want != "") {
				t.Errorf("Phone(%q, %q) = %q, %v, want %q", tt.in, tt.region, got, p, tt.want)
			}
		})
	}
	if got := recipients.RegionOf("+442071838750"); got != "GB" {
		t.Errorf("RegionOf = %q, want GB", got)
	}
}

func FuzzEmail(f *testing.F) {
	for _, s := range []string{"a@acme.example", "a\r\nb@c.d", "\"a\"@b.c", "a@[::1]", "ä@ö.ü"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, p := recipients.Email(s)
		if p != nil {
			return
		}
		if strings.ContainsAny(got, "\r\n\x00 <>\",;") || strings.Count(got, "@") != 1 || len(got) > 254 {
			t.Errorf("Email(%q) let %q through", s, got)
		}
		if again, p := recipients.Email(got); p != nil || again != got {
			t.Errorf("Email is not stable: %q gave %q, then %q", s, got, again)
		}
	})
}

func FuzzPhone(f *testing.F) {
	for _, s := range []string{"+442071838750", "020 7183 8750", "+1;ext=5", "٠١٢"} {
		f.Add(s, "GB")
	}
	f.Fuzz(func(t *testing.T, s, region string) {
		got, p := recipients.Phone(s, region)
		if p != nil {
			return
		}
		if !strings.HasPrefix(got, "+") || strings.Trim(got[1:], "0123456789") != "" || len(got) > 16 {
			t.Errorf("Phone(%q, %q) let %q through", s, region, got)
		}
	})
}
