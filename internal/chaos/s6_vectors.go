package main

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"aftercall/internal/chaos/bed"
	"aftercall/internal/chaos/corpus"
)

// ownVectors are there when no corpus is: a signature made by the reference library of Standard Webhooks, and the same
// with something off.
func ownVectors() []corpus.Vector {
	good := corpus.Vector{
		ID: "published", Secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", Body: `{"test": 2432232314}`, Now: 1614265330, Valid: true,
		Headers: map[string]string{
			"webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp": "1614265330",
			"webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
		},
	}
	later, changed := good, good
	later.ID, later.Now, later.Valid = "too late", good.Now+301, false
	changed.ID, changed.Body, changed.Valid = "other body", `{"test": 2432232315}`, false
	return []corpus.Vector{good, later, changed}
}

// postVectors posts each row at its own time. The suites' bodies are no calls, so what is let in by its signature is
// then refused for what it says: any answer but 401 means that the signature was taken.
func (t *trial) postVectors(ctx context.Context, b *bed.Bed, client *http.Client, rows []corpus.Vector, secrets []string) {
	wrong, right, lenient := []string{}, 0, 0
	for _, v := range rows {
		status := b.Send(ctx, client, v.Webhook(secrets))
		taken := status != http.StatusUnauthorized
		if v.Lenient || v.Note != "" {
			lenient++
		}
		if taken == v.Strict() && status != 0 {
			right++
		} else {
			wrong = append(wrong, fmt.Sprintf("%s%s %d", v.ID, v.Name, status))
		}
	}
	t.exercised("signature vectors", fmt.Sprintf("%d, of which %d may be taken or refused and are refused", len(rows), lenient))
	t.want("vectors judged rightly", fmt.Sprintf("%d %v", right, wrong), strconv.Itoa(len(rows)), right == len(rows))
}
