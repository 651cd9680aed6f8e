package people

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
)

// What a hash costs: the second of the settings that RFC 9106 recommends. A hash says what it was made with, so these may
// grow.
const (
	hashPasses  = 3
	hashMemory  = 64 << 10 // KiB
	hashThreads = 4
	saltLength  = 16
	hashLength  = 32
)

// How long a password is: long enough not to be guessed at the pace that is allowed, short enough not to be work by itself.
const (
	ShortestPassword = 12 // characters
	longestPassword  = 1024
)

// ErrWeak is returned for a password that is too short or too long to be one.
var ErrWeak = fmt.Errorf("a password has at least %d characters and at most %d bytes", ShortestPassword, longestPassword)

// HashPassword gives what is kept of a password, or ErrWeak.
func HashPassword(password string) (string, error) {
	if n := utf8.RuneCountInString(password); n < ShortestPassword || len(password) > longestPassword {
		return "", ErrWeak
	}
	salt := make([]byte, saltLength)
	_, _ = rand.Read(salt) // crypto/rand.Read never fails
	return encodeHash(salt, argon2.IDKey([]byte(password), salt, hashPasses, hashMemory, hashThreads, hashLength)), nil
}

// NewPassword makes one up, with 130 bits of chance.
func NewPassword() string { return strings.ToLower(rand.Text()) }

// decoy is a hash that no password has. Checking it takes as long as any other, so that names cannot be told by the clock.
func decoy() string {
	chance := make([]byte, saltLength+hashLength)
	_, _ = rand.Read(chance)
	return encodeHash(chance[:saltLength], chance[saltLength:])
}

// encodeHash writes a hash in the form that other programs know, too.
func encodeHash(salt, key []byte) string {
	b := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, hashMemory, hashPasses, hashThreads, b(salt), b(key))
}

// errHash says that what is kept is no hash of ours.
var errHash = errors.New("the stored password is not an argon2id hash")

// matches reports whether a password has this hash.
func matches(encoded, password string) (bool, error) {
	if len(password) > longestPassword {
		return false, nil
	}
	var version int
	var memory, passes uint32
	var threads uint8
	parts := strings.Split(encoded, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return false, errHash
	}
	if _, err := fmt.Sscanf(parts[2], "v=%d", &version); err != nil || version != argon2.Version {
		return false, errHash
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &passes, &threads); err != nil {
		return false, errHash
	}
	salt, saltErr := base64.RawStdEncoding.DecodeString(parts[4])
	key, keyErr := base64.RawStdEncoding.DecodeString(parts[5])
	const most = 1 << 20 // KiB: a row somebody tampered with must not take the machine's memory
	if saltErr != nil || keyErr != nil || len(salt) < 8 || len(key) < 16 || memory > most || passes < 1 || passes > 100 || threads < 1 {
		return false, errHash
	}
	got := argon2.IDKey([]byte(password), salt, passes, memory, threads, uint32(len(key)))
	return subtle.ConstantTimeCompare(got, key) == 1, nil
}
