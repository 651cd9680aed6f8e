package recipients

import (
	"fmt"
	"strings"

	"aftercall/deliver"
)

// routeWord and allWord are the entries under to: that name no key; people and groups cannot be called so.
const (
	routeWord = "route"
	allWord   = "all"
)

// contactChannel gives the channel a system variable under to: can be used for; "" for a variable that cannot stand there.
func contactChannel(name string) string {
	switch name {
	case "customer_email":
		return deliver.Email
	case "customer_number":
		return deliver.SMS
	}
	return ""
}

// Reserved are the words that mean something of their own under to:, so that no person or group can have them as key.
func Reserved() []string { return []string{routeWord, allWord} }

// ParseTarget reads one entry under to:. It refuses what can never reach anybody on the channel: unknown keys, invalid
// addresses, addresses outside the allow-list, people without an address for the channel. With channel "" it reads an
// entry whose channel is not known yet, a member of a group or of a route; Reach says later whether it has one.
func (d Directory) ParseTarget(s, channel string) (Target, *Problem) {
	t, p := d.read(s)
	if p != nil {
		return Target{}, p
	}
	if t.Kind == Fixed {
		if p := d.allowed(t.Value, channel); p != nil {
			return Target{}, p
		}
	}
	if channel == "" {
		return t, nil
	}
	if p := d.Reach(t, channel); p != nil {
		return Target{}, p
	}
	return t, nil
}

// read says what an entry names, without asking whether it can be written to.
func (d Directory) read(s string) (Target, *Problem) {
	switch {
	case strings.Contains(s, "{{"):
		return readContact(s)
	case s == routeWord:
		return Target{Kind: ByRoute}, nil
	case s == allWord:
		return Target{Kind: All, Value: allWord}, nil
	case strings.Contains(s, "@"):
		a, p := Email(s)
		return Target{Kind: Fixed, Value: a}, p
	case strings.HasPrefix(s, "+"):
		n, p := Phone(s, "")
		return Target{Kind: Fixed, Value: n}, p
	}
	if _, ok := d.People[s]; ok {
		return Target{Kind: Person, Value: s}, nil
	}
	if _, ok := d.Groups[s]; ok {
		return Target{Kind: Group, Value: s}, nil
	}
	return Target{}, &Problem{Message: fmt.Sprintf("there is no person and no group %q", s),
		Help: "add it under people or groups, or write an address"}
}

func readContact(s string) (Target, *Problem) {
	name := strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(s), "{{"), "}}"))
	if contactChannel(name) == "" {
		return Target{}, &Problem{Message: "only {{customer_email}} and {{customer_number}} can stand here: an address never comes from what was said",
			Help: "write an address, a person, a group or route"}
	}
	return Target{Kind: Contact, Value: name}, nil
}

// allowed checks a fixed address that stands in an author's file. A number under groups is allowed by standing there.
func (d Directory) allowed(address, channel string) *Problem {
	if d.mayWrite(address) || channel == "" && strings.HasPrefix(address, "+") {
		return nil
	}
	if at := strings.LastIndexByte(address, '@'); at >= 0 {
		return &Problem{Message: "the account's allow-list does not contain this address",
			Help: fmt.Sprintf("add %s under allow.domains, or the address under allow.addresses, if it belongs there", address[at+1:])}
	}
	return &Problem{Message: "the account's allow-list does not contain this number",
		Help: "put the number under people or groups, or under allow.addresses"}
}

// Reach says why a target can reach nobody on a channel; nil if it can, as far as is known before a call has come in.
func (d Directory) Reach(t Target, channel string) *Problem {
	switch t.Kind {
	case Fixed:
		if p := reachFixed(t.Value, channel); p != nil || d.mayWrite(t.Value) {
			return p
		}
		return d.allowed(t.Value, channel)
	case Contact:
		return d.reachContact(t.Value, channel)
	case All:
		if channel != deliver.TeamAlert {
			return &Problem{Message: fmt.Sprintf("all can only be written under a team_alert, not under %s", channel),
				Help: "name a group"}
		}
	case Person:
		p := d.People[t.Value]
		if p.on(channel) == "" {
			return &Problem{Message: fmt.Sprintf("%s has no %s, so %s cannot be used", t.Value, fieldOf(channel), channel),
				Help: fmt.Sprintf("add %s to the person's entry under people", fieldOf(channel))}
		}
		if a := p.on(channel); isAddress(channel) && !d.mayWrite(a) {
			return d.allowed(a, channel)
		}
	case Group:
		return d.reachGroup(t.Value, channel)
	}
	return nil
}

func reachFixed(address, channel string) *Problem {
	isPhone := strings.HasPrefix(address, "+")
	switch {
	case channel == deliver.Email && isPhone:
		return &Problem{Message: "a phone number cannot receive e-mail", Help: "write an e-mail address, a person or a group"}
	case channel == deliver.SMS && !isPhone:
		return &Problem{Message: "an e-mail address cannot receive a text", Help: `write a phone number, such as "+447700900123"`}
	case !isAddress(channel):
		return &Problem{Message: fmt.Sprintf("%s goes to people, not to addresses", channel), Help: "name people or groups"}
	}
	return nil
}

func (d Directory) reachContact(name, channel string) *Problem {
	if contactChannel(name) != channel {
		return &Problem{Message: fmt.Sprintf("{{%s}} cannot be used for %s", name, channel),
			Help: "use {{customer_email}} for email and {{customer_number}} for sms"}
	}
	if !d.Allow.Contacts {
		return &Problem{Message: "the account's allow-list does not contain customers",
			Help: "write  contacts: true  under allow, if customers may be written to"}
	}
	return nil
}

func (d Directory) reachGroup(key, channel string) *Problem {
	for _, t := range d.expand([]Target{{Kind: Group, Value: key}}, nil) {
		if d.Reach(t, channel) == nil {
			return nil
		}
	}
	return &Problem{Message: fmt.Sprintf("nobody in the group %s can be reached by %s", key, channel),
		Help: fmt.Sprintf("add somebody with %s to it, or name another group", fieldOf(channel))}
}

// on gives the person's address on a channel; "" if there is none. A team alert goes to the person's key.
func (p PersonEntry) on(channel string) string {
	switch channel {
	case deliver.Email:
		return p.Email
	case deliver.SMS:
		return p.Phone
	case deliver.TeamAlert, deliver.Task:
		return p.Key
	default:
		return p.User
	}
}

// isAddress reports whether a channel writes to e-mail addresses or numbers, which the allow-list covers. The others stay
// inside the account: its own people, and records of its own CRM.
func isAddress(channel string) bool { return channel == deliver.Email || channel == deliver.SMS }

func fieldOf(channel string) string {
	switch channel {
	case deliver.Email:
		return "email"
	case deliver.SMS:
		return "phone"
	case deliver.TeamAlert, deliver.Task:
		return "entry under people"
	default:
		return "user"
	}
}
