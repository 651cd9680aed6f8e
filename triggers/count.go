package triggers

import (
	"fmt"
	"strings"
	"time"

	"aftercall/conversation"
	"aftercall/reason"
)

// Names that what is counted can be told apart by, beside metadata.KEY.
const (
	ByAgent          = "agent"
	ByCustomerNumber = "customer_number"
	ByFromNumber     = "from_number"
	ByToNumber       = "to_number"
	ByMetadata       = "metadata."
)

// CountedBy lists the names, without those of metadata.
func CountedBy() []string { return []string{ByAgent, ByCustomerNumber, ByFromNumber, ByToNumber} }

// Values gives what c is counted by, in the order of By; missing names the first that c does not have.
func (n Count) Values(c *conversation.Conversation) (values []string, missing string) {
	for _, name := range n.By {
		v := counted(c, name)
		if v == "" {
			return nil, name
		}
		values = append(values, v)
	}
	return values, ""
}

// counted is what c has under a name; "" for nothing. Numbers are compared as their digits: platforms write one in several ways.
func counted(c *conversation.Conversation, name string) string {
	switch name {
	case ByAgent:
		return c.Agent.ID
	case ByCustomerNumber:
		return digits(c.CustomerNumber())
	case ByFromNumber:
		return digits(c.FromNumber)
	case ByToNumber:
		return digits(c.ToNumber)
	}
	key, _ := strings.CutPrefix(name, ByMetadata)
	return strings.Join(scalars(c.Metadata[key]), "\n")
}

func digits(number string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, number)
}

// stop stops what cannot be counted: without a value to tell it apart by, it would be counted with strangers.
func (n Count) stop(c *conversation.Conversation, f Facts) (reason.Code, string) {
	if _, missing := n.Values(c); missing != "" {
		return reason.FilteredMetadata, fmt.Sprintf("There is no %s to count it by.", missing)
	}
	if f.Uncounted {
		return reason.TooFew, "What comes in is counted once; nothing is counted again here."
	}
	return "", ""
}

// Tally says how many of those wanted there are.
func (n Count) Tally(have int) string {
	return fmt.Sprintf("%d of %d within %s.", have, n.AtLeast, Span(n.Within))
}

// Span writes a time as an author does: 5m, 1h30m, 1d.
func Span(d time.Duration) string {
	if d >= 24*time.Hour && d%(24*time.Hour) == 0 {
		return fmt.Sprintf("%dd", d/(24*time.Hour))
	}
	s := d.String()
	if d%time.Minute == 0 {
		s = strings.TrimSuffix(s, "0s")
	}
	if d%time.Hour == 0 {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
