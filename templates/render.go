package templates

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aymerick/raymond"
)

// notStated is printed where not even the missing text was given.
const notStated = "not stated"

var (
	errTooLong = errors.New("the message would be longer than 256 KB")
	errTooMuch = errors.New("the lists in the message take too many steps")
)

// rendering is the state of one render.
type rendering struct {
	text    *Text
	given   Values
	options Options
	cache   []any
	weights []int
	known   []bool
	missing []string
	hosts   map[string]bool // that values of kind url lead to
	bytes   int
	steps   int
}

// Render fills in the values. The same values give the same bytes. An error means that nothing may be sent: a list or
// the message is too long, or a link would lead where neither the author nor a value of kind url says.
func (t *Text) Render(v Values, o Options) (r Rendered, err error) {
	s := &rendering{text: t, given: v, options: o, hosts: map[string]bool{},
		cache: make([]any, len(t.values)), weights: make([]int, len(t.values)), known: make([]bool, len(t.values))}
	filled, err := s.run()
	if err != nil {
		return Rendered{}, fmt.Errorf("render text: %w", err)
	}
	if r, err = t.finish(filled, s); err == nil && len(r.Text) > maxOutput {
		err = errTooLong
	}
	if err != nil {
		return Rendered{}, fmt.Errorf("render text: %w", err)
	}
	r.Missing = s.missing
	return r, nil
}

// finish makes the parts of a message out of the filled-in text.
func (t *Text) finish(filled string, s *rendering) (Rendered, error) {
	switch t.Format {
	case Header:
		return Rendered{Text: oneLine(filled)}, nil
	case Markdown:
		return t.mailFromMarkdown(filled, s)
	case HTML:
		return t.mailFromHTML(filled, s)
	}
	return Rendered{Text: strings.Trim(filled, "\n")}, nil
}

// run executes the engine and recovers whatever it panics with; a panic's own text could hold a value, so it is not
// passed on.
func (s *rendering) run() (filled string, err error) {
	defer func() {
		switch e := recover().(type) {
		case nil:
		case error:
			err = known(e)
		default:
			err = errEngine
		}
	}()
	frame := raymond.NewDataFrame()
	frame.Set(renderingKey, s)
	filled, err = s.text.engine.ExecWith(map[string]any{}, frame)
	if err != nil {
		return "", known(err)
	}
	if len(filled) > maxOutput { // with its escapes: Markdown and HTML readers take their time over each of them
		return "", errTooLong
	}
	return filled, nil
}

var errEngine = errors.New("the template engine gave up")

// known passes our own errors on and hides the engine's.
func known(err error) error {
	for _, own := range []error{errTooLong, errTooMuch, errLongList} {
		if errors.Is(err, own) {
			return own
		}
	}
	return errEngine
}

// value gives the clean value of a name.
func (s *rendering) value(n int) any {
	if s.known[n] {
		s.spend(cost{steps: s.weights[n]})
		return s.cache[n]
	}
	l := s.text.values[n]
	raw := given(s.given, l.path)
	s.spend(cost{steps: weight(raw)})
	v := clean(raw, 0)
	if b, isText := v.(string); isText && l.kind == KindBoolean {
		v = truth(b)
	}
	s.cache[n], s.weights[n], s.known[n] = v, weight(v), true
	return v
}

// given follows a path into the values as they came, so that only what is used is cleaned.
func given(v Values, path []string) any {
	var at any = v[path[0]]
	for _, key := range path[1:] {
		switch m := at.(type) {
		case map[string]any:
			at = m[key]
		case map[string]string:
			at = m[key]
		default:
			return nil
		}
	}
	return at
}

// truth reads a boolean variable, which travels as text, so that {{#if}} is false for "false".
func truth(s string) any {
	switch strings.ToLower(s) {
	case "true", "yes":
		return true
	case "false", "no":
		return false
	}
	return s
}

func (s *rendering) item(this any, n int) any {
	v := below(this, s.text.values[n].path)
	s.spend(cost{steps: weight(v)})
	return v
}

// spend counts what a turn of a loop, an output or the reading of a value costs.
func (s *rendering) spend(c cost) {
	s.bytes += c.bytes
	if s.steps += c.steps + 1; s.steps > maxSteps {
		panic(errTooMuch)
	}
	if s.bytes > maxOutput {
		panic(errTooLong)
	}
}

// say prints a value at its place, or the missing text if there is none.
func (s *rendering) say(v any, n int) string {
	o := s.text.outputs[n]
	text := plainText(v)
	s.spend(cost{bytes: len(text)})
	host, isAddress := "", false
	if o.url {
		host, isAddress = webAddress(text)
	}
	switch wholeAddress := o.place == placeURL || o.place == placeMarkdownURL; {
	case strings.TrimSpace(text) == "" || wholeAddress && !isAddress:
		return s.sayMissing(o, wholeAddress)
	case isAddress:
		s.hosts[host] = true
		if o.place == placeMarkdown || o.place == placeMarkdownLine {
			return "<" + text + ">"
		}
	}
	return escape(text, o.place)
}

// sayMissing records the names that have no value and prints what stands in for them.
func (s *rendering) sayMissing(o output, wholeAddress bool) string {
	first := ""
	note := func(name string) {
		if first == "" {
			first = name
		}
		if !slices.Contains(s.missing, name) {
			s.missing = append(s.missing, name)
		}
	}
	for _, i := range o.reads {
		if empty(s.value(i)) {
			note(s.text.values[i].name)
		}
	}
	if first == "" {
		note(o.label)
	}
	if wholeAddress {
		return "#"
	}
	if o.place == placeURLPart || o.place == placeContact {
		return ""
	}
	text := cleanText(s.options.MissingFor[first])
	if text == "" {
		text = cleanText(s.options.Missing)
	}
	if text == "" {
		text = notStated
	}
	return escape(text, o.place)
}
