package ingest

import (
	"encoding/json"
	"net/http"
	"strconv"

	"aftercall/conversation"
)

// accepted is the body of every 200.
type accepted struct {
	ID             string `json:"id"`                        // the platform's id of the conversation, else the event's identity
	ConversationID string `json:"conversation_id,omitempty"` // ours
	Duplicate      bool   `json:"duplicate,omitempty"`       // accepted before, or erased since; nothing changed
	Ignored        bool   `json:"ignored,omitempty"`         // nobody asked for this type of event
}

// problem is every other answer (RFC 9457), and what the log is told of it.
type problem struct {
	status int
	detail string // goes into the log, too: never a word of the caller's, whose id may be an e-mail address
	faults []conversation.Fault
	after  int   // seconds until it is worth trying again; 0: not said
	scheme bool  // say how to authenticate
	cause  error // for the log only
}

// fault is one thing wrong in a body.
type fault struct {
	Pointer string `json:"pointer"` // RFC 6901
	Detail  string `json:"detail"`
}

func (p *problem) write(w http.ResponseWriter) {
	out := struct {
		Title  string  `json:"title"`
		Status int     `json:"status"`
		Detail string  `json:"detail,omitempty"`
		Errors []fault `json:"errors,omitempty"`
	}{Title: http.StatusText(p.status), Status: p.status, Detail: p.detail}
	for _, f := range p.faults {
		out.Errors = append(out.Errors, fault{Pointer: f.Pointer, Detail: f.Message})
	}
	if p.after > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(p.after))
	}
	if p.scheme {
		w.Header().Set("WWW-Authenticate", `Bearer realm="aftercall"`)
	}
	writeJSON(w, p.status, "application/problem+json", out)
}

func writeJSON(w http.ResponseWriter, status int, kind string, v any) {
	body, err := json.Marshal(v)
	if err != nil { // only strings, numbers and booleans are ever given
		http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}

func faulty(faults []conversation.Fault) *problem {
	detail := "The body has " + strconv.Itoa(len(faults)) + " faults."
	if len(faults) == 1 {
		detail = "The body has a fault."
	}
	return &problem{status: http.StatusBadRequest, detail: detail, faults: faults}
}

func unauthorized(detail string) *problem {
	return &problem{status: http.StatusUnauthorized, detail: detail, scheme: true}
}

func conflict() *problem {
	return &problem{status: http.StatusConflict,
		detail: "This id was accepted before with another body. The first one stands; the contradiction is recorded."}
}
