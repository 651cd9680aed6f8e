package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path"
	"strconv"
	"strings"
	"time"

	"aftercall/deliver"
	"aftercall/deliver/email"
	"aftercall/ingest"
	"aftercall/internal/chaos/bed"
	"aftercall/internal/llm"
	"aftercall/internal/llm/openai"
)

// said is the door of files that are told about and not tried.
func said(what string) door {
	return door{try: func(context.Context, *hall, fixture) (string, error) { return what, nil }}
}

// posted posts a file to a source of a type. wrap makes a webhook of what is only a part of one; nil: it is one.
func posted(platform string, wrap func(body []byte) []byte) door {
	return door{platform: platform, try: func(ctx context.Context, h *hall, f fixture) (string, error) {
		body := f.body
		if wrap != nil {
			body = wrap(body)
		}
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.bed.Web+"/hooks/"+f.source, bytes.NewReader(body))
		if err != nil {
			return "", err
		}
		r.Header.Set("Content-Type", mediaType(body))
		if err := ingest.Sign(r, platform, fixtureSecret, time.Now(), body); err != nil {
			return "", err
		}
		status, answer := h.bed.Ask(ctx, h.client, bed.Webhook{Path: r.URL.RequestURI(), Header: r.Header, Body: body})
		return became(status, answer), nil
	}}
}

func mediaType(body []byte) string {
	switch trimmed := bytes.TrimSpace(body); {
	case bytes.HasPrefix(trimmed, []byte("{")) || bytes.HasPrefix(trimmed, []byte("[")):
		return "application/json"
	case bytes.HasPrefix(trimmed, []byte("eyJ")):
		return "application/jwt"
	}
	return "application/x-www-form-urlencoded"
}

// became is an answer in few words: what was made of a post, or where it is at fault.
func became(status int, answer []byte) string {
	var said struct {
		ConversationID     string `json:"conversation_id"`
		Ignored, Duplicate bool
		Errors             []struct{ Pointer string }
	}
	if err := json.Unmarshal(answer, &said); err != nil {
		return fmt.Sprintf("answered %d", status)
	}
	switch {
	case status == http.StatusOK && said.Ignored:
		return "ignored"
	case status == http.StatusOK && said.Duplicate:
		return "a duplicate"
	case status == http.StatusOK && said.ConversationID != "":
		return "a call"
	}
	var at []string
	for _, e := range said.Errors {
		at = append(at, e.Pointer)
	}
	return strings.TrimSpace(fmt.Sprintf("answered %d %s", status, strings.Join(at, " ")))
}

// inside puts a file under a name into an object, beside what else is given.
func inside(name, beside string) func([]byte) []byte {
	return func(body []byte) []byte { return fmt.Appendf(nil, `{%q:%s%s}`, name, body, beside) }
}

// played answers every request with a file, as the status and with the headers that it, or its name, says.
func played(f fixture) *httptest.Server {
	status, body, header := http.StatusOK, f.body, map[string]string{"content-type": "application/json"}
	name := strings.Split(path.Base(f.path), "_")
	if n, err := strconv.Atoi(name[min(1, len(name)-1)][:min(3, len(name[min(1, len(name)-1)]))]); err == nil && n >= 100 {
		status = n
	}
	var whole struct {
		Status  int
		Headers map[string]string
		Body    json.RawMessage
	}
	if json.Unmarshal(f.body, &whole) == nil && whole.Status != 0 && whole.Body != nil {
		status, body, header = whole.Status, whole.Body, whole.Headers
		var text string
		if json.Unmarshal(body, &text) == nil {
			body = []byte(text)
		}
	}
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for k, v := range header {
			w.Header().Set(k, v)
		}
		w.WriteHeader(status)
		_, _ = w.Write(body)
	}))
}

// sendGrid plays a file as SendGrid's answer to a message.
func sendGrid() door {
	return door{try: func(ctx context.Context, _ *hall, f fixture) (string, error) {
		server := played(f)
		defer server.Close()
		channel, err := email.NewSendGrid(email.SendGridConfig{Key: "SG.fixture", BaseURL: server.URL})
		if err != nil {
			return "", err
		}
		_, err = channel.Send(ctx, deliver.Message{
			DeliveryID: "1", From: deliver.Address{Address: "calls@acme.example"}, To: []deliver.Address{{Address: "ana@acme.example"}},
			Subject: "A call", Text: "Somebody called.", Channel: deliver.Email,
		})
		if err == nil {
			return "sent", nil
		}
		failed := deliver.AsError(err)
		return fmt.Sprintf("%s (%s)", failed.Verdict, failed.Class), nil
	}}
}

// asked plays a file as a model's answer.
func asked() door {
	return door{try: func(ctx context.Context, _ *hall, f fixture) (string, error) {
		server := played(f)
		defer server.Close()
		model, err := openai.New(openai.Config{
			BaseURL: server.URL + "/v1", Key: "sk-fixture", Model: "fixture", Timeout: 5 * time.Second,
			Sleep: func(context.Context, time.Duration) error { return nil },
		})
		if err != nil {
			return "", err
		}
		_, err = model.Complete(ctx, llm.Request{
			Messages: []llm.Message{{Role: "user", Content: "What was said?"}}, SchemaName: "answer", Schema: json.RawMessage(`{"type":"object"}`), MaxTokens: 100,
		})
		var failed *llm.Error
		switch {
		case err == nil:
			return "an answer", nil
		case errors.As(err, &failed):
			return "no answer: " + string(failed.Kind), nil
		}
		return "no answer: " + err.Error(), nil
	}}
}
