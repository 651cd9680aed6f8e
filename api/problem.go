package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"aftercall/internal/store"
	"aftercall/ops"
	"aftercall/people"
)

// problem is every answer but the one that was asked for (RFC 9457), and what the log is told of it.
type problem struct {
	status int
	detail string // never a word of the caller's
	remedy string
	faults []fault
	after  int   // seconds until it is worth trying again; 0: not said
	cause  error // for the log only
}

// Error is what is wrong.
func (p *problem) Error() string { return p.detail }

// fault is one thing wrong with a request: of its body at a JSON pointer, of its query under a name.
type fault struct {
	Pointer string `json:"pointer"`
	Detail  string `json:"detail"`
}

func (p *problem) write(w http.ResponseWriter) {
	if p.after > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(p.after))
	}
	if p.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="aftercall"`)
	}
	body, err := json.Marshal(struct {
		Title  string  `json:"title"`
		Status int     `json:"status"`
		Detail string  `json:"detail,omitempty"`
		Remedy string  `json:"remedy,omitempty"`
		Errors []fault `json:"errors,omitempty"`
	}{http.StatusText(p.status), p.status, p.detail, p.remedy, p.faults})
	if err != nil { // only strings and numbers are ever given
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	write(w, p.status, "application/problem+json", body)
}

func write(w http.ResponseWriter, status int, kind string, body []byte) {
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}

// judge says what an error is to whoever asked. What is not theirs is not there.
func judge(err error) *problem {
	var p *problem
	var refused *ops.Refused
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &refused):
		return &problem{status: http.StatusConflict, detail: refused.Sentence, remedy: "Read it again: what can be done depends on its state."}
	case errors.Is(err, store.ErrTaskChanged):
		return &problem{status: http.StatusConflict, detail: "The task was changed meanwhile.", remedy: "Read it again, and send the version that it has now."}
	case errors.Is(err, people.ErrNoKey):
		return &problem{status: http.StatusUnauthorized, detail: "There is no API key in the Authorization header.", remedy: "Send Authorization: Bearer and the key after it."}
	case errors.Is(err, store.ErrTooManyLines):
		return &problem{status: http.StatusTooManyRequests, detail: "Too many of this key's streams are open.", remedy: "Close one of them first.", after: 10}
	case errors.Is(err, store.ErrAmbiguous):
		return &problem{status: http.StatusBadRequest, detail: "More than one begins like that.", remedy: "Send more of it, or the whole id."}
	case errors.Is(err, store.ErrNotFound):
		return &problem{status: http.StatusNotFound, detail: "There is no such thing in the account of this key.", remedy: "Look it up in its list; an id counts in one account only."}
	case errors.Is(err, context.Canceled):
		return &problem{status: http.StatusServiceUnavailable, detail: "The request ended before it was answered.", remedy: "Ask again; with an Idempotency-Key nothing is done twice.", after: 1, cause: err}
	case store.Away(err):
		return &problem{status: http.StatusServiceUnavailable, detail: "The database is away or slow.", remedy: "Ask again; with an Idempotency-Key nothing is done twice.", after: 5, cause: err}
	}
	return &problem{status: http.StatusInternalServerError, detail: "Something went wrong here.",
		remedy: "Read what you meant to change before you ask again; the log of the server says more.", cause: err}
}

// invalid is a request with faults, all of them at once.
func invalid(faults ...fault) error {
	if len(faults) == 0 {
		return nil
	}
	return &problem{status: http.StatusBadRequest, detail: "The request has " + strconv.Itoa(len(faults)) + " fault(s).",
		remedy: "Mend each of the errors; what may stand where is described at /openapi.json.", faults: faults}
}
