package ingest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"aftercall/automation"
)

// tolerance is how far a signature's time may be off, both ways.
const tolerance = 5 * time.Minute

// The signature schemes, as sources name them under settings.signature. There is no unsigned source: every platform of
// which there is an adapter signs.
const (
	schemeStandard   = automation.StandardWebhooks
	schemeItellico   = "itellico"
	schemeElevenLabs = "elevenlabs"
)

const (
	headerID        = standardwebhooks.HeaderWebhookID
	headerTimestamp = standardwebhooks.HeaderWebhookTimestamp
	headerSignature = standardwebhooks.HeaderWebhookSignature
)

// maxSignatures bounds how many signatures of one request are looked at: a rotation needs two.
const maxSignatures = 10

// seal is what a request's header says about its signature.
type seal struct {
	id         string // the event's id, where the scheme has one; it is signed too
	stamp      string // the time as it was sent, which is what was signed
	at         time.Time
	signatures []string // in the scheme's own spelling
}

// scheme is one way to sign a body with a shared secret.
type scheme struct {
	// open reads the header strictly; why, if it is not empty, tells the sender what is wrong with it.
	open func(h http.Header, settings map[string]string) (s seal, why string)
	// sign gives the one right signature; ok is false for a secret that the scheme cannot use.
	sign func(secret string, s seal, body []byte) (signature string, ok bool)
	// write puts a seal into a header.
	write func(h http.Header, s seal, signature string)
}

var schemes = map[string]*scheme{
	schemeStandard:   {openStandard, signStandard, writeStandard},
	schemeItellico:   {openItellico, signItellico, writeItellico},
	schemeElevenLabs: {openElevenLabs, signElevenLabs, writeElevenLabs},
}

// matches reports whether any of the seal's signatures is the right one for any of the secrets. Every pair is compared in
// constant time.
func (s *scheme) matches(secrets []string, given seal, body []byte) bool {
	found := false
	for _, secret := range secrets {
		right, ok := s.sign(secret, given, body)
		if !ok {
			continue
		}
		for _, signature := range given.signatures {
			found = hmac.Equal([]byte(signature), []byte(right)) || found
		}
	}
	return found
}

const (
	noSignature  = "The request carries no signature in the source's headers."
	badSignature = "The signature headers are not well formed."
)

// openStandard reads Standard Webhooks headers. The library would take a timestamp such as "+123", and an id with a full
// stop, which makes the signed text ambiguous; neither is taken here. Versions other than v1 are passed over.
func openStandard(h http.Header, _ map[string]string) (s seal, why string) {
	s = seal{id: h.Get(headerID), stamp: h.Get(headerTimestamp)}
	list := h.Get(headerSignature)
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

func signStandard(secret string, s seal, body []byte) (string, bool) {
	w, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		return "", false
	}
	signature, err := w.Sign(s.id, s.at, body)
	return signature, err == nil
}

func writeStandard(h http.Header, s seal, signature string) {
	h.Set(headerID, s.id)
	h.Set(headerTimestamp, s.stamp)
	h.Set(headerSignature, signature)
}

// itellico's header names are not public; these are defaults, and a source may name others.
const (
	itellicoSignature = "X-Itellico-Signature"
	itellicoTimestamp = "X-Itellico-Timestamp"
)

// openItellico reads a signature in hex, with or without "sha256=", and the time in seconds or milliseconds.
func openItellico(h http.Header, settings map[string]string) (s seal, why string) {
	signature := h.Get(named(settings, automation.SettingSignatureHeader, itellicoSignature))
	s = seal{stamp: h.Get(named(settings, automation.SettingTimestampHeader, itellicoTimestamp))}
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
func signItellico(secret string, s seal, body []byte) (string, bool) {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	mac.Write([]byte("." + s.stamp))
	return hex.EncodeToString(mac.Sum(nil)), true
}

func writeItellico(h http.Header, s seal, signature string) {
	h.Set(itellicoTimestamp, s.stamp)
	h.Set(itellicoSignature, signature)
}

// elevenLabsSignature holds "t=<unix seconds>,v0=<hex>", in any order, with any further elements.
const elevenLabsSignature = "ElevenLabs-Signature"

func openElevenLabs(h http.Header, settings map[string]string) (s seal, why string) {
	header := h.Get(named(settings, automation.SettingSignatureHeader, elevenLabsSignature))
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
func signElevenLabs(secret string, s seal, body []byte) (string, bool) {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(s.stamp + "."))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil)), true
}

func writeElevenLabs(h http.Header, s seal, signature string) {
	h.Set(elevenLabsSignature, "t="+s.stamp+",v0="+signature)
}

func named(settings map[string]string, key, otherwise string) string {
	if name := settings[key]; name != "" {
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

func digits(s string) (int64, bool) {
	if s == "" || s[0] == '0' || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}
