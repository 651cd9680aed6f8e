package ingest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"aftercall/automation"
)

// tolerance is how far a signature's time may be off, both ways.
const tolerance = 5 * time.Minute

// The signature schemes, as sources name them under settings.signature. There is no unsigned source.
const (
	schemeStandard   = automation.StandardWebhooks
	schemeItellico   = "itellico"
	schemeElevenLabs = "elevenlabs"
	schemeToken      = automation.Token
	schemePath       = automation.Path
)

const (
	headerID        = standardwebhooks.HeaderWebhookID
	headerTimestamp = standardwebhooks.HeaderWebhookTimestamp
	headerSignature = standardwebhooks.HeaderWebhookSignature
)

// maxSignatures bounds how many signatures of one request are looked at: a rotation needs two.
const maxSignatures = 10

// envelope is what is known of a post before its body is read, as far as a scheme may ask for it.
type envelope struct {
	header   http.Header
	settings map[string]string // of the source
	address  string            // the URL that the platform posted to, as it knows it
	token    string            // the last part of that URL, where it holds a secret
}

// envelopeOf reads a request. Behind a proxy it does not say by which address it was reached; public does, if it is set.
func envelopeOf(r *http.Request, settings map[string]string, public string) envelope {
	return envelope{header: r.Header, settings: settings, address: address(r, public), token: r.PathValue("token")}
}

// address is the whole URL of a request.
func address(r *http.Request, public string) string {
	switch {
	case r.URL == nil:
		return ""
	case r.URL.Host != "":
		return r.URL.String()
	case public != "":
		return strings.TrimSuffix(public, "/") + r.RequestURI
	case r.TLS != nil:
		return "https://" + r.Host + r.RequestURI
	}
	return "http://" + r.Host + r.RequestURI
}

// seal is what an envelope says about the signature.
type seal struct {
	envelope
	id         string // the event's id, where the scheme has one; it is signed too
	stamp      string // the time as it was sent, which is what was signed
	at         time.Time
	timeless   bool     // nothing says when it was signed: a repeat is known by the event's identity alone
	signatures []string // in the scheme's own spelling
	summed     []string // the right ones of a body that is not kept whole; nil: it is there
}

// stale reports whether a seal is too old, or from the future.
func (s seal) stale(now time.Time) bool {
	off := now.Sub(s.at)
	return !s.timeless && (off > tolerance || off < -tolerance)
}

// scheme is one way to sign a body with a shared secret.
type scheme struct {
	// open reads the envelope strictly; why, if it is not empty, tells the sender what is wrong with it.
	open func(e envelope) (s seal, why string)
	// sign gives the right signatures: mostly one, and none for a secret that the scheme cannot use.
	sign func(secret string, s seal, body []byte) []string
	// begin gives the code, in hex the right signature, to which a body is written as it comes in; nil: it has to be there whole.
	begin func(secret string, s seal) hash.Hash
	// write puts a signature where the platform would.
	write func(r *http.Request, s seal, signature string)
	// stamp is a time as the platform writes it; nil: in Unix seconds.
	stamp func(at time.Time) string
	// prepare changes a request before it is signed; nil: nothing to do.
	prepare func(r *http.Request, body []byte)
}

var schemes = map[string]*scheme{
	schemeStandard:   {open: openStandard, sign: signStandard, write: writeStandard},
	schemeItellico:   {open: openItellico, sign: signItellico, write: writeItellico},
	schemeElevenLabs: {open: openElevenLabs, sign: signElevenLabs, begin: beginElevenLabs, write: writeElevenLabs},
	schemeToken:      {open: openToken, sign: signToken, write: writeToken},
	schemePath:       {open: openPath, sign: signToken, write: writePath},
	schemeVapi:       {open: openVapi, sign: signVapi, write: writeVapi},
	schemeRetell:     {open: openRetell, sign: signRetell, write: writeRetell, stamp: unixMillis},
	schemeBland:      {open: openBland, sign: signBland, write: writeBland},
	schemeSynthflow:  {open: openSynthflow, sign: signSynthflow, write: writeSynthflow},
	schemeTwilio:     {open: openTwilio, sign: signTwilio, write: writeTwilio, prepare: addressTwilio},

	// These cannot sign, or not so that it would be worth it.
	"kazoo":       {open: openPath, sign: signToken, write: writePath},
	"dialpad":     {open: openPath, sign: signToken, write: writePath},
	"aircall":     {open: openPath, sign: signToken, write: writePath},
	"ringcentral": {open: openPath, sign: signToken, write: writePath},
}

