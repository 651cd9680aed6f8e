package email

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"regexp"
	"strconv"
	"time"
)

// The headers in which SendGrid signs what it posts.
const (
	SignatureHeader = "X-Twilio-Email-Event-Webhook-Signature"
	TimestampHeader = "X-Twilio-Email-Event-Webhook-Timestamp"
)

// How far the moment of signing may be away. SendGrid tries for 24 hours to be rid of a batch; what a batch does, it does once.
const (
	oldestBatch = 25 * time.Hour
	clockSkew   = 5 * time.Minute
)

// stamp is a moment in seconds. Between it and the body nothing stands in what is signed, so a digit more or less would make another
// moment and another body under the same signature.
var stamp = regexp.MustCompile(`^[1-9][0-9]{9}$`)

// Key is a verification key of SendGrid's signed event webhook.
type Key = *ecdsa.PublicKey

// ParseKey reads a verification key as SendGrid shows it: base64 of a public key on P-256.
func ParseKey(s string) (Key, error) {
	no := errors.New("it is no verification key: copy the Public Key that SendGrid shows at the event webhook's signature verification (MFkw…)")
	der, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return nil, no
	}
	public, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return nil, no
	}
	key, ok := public.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, no
	}
	return key, nil
}

// CheckKey says what is wrong with a verification key.
func CheckKey(s string) error {
	_, err := ParseKey(s)
	return err
}

// Genuine reports whether SendGrid signed a body with the private half of one of the keys, not long before now. SendGrid's library
// is not asked: it lets anything stand behind the signature.
func Genuine(keys []Key, timestamp, signature string, body []byte, now time.Time) bool {
	if !stamp.MatchString(timestamp) {
		return false
	}
	seconds, _ := strconv.ParseInt(timestamp, 10, 64) // ten digits
	if age := now.Sub(time.Unix(seconds, 0)); age > oldestBatch || age < -clockSkew {
		return false
	}
	der, err := base64.StdEncoding.Strict().DecodeString(signature)
	if err != nil {
		return false
	}
	sum := sha256.New()
	sum.Write([]byte(timestamp))
	sum.Write(body)
	digest := sum.Sum(nil)
	for _, key := range keys {
		if ecdsa.VerifyASN1(key, digest, der) {
			return true
		}
	}
	return false
}
