package ingest

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
)

// TestOneTextIsLeftOut: the member's, wherever it stands and in whatever pieces it comes; and nothing else.
func TestOneTextIsLeftOut(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"type":"a","data":{"full_audio":"SUQz\/A==","id":"c"}}`:      `{"type":"a","data":{"full_audio":"","id":"c"}}`,
		`{"full_audio" : ` + "\n\t" + `"SUQz"}`:                        `{"full_audio" : ` + "\n\t" + `""}`,
		`{"full_audio":"a \"b\" \\","x":"full_audio"}`:                 `{"full_audio":"","x":"full_audio"}`,
		`{"full_audio":null,"x":"1"}`:                                  `{"full_audio":null,"x":"1"}`,
		`{"full_audio":{"x":"1"},"y":["full_audio","2"]}`:              `{"full_audio":{"x":"1"},"y":["full_audio","2"]}`,
		`{"said":"{\"full_audio\":\"no\"}","full_audios":"1"}`:         `{"said":"{\"full_audio\":\"no\"}","full_audios":"1"}`,
		`{"audio":"1","x\"full_audio":"2","full_audi":"3","full":"4"}`: `{"audio":"1","x\"full_audio":"2","full_audi":"3","full":"4"}`,
		`[{"full_audio":"1"},{"full_audio":"22"}]`:                     `[{"full_audio":""},{"full_audio":""}]`,
		`{"full_audio":"never ends`:                                    `{"full_audio":"`,
		``:                                                             ``,
	} {
		if got := string(lighten([]byte(body), "full_audio")); got != want {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
		for size := 1; size < 20; size++ {
			l := &lightening{member: "full_audio", most: 1000}
			if _, err := io.CopyBuffer(struct{ io.Writer }{l}, struct{ io.Reader }{strings.NewReader(body)}, make([]byte, size)); err != nil || l.body.String() != want {
				t.Errorf("%s in pieces of %d: %s, %v", body, size, l.body.String(), err)
			}
		}
	}
}

// TestAHeavyBodyTakesLittle: what is left out is not held either, and is signed all the same.
func TestAHeavyBodyTakesLittle(t *testing.T) {
	t.Parallel()
	const megabytes = 64
	before, after, megabyte := `{"data":{"full_audio":"`, `"}}`, strings.Repeat("A", 1<<20)
	parts, whole := []io.Reader{strings.NewReader(before)}, bytes.NewBufferString(before)
	for range megabytes {
		parts = append(parts, strings.NewReader(megabyte))
		whole.WriteString(megabyte)
	}
	parts = append(parts, strings.NewReader(after))
	whole.WriteString(after)

	h := &Handler{maxBody: 1 << 20, pieces: sync.Pool{New: func() any { return new(piece) }}}
	s := schemes[schemeElevenLabs]
	p := &post{leftOut: "full_audio", caller: caller{scheme: s, secrets: []string{"other", "secret"}, seal: seal{stamp: "1795262400"}}}
	p.caller.seal.signatures = s.sign("secret", p.caller.seal, whole.Bytes())
	body, err := h.takeLight(p, io.MultiReader(parts...))
	if err != nil || string(body) != before+after || cap(body) > 1<<10 {
		t.Errorf("%d bytes are left in %d, %v", len(body), cap(body), err)
	}
	if no := p.caller.proves(body); no != nil {
		t.Errorf("signed: %s", no.detail)
	}
	p.caller.seal.signatures = s.sign("secret", p.caller.seal, body)
	if no := p.caller.proves(body); no == nil {
		t.Error("a signature over what is left is believed")
	}
	if _, err := h.takeLight(p, strings.NewReader(fmt.Sprintf(`{"x":%q}`, megabyte))); err == nil {
		t.Error("what is kept has no bound")
	}
}
