package automation

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"time"

	"aftercall/deliver"
	"aftercall/recipients"
	"aftercall/templates"
	"aftercall/variables"
)

// compiler composes one revision and gathers what is wrong on the way.
type compiler struct {
	files    Files
	format   *kind // what a file may hold
	docs     map[string]*document
	rev      *Revision
	problems []Problem
	stored   bool // the files were checked before, by an older version's rules perhaps
	partial  bool // a file could not be read: what is not found may stand there, so nothing is reported as missing or unknown

	first    map[string]value // settings, ids and keys by kind and name, where they stood first
	names    templates.Names  // what a text may use
	system   map[string]string
	bodies   map[string]bool  // body files that a text uses
	declared map[string]value // dyn_ declarations by name
	used     map[string]spot  // dyn_ names by first use
	unread   map[string]bool  // dyn_ names in texts that have an error
	people   []entry
	groups   []entry
	rules    []value
}

// Compile checks the files and composes a revision. The revision is nil if any problem is an error. Problems are in
// reading order: account.yaml, then the other files by path. Warnings are also kept in the revision.
func Compile(files Files) (*Revision, []Problem) { return newCompiler(files).compile() }

// Restore composes a revision that is stored. It was right when it came in and calls are pinned to it, so what only newer
// rules refuse is a warning here, and the value is what it always was.
func Restore(files Files) (*Revision, []Problem) {
	c := newCompiler(files)
	c.stored = true
	return c.compile()
}

func (c *compiler) compile() (*Revision, []Problem) {
	c.open()
	c.account()
	c.variables()
	c.directory()
	for _, v := range c.rules {
		c.rule(v)
	}
	c.declareUsed()
	c.lint()
	c.checkForms()
	return c.finish()
}

func newCompiler(files Files) *compiler {
	system := variables.SystemNames()
	names := templates.Names{"metadata": templates.KindOpen}
	for name, kind := range system {
		names[name] = templates.Kind(kind)
	}
	return &compiler{
		files: files, format: insideKind(fileTable()), docs: map[string]*document{},
		rev: &Revision{
			Format: 1,
			Digest: files.Digest(), Location: time.UTC, Language: "en", Missing: "not stated",
			Directory: recipients.Directory{
				People: map[string]recipients.PersonEntry{}, Groups: map[string][]recipients.Target{},
			},
			Declarations: map[string]variables.Declaration{},
		},
		first: map[string]value{}, names: names, system: system, bodies: map[string]bool{},
		declared: map[string]value{}, used: map[string]spot{}, unread: map[string]bool{},
	}
}

func (c *compiler) report(p Problem) {
	if p.Severity == tightened {
		if p.Severity = Error; c.stored {
			p.Severity = Warning
		}
	}
	p.Message, p.Help = visible(p.Message), visible(p.Help)
	c.problems = append(c.problems, p)
}

// at reports a problem of a whole file.
func (c *compiler) at(file, code, message, help string) {
	c.report(Problem{File: file, Line: 1, Col: 1, Length: 1, Severity: Error, Code: code, Message: message, Help: help})
}

// paths lists the files in the order they are read: account.yaml, then by path.
func (c *compiler) paths() []string { return slices.SortedFunc(maps.Keys(c.files), order) }

// open reads every file and gathers the sections of the YAML ones.
func (c *compiler) open() {
	if _, ok := c.files[accountFile]; !ok {
		c.at(accountFile, codeFile, "there is no account.yaml", "an account's folder has one; it names the account and its people")
		c.partial = true
	}
	if len(c.files) > MaxFiles {
		c.at(accountFile, codeFile, fmt.Sprintf("more than %d files", MaxFiles), "an account's folder holds its config and nothing else")
	}
	for _, name := range c.paths() {
		if c.usable(name) {
			c.docs[name] = newDocument(name, c.files[name], c.report)
		}
	}
	for _, name := range c.paths() {
		d := c.docs[name]
		if d == nil {
			c.partial = true
			continue
		}
		if path.Ext(name) != ".yaml" {
			continue
		}
		if d.parse() {
			c.gather(value{doc: d, node: d.root, of: c.format})
		}
		c.partial = c.partial || d.unread
	}
}

func (c *compiler) usable(name string) bool {
	switch {
	case path.Clean(name) != name || path.IsAbs(name) || !IsConfig(name):
		c.at(name, codeFile, "this file is not config", "config files end in .yaml, .md.hbs or .html.hbs")
	case path.Ext(name) == ".yml":
		c.at(name, codeFile, "config files end in .yaml", "rename it")
	case len(c.files[name]) > MaxFileSize:
		c.at(name, codeFile, fmt.Sprintf("the file is larger than %d bytes", MaxFileSize), "split it")
	default:
		return true
	}
	return false
}

// once reports a setting, id or key that already stands somewhere else, naming both places. It reports whether v is the
// first.
func (c *compiler) once(kind, name string, v value) bool {
	if have, ok := c.first[kind+" "+name]; ok {
		v.fail(codeSameID, fmt.Sprintf("the %s %s stands in two places: %s and %s", kind, name, have.place(), v.place()), "keep one of them")
		return false
	}
	c.first[kind+" "+name] = v
	return true
}

// finish fills in excerpts and hands the revision over, if nothing is wrong with it.
func (c *compiler) finish() (*Revision, []Problem) {
	ps := bounded(c.problems)
	failed := false
	for i, p := range ps {
		failed = failed || p.Severity == Error
		if d := c.docs[p.File]; d != nil {
			ps[i].Excerpt = d.excerpt(p.Line)
		}
	}
	if failed {
		return nil, ps
	}
	c.rev.Warnings = slices.Clone(ps)
	return c.rev, ps
}

// canSend reports at v that an account has no sender for a channel. A sender that is there but wrong was reported.
func (c *compiler) canSend(v value, channel string) {
	from := c.setting("from").child(channel)
	switch {
	case from != nil || c.partial:
	case channel == deliver.Email:
		v.fail(codeMissing, "the account has no e-mail sender", `add  from: { email: "Acme <calls@acme.example>" }  to account.yaml`)
	case channel == deliver.SMS:
		v.fail(codeMissing, "the account has no sender number", `add  from: { sms: "+44…" }  to account.yaml`)
	}
}
