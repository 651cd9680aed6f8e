package api

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"aftercall/internal/store"
)

// onceHeader is where a program says what it calls a request, so that it may send it again, and againHeader where it is told
// that the answer is the one to the first.
const (
	onceHeader  = "Idempotency-Key"
	againHeader = "Idempotency-Replayed"
)

// How long a name may be; how long something may be under way before nobody knows what became of it; and how long keeping the
// answer may take after that.
const (
	longestOnce = 200
	underWay    = time.Minute
	keepTimeout = 5 * time.Second
)

// once serves a request, or gives the answer that was given to it before.
func (x *exchange) once(r route) (status int, body []byte, again bool, err error) {
	name := x.Header.Get(onceHeader)
	if name == "" || !r.changes() {
		body, err = x.served(r)
		return r.status(), body, false, err
	}
	if len(name) > longestOnce || len(x.Header.Values(onceHeader)) > 1 {
		return 0, nil, false, invalid(fault{onceHeader, fmt.Sprintf("It may stand there once, with at most %d bytes.", longestOnce)})
	}
	a := x.asked(name)
	before, err := x.api.store.ClaimAnswer(x.Context(), a)
	switch {
	case err != nil:
		return 0, nil, false, err
	case before != nil:
		status, body, err = x.before(*before)
		return status, body, true, err
	}
	body, err = x.served(r)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(x.Context()), keepTimeout)
	defer cancel()
	if err != nil {
		// What is refused has changed nothing. What broke off may have changed something: then nobody knows, and that is kept.
		if judge(err).status < http.StatusInternalServerError {
			if lost := x.api.store.ForgetAnswer(ctx, a); lost != nil {
				x.api.log.WarnContext(ctx, "forget an answer", "error", lost)
			}
		}
		return 0, nil, false, err
	}
	if lost := x.api.store.KeepAnswer(ctx, a, r.status(), string(body)); lost != nil { // it was done all the same
		x.api.log.WarnContext(ctx, "keep an answer", "error", lost)
	}
	return r.status(), body, false, nil
}

// asked is the request as it is kept: by hashes.
func (x *exchange) asked(name string) store.Asked {
	token := sha256.Sum256([]byte(name))
	request := hmac.New(sha256.New, []byte(name)) // which is kept nowhere: a number in an erasure cannot be guessed from its hash
	for _, part := range [][]byte{[]byte(x.Method), []byte(x.URL.Path), []byte(x.URL.RawQuery), x.body} {
		fmt.Fprintf(request, "%d:", len(part)) // so that no two requests read alike
		request.Write(part)
	}
	return store.Asked{Key: x.key, Token: token[:], Request: request.Sum(nil)}
}

// before says what became of the request when it came first.
func (x *exchange) before(b store.Answered) (status int, body []byte, err error) {
	switch {
	case b.Other:
		return 0, nil, &problem{status: http.StatusConflict, detail: "This Idempotency-Key was sent with another request.", remedy: "Make a new one for each thing that you want done."}
	case b.Status != 0:
		return b.Status, []byte(b.Body), nil
	case x.api.now().Sub(b.At) < underWay:
		return 0, nil, &problem{status: http.StatusConflict, detail: "This request is being done.", remedy: "Ask again in a few seconds.", after: 5}
	}
	return 0, nil, &problem{status: http.StatusConflict, detail: "This request was begun, and nobody knows whether it was done.",
		remedy: "Read what you meant to change; if it was not done, ask with a new Idempotency-Key."}
}

// served is what the route answers, as JSON.
func (x *exchange) served(r route) ([]byte, error) {
	said, err := r.serve(x)
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(said)
	if err != nil {
		return nil, fmt.Errorf("write the answer of %s: %w", r.ID, err)
	}
	return body, nil
}