// read opens an envelope and keeps it with its seal.
func (s *scheme) read(e envelope) (given seal, why string) {
	given, why = s.open(e)
	given.envelope = e
	return given, why
}

// matches reports whether any of the seal's signatures is the right one for any of the secrets. Every pair is compared in
// constant time.
func (s *scheme) matches(secrets []string, given seal, body []byte) bool {
	right := given.summed
	if right == nil {
		for _, secret := range secrets {
			right = append(right, s.sign(secret, given, body)...)
		}
	}
	found := false
	for _, one := range right {
		for _, signature := range given.signatures {
			found = hmac.Equal([]byte(signature), []byte(one)) || found
		}
	}
	return found
}

// mac is the code over parts, one after another.
func mac(of func() hash.Hash, secret string, parts ...[]byte) []byte {
	m := hmac.New(of, []byte(secret))
	for _, p := range parts {
		m.Write(p)
	}
	return m.Sum(nil)
}

// hexMAC is the code with SHA-256 in hex, as most platforms write it.
func hexMAC(secret string, parts ...[]byte) []string {
	return []string{hex.EncodeToString(mac(sha256.New, secret, parts...))}
}

// isHex reports whether s can be a code with SHA-256 in lower-case hex.
func isHex(s string) bool {
	return len(s) == hex.EncodedLen(sha256.Size) && strings.Trim(s, "0123456789abcdef") == ""
}

const (
	noSignature  = "The request carries no signature in the source's headers."
	badSignature = "The signature headers are not well formed."
)

// openStandard reads Standard Webhooks headers. The library would take a timestamp such as "+123", and an id with a full
// stop, which makes the signed text ambiguous; neither is taken here. Versions other than v1 are passed over.
func openStandard(e envelope) (s seal, why string) {
	s = seal{id: e.header.Get(headerID), stamp: e.header.Get(headerTimestamp)}
	list := e.header.Get(headerSignature)
	if s.id == "" || s.stamp == "" || list == "" {
		return seal{}, noSignature
	}
	var ok bool
	if s.at, ok = unix(s.stamp); !ok || strings.Contains(s.id, ".") || len(s.id) > 256 {
		return seal{}, badSignature
	}
	for _, one := range strings.Fields(list) {
		if strings.HasPrefix(one, "v1,") && len(s.signatures) < maxSignatures {
			s.signatures = append(s.signatures, one)
		}
	}
	return s, ""
}

func signStandard(secret string, s seal, body []byte) []string {
	w, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		return nil
	}
	signature, err := w.Sign(s.id, s.at, body)
	if err != nil {
		return nil
	}
	return []string{signature}
}

func writeStandard(r *http.Request, s seal, signature string) {
	r.Header.Set(headerID, s.id)
	r.Header.Set(headerTimestamp, s.stamp)
	r.Header.Set(headerSignature, signature)
}

// itellico's header names are not public; these are defaults, and a source may name others.
const (
	itellicoSignature = "X-Itellico-Signature"
	itellicoTimestamp = "X-Itellico-Timestamp"
)

// openItellico reads a signature in hex, with or without "sha256=", and the time in seconds or milliseconds.
func openItellico(e envelope) (s seal, why string) {
	signature := e.header.Get(e.named(automation.SettingSignatureHeader, itellicoSignature))
	s = seal{stamp: e.header.Get(e.named(automation.SettingTimestampHeader, itellicoTimestamp))}
	if signature == "" || s.stamp == "" {
		return seal{}, noSignature
	}
	var ok bool
	if s.at, ok = unixOrMilli(s.stamp); !ok {
		return seal{}, badSignature
	}
	signature = strings.ToLower(strings.TrimPrefix(signature, "sha256="))
	if len(signature) != hex.EncodedLen(sha256.Size) {
		return seal{}, badSignature
	}
	s.signatures = []string{signature}
	return s, ""
}

