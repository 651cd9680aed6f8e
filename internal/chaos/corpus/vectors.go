package corpus

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"aftercall/internal/chaos/bed"
)

// Vector is a recorded webhook with its receiver's clock and what a verifier has to say of it.
type Vector struct {
	ID, Name, Secret, Body string
	Now                    int64
	Headers                map[string]string
	Valid                  bool
	Lenient                bool // the reference takes it, and refusing it is right, too

	// ElevenLabs' own form.
	Header, Signature string
	Note              string // why a stricter receiver may refuse it
}

// Vectors reads the signed webhooks of Standard Webhooks and of ElevenLabs.
func (f Folder) Vectors() (rows []Vector, err error) {
	for _, path := range []string{f.Data("standard-webhooks", "vectors.json"), f.Fixture("elevenlabs", "vectors.json")} {
		more, err := Read[Vector](path)
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
	}
	return rows, nil
}

// Strict reports whether a receiver that takes nothing doubtful lets the row in.
func (v Vector) Strict() bool { return v.Valid && !v.Lenient && v.Note == "" }

// Secrets lists the secrets of Standard Webhooks rows, each once.
func Secrets(rows []Vector) (secrets []string) {
	for _, v := range rows {
		if v.Signature == "" && !slices.Contains(secrets, v.Secret) {
			secrets = append(secrets, v.Secret)
		}
	}
	return secrets
}

// ElevenLabsSecret is the one secret of ElevenLabs' rows.
const ElevenLabsSecret = "wsec_aftercall_fixture_secret"

// Webhook is the row as a request to the source with its secret: vector-N for secret N, labs-vectors for ElevenLabs. Its
// clock is in a header, for the build that reads it (variant callers-clock).
func (v Vector) Webhook(secrets []string) bed.Webhook {
	h := http.Header{"X-Chaos-Now": {strconv.FormatInt(v.Now, 10)}}
	if v.Signature != "" {
		h.Set(v.Header, v.Signature)
		return bed.Webhook{Path: "/hooks/labs-vectors", Header: h, Body: []byte(v.Body)}
	}
	for name, value := range v.Headers {
		h.Set(name, value)
	}
	return bed.Webhook{Path: fmt.Sprintf("/hooks/vector-%d", slices.Index(secrets, v.Secret)), Header: h, Body: []byte(v.Body)}
}

// Sources are the sources of those rows, as lines of an account's sources, and the environment with their secrets.
func Sources(secrets []string) (lines string, env []string) {
	env = append(env, "LABS_VECTORS="+ElevenLabsSecret)
	lines = "  - { id: labs-vectors, type: elevenlabs, secret: \"${ENV:LABS_VECTORS}\" }\n"
	for i, s := range secrets {
		lines += fmt.Sprintf("  - { id: vector-%d, type: native, secret: \"${ENV:VECTOR_%d}\" }\n", i, i)
		env = append(env, fmt.Sprintf("VECTOR_%d=%s", i, s))
	}
	return lines, env
}
