package main

import (
	"math/rand/v2"
	"strings"

	"aftercall/templates"
)

// typos is how often the first text is one and the same mistake: the engine alone leaves something behind each time.
const typos = 100

// grammar writes texts: a mistake again and again, the known ones, the corpora's as they are, its own.
type grammar struct {
	seed uint64
	rows []row
}

func formats() []templates.Format {
	return []templates.Format{templates.Plain, templates.Markdown, templates.HTML, templates.Header}
}

// text gives text number i.
func (g *grammar) text(i int) *attempt {
	r := rand.New(rand.NewPCG(g.seed, uint64(i)))
	w := &writer{Rand: r, rows: g.rows, format: formats()[r.IntN(4)]}
	all := known()
	switch j := i - typos; {
	case j < 0:
		w.WriteString("{{/if}} {{a}} {{a}}")
	case j < 2*len(all):
		w.format = formats()[j%2]
		w.WriteString(all[j/2])
	case j-2*len(all) < len(g.rows):
		w.WriteString(g.rows[j-2*len(all)].Template)
	default:
		w.write()
	}
	source := w.String()
	if w.wrong > 0 && w.IntN(4) == 0 {
		source = w.mutate(source)
	}
	return &attempt{source: source, format: w.format, values: w.values(), again: w.IntN(4) == 0}
}

// writer writes one text. wrong is how many of a hundred choices are ones that no author should make.
type writer struct {
	*rand.Rand
	strings.Builder
	rows   []row
	format templates.Format
	wrong  int
	open   []string // blocks around this place
}

func (w *writer) err() bool { return w.IntN(100) < w.wrong }

func (w *writer) of(list ...string) string { return list[w.IntN(len(list))] }

func (w *writer) write() {
	w.wrong = []int{0, 0, 0, 3, 30}[w.IntN(5)]
	switch w.IntN(150) {
	case 0:
		w.deep()
	case 1:
		w.WriteString(strings.Repeat(w.piece(), 1+w.IntN(12_000)))
	case 2:
		w.WriteString(strings.Repeat(w.of("{{a}}", "{{#if a}}x{{/if}}", "{{upper a}} ", "<p title='{{a}}'>"), 1+w.IntN(3000)))
	case 3:
		body := strings.Repeat(w.of("{{this}}", "x", "{{upper this}} ", "{{@index}}", "<b>{{this}}</b>\n"), 1+w.IntN(800))
		w.WriteString("{{#each l}}{{#each this}}" + body + "{{/each}}{{/each}}")
	default:
		for range 1 + w.IntN(12) {
			w.statement(0)
		}
	}
}

// deep nests blocks, parentheses or elements about as far as is allowed, and farther.
func (w *writer) deep() {
	n := 1 + w.IntN(60)
	switch w.IntN(4) {
	case 0:
		w.WriteString(strings.Repeat("{{#if a}}", n) + "x" + strings.Repeat("{{/if}}", n))
	case 1:
		w.WriteString("{{" + strings.Repeat("upper (", n) + "upper a" + strings.Repeat(")", n) + "}}")
	case 2:
		n *= 60
		w.WriteString(strings.Repeat(w.of("<blockquote>x", "<ul><li>x", "> ", "* ", "<table><tr><td>x"), n) + strings.Repeat(w.of("<br>", "\n", "{{a}}<br>"), n))
	default:
		w.WriteString(strings.Repeat("{{#with m}}", n) + "{{this.a}}" + strings.Repeat("{{/with}}", n))
	}
}

func (w *writer) statement(depth int) {
	switch k := w.IntN(20); {
	case k < 7 || depth > 6:
		w.WriteString(w.piece())
	case k < 13:
		w.output()
	case k < 18:
		w.block(depth)
	case k == 18:
		w.WriteString(w.of("{{! note }}", "{{!-- {{a}} --}}", `\{{a}}`, "{{~! x ~}}"))
	case !w.err():
		w.WriteString("\n\n")
	case len(w.rows) > 0 && w.IntN(2) == 0:
		w.WriteString(w.rows[w.IntN(len(w.rows))].Template)
	default:
		all := known()
		w.WriteString(all[w.IntN(len(all))])
	}
}

// piece is what stands around the braces.
func (w *writer) piece() string {
	if w.err() {
		return w.of("<script>", "<p title=", "onclick=", "](", "<!--", "<a href=\"", "</", "<style>", "\x00", "\xff", "\u202e", "{{", "}}", "```\n", "<svg onload=x>",
			strings.Repeat(" ", 250), "~~~\n", "[a]: ", "<", "'", `"`, "&")
	}
	plain := []string{"Hello ", "a b c\n", "\n", "é ü 漢 ", "1. ", "- ", "# ", "**", "_", "> ", "| a | b |\n|---|---|\n| c | d |\n", "x\r\ny ", "100 % & more "}
	if w.format == templates.HTML {
		plain = append(plain, "<p>x</p>", "<br>", "<ul><li>x</li></ul>", `<a href="https://acme.example/">x</a>`, "<b>x</b>", "<pre>x\ny</pre>")
	}
	return w.of(plain...)
}