// signItellico signs rawBody + "." + timestamp: the body first, unlike everybody else.
func signItellico(secret string, s seal, body []byte) []string {
	return hexMAC(secret, body, []byte("."+s.stamp))
}

func writeItellico(r *http.Request, s seal, signature string) {
	r.Header.Set(itellicoTimestamp, s.stamp)
	r.Header.Set(itellicoSignature, signature)
}

// elevenLabsSignature holds "t=<unix seconds>,v0=<hex>", in any order, with any further elements.
const elevenLabsSignature = "ElevenLabs-Signature"

func openElevenLabs(e envelope) (s seal, why string) {
	header := e.header.Get(e.named(automation.SettingSignatureHeader, elevenLabsSignature))
	if header == "" {
		return seal{}, noSignature
	}
	for element := range strings.SplitSeq(header, ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(element), "=")
		switch {
		case key == "t" && s.stamp == "":
			s.stamp = value
		case key == "t":
			return seal{}, badSignature // two times: which one was signed?
		case key == "v0" && len(s.signatures) < maxSignatures:
			s.signatures = append(s.signatures, value)
		}
	}
	var ok bool
	if s.at, ok = unix(s.stamp); !ok || len(s.signatures) == 0 {
		return seal{}, badSignature
	}
	return s, ""
}

// signElevenLabs signs timestamp + "." + rawBody.
func signElevenLabs(secret string, s seal, body []byte) []string {
	return hexMAC(secret, []byte(s.stamp+"."), body)
}

func beginElevenLabs(secret string, s seal) hash.Hash {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(s.stamp + "."))
	return m
}

func writeElevenLabs(r *http.Request, s seal, signature string) {
	r.Header.Set(elevenLabsSignature, "t="+s.stamp+",v0="+signature)
}

// openToken reads a header that holds the secret itself, as some platforms have it who cannot sign: Authorization, behind
// "Bearer", unless the source names another, where it stands alone. It says nothing about the body.
func openToken(e envelope) (s seal, why string) {
	name := e.named(automation.SettingSignatureHeader, "Authorization")
	token := e.header.Get(name)
	if name == "Authorization" {
		kind, rest, _ := strings.Cut(token, " ")
		if token = strings.TrimSpace(rest); !strings.EqualFold(kind, "Bearer") {
			return seal{}, noSignature
		}
	}
	if token == "" {
		return seal{}, noSignature
	}
	return seal{timeless: true, signatures: []string{token}}, ""
}

func signToken(secret string, _ seal, _ []byte) []string { return []string{secret} }

func writeToken(r *http.Request, _ seal, signature string) {
	r.Header.Set("Authorization", "Bearer "+signature)
}

// openPath reads the secret from the end of the address, for platforms that can do nothing else. Like a token it says nothing
// about the body.
func openPath(e envelope) (s seal, why string) {
	if e.token == "" {
		return seal{}, "The secret is missing at the end of the address: /hooks/SOURCE/SECRET."
	}
	return seal{timeless: true, signatures: []string{e.token}}, ""
}

func writePath(r *http.Request, _ seal, signature string) {
	if r.URL != nil {
		r.URL = r.URL.JoinPath(url.PathEscape(signature))
	}
	r.SetPathValue("token", signature)
}

// named is what a setting of the source says, else what is usual.
func (e envelope) named(key, otherwise string) string {
	if name := e.settings[key]; name != "" {
		return name
	}
	return otherwise
}

// unix reads seconds as plain decimal digits without sign or leading zero.
func unix(s string) (time.Time, bool) {
	n, ok := digits(s)
	return time.Unix(n, 0), ok && len(s) <= 11
}

// unixOrMilli also reads milliseconds, which have 13 digits until the year 2286.
func unixOrMilli(s string) (time.Time, bool) {
	if n, ok := digits(s); ok && len(s) == 13 {
		return time.UnixMilli(n), true
	}
	return unix(s)
}

func unixMillis(at time.Time) string { return strconv.FormatInt(at.UnixMilli(), 10) }

func digits(s string) (int64, bool) {
	if s == "" || s[0] == '0' || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}
