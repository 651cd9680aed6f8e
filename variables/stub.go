package variables

import (
	"time"

	"aftercall/conversation"
	"aftercall/interview"
)

// Context is what system variables need beside the conversation.
type Context struct {
	AccountName string
	Location    *time.Location
	Summary     string // the interview's, used when the platform gave none
}

// SystemNames lists the system variables with their kind, as templates.Kind spells it.
func SystemNames() map[string]string { panic("contract") }

// System gives the system variables' values. A name without a value is absent, except conversation_summary and
// conversation_transcript, which have fallback texts.
func System(c *conversation.Conversation, x Context) map[string]any { panic("contract") }

// Describe turns dyn_callback_when into "callback when", the default question of an undeclared variable.
func Describe(name string) string { panic("contract") }

// Limits are what code checks stated values against.
type Limits struct {
	Location *time.Location
	Region   string   // default phone region
	Hosts    []string // hosts that url variables may point to, beside their own
}

// Resolve checks and normalises what was said, one Value per declaration, in order.
func Resolve(decls []Declaration, said interview.Said, c *conversation.Conversation, l Limits) []Value {
	panic("contract")
}

// Condition is a parsed if:.
type Condition struct{ Source string }

// Fault is what is wrong in a condition.
type Fault struct {
	Offset  int // byte offset in the source
	Message string
	Help    string
}

// ParseCondition parses an if: over typed variables: ==, !=, in, and, or, not, parentheses, a bare name (is stated).
// A nil Fault means the condition is right. decls holds the declared types; system are the system names.
func ParseCondition(src string, decls map[string]Declaration, system map[string]string) (*Condition, *Fault) {
	panic("contract")
}

// Names lists the variables the condition reads.
func (c *Condition) Names() []string { panic("contract") }

// Eval evaluates over system and dyn_ values by name; an absent name is "" and false.
func (c *Condition) Eval(values map[string]any) bool { panic("contract") }
