// Package automation turns an author's folder into one checked, immutable revision.
//
// It owns the file format (YAML and body files), every check on it, and the composition of what the rooms below own:
// triggers, routes, variables, texts, tasks. A Revision is compiled from files alone; equal files give an equal digest
// and an equal revision on every machine.
//
// It promises that all problems of a folder are reported at once, each with file, line, column and remedy, and that a
// folder with an error gives no revision. It never reads a secret, never touches the network and keeps nothing.
package automation

import (
	"time"

	"aftercall/deliver"
	"aftercall/recipients"
	"aftercall/tasks"
	"aftercall/templates"
	"aftercall/triggers"
	"aftercall/variables"
)

// Format is the newest version of the file format this binary compiles. A worker leaves newer ones to newer peers.
const Format = 8

// Files are the files of one account's folder by slash-separated path.
type Files map[string][]byte

// Revision is one account's checked config. It is immutable and safe for concurrent use.
type Revision struct {
	ID           string // the store's id; empty before it is stored
	Digest       string // sha256 of the files, hex
	Format       int    // the oldest version of the file format that has all its keys: 2 with a budget, 3 with a window that is a mapping, 4 with a variable declared twice, 5 with a limit or a retention, 6 with senders, 7 with a post's target by id or its mentions, 8 with a source's sender, an event, what fires for several, a recipient's clock, or a region, else 1
	AccountID    string
	Name         string
	Location     *time.Location
	Language     string
	Missing      string
	From         deliver.Address // e-mail sender; see Sender
	FromNumber   string          // SMS sender
	TokensPerDay int             // of the model, for all conversations of the account; 0: no limit
	KeepDays     int             // after which a conversation is erased; 0: never
	Directory    recipients.Directory
	Sources      []Source
	Declarations map[string]variables.Declaration // declared and used dyn_ variables, by name
	Automations  []Automation                     // in file order
	Warnings     []Problem
}

// Source is a configured platform that posts to us.
type Source struct {
	ID              string            // unique in the installation; the {source} of POST /hooks/{source}
	Type            string            // the name of one of SourceTypes
	Secrets         []string          // one or two "${ENV:NAME}" references, never values
	WaitForAnalysis time.Duration     // how long to wait for a later analysis event; 0: not at all
	Events          []string          // event types asked for beside the adapter's own
	Settings        map[string]string // by Setting… key; those of the type, checked
	From            deliver.Address   // sender of e-mails about its calls; empty: the account's
}

// Sender is who e-mails about the calls of a source come from.
func (r *Revision) Sender(source string) deliver.Address {
	for _, s := range r.Sources {
		if s.ID == source && s.From.Address != "" {
			return s.From
		}
	}
	return r.From
}

// Automation is one author's rule: when, who, what.
type Automation struct {
	ID        string
	Name      string
	File      string // where it stands
	Line, Col int
	Trigger   triggers.Trigger
	Require   []string // dyn_ names without which no action goes out
	Route     *recipients.Route
	SendTests bool
	PerDay    int // calls it may fire for in a day of the account's; 0: no limit
	Actions   []Action
	Dyn       []string // every dyn_ name it needs, require, if: and route included, each once
	Summary   bool     // a text uses conversation_summary
}

// Action is one thing an automation does. Actions are independent: one failing never blocks another.
type Action struct {
	Index    int    // position in the list, from 0; part of a delivery's identity
	Channel  string // deliver.Email, …, deliver.Task
	To, CC   []recipients.Target
	ReplyTo  []recipients.Target
	Together bool // one message to all recipients
	If       *variables.Condition
	Send     Timing
	Subject  *templates.Text
	Body     *templates.Text            // email body, sms/cti/alert text, chatter message, task description
	Fields   map[string]*templates.Text // chatter target, sms topic, …
	Task     *TaskAction
}

// TaskAction is what only a task has; its title is the action's Subject, its description the Body.
type TaskAction struct {
	Priority tasks.PriorityRule
	Assignee string
	Due      tasks.Due
}

// Timing is when an action goes out.
type Timing struct {
	Now    bool             // mid-call; only for automations on an event
	AtEnd  bool             // said to be with the end of the call; only for automations on an event, which may ask for another time
	After  time.Duration    // after the end of the conversation
	Window []triggers.Hours // only within these hours; empty: at any time
	Zone   *time.Location   // of those hours; nil: that of the call
	Theirs bool             // the hours are on the recipient's clocks, where they are known
}

// Severity of a problem.
type Severity string

// The severities.
const (
	Error   Severity = "error"
	Warning Severity = "warn"
)

// tightened is the severity of what an older version took. Nothing is reported as such: where config comes in it is an
// error, in a stored revision a warning.
const tightened Severity = "tightened"

// Problem is something wrong in a folder.
type Problem struct {
	File      string
	Line, Col int // from 1; columns count characters
	Length    int // characters to underline; at least 1
	Severity  Severity
	Code      string // AC001 …
	Message   string
	Help      string
	Excerpt   string // the source line
}
