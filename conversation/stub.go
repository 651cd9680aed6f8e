package conversation

// Fault is one thing wrong in a posted conversation.
type Fault struct {
	Pointer string // JSON pointer (RFC 6901) into the body
	Message string // what is wrong and what is wanted
}

// Check lists everything that keeps c from being decided.
func (c *Conversation) Check() []Fault { panic("contract") }

// Merge fills what earlier lacks from later (a later event of the same conversation): turns, summary, url, contact,
// metadata. What earlier has stays, except an empty or shorter transcript. changed reports whether anything was added.
func Merge(earlier, later *Conversation) (merged *Conversation, changed bool) { panic("contract") }
