package automation

import (
	"io/fs"

	"aftercall/interview"
	"aftercall/reason"
	"aftercall/triggers"
	"time"
)

// Read reads the accounts under a folder: the folder itself if it holds account.yaml, else each sub-folder that does.
// The result is by folder name, in order.
func Read(dir string) ([]Folder, error) { panic("contract") }

// Folder is one account's files and where they were read.
type Folder struct {
	Path  string
	Files Files
}

// Compile checks the files and composes a revision. The revision is nil if any problem is an error.
func Compile(files Files) (*Revision, []Problem) { panic("contract") }

// Digest is the sha256 of the files, hex: of each path and content in order of path.
func (f Files) Digest() string { panic("contract") }

// String gives the problem as file:line:col: severity[code]: message, the excerpt with a caret, and the help line.
func (p Problem) String() string { panic("contract") }

// Triggers lists the triggers of all automations, in file order.
func (r *Revision) Triggers() []triggers.Trigger { panic("contract") }

// Automation finds an automation by id; nil if there is none.
func (r *Revision) Automation(id string) *Automation { panic("contract") }

// Source finds a source by id; nil if there is none.
func (r *Revision) Source(id string) *Source { panic("contract") }

// Sheets gives the sheets of an agent's form that due triggers need: the agent's automations in file order, in shards of
// at most 12 questions and 40 variables, fixed per revision and agent. wantSummary is whether a summary should be asked
// for if a due automation uses one.
func (r *Revision) Sheets(agentID string, due []triggers.Trigger, wantSummary bool) []interview.Sheet {
	panic("contract")
}

// Blank is the question for one variable.
func (r *Revision) Blank(name string) interview.Blank { panic("contract") }

// At gives the time an action is due, counted from the end of the conversation and not before now, and Waiting or
// OutsideWindow if that is later than now.
func (t Timing) At(ended, now time.Time, loc *time.Location) (time.Time, reason.Code) {
	panic("contract")
}

// Starters are the ten ready automations, one folder each.
func Starters() fs.FS { panic("contract") }
