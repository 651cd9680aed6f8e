package ingest

import (
	"bytes"
	"encoding/hex"
	"hash"
	"io"
	"net/http"

	"aftercall/automation"
)

// Some platforms post what nobody here keeps: audio, many megabytes of it in one member of a body. It is proven with the rest and
// left out as it comes in, so that such a body takes no more memory than any other.

// heavy is a platform that does.
type heavy interface {
	adapter
	// leavesOut is the name of the member whose text is not kept, wherever it stands in the body.
	leavesOut() string
}

// maxHeavy bounds such a body as it comes in; what is left of it is bounded as every other body. It is a hundred minutes of audio
// at 128 kbit/s, in base64.
const maxHeavy = 128 << 20

// lightens notes what is left out of a post to a source, and that it may be larger where it can be proven as it comes in.
func (p *post) lightens(platform adapter, src *automation.Source) {
	of, ok := platform.(heavy)
	if !ok {
		return
	}
	p.leftOut = of.leavesOut()
	if s := schemes[schemeOf(platform, src)]; s != nil && s.begin != nil {
		p.most = maxHeavy
	}
}

// takeLight reads a body without the text of the member that is not kept, and sums the whole of it for its signature.
func (h *Handler) takeLight(p *post, r io.Reader) ([]byte, error) {
	kept := &lightening{member: p.leftOut, most: h.maxBody}
	into, sums := []io.Writer{kept}, []hash.Hash{}
	for _, secret := range p.caller.secrets {
		sum := p.caller.scheme.begin(secret, p.caller.seal)
		into, sums = append(into, sum), append(sums, sum)
	}
	buffer := h.pieces.Get().(*piece)
	defer h.pieces.Put(buffer)
	if _, err := io.CopyBuffer(io.MultiWriter(into...), r, buffer[:]); err != nil {
		return nil, err
	}
	for _, sum := range sums {
		p.caller.seal.summed = append(p.caller.seal.summed, hex.EncodeToString(sum.Sum(nil)))
	}
	return kept.body.Bytes(), nil
}

// lighten is a body that was read whole, and proven, without the text of a member.
func lighten(body []byte, member string) []byte {
	if !bytes.Contains(body, []byte(`"`+member+`"`)) {
		return body
	}
	kept := &lightening{member: member, most: int64(len(body))}
	_, _ = kept.Write(body) // which cannot be more than there is
	return kept.body.Bytes()
}

// lightening keeps the JSON that is written to it, in pieces of any size, but for the text of one member. What is no JSON is
// found to be none later: of quotation marks and what is between them, only such a text is left out.
type lightening struct {
	member string
	most   int64 // bytes that may be kept
	body   bytes.Buffer

	within  bool   // it reads a text
	left    bool   // which is left out
	escaped bool   // after a backslash
	text    []byte // the beginning of the last text
	named   bool   // the last text was the member's name
	next    bool   // what comes is the member's value
}

func (l *lightening) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		if l.within {
			rest = rest[l.read(rest):]
		} else {
			l.between(rest[0])
			rest = rest[1:]
		}
		if int64(l.body.Len()) > l.most {
			return 0, &http.MaxBytesError{Limit: l.most}
		}
	}
	return len(p), nil
}

// read goes on to the end of a text, and says how many bytes that took.
func (l *lightening) read(rest []byte) int {
	end := 0
	for ; end < len(rest) && (l.escaped || rest[end] != '"'); end++ {
		l.escaped = !l.escaped && rest[end] == '\\'
	}
	if !l.left {
		l.body.Write(rest[:end])
		l.text = append(l.text, rest[:min(end, len(l.member)+1-len(l.text))]...)
	}
	if end == len(rest) {
		return end
	}
	l.body.WriteByte('"')
	l.within, l.named = false, !l.left && string(l.text) == l.member
	return end + 1
}

// between reads what stands between two texts.
func (l *lightening) between(c byte) {
	l.body.WriteByte(c)
	switch c {
	case '"':
		l.within, l.left, l.text = true, l.next, l.text[:0]
		l.named, l.next = false, false
	case ':':
		l.named, l.next = false, l.named
	case ' ', '\t', '\r', '\n':
	default:
		l.named, l.next = false, false
	}
}
