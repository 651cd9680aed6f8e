// Package templates is Handlebars for authors: parse, refuse what is dangerous or would print nothing, list the names a
// text needs, and render it once.
//
// It owns the guard (no template that passes it can panic, recurse without end, read what it should not or fail at send
// time for a reason known before), the helpers (date, time, upper, lower, title, truncate, default, join, eq), and the
// rendering of Markdown and HTML bodies into an e-mail's two parts. aymerick/raymond is used here and nowhere else.
//
// It promises that every problem has a byte offset, a sentence and what to write instead; that a value is escaped for the
// place it stands in and is never parsed as a template, as Markdown or as HTML; and that a value that was not stated is
// false in {{#if}} and prints the missing text, never a blank. It never looks a value up.
package templates

// Format says what a text is, and so how values in it are escaped.
type Format string

// The formats of a text.
const (
	Header   Format = "header"   // a subject, a name, a title: one line
	Plain    Format = "plain"    // SMS, Chatter, alerts, tasks
	Markdown Format = "markdown" // an e-mail body in Markdown: gives HTML and text
	HTML     Format = "html"     // an e-mail body in HTML: gives HTML and text
)

// Kind is what is known of a name before a call has come in.
type Kind string

// The kinds of a name.
const (
	KindText    Kind = "text"
	KindDate    Kind = "date" // 2006-01-02
	KindTime    Kind = "time" // 15:04
	KindNumber  Kind = "number"
	KindURL     Kind = "url"
	KindBoolean Kind = "boolean"
	KindOpen    Kind = "open" // metadata: any path below it is allowed; may be a list
)

// Names are the names a text may use. A dyn_ name that is not in it is allowed and is text.
type Names map[string]Kind

// Problem is something wrong in a text.
type Problem struct {
	Offset  int    // byte offset in the source
	Length  int    // length in bytes of what is wrong; at least 1
	Code    string // AC2xx
	Message string // what is wrong
	Help    string // what to write instead
}

// Rendered is a text with its values filled in.
type Rendered struct {
	Text    string   // the plain form: of a body, its text part
	HTML    string   // a body's HTML part; "" for Header and Plain
	Missing []string // names that would have printed but have no value, in order of appearance, each once
}

// Values are the data of one render: strings, numbers, booleans, and lists and maps of these, by name. An absent or
// empty value is missing.
type Values map[string]any

// Options of one render.
type Options struct {
	Missing    string            // printed for a value that is missing
	MissingFor map[string]string // the same for single names
}
