package interview

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Bounds of what is taken over from an answer, whatever the model says: its author may be the caller.
const (
	largestAnswer  = 512 << 10 // bytes; more is not an answer to any form
	mostEvidence   = 5         // quotes per verdict
	mostStatements = 5         // statements of one variable
	longestValue   = 4_000     // characters of a variable's value; more is no value
	longestSummary = 2_000     // characters
)

// answer is a model's answer that passed the schema of its sheet.
type answer struct {
	Automations map[string]rawVerdict `json:"automations"`
	Routes      map[string]string     `json:"routes"`
	Variables   []rawStated           `json:"variables"`
	Summary     string                `json:"summary"`
}

type rawVerdict struct {
	Evidence []rawEvidence `json:"evidence"`
	Verdict  Verdict       `json:"verdict"`
}

type rawEvidence struct {
	Turn  json.Number `json:"turn"`
	Quote string      `json:"quote"`
}

type rawStated struct {
	Name    string `json:"name"`
	Weekday string `json:"weekday_said"`
	Value   string `json:"value"`
	rawEvidence
}

// evidence reads the turn, which may be spelled 3.0 or be too large for any transcript; what is no number is turn 0.
func (r rawEvidence) evidence() Evidence {
	f, err := r.Turn.Float64()
	if err != nil || f < 0 || f > 1<<30 {
		f = 0
	}
	return Evidence{Turn: int(f), Quote: clean(r.Quote)}
}

// check validates what a model wrote against the schema and gives it back as plain JSON, without prose or a fence
// around it. The error lists the faults, for the model to read.
func check(content string, s *jsonschema.Schema) (json.RawMessage, error) {
	raw := []byte(content)
	if len(raw) > largestAnswer {
		return nil, errors.New("the answer is far too long")
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		raw = firstObject(raw)
		if doc, err = jsonschema.UnmarshalJSON(bytes.NewReader(raw)); err != nil {
			return nil, errors.New("the answer is not one JSON object")
		}
	}
	if err := s.Validate(doc); err != nil {
		return nil, err
	}
	return raw, nil
}

// firstObject cuts out what stands between the first { and the last }: some servers answer with prose or a Markdown
// fence around the JSON.
func firstObject(b []byte) []byte {
	from, to := bytes.IndexByte(b, '{'), bytes.LastIndexByte(b, '}')
	if from < 0 || to < from {
		return nil
	}
	return b[from : to+1]
}

// faults words a validation error for the model.
func faults(err error) string {
	text := err.Error()
	var v *jsonschema.ValidationError
	if errors.As(err, &v) {
		_, text, _ = strings.Cut(text, "\n") // the first line names a file that does not exist
	}
	lines := strings.Split(text, "\n")
	if len(lines) > 12 {
		lines = append(lines[:12], "- and more")
	}
	for i, l := range lines {
		lines[i] = clip(l, 300)
	}
	return strings.Join(lines, "\n")
}

// decode reads a valid answer.
func decode(raw json.RawMessage) (answer, error) {
	var a answer
	if err := json.Unmarshal(raw, &a); err != nil {
		return answer{}, fmt.Errorf("decode answer: %w", err)
	}
	return a, nil
}

// clean strips what has no business in a quote or a value: control characters, invisible and direction-changing ones.
// Line breaks and runs of space become one space.
func clean(s string) string {
	var b strings.Builder
	space := false
	for _, r := range s {
		switch {
		case unicode.IsSpace(r) || r == '\u0085':
			space = true
		case unicode.IsControl(r) || invisible(r) || r == unicode.ReplacementChar:
		default:
			if space && b.Len() > 0 {
				b.WriteByte(' ')
			}
			space = false
			b.WriteRune(r)
		}
	}
	return b.String()
}

// invisible reports format characters. The two joiners stay: Persian, Hindi and emoji need them.
func invisible(r rune) bool {
	return unicode.Is(unicode.Cf, r) && r != '\u200c' && r != '\u200d'
}
