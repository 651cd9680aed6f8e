package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"time"

	"aftercall/deliver"
	"aftercall/deliver/wire"
)

// A channel that nobody has, added as CONTRIBUTING.md says under "Add a channel": another provider of texts. Its line among the
// channels and its settings are in internal/chaos/bed/variants/one-more-of-each.txtar, with which this file is built into a
// product that sends by it (internal/chaos/added_test.go). Whoever changes what a channel is changes that text, too.

// pager is the channel: it posts {"to": …, "words": …, "ref": …} to a paging service, which answers 201 with {"page": …}.
type pager struct {
	url, key string
	http     *http.Client
}

// newPager is what the line in cmd/aftercall calls.
func newPager(url, key string) *pager { return &pager{url: url, key: key, http: wire.Client(8)} }

// Send hands m to the paging service once.
func (p *pager) Send(ctx context.Context, m deliver.Message) (deliver.Receipt, error) {
	if len(m.To) != 1 || m.Text == "" {
		return deliver.Receipt{}, &deliver.Error{Verdict: deliver.Refused, Class: "bad_request", Detail: "a page is one text for one pager"}
	}
	if err := ctx.Err(); err != nil {
		return deliver.Receipt{}, &deliver.Error{Verdict: deliver.Retry, Class: wire.ClassOf(err), Detail: "there was no time left to begin"}
	}
	body, err := json.Marshal(map[string]string{"to": m.To[0].Address, "words": m.Text, "ref": m.DeliveryID})
	if err != nil {
		return deliver.Receipt{}, &deliver.Error{Verdict: deliver.Refused, Class: "bad_request", Detail: "the page cannot be written"}
	}
	var progress wire.Progress
	req, err := http.NewRequestWithContext(progress.Trace(ctx), http.MethodPost, p.url+"/pages", bytes.NewReader(body))
	if err != nil {
		return deliver.Receipt{}, &deliver.Error{Verdict: deliver.Refused, Class: "bad_request", Detail: "the service has no such address"}
	}
	req.Header.Set("X-Key", p.key)
	res, err := p.http.Do(req)
	if err != nil {
		return deliver.Receipt{}, progress.Verdict(ctx, err)
	}
	defer res.Body.Close()
	if no := paged(res); no != nil {
		return deliver.Receipt{}, no
	}
	var kept struct{ Page string }
	_ = json.NewDecoder(res.Body).Decode(&kept) // it was taken all the same if the answer cannot be read
	return deliver.Receipt{Provider: "pager", ProviderID: kept.Page}, nil
}

// paged judges an answer by its status alone: its words may repeat what was sent.
func paged(res *http.Response) *deliver.Error {
	e := &deliver.Error{Status: res.StatusCode, Verdict: deliver.Refused, Class: "bad_request"}
	switch {
	case res.StatusCode == http.StatusCreated:
		return nil
	case res.StatusCode == http.StatusUnauthorized:
		e.Verdict, e.Class, e.After = deliver.Retry, "auth", 5*time.Minute
	case res.StatusCode == http.StatusTooManyRequests:
		e.Verdict, e.Class, e.After = deliver.Retry, "rate_limited", wire.After(res.Header, time.Now())
	case res.StatusCode >= 500:
		e.Verdict, e.Class = deliver.Retry, "server"
	case res.StatusCode < 300:
		e.Verdict, e.Class = deliver.Unknown, "protocol"
	}
	return e
}
