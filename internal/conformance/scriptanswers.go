package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"aftercall/internal/chaos/bed"
)

// answers reads over the API what was posted, and has each payload refused.
func (h *hall) answers(ctx context.Context, o *outcome, payloads, ids []string) error {
	a := &asker{hall: h, o: o}
	err := a.calls(ctx, payloads, ids)
	if err != nil {
		return err
	}
	if a.key, err = h.readerKey(ctx, deskHostile); err != nil {
		return err
	}
	for _, list := range []string{"conversations?since=2026-01-01T00:00:00Z&", "deliveries?since=2026-01-01T00:00:00Z&", "tasks?", "alerts?", "reviews?"} {
		n, err := a.list(ctx, list)
		if err == nil && n < len(payloads) {
			err = fmt.Errorf("the list %s holds %d, of %d that were posted", list, n, len(payloads))
		}
		if err != nil {
			return err
		}
	}
	if err := a.stream(ctx, min(100, len(payloads))); err != nil {
		return err
	}
	return a.refusals(ctx, payloads, ids)
}

// asker asks the API, and holds every answer against what a browser might make of it.
type asker struct {
	*hall
	o   *outcome
	key string
}

// readerKey makes a key that reads an account.
func (h *hall) readerKey(ctx context.Context, account string) (string, error) {
	out, _, err := h.bed.Run(ctx, "keys", "add", account, "reader", "--scope", "read")
	for l := range strings.Lines(out) {
		if l = strings.TrimSpace(l); strings.HasPrefix(l, "ac_") {
			return l, nil
		}
	}
	return "", errors.Join(fmt.Errorf("make a key that reads %s: none was printed", account), err)
}

// ask sends a request and gives the answer, of which nothing was read yet.
func (a *asker) ask(ctx context.Context, method, path string, body []byte, header ...string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, a.bed.Web+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("ask the API: %w", err)
	}
	if a.key != "" {
		r.Header.Set("Authorization", "Bearer "+a.key)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := a.client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("ask the API: %w", err)
	}
	return res, nil
}

// harmless notes what a browser could make of an answer that is not data of this kind.
func (a *asker) harmless(id string, res *http.Response, kind string, raw []byte) {
	policy := res.Header.Get("Content-Security-Policy")
	switch {
	case res.Header.Get("Content-Type") != kind || res.Header.Get("X-Content-Type-Options") != "nosniff":
		a.o.add(row{id: id, wrong: true, detail: fmt.Sprintf("typed %q, %q", res.Header.Get("Content-Type"), res.Header.Get("X-Content-Type-Options"))})
	case !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "sandbox"):
		a.o.add(row{id: id, wrong: true, detail: fmt.Sprintf("its policy is %q", policy)})
	case bytes.ContainsAny(raw, "<>&\u2028\u2029"):
		a.o.add(row{id: id, wrong: true, detail: "it has a character that markup begins with"})
	}
}

// read asks for something that is there.
func (a *asker) read(ctx context.Context, path string, into any) error {
	res, err := a.ask(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d", res.StatusCode)
	}
	if err == nil {
		err = json.Unmarshal(raw, into)
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	a.harmless(path, res, "application/json", raw)
	return nil
}

// calls reads the calls that have a hundred payloads each, and the messages that were made of one of them.
func (a *asker) calls(ctx context.Context, payloads, ids []string) (err error) {
	if a.key, err = a.readerKey(ctx, "strings"); err != nil {
		return err
	}
	for n := 0; n*payloadsInOne < len(payloads); n++ {
		var call struct {
			Conversation struct{ Turns []bed.Turn }
			Deliveries   []struct{ ID, Channel string }
		}
		if err := a.read(ctx, fmt.Sprintf("/v1/conversations/xss-%d", n), &call); err != nil {
			return err
		}
		for i, p := range payloads[n*payloadsInOne : min(len(payloads), (n+1)*payloadsInOne)] {
			if i >= len(call.Conversation.Turns) || call.Conversation.Turns[i].Text != p {
				a.o.add(row{id: ids[n*payloadsInOne+i] + " over the API", wrong: true, detail: "is not there as the text it is"})
			}
		}
		for _, d := range call.Deliveries {
			if d.Channel == "email" {
				if err := a.read(ctx, "/v1/deliveries/"+d.ID, &struct{}{}); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// list reads a list to its end, and says how many are in it.
func (a *asker) list(ctx context.Context, list string) (n int, err error) {
	cursor := "before"
	if strings.HasPrefix(list, "tasks") {
		cursor = "after"
	}
	path := "/v1/" + list + "limit=200"
	for next, first := "", true; first || next != ""; first = false {
		var page struct {
			Items []any
			Next  string
		}
		if err := a.read(ctx, path+"&"+cursor+"="+url.QueryEscape(next), &page); err != nil {
			return n, err
		}
		n, next = n+len(page.Items), page.Next
	}
	return n, nil
}

// stream hears the newest alerts, with which a stream begins, each in one line of its own.
func (a *asker) stream(ctx context.Context, newest int) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	res, err := a.ask(ctx, http.MethodGet, "/v1/alerts/stream", nil, "Last-Event-ID", "00000000-0000-0000-0000-000000000000")
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	lines, heard := bufio.NewScanner(res.Body), 0
	lines.Buffer(nil, 1<<20)
	for heard < newest && lines.Scan() {
		text := lines.Text()
		a.harmless("the stream of alerts", res, "text/event-stream", []byte(text))
		data, ok := strings.CutPrefix(text, "data: ")
		switch {
		case ok && json.Unmarshal([]byte(data), &struct{ Text string }{}) == nil:
			heard++
		case ok, text != "" && text != "event: alert" && !strings.HasPrefix(text, "id: ") && !strings.HasPrefix(text, "retry: ") && !strings.HasPrefix(text, ":"):
			a.o.add(row{id: "the stream of alerts", wrong: true, detail: fmt.Sprintf("it says %q", text)})
		}
	}
	if heard < newest {
		return fmt.Errorf("the stream tells of %d alerts: %w", heard, lines.Err())
	}
	return nil
}

// refusals has each payload refused: as a path and a query that are not there, and as a body that is no call.
func (a *asker) refusals(ctx context.Context, payloads, ids []string) error {
	a.key = a.bed.Keys[deskHostile]
	for i, p := range payloads {
		body, err := json.Marshal(map[string]any{p: p, "id": p, "metadata": map[string]any{p: 1}})
		if err != nil {
			return err
		}
		for _, asked := range []struct {
			method, path string
			body         []byte
		}{{http.MethodGet, "/v1/" + url.PathEscape(p) + "?" + url.Values{p: {p}}.Encode(), nil}, {http.MethodPost, "/v1/conversations", body}} {
			res, err := a.ask(ctx, asked.method, asked.path, asked.body, "Content-Type", "application/json", "Idempotency-Key", "x")
			if err != nil {
				return err
			}
			raw, err := io.ReadAll(res.Body)
			_ = res.Body.Close()
			if err != nil {
				return fmt.Errorf("read a refusal: %w", err)
			}
			if res.StatusCode < 300 { // a redirect is none: the client follows it
				return fmt.Errorf("%s is not refused: %d", ids[i], res.StatusCode)
			}
			a.harmless(ids[i]+" refused by "+asked.method, res, "application/problem+json", raw)
		}
	}
	return nil
}
