package sms

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // Twilio's choice; as an HMAC it holds
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// SignatureHeader is the header in which Twilio signs its requests.
const SignatureHeader = "X-Twilio-Signature"

// BodyHash is the parameter of an address in which the hash of a body stands that is no form.
const BodyHash = "bodySHA256"

// Genuine reports whether Twilio posted a body to an address, as the outside writes it, under one of these auth tokens.
func Genuine(tokens []string, address string, body []byte, signature string) bool {
	found := false
	for _, token := range tokens {
		if token == "" {
			continue // anybody could sign with it
		}
		for _, right := range Signatures(token, address, body) {
			found = hmac.Equal([]byte(right), []byte(signature)) || found
		}
	}
	return found
}

// Signatures gives the right signatures of a body that is posted to an address, as the outside writes it: first that of the address
// as it stands, then those with the usual port and without one, since Twilio signs what was set there and we see what came
// through. It gives none for a body that cannot be genuine. A form is signed by its fields, all of them; any other body by its hash
// in the address.
//
// The library has this, too, but takes the first value of a field that stands twice and leaves the others unsigned.
func Signatures(token, address string, body []byte) (all []string) {
	signed, ok := signedBody(address, body)
	if !ok {
		return nil
	}
	for _, at := range []string{address, withPort(address), withoutPort(address)} {
		all = append(all, sign(token, at+signed))
	}
	return all
}

func sign(token, text string) string {
	mac := hmac.New(sha1.New, []byte(token))
	mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Sign gives the signature of a form: for tests and trial runs, which play Twilio's part.
func Sign(token, address string, form url.Values) string { return sign(token, address+fields(form)) }

// signedBody is what is signed of a body beside the address; ok is false for one that cannot be genuine.
func signedBody(address string, body []byte) (signed string, ok bool) {
	u, err := url.Parse(address)
	if err != nil {
		return "", false
	}
	if want := u.Query().Get(BodyHash); want != "" {
		sum := sha256.Sum256(body)
		return "", hmac.Equal([]byte(hex.EncodeToString(sum[:])), []byte(strings.ToLower(want)))
	}
	form, err := url.ParseQuery(string(body))
	return fields(form), err == nil
}

// fields writes a form as it is signed: by name, each value once and in order.
func fields(form url.Values) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(form)) {
		for _, value := range slices.Compact(slices.Sorted(slices.Values(form[name]))) {
			b.WriteString(name + value)
		}
	}
	return b.String()
}

// authority splits an address at the end of its host and port; nothing else of it may be written anew.
func authority(address string) (scheme, host, port, rest string) {
	scheme, rest, _ = strings.Cut(address, "://")
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	host, rest = rest[:end], rest[end:]
	if colon := strings.LastIndexByte(host, ':'); colon > strings.LastIndexByte(host, ']') && colon > strings.LastIndexByte(host, '@') {
		host, port = host[:colon], host[colon+1:]
	}
	return scheme, host, port, rest
}

func withPort(address string) string {
	scheme, host, port, rest := authority(address)
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[scheme]
	}
	return scheme + "://" + host + ":" + port + rest
}

func withoutPort(address string) string {
	scheme, host, _, rest := authority(address)
	return scheme + "://" + host + rest
}
