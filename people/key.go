package people

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
)

// keyMark begins every API key, so that a scanner recognises one that leaked.
const keyMark = "ac_"

// keyShown is how much of a key is kept as it is, to tell keys apart.
const keyShown = len(keyMark) + 6

// Key is an API key that was just made. It is shown once; only its beginning and its hash are kept.
type Key struct {
	Text   string
	Prefix string
	Hash   []byte
}

// NewKey makes a key with 256 bits of chance, so that a fast hash of it will do.
func NewKey() Key {
	var b [32]byte
	_, _ = rand.Read(b[:]) // crypto/rand.Read never fails
	return KeyOf(keyMark + base64.RawURLEncoding.EncodeToString(b[:]))
}

// KeyOf gives what is kept of a key.
func KeyOf(text string) Key {
	hash := sha256.Sum256([]byte(text))
	return Key{Text: text, Prefix: text[:min(len(text), keyShown)], Hash: hash[:]}
}
