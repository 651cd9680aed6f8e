package recipients

import (
	"net/mail"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/nyaruka/phonenumbers"
	"golang.org/x/net/idna"
)

// Limits of RFC 5321, section 4.5.3.1, in bytes.
const (
	maxAddress   = 254
	maxLocalPart = 64
	maxLabel     = 63
)

// Email checks an e-mail address and gives it in the form it is stored and compared in: the domain in lower case, a name
// in another script as its ASCII form (IDNA 2008). It is stricter than RFC 5322 on purpose: no display name, no comment,
// no quoted local part, no address literal, ASCII before the @, nothing that could end a header line.
func Email(s string) (string, *Problem) {
	if strings.IndexFunc(s, unicode.IsControl) >= 0 {
		return "", &Problem{"the address contains a control character", "write it on one line, without line breaks"}
	}
	at := strings.LastIndexByte(s, '@')
	if at <= 0 || at == len(s)-1 {
		return "", &Problem{"this is not an e-mail address", "write name@domain"}
	}
	local, domain := s[:at], s[at+1:]
	if p := checkLocal(local); p != nil {
		return "", p
	}
	ascii, p := checkDomain(domain)
	if p != nil {
		return "", p
	}
	exact := local + "@" + ascii
	if len(exact) > maxAddress {
		return "", &Problem{"the address is longer than 254 characters", "use a shorter one"}
	}
	// net/mail has the last word on the grammar; asking that it gives back what went in keeps display names and comments out.
	if a, err := mail.ParseAddress(exact); err != nil || a.Name != "" || a.Address != exact {
		return "", &Problem{"this is not an e-mail address", "write name@domain, nothing else"}
	}
	return exact, nil
}

func checkLocal(local string) *Problem {
	if len(local) > maxLocalPart {
		return &Problem{"the part before the @ is longer than 64 characters", "use a shorter address"}
	}
	for _, r := range local {
		switch {
		case r > unicode.MaxASCII:
			return &Problem{"the part before the @ has characters beyond ASCII, which many mail servers refuse",
				"use the mailbox's ASCII address"}
		case r == ' ' || strings.ContainsRune(`"(),:;<>[\]`, r):
			return &Problem{"the part before the @ has a character that needs quoting", "write name@domain, nothing else"}
		}
	}
	return nil
}

func checkDomain(domain string) (string, *Problem) {
	bad := &Problem{"the part after the @ is not a domain name", "write name@domain, such as support@acme.example"}
	ascii, err := idna.Lookup.ToASCII(domain)
	if err != nil || !utf8.ValidString(domain) {
		return "", bad
	}
	if again, err := idna.Lookup.ToASCII(ascii); err != nil || !strings.EqualFold(again, ascii) {
		return "", bad // the ASCII form names no domain: what it was made from was not one
	}
	ascii = strings.ToLower(ascii)
	for label := range strings.SplitSeq(ascii, ".") {
		if label == "" || len(label) > maxLabel || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return "", bad
		}
	}
	if last := ascii[strings.LastIndexByte(ascii, '.')+1:]; strings.Trim(last, "0123456789") == "" {
		return "", bad // an IP address without brackets
	}
	return ascii, nil
}

// reserved are numbers set aside for fiction and examples, which numbering plans list as not assigned: Ofcom, "Telephone
// numbers for use in TV and radio drama programmes". They reach nobody, so they may stand in examples and tests.
var reserved = regexp.MustCompile(`^\+44(7700900|1632960)\d{3}$`)

// Phone checks a phone number and gives it as E.164. region (ISO 3166) is for numbers without a country code; "" refuses
// those. Premium-rate and shared-cost numbers are refused: texting them costs the account money for somebody else's gain.
func Phone(s, region string) (string, *Problem) {
	if strings.IndexFunc(s, unicode.IsControl) >= 0 || strings.IndexFunc(s, unicode.IsLetter) >= 0 {
		return "", &Problem{"this is not a phone number", `write it with its country code, such as "+447700900123"`}
	}
	n, err := phonenumbers.Parse(s, region)
	if err != nil || n.GetExtension() != "" {
		return "", &Problem{"this is not a phone number", `write it with its country code, such as "+447700900123"`}
	}
	e164 := phonenumbers.Format(n, phonenumbers.E164)
	if reserved.MatchString(e164) {
		return e164, nil
	}
	if !phonenumbers.IsValidNumber(n) {
		return "", &Problem{"no such phone number can exist in its country", "check the digits and the country code"}
	}
	switch phonenumbers.GetNumberType(n) {
	case phonenumbers.PREMIUM_RATE, phonenumbers.SHARED_COST:
		return "", premium()
	}
	return e164, nil
}

func premium() *Problem {
	return &Problem{"premium-rate and shared-cost numbers are not written to", "use an ordinary number"}
}

// KnowsRegion reports whether a region (ISO 3166, in capitals) has phone numbers of its own.
func KnowsRegion(code string) bool { return phonenumbers.GetSupportedRegions()[code] }

// RegionOf gives the region (ISO 3166) of an E.164 number, "" if it has none.
func RegionOf(e164 string) string {
	n, err := phonenumbers.Parse(e164, "")
	if err != nil {
		return ""
	}
	if r := phonenumbers.GetRegionCodeForNumber(n); r != "" {
		return r
	}
	return phonenumbers.GetRegionCodeForCountryCode(int(n.GetCountryCode()))
}
