package variables

import (
	"net/mail"
	"slices"
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers"

	"aftercall/internal/webaddress"
)

// phone accepts a valid number whose digits were said, in figures or as English words, and gives it as E.164.
func (k *check) phone(raw string) (value, problem string) {
	number, err := phonenumbers.Parse(raw, k.limits.Region)
	if err != nil || len(raw) > 40 || !phonenumbers.IsValidNumber(number) {
		return "", "it is not a valid phone number"
	}
	national := phonenumbers.GetNationalSignificantNumber(number)
	if !strings.Contains(saidDigits(k.quote), national) && !strings.Contains(saidDigits(k.turn), national) {
		return "", "its digits do not stand in the words they are said to come from"
	}
	return phonenumbers.Format(number, phonenumbers.E164), ""
}

// saidDigits writes out the digits of a text: "oh seven seven double two" is 07722. Words that are neither digits nor
// belong between them end a number, so that the digits of two numbers never make a third.
func saidDigits(text string) string {
	var b strings.Builder
	repeat := 1
	for _, w := range tokenize(text) {
		digits := digitsOf(w.text)
		switch {
		case w.text == "double" || w.text == "triple":
			repeat = 2
			if w.text == "triple" {
				repeat = 3
			}
			continue
		case digits != "":
			first := strings.Repeat(digits[:1], repeat)
			b.WriteString(first + digits[1:])
		case w.text == "plus" || w.text == "dash":
		default:
			b.WriteByte(' ')
		}
		repeat = 1
	}
	return b.String()
}

// digitsOf gives the digits of one word: figures with their separators, or a number word.
func digitsOf(w string) string {
	if n, ok := wordValue(w); ok {
		return strconv.FormatInt(n, 10)
	}
	var b strings.Builder
	for _, r := range w {
		switch {
		case r >= '0' && r <= '9':
			b.WriteRune(r)
		case !strings.ContainsRune("+-./()", r):
			return ""
		}
	}
	return b.String()
}

// email accepts an address that was said, letter by letter or written, and gives it with a lower-case domain.
func (k *check) email(raw string) (value, problem string) {
	address, err := mail.ParseAddress(raw)
	if err != nil || address.Name != "" || address.Address != strings.Trim(raw, "<>") || len(raw) > 254 || strings.ContainsAny(raw, "\"' ()<>,;:\\[]") {
		return "", "it is not an e-mail address"
	}
	local, domain, _ := strings.Cut(address.Address, "@")
	if !strings.Contains(domain, ".") || !isASCII(raw) {
		return "", "it is not an e-mail address"
	}
	if !saidSpelled(k.turn, address.Address) {
		return "", "it does not stand in the words it is said to come from"
	}
	return local + "@" + strings.ToLower(domain), ""
}

// url accepts a web address that was said and leads to a host the author or the account allows.
func (k *check) url(raw string, hosts []string) (value, problem string) {
	text := raw
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, ok := webaddress.Parse(text)
	switch {
	case !ok || strings.ContainsAny(raw, "<>\"'`{}") || !isASCII(raw):
		return "", "it is not a web address"
	case u.User != nil || u.Port() != "":
		return "", "a web address may name neither a user nor a port"
	case !allowedHost(u.Hostname(), hosts):
		return "", "its host is not on the list of allowed hosts"
	}
	bare := strings.TrimSuffix(text[strings.Index(text, "://")+3:], "/")
	if !saidSpelled(k.turn, bare) && !saidSpelled(k.turn, strings.TrimSuffix(text, "/")) {
		return "", "it does not stand in the words it is said to come from"
	}
	return u.String(), ""
}

func allowedHost(host string, allowed []string) bool {
	return slices.ContainsFunc(allowed, func(a string) bool {
		a = strings.ToLower(strings.TrimSpace(a))
		if below, ok := strings.CutPrefix(a, "*"); ok {
			return strings.HasPrefix(below, ".") && strings.HasSuffix(host, below) && host != below[1:]
		}
		return host == a
	})
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 })
}

// saidSpelled reports whether an address stands in a text: as one word, or spelled out as "dana at example dot com" or
// letter by letter. Two ordinary words are never joined, so that the words before an address do not become part of it.
func saidSpelled(text, address string) bool {
	address = strings.ToLower(address)
	pieces := spelledPieces(text)
	for i := range pieces {
		joined := ""
		for j := i; j < len(pieces) && len(joined) < len(address); j++ {
			if j > i && !pieces[j-1].joins && !pieces[j].joins {
				break
			}
			if joined += pieces[j].text; !strings.HasPrefix(address, joined) {
				break
			}
		}
		if joined == address {
			return true
		}
	}
	return false
}

// piece is a part of an address as it was said; joins says that it can only be a part: a sign or a single letter.
type piece struct {
	text  string
	joins bool
}

func spelledPieces(text string) []piece {
	signs := map[string]string{"at": "@", "dot": ".", "point": ".", "underscore": "_", "dash": "-", "hyphen": "-", "minus": "-", "plus": "+", "slash": "/"}
	var all []piece
	for _, w := range strings.Fields(strings.ToLower(text)) {
		w = strings.Trim(w, "<>()[]{}\"'`,;:!?")
		w = strings.TrimPrefix(w, "https://")
		w = strings.TrimPrefix(w, "http://")
		w = strings.TrimRight(w, ".,/")
		n, isNumber := wordValue(w)
		switch sign, ok := signs[w]; {
		case w == "":
		case ok:
			all = append(all, piece{sign, true})
		case isNumber && n <= 9:
			all = append(all, piece{strconv.FormatInt(n, 10), true})
		default:
			all = append(all, piece{w, len(w) == 1})
		}
	}
	return all
}
