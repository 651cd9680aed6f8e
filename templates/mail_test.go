package templates

import (
	"os"
	"path/filepath"
	"testing"
)

// A body without its head gives the text, and the links, that the whole document gives.
func TestFragmentsReadAsTheirDocuments(t *testing.T) {
	t.Parallel()
	bodies := []string{
		"", " \n text", "<p>one<table><tr><td>a</td><td>b</td></tr></table>two", "<td>loose</td>", "<title>t</title><style>p{}</style>after",
		"<!-- c --><p>x</p></body></html> trailing", "<p>a<br>b <a href=\"https://evil.example\">c</a>", "<head><meta charset=x></head>y", "<frameset><frame></frameset>z",
		"<!DOCTYPE html><p>old</p>", "<pre>\n a\n  b</pre><ul><li>1<li>2</ul>", "&lt;html&gt; &amp; &#60;", "<p>open <b>bold <i>both</p>rest", "<noscript><p>n</p></noscript>",
	}
	pages, err := filepath.Glob("testdata/*.golden.html")
	if err != nil || len(pages) == 0 {
		t.Fatal(pages, err)
	}
	for _, path := range pages {
		page, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		bodies = append(bodies, string(page))
	}
	refused := 0
	for _, body := range bodies {
		want, err := textPart(document(body))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := textPart(fragment(body)); err != nil || got != want {
			t.Errorf("%q alone reads %q, %v; in its document %q", body, got, err, want)
		}
		bad := checkLinks(document(body), nil, nil)
		if got := checkLinks(fragment(body), nil, nil); got != bad {
			t.Errorf("the links of %q alone give %v, in its document %v", body, got, bad)
		}
		if bad != nil {
			refused++
		}
	}
	if refused == 0 || refused == len(bodies) {
		t.Errorf("of %d bodies %d were refused", len(bodies), refused)
	}
}
