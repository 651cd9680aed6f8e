package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"strconv"
	"strings"

	"aftercall/deliver"
	"aftercall/deliver/sms"
	"aftercall/internal/chaos/corpus"
)

// segments are texts with the number of pieces that Twilio bills for them.
func segments() suite {
	return suite{
		name: "sms-segments", try: trySegments,
		how: "Every text is counted by `deliver.SegmentsOf`, which the check of config, the pages and the sender ask; alphabet and number of pieces must be the corpus's.",
	}
}

func trySegments(_ context.Context, h *hall) (o outcome, err error) {
	type text struct {
		Name     string `json:"testDescription"`
		Body     string
		Encoding string
		Segments int
	}
	rows, err := corpus.Read[text](h.data.Data("sms-segments", "cases.json"))
	for n, t := range rows {
		got := deliver.SegmentsOf(t.Body)
		r := row{id: fmt.Sprintf("%d %s", n, t.Name), detail: fmt.Sprintf("%d in %s, want %d in %s", got.Count, got.Encoding(), t.Segments, t.Encoding)}
		r.wrong = got.Count != t.Segments || got.Encoding() != t.Encoding
		o.add(r)
	}
	return o, err
}

// texted is the door of what Twilio's Messages API answers, reports and is asked: an answer is given to a text that the channel sends, a report is
// read as the callbacks read it, and the recorded request must be the one that the channel makes of the same text.
func texted() door {
	return door{try: func(ctx context.Context, _ *hall, f fixture) (string, error) {
		return becameOf(ctx, path.Base(f.path), f.body), nil
	}}
}

// becameOf takes a file where it belongs, and says what became of it.
func becameOf(ctx context.Context, name string, body []byte) string {
	kind, rest, _ := strings.Cut(name, "_")
	switch kind {
	case "error", "response":
		status, _ := strconv.Atoi(rest[:3])
		_, became := sendText(ctx, status, body, deliver.Message{Text: "Hello", To: []deliver.Address{{Address: "+15558675310"}}}, "")
		return became
	case "status":
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return err.Error()
		}
		r, ok := sms.ReportOf(form)
		switch {
		case !ok:
			return "ignored"
		case r.Fact == deliver.Lost:
			return fmt.Sprintf("%s (%s %d)", r.Fact, r.Class, r.Status)
		}
		return string(r.Fact)
	case "request":
		return sameRequest(ctx, name, body)
	}
	return "nobody knows it"
}

// sameRequest makes the recorded request's text the channel's, and compares.
func sameRequest(ctx context.Context, name string, body []byte) string {
	form, _ := url.ParseQuery("Body=Hi+there&From=%2B15017122661&StatusCallback=https%3A%2F%2Fexample.com&To=%2B15558675310")
	if !strings.Contains(name, "headers") {
		form, _ = url.ParseQuery(string(body))
	}
	m := deliver.Message{Text: form.Get("Body"), From: deliver.Address{Address: form.Get("From")}, To: []deliver.Address{{Address: form.Get("To")}}}
	got, became := sendText(ctx, http.StatusCreated, []byte(`{"sid": "SM1"}`), m, form.Get("StatusCallback"))
	switch {
	case got == nil:
		return became
	case !strings.Contains(name, "headers") && got.body == string(body):
		return "sent as recorded"
	case strings.HasPrefix(string(body), got.line+"\r\n") || strings.HasPrefix(string(body), got.line+" HTTP/1.1"):
		return "posted as recorded"
	}
	return "another request: " + got.line
}

// question is a request that the channel made.
type question struct{ line, body string }

// sendText sends a message to a server that gives one answer, and says what the channel makes of it.
func sendText(ctx context.Context, status int, answer []byte, m deliver.Message, report string) (got *question, became string) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = &question{r.Method + " " + r.URL.Path, string(body)}
		w.WriteHeader(status)
		_, _ = w.Write(answer)
	}))
	defer server.Close()
	channel, err := sms.NewTwilio(sms.Config{AccountSID: "AC" + strings.Repeat("a", 32), AuthToken: "authtoken", BaseURL: server.URL,
		Report: func(string, string) string { return report }})
	if err != nil {
		return nil, err.Error()
	}
	m.DeliveryID = "d"
	if m.From.Address == "" {
		m.From.Address = "+15017122661"
	}
	receipt, err := channel.Send(ctx, m)
	if err != nil {
		return got, deliver.AsError(err).Error()
	}
	return got, "receipt " + receipt.ProviderID
}
