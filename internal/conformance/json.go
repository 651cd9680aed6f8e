package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"aftercall/internal/chaos/bed"
	"aftercall/internal/chaos/corpus"
)

// jsonSuite is texts that are JSON, or are not.
func jsonSuite() suite {
	return suite{
		name: "json-test-suite", try: tryJSON,
		how: "Every text is posted four times: as the whole body of `POST /v1/conversations`; inside the metadata of a call that is right but for it; behind a whole " +
			"call, where nothing but white space may stand; and, signed, as the body of an ElevenLabs webhook, where oddities are tolerated. What is JSON (`y_`) must be taken inside a call, and by itself be refused for " +
			"what it says (400 with the place of each fault), never as unreadable. What is none (`n_`) must be refused with 400 each time. What is open " +
			"(`i_`) may be either. Any other answer is wrong.",
	}
}

// problem is a problem's answer, as far as it is read here.
type problem struct {
	Errors []struct{ Pointer, Detail string }
}

// unreadable reports whether a body was refused as no JSON at all, and not for what it says.
func unreadable(answer []byte) bool {
	var p problem
	if err := json.Unmarshal(answer, &p); err != nil || len(p.Errors) == 0 {
		return true
	}
	return slices.ContainsFunc(p.Errors, func(e struct{ Pointer, Detail string }) bool {
		return strings.HasPrefix(e.Detail, "the body is not valid")
	})
}

const countEvents = `SELECT count(*) FROM events WHERE account_id = 'other'`

func tryJSON(ctx context.Context, h *hall) (o outcome, err error) {
	rows, err := h.data.JSONSuite()
	if err != nil {
		return o, err
	}
	before, err := h.checker.Count(ctx, countEvents)
	if err != nil {
		return o, err
	}
	taken := 0
	for i, c := range rows {
		r := row{id: c.Name}
		alone, said := h.post(ctx, "other", c.Raw)
		r.whole(c, alone, said)
		inside, said := h.post(ctx, "other", holding(fmt.Sprintf("json-%d", i), c.Raw))
		r.inside(c, inside, said)
		id := fmt.Sprintf("json-after-%d", i)
		after, _ := h.post(ctx, "other", append(holding(id, []byte("1")), c.Raw...))
		if blank := len(bytes.TrimSpace(c.Raw)) == 0; after != http.StatusBadRequest && !blank || after != http.StatusOK && blank {
			r.wrong, r.detail = true, fmt.Sprintf("after: %d", after)
		}
		labs, said := h.bed.Ask(ctx, h.client, bed.Webhook{
			Path: "/hooks/labs-json", Header: bed.SignElevenLabs(labsSecret, time.Now(), c.Raw), Body: c.Raw,
		})
		r.whole(c, labs, said)
		for _, status := range []int{alone, inside, after, labs} {
			if status == http.StatusOK {
				taken++
			}
		}
		o.add(r)
	}
	after, err := h.checker.Count(ctx, countEvents)
	if err == nil && after-before != taken {
		err = fmt.Errorf("%d events are stored, and %d posts were answered 200", after-before, taken)
	}
	o.note("%d posts, %d answered 200, %d events stored.", 4*len(rows), taken, after-before)
	return o, err
}

// whole judges the answer to a text that was the whole body.
func (r *row) whole(c corpus.JSONCase, status int, answer []byte) {
	switch {
	case status != http.StatusBadRequest && status != http.StatusOK,
		c.Expect == "reject" && status != http.StatusBadRequest:
		r.wrong, r.detail = true, fmt.Sprintf("alone: %d", status)
	case c.Expect == "accept" && status == http.StatusBadRequest && unreadable(answer):
		r.kind, r.detail = "unreadable alone", string(answer)
	}
}

// inside judges the answer to a call that holds the text.
func (r *row) inside(c corpus.JSONCase, status int, answer []byte) {
	switch {
	case status != http.StatusBadRequest && status != http.StatusOK,
		c.Expect == "reject" && status != http.StatusBadRequest:
		r.wrong, r.detail = true, fmt.Sprintf("inside: %d", status)
	case c.Expect == "accept" && status == http.StatusBadRequest:
		r.kind, r.detail = "refused inside", string(answer)
	}
}

// holding is a call whose metadata holds the text as it stands.
func holding(id string, text []byte) []byte {
	plain := bed.CallOf(id, nil, map[string]any{"turns": []bed.Turn{}, "metadata": map[string]any{"text": "here"}}).Body
	return bytes.Replace(plain, []byte(`{"text":"here"}`), slices.Concat([]byte(`{"text":`), text, []byte("}")), 1)
}
