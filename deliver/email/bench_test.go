package email_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"aftercall/deliver"
	"aftercall/deliver/email"
)

// BenchmarkSendGrid is one mail on its way, with what the local server takes for it.
func BenchmarkSendGrid(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("X-Message-Id", "14c5d75ce93.dfd.64b469")
		w.WriteHeader(http.StatusAccepted)
	}))
	b.Cleanup(server.Close)
	c, err := email.NewSendGrid(email.SendGridConfig{Key: sgKey, BaseURL: server.URL})
	if err != nil {
		b.Fatal(err)
	}
	text := strings.Repeat("They agreed on a visit; the boiler is off. \"Half past two\" is fine.\n", 12)
	m := deliver.Message{
		DeliveryID: "0197a1b2-0000-7000-8000-000000000001", Attempt: 1, AccountID: "acme", ConversationID: "call-1", AutomationID: "callback",
		Channel: deliver.Email, From: deliver.Address{Name: "Acme Clinic", Address: "calls@acme.example"},
		To: []deliver.Address{{Address: "support@acme.example"}}, Subject: "Callback of +447700900456",
		Text: text, HTML: "<!DOCTYPE html>\n<html><body><p>" + text + "</p></body></html>",
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Send(b.Context(), m); err != nil {
			b.Fatal(err)
		}
	}
}