func (w *writer) output() {
	open, end := w.of("{{", "{{", "{{", "{{~", "{{ "), w.of("}}", "}}", "}}", "~}}", " }}")
	if w.err() {
		open, end = w.of("{{{", "{{&", "{{>", "{{{{", "{{^", "{{/", "{{#", "{{"), w.of("}}}", "}}", "}}}}", "}", "")
	}
	around := []string{"*"}
	switch w.format {
	case templates.HTML:
		around = []string{"*", "<p>*</p>", `<a href="https://acme.example/?q=*">x</a>`, `<p title="*">x</p>`, "<pre>*</pre>"}
	case templates.Markdown:
		around = []string{"*", "*", "`*`", "[x](https://acme.example/?q=*)", "# *\n"}
	}
	w.WriteString(strings.Replace(w.of(around...), "*", open+w.expression(0)+end, 1))
}

func (w *writer) block(depth int) {
	word := w.of("if", "if", "unless", "each", "with")
	closing, test := word, w.expression(1)
	if word == "each" || word == "with" {
		test = w.of("l", "m", "metadata", "metadata.list", "m.a")
	}
	if w.err() {
		word = w.of("if", "foo", "a", "*inline", "> a", "log", "each", "")
	}
	if w.err() {
		test = w.of("", test+" "+test, "-1", "'x'", "..", "a as |x|", "a=b", "@root")
	}
	w.WriteString("{{#" + word + " " + test + w.of("}}", "}}", "~}}"))
	w.open = append(w.open, word)
	for range w.IntN(3) {
		w.statement(depth + 1)
	}
	w.open = w.open[:len(w.open)-1]
	if w.IntN(3) == 0 {
		w.WriteString(w.of("{{else}}", "{{else}}", "{{else if b}}", "{{~else~}}", "{{else unless t}}"))
		w.statement(depth + 1)
	}
	if w.err() {
		closing = w.of("if", "each", "", "foo")
	}
	if !w.err() {
		w.WriteString(w.of("{{/", "{{/", "{{~/") + closing + "}}")
	}
}

// expression writes a name, or a helper with its arguments.
func (w *writer) expression(depth int) string {
	if w.err() {
		return w.of("../a", "this/a", "@root", "@.", "a.b", "nobody", "[a b]", "if a", "each l", "with m", "lookup l -1", "lookup l 'x'", "log a", "equal a b",
			"upper", "upper a b", "upper (", "truncate a -1", "truncate a 99999999999", "a b", "'x'", "-1", "true", "null", "undefined", "date a 'QQ'", "eq a", "this", ".", "",
			"join l (upper a)", "say a 0", "val 3", "__proto__", "constructor", "a.length", "é", "unless (if a)")
	}
	if len(w.open) > 0 && w.open[len(w.open)-1] == "each" && w.IntN(2) == 0 {
		return w.of("this", "this.a", "@index", "@key", "upper this", "default this.a 'x'")
	}
	sub := func() string {
		e := w.expression(depth + 1)
		if strings.Contains(e, " ") {
			return "(" + e + ")"
		}
		return e
	}
	switch k := w.IntN(12); {
	case k < 6 || depth > 4:
		return w.of("a", "b", "customer_name", "t", "n", "day", "hour", "u", "l", "m", "m.a", "metadata.list", "metadata.x.y", "dyn_reason", "foo")
	case k == 6:
		return "truncate " + sub() + " " + w.of("1", "3", "80", "999999999")
	case k == 7:
		return "default " + sub() + " " + w.of("'none'", "b", "'{{a}}'")
	case k == 8:
		return "join l " + w.of("', '", "'; '", `"</p>"`)
	case k == 9:
		return w.of("date day", "date day 'ddd D MMM'", "time hour", "time hour 'HH:mm'", "date day '[x] D'")
	case k == 10 && depth == 1:
		return "(eq " + sub() + " " + sub() + ")"
	}
	return w.of("upper ", "lower ", "title ") + sub()
}

// mutate changes a text byte by byte, or by moving a part of it.
func (w *writer) mutate(s string) string {
	b := []byte(s)
	for range 1 + w.IntN(3) {
		if len(b) < 3 {
			return string(b)
		}
		i := w.IntN(len(b))
		j := min(len(b), i+1+w.IntN(8))
		switch w.IntN(4) {
		case 0:
			b = append(b[:i], b[j:]...)
		case 1:
			b[i] = byte(w.IntN(256))
		case 2:
			b[i] = "{}#/~\"'()|@.-\\\n\r"[w.IntN(16)]
		default:
			b = append(b[:j], append([]byte(string(b[i:j])), b[j:]...)...)
		}
	}
	return string(b)
}
