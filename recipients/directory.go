package recipients

import (
	"slices"
	"strings"

	"aftercall/deliver"
	"aftercall/reason"
)

// targetKey is the key of a message that goes to what its action's own fields name.
const targetKey = "target"

// Resolve turns targets into recipients on a channel, each once, and each address once. routed are the targets the
// automation's route chose. If nobody is left and nobody was rejected, the rejection is RecipientsEmpty with key "-".
//
// A fixed address in a group that is for another channel is passed over: a group may hold both. A person in it without an
// address for the channel is rejected with RecipientInvalid. A contact record without an address is RecipientsEmpty.
func (d Directory) Resolve(ts, routed []Target, channel string, c ContactRecord) ([]Recipient, []Rejection) {
	if len(ts) == 0 && (channel == deliver.Chatter || channel == deliver.CTI) {
		return []Recipient{{Key: targetKey}}, nil
	}
	var out []Recipient
	var rejected []Rejection
	for _, t := range d.expand(ts, routed) {
		if t.Kind == Fixed && !slices.Contains(ts, t) && reachFixed(t.Value, channel) != nil {
			continue
		}
		r := Recipient{Key: t.Key(), Customer: t.Kind == Contact}
		a, why := d.Address(r.Key, channel, c)
		if why != "" {
			rejected = append(rejected, Rejection{Key: r.Key, Reason: why})
			continue
		}
		r.Name, r.Address = a.Name, a.Address
		out = addOnce(out, r)
	}
	if len(out) == 0 && len(rejected) == 0 {
		rejected = []Rejection{{Key: "-", Reason: reason.RecipientsEmpty}}
	}
	return out, rejected
}

// addOnce adds a recipient unless its address is there already. If either is the customer, the one that stays counts as
// the customer, so that the stricter rules for customers' messages apply.
func addOnce(rs []Recipient, r Recipient) []Recipient {
	i := slices.IndexFunc(rs, func(have Recipient) bool { return have.Address == r.Address })
	if i < 0 {
		return append(rs, r)
	}
	rs[i].Customer = rs[i].Customer || r.Customer
	return rs
}

// expand puts the routed targets in place of route, and members in place of groups, each target once. A group that holds
// itself is entered once; the config is refused before that.
func (d Directory) expand(ts, routed []Target) []Target {
	var out []Target
	entered := map[string]bool{}
	var walk func(ts, routed []Target)
	walk = func(ts, routed []Target) {
		for _, t := range ts {
			switch {
			case t.Kind == ByRoute:
				walk(routed, nil)
			case t.Kind == Group && !entered[t.Value]:
				entered[t.Value] = true
				walk(d.Groups[t.Value], nil)
			case t.Kind == Group:
			case !slices.Contains(out, t):
				out = append(out, t)
			}
		}
	}
	walk(ts, routed)
	return out
}

// Cycle gives the path of a group that contains itself, from key back to key; nil if it does not.
func (d Directory) Cycle(key string) []string {
	var path []string
	visited := map[string]bool{}
	var reaches func(k string) bool
	reaches = func(k string) bool {
		for _, t := range d.Groups[k] {
			if t.Kind != Group || t.Value != key && visited[t.Value] {
				continue
			}
			visited[t.Value] = true
			if t.Value == key || reaches(t.Value) {
				path = append(path, t.Value)
				return true
			}
		}
		return false
	}
	if !reaches(key) {
		return nil
	}
	path = append(path, key)
	slices.Reverse(path)
	return path
}

// Key is the one form in which a recipient is known outside the config: "person:maria", "group:support".
func (t Target) Key() string {
	switch {
	case t.Kind == All:
		return allWord
	case t.Kind == Fixed && strings.HasPrefix(t.Value, "+"):
		return "phone:" + t.Value
	case t.Kind == Fixed:
		return "email:" + t.Value
	default:
		return string(t.Kind) + ":" + t.Value
	}
}

// Address gives the address of a recipient key on a channel now, or why it must not be written to: RecipientInvalid for a
// key that is not on the directory any more (a person who was removed) or has no usable address on the channel, PremiumNumber,
// RecipientsEmpty for a contact record without an address, RecipientNotAllowed for what the allow-list does not contain.
// The sender calls it with the directory of the account's active revision.
func (d Directory) Address(key, channel string, c ContactRecord) (deliver.Address, reason.Code) {
	if key == allWord || key == targetKey {
		return deliver.Address{Address: key}, ""
	}
	kind, value, _ := strings.Cut(key, ":")
	switch {
	case kind == "person":
		p := d.People[value]
		if !isAddress(channel) && p.on(channel) != "" {
			return deliver.Address{Name: p.Name, Address: p.on(channel)}, ""
		}
		return d.checked(p.Name, p.on(channel), channel, d.mayWrite)
	case kind == "contact":
		return d.contact(value, channel, c)
	case (kind == "email" || kind == "phone") && isAddress(channel):
		return d.checked("", value, channel, d.mayWrite)
	}
	return deliver.Address{}, reason.RecipientInvalid
}

func (d Directory) contact(field, channel string, c ContactRecord) (deliver.Address, reason.Code) {
	if channel == "" || contactChannel(field) != channel {
		return deliver.Address{}, reason.RecipientInvalid
	}
	address := strings.TrimSpace(c.Email)
	if channel == deliver.SMS {
		address = strings.TrimSpace(c.Number)
	}
	if address == "" {
		return deliver.Address{}, reason.RecipientsEmpty
	}
	allowed := func(a string) bool { return d.Allow.Contacts || d.Allow.covers(a) }
	return d.checked(displayName(c.Name), address, channel, allowed)
}

func (d Directory) checked(name, address, channel string, allowed func(string) bool) (deliver.Address, reason.Code) {
	var p *Problem
	if channel == deliver.Email {
		address, p = Email(address)
	} else {
		address, p = Phone(address, d.Region)
	}
	switch {
	case p != nil && *p == *premium():
		return deliver.Address{}, reason.PremiumNumber
	case p != nil:
		return deliver.Address{}, reason.RecipientInvalid
	case !allowed(address):
		return deliver.Address{}, reason.RecipientNotAllowed
	}
	return deliver.Address{Name: name, Address: address}, ""
}
