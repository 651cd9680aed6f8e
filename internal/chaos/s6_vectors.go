package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"aftercall/internal/chaos/bed"
)

// vector is a recorded webhook with its receiver's clock and what a verifier has to say of it.
type vector struct {
	ID, Name, Secret, Body string
	Now                    int64
	Headers                map[string]string
	Valid                  bool
	Lenient                bool // the reference takes it, and refusing it is right, too

	// ElevenLabs' own form.
	Header, Signature string
	Note              string
}

// ownVectors are there when no corpus is: a signature made by the reference library of Standard Webhooks, and the same
// with something off.
func ownVectors() []vector {
	good := vector{
		ID: "published", Secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", Body: `{"test": 2432232314}`, Now: 1614265330, Valid: true,
		Headers: map[string]string{
			"webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": "1614265330",
			"webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
		},
	}
	later, changed := good, good
	later.ID, later.Now, later.Valid = "too late", good.Now+301, false
	changed.ID, changed.Body, changed.Valid = "other body", `{"test": 2432232315}`, false
	return []vector{good, later, changed}
}

// vectors reads the corpora, if they are there, beside our own rows.
func vectors(t *trial) ([]vector, error) {
	rows := ownVectors()
	for _, path := range []string{t.corpus("standard-webhooks", "vectors.json"), t.fixture("elevenlabs", "vectors.json")} {
		if path == "" {
			continue
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read the vectors: %w", err)
		}
		var more []vector
		if err := json.Unmarshal(raw, &more); err != nil {
			return nil, fmt.Errorf("read %s: %w", filepath.Base(path), err)
		}
		rows = append(rows, more...)
	}
	return rows, nil
}

// secretsOf lists the secrets of Standard Webhooks rows, each once.
func secretsOf(rows []vector) (secrets []string) {
	for _, v := range rows {
		if v.Signature == "" && !slices.Contains(secrets, v.Secret) {
			secrets = append(secrets, v.Secret)
		}
	}
	return secrets
}

// postVectors posts each row at its own time. The suites' bodies are no calls, so what is let in by its signature is
// then refused for what it says: any answer but 401 means that the signature was taken.
func (t *trial) postVectors(ctx context.Context, b *bed.Bed, client *http.Client, rows []vector, secrets []string) {
	wrong, right, lenient := []string{}, 0, 0
	for _, v := range rows {
		status := b.Send(ctx, client, v.webhook(secrets))
		taken := status != http.StatusUnauthorized
		valid := v.Valid && !v.Lenient && v.Note == "" // a remark marks what a stricter receiver may refuse
		if v.Lenient || v.Note != "" {
			lenient++
		}
		if taken == valid && status != 0 {
			right++
		} else {
			wrong = append(wrong, fmt.Sprintf("%s%s %d", v.ID, v.Name, status))
		}
	}
	t.exercised("signature vectors", fmt.Sprintf("%d, of which %d may be taken or refused and are refused", len(rows), lenient))
	t.want("vectors judged rightly", fmt.Sprintf("%d %v", right, wrong), strconv.Itoa(len(rows)), right == len(rows))
}

func (v vector) webhook(secrets []string) bed.Webhook {
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
