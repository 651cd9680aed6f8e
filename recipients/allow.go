package recipients

import (
	"slices"
	"strings"
)

// covers reports whether the allow-list contains an address, given as Email or Phone normalise it.
func (a Allow) covers(address string) bool {
	if slices.Contains(a.Addresses, address) {
		return true
	}
	at := strings.LastIndexByte(address, '@')
	if at < 0 {
		return false
	}
	domain := address[at+1:]
	return slices.ContainsFunc(a.Domains, func(allowed string) bool {
		if below, ok := strings.CutPrefix(allowed, "*"); ok {
			return strings.HasSuffix(domain, below)
		}
		return domain == allowed
	})
}

// MaySend reports whether texts may come from a number.
func (a Allow) MaySend(number string) bool { return slices.Contains(a.Senders, number) }

// ParseDomain checks one entry of allow.domains and gives it in the form addresses are compared with.
func ParseDomain(s string) (string, *Problem) {
	rest, wild := strings.CutPrefix(s, "*.")
	domain, p := checkDomain(rest)
	if p != nil {
		return "", &Problem{"this is not a domain name", `write "acme.example", or "*.acme.example" for every domain below it`}
	}
	if !wild {
		return domain, nil
	}
	if !strings.Contains(domain, ".") {
		return "", &Problem{"this would allow a whole top-level domain", "name the domains you write to"}
	}
	return "*." + domain, nil
}

// mayWrite reports whether an address from the config may be written to: the allow-list contains it, or it is a number
// that stands under people or groups.
func (d Directory) mayWrite(address string) bool {
	return d.Allow.covers(address) || strings.HasPrefix(address, "+") && d.holds(address)
}

func (d Directory) holds(number string) bool {
	for _, p := range d.People {
		if p.Phone == number {
			return true
		}
	}
	for _, members := range d.Groups {
		if slices.Contains(members, Target{Kind: Fixed, Value: number}) {
			return true
		}
	}
	return false
}
