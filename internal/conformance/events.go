package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"aftercall/deliver"
	"aftercall/deliver/email"
	"aftercall/internal/chaos/bed"
	"aftercall/internal/chaos/corpus"
	"aftercall/reason"
)

// eventVector is a recorded batch of SendGrid's with its signature: among headers, or by itself.
type eventVector struct {
	ID, Name, Body       string
	Signature, Timestamp string
	Headers              map[string]string
	PublicKey            string `json:"public_key"`
	Valid, Lenient       bool
}

// genuine judges a batch as the callback does, at the moment that it says it was signed.
func (v eventVector) genuine() bool {
	header := http.Header{}
	for name, value := range v.Headers {
		header.Set(name, value)
	}
	timestamp, now := first(v.Timestamp, header.Get(email.TimestampHeader)), time.Now()
	if seconds, err := strconv.ParseInt(timestamp, 10, 64); err == nil {
		now = time.Unix(seconds, 0)
	}
	key, err := email.ParseKey(v.PublicKey)
	return err == nil && email.Genuine([]email.Key{key}, timestamp, first(v.Signature, header.Get(email.SignatureHeader)), []byte(v.Body), now)
}

// eventSignatures are recorded batches of SendGrid's event webhook.
func eventSignatures() suite {
	return suite{
		name: "sendgrid-webhook", try: tryEventSignatures,
		how: "Every recorded batch is judged by the function that judges what is posted to SendGrid's callback (`email.Genuine`), with the recorded key and at the moment that " +
			"it says it was signed. What the reference lets through although a byte was moved between the timestamp and the body must be refused.",
	}
}

func tryEventSignatures(_ context.Context, h *hall) (o outcome, err error) {
	rows, err := corpus.Read[eventVector](h.data.Data("sendgrid-webhook", "vectors.json"))
	lenient := 0
	for _, v := range rows {
		r := row{id: v.ID}
		if v.Lenient {
			lenient++
		}
		if got := v.genuine(); got != (v.Valid && !v.Lenient) {
			r.wrong, r.detail = true, fmt.Sprintf("taken: %t", got)
		}
		o.add(r)
	}
	o.note("%d of them may be taken or refused, and are refused.", lenient)
	return o, err
}

// eventsJudged has the callback's judge each signature of a file.
func eventsJudged() door {
	return door{try: func(_ context.Context, _ *hall, f fixture) (string, error) {
		var rows []eventVector
		if err := json.Unmarshal(f.body, &rows); err != nil {
			return "", fmt.Errorf("read the signatures: %w", err)
		}
		for _, v := range rows {
			if v.genuine() != v.Valid {
				return "judged otherwise: " + v.Name, nil
			}
		}
		return fmt.Sprintf("judged alike: %d signatures", len(rows)), nil
	}}
}

// happened posts a file of events to SendGrid's callback, signed, and says what was read in it. A file of several batches is as many posts.
func happened() door {
	return door{try: func(ctx context.Context, h *hall, f fixture) (string, error) {
		batches := [][]byte{f.body}
		if several := []json.RawMessage(nil); json.Unmarshal(f.body, &several) == nil && len(several) > 0 && bytes.HasPrefix(several[0], []byte("[")) {
			batches = nil
			for _, one := range several {
				batches = append(batches, one)
			}
		}
		counts := map[string]int{}
		for _, body := range batches {
			now := time.Now()
			timestamp, signature, err := h.events.Sign(body, now)
			if err != nil {
				return "", err
			}
			header := http.Header{"Content-Type": {"application/json"}, email.TimestampHeader: {timestamp}, email.SignatureHeader: {signature}}
			if status, _ := h.bed.Ask(ctx, h.client, bed.Webhook{Path: "/callbacks/sendgrid/events", Header: header, Body: body}); status != http.StatusNoContent {
				return fmt.Sprintf("answered %d", status), nil
			}
			reports, _ := email.EventsOf(body, now)
			for _, r := range reports {
				for _, word := range saidBy(r) {
					counts[word]++
				}
			}
		}
		var said []string
		for _, word := range []string{string(deliver.Taken), string(deliver.Arrived), string(deliver.Lost), string(reason.Bounced), string(reason.OptedOut), "lifted"} {
			if counts[word] > 0 {
				said = append(said, fmt.Sprintf("%d %s", counts[word], word))
			}
		}
		if said == nil {
			return "taken: nothing about a message", nil
		}
		return "taken: " + strings.Join(said, ", "), nil
	}}
}

// saidBy are the words for what one report says.
func saidBy(r deliver.Report) (words []string) {
	if r.Fact != "" {
		words = append(words, string(r.Fact))
	}
	if r.Suppress != "" {
		words = append(words, string(r.Suppress))
	}
	if r.Lift {
		words = append(words, "lifted")
	}
	return words
}
