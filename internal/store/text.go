package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nyaruka/phonenumbers"

	"aftercall/conversation"
)

// clean makes s something a text column takes: valid UTF-8 without NUL. Nothing else is changed.
func clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// encode gives v as JSON that a jsonb column takes: it has no word for NUL, which JSON has.
func encode(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode as JSON: %w", err)
	}
	return cleanJSON(b), nil
}

// cleanJSON replaces every escaped NUL by an escaped replacement character, and leaves an escaped backslash before u0000
// alone.
func cleanJSON(b []byte) []byte {
	nul := []byte(`\u0000`)
	if !bytes.Contains(b, nul) {
		return b
	}
	out := bytes.Clone(b)
	for i := 0; i < len(out); i++ {
		if out[i] != '\\' {
			continue
		}
		if bytes.HasPrefix(out[i:], nul) {
			copy(out[i:], `\ufffd`)
		}
		i++ // whatever is escaped is not a beginning
	}
	return out
}

// longestProviderID bounds what a provider can put into an index.
const longestProviderID = 500

// providerID is the id that a provider gave a message, as it is kept and searched for.
func providerID(id string) string {
	id = clean(id)
	return clean(id[:min(len(id), longestProviderID)])
}

// emailKey is an address as it is searched for; an absurdly long one is not.
func emailKey(address string) string {
	key := strings.ToLower(strings.TrimSpace(clean(address)))
	if len(key) > 320 {
		return ""
	}
	return key
}

// phoneKey is a number as it is searched for: its last nine digits, which national and international spellings share.
// It is "" for what is no number.
func phoneKey(number string) string {
	return lastNine(digitsOf(number))
}

// bare is a number without the scheme of its address.
func bare(number string) string {
	return strings.TrimPrefix(strings.TrimPrefix(strings.TrimSpace(number), "tel:"), "sip:")
}

func digitsOf(number string) (digits []byte) {
	for _, r := range bare(number) {
		switch {
		case r >= '0' && r <= '9':
			digits = append(digits, byte(r))
		case strings.ContainsRune("+-.()/ \u00a0\u2011", r):
		default: // an extension, a parameter, a host; or a word
			return digits
		}
	}
	return digits
}

// phoneKeys are the keys under which a number that somebody types may be kept: as typed, and with and without its country, read
// as a number of each region. A number shorter than nine digits has another key with its country than without.
func phoneKeys(typed string, regions []string) []string {
	keys := []string{}
	add := func(key string) {
		if key != "" && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	if add(phoneKey(typed)); len(keys) == 0 {
		return keys
	}
	for _, region := range append([]string{""}, regions...) {
		n, err := phonenumbers.Parse(typed, region)
		if err != nil {
			continue
		}
		add(phoneKey(phonenumbers.Format(n, phonenumbers.E164)))
		add(phoneKey(phonenumbers.Format(n, phonenumbers.NATIONAL)))
	}
	return keys
}

func lastNine(digits []byte) string {
	if len(digits) < 5 {
		return ""
	}
	return string(digits[max(0, len(digits)-9):])
}

// farEnds are the numbers that the platform may have spoken with, whatever the contact record says: either, where nothing tells who
// called whom.
func farEnds(c *conversation.Conversation) []string {
	switch c.Direction {
	case conversation.Outbound:
		return []string{c.ToNumber}
	case conversation.Inbound:
		return []string{c.FromNumber}
	}
	return []string{c.FromNumber, c.ToNumber}
}

// zeroOr gives a nullable time as a plain one.
func zeroOr(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}
