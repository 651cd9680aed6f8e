package webaddress_test

import (
	"net/url"
	"testing"

	"aftercall/internal/webaddress"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, host string }{
		{"plain", "https://calls.example/c/1?a=b#c", "calls.example"},
		{"port", "http://localhost:8080/v1", "localhost:8080"},
		{"user", "https://user:word@calls.example/", "calls.example"},
		{"capitals", "HTTPS://Calls.EXAMPLE/", "calls.example"},
		{"another script", "https://müller.example/", "xn--mller-kva.example"},
		{"underscore", "http://model_server:8000/v1", "model_server:8000"},
		{"address", "http://127.0.0.1:8080", "127.0.0.1:8080"},
		{"address of version 6", "http://[::1]:8080/", "[::1]:8080"},
		{"the same in its usual form", "http://[2001:DB8::0:1]/", "[2001:db8::1]"},
		{"dot at the end", "https://calls.example./", "calls.example."},
		{"nothing", "", ""},
		{"no host", "https:///path", ""},
		{"no slashes", "https:calls.example", ""},
		{"other scheme", "ftp://calls.example/", ""},
		{"script", "javascript:alert(1)", ""},
		{"relative", "//calls.example/", ""},
		{"backslash", `https:\\calls.example\`, ""},
		{"backslash before the at", `https://calls.example\@evil.example/`, ""},
		{"space", "https://calls.example /", ""},
		{"space that is none", "https://calls.example/\u00a0", ""},
		{"tab in the host", "https://calls\t.example/", ""},
		{"line break at the end", "https://calls.example/\n", ""},
		{"one number", "http://999999999/", ""},
		{"three numbers", "http://192.168.257./", ""},
		{"hexadecimal", "http://0x7f.1/", ""},
		{"octal", "http://127.0.0.01/", ""},
		{"too large a number", "http://256.256.256.256/", ""},
		{"name that ends in a number", "http://foo.2/", ""},
		{"port too large", "http://calls.example:65536/", ""},
		{"port nought", "http://calls.example:0/", ""},
		{"port with noughts before it", "http://calls.example:0080/", ""},
		{"empty port", "http://calls.example:/", ""},
		{"zone", "http://[fe80::1%25eth0]/", ""},
		{"bracket in a name", "http://a]b/", ""},
		{"angle bracket in a name", "http://a<b/", ""},
		{"percent in a name", "http://ho%25st/", ""},
		{"invalid UTF-8 in a name, encoded", "http://calls.example%A0/", ""},
		{"percent by mapping", "http://％００.example/", ""},
		{"no name in its ASCII form", "http://xn--pokxncvks/", ""},
		{"invisible name", "https://\u00ad/", ""},
		{"invalid UTF-8", "https://calls.example/\xff", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			u, ok := webaddress.Parse(tt.in)
			if ok != (tt.host != "") || ok && u.Host != tt.host {
				t.Errorf("Parse(%q) = %v, %v, want the host %q", tt.in, u, ok, tt.host)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"https://calls.example:80/a?b#c", "http://[::1]/", "http://1.2.3.4", "http://ä_b.c", "http://a@b:c@d/%25"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, ok := webaddress.Parse(s)
		if !ok {
			return
		}
		again, ok := webaddress.Parse(u.String())
		if !ok || again.Host != u.Host {
			t.Errorf("%q gave %q, which gives %v, %v", s, u, again, ok)
		}
		if plain, err := url.Parse(u.String()); err != nil || plain.Host != u.Host {
			t.Errorf("%q gave %q, which net/url reads as %v, %v", s, u, plain, err)
		}
	})
}
