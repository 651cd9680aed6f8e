package peopletest

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"

	"golang.org/x/crypto/argon2"
)

// Hash gives what is kept of a password when hashing was cheap: the same kind of hash, made with the least that argon2id takes. A
// hash says what it was made with, so whoever compares takes no more. One of people.HashPassword takes 64 MiB: where hashing is
// not what is tested, that was half of a test's work.
func Hash(password string) string {
	const passes, memory, threads = 1, 8, 1 // memory in KiB
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails
	b := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, memory, passes, threads, b(salt),
		b(argon2.IDKey([]byte(password), salt, passes, memory, threads, 32)))
}
