package delivertest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"strconv"
	"time"
)

// Signer signs events as SendGrid does.
type Signer struct {
	Public string // the verification key, as SendGrid shows it

	key *ecdsa.PrivateKey
}

// NewSigner makes a key.
func NewSigner() (*Signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("write the key: %w", err)
	}
	return &Signer{base64.StdEncoding.EncodeToString(der), key}, nil
}

// Sign gives the two headers of a batch that is posted at a moment.
func (s *Signer) Sign(body []byte, at time.Time) (timestamp, signature string, err error) {
	timestamp = strconv.FormatInt(at.Unix(), 10)
	digest := sha256.Sum256(append([]byte(timestamp), body...))
	der, err := ecdsa.SignASN1(rand.Reader, s.key, digest[:])
	if err != nil {
		return "", "", fmt.Errorf("sign a batch: %w", err)
	}
	return timestamp, base64.StdEncoding.EncodeToString(der), nil
}
