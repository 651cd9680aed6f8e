package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
)

// mailRequest is as much of SendGrid's mail/send as the history needs.
type mailRequest struct {
	Subject          string
	Personalizations []struct {
		To, CC []struct{ Email string }
	}
	Content    []struct{ Type, Value string }
	CustomArgs map[string]string `json:"custom_args"`
}

// send plays POST /v3/mail/send.
func (p *providers) send(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return // half a request: the provider never acts on it
	}
	var m mailRequest
	if err := json.Unmarshal(raw, &m); err != nil {
		http.Error(w, "not JSON", http.StatusBadRequest)
		return
	}
	e := entry{
		Kind: "mail", Subject: m.CustomArgs["conversation_id"], Delivery: m.CustomArgs["delivery_id"],
		Automation: m.CustomArgs["automation_id"], Attempt: m.CustomArgs["attempt"], Digest: digest(m),
	}
	for _, per := range m.Personalizations {
		for _, a := range append(per.To, per.CC...) {
			e.To = append(e.To, a.Email)
		}
	}
	c, fault, end := p.begin("mail", e.Delivery)
	defer end()
	e.Fault = fault
	if c.Keep {
		e.Mail = string(raw)
	}
	if c.Close {
		w.Header().Set("Connection", "close")
	}
	switch fault {
	case "429", "500", "400", "401", "403", "413":
		if fault == "429" {
			e.Wait = c.RetryAfter
		}
		if seq, err := p.history.keep(e); err == nil {
			refuseWith(w, fault, c.RetryAfter, `{"errors":[{"message":`+c.explains(r, raw, fault)+`,"field":null,"help":null}]}`)
			p.answered(w, seq)
		}
		return
	case "down":
		seq, _ := p.history.keep(e)
		hangUp(w)
		_, _ = p.history.keep(entry{Kind: "cut", Of: seq})
		return
	}
	e.Accepted, e.Status = true, http.StatusAccepted
	seq, err := p.history.keep(e)
	if err != nil {
		http.Error(w, "the history cannot be written", http.StatusInternalServerError)
		return
	}
	if fault == "hang_after_accept" {
		<-r.Context().Done()
		return
	}
	if !c.wait(r) {
		return
	}
	w.Header().Set("X-Message-Id", "fake-"+e.Delivery)
	w.WriteHeader(http.StatusAccepted)
	p.answered(w, seq)
}

// answered notes that an answer left this process whole. Whether the client took it, only the client knows.
func (p *providers) answered(w http.ResponseWriter, seq int64) {
	if p.history.tally != nil {
		return
	}
	if http.NewResponseController(w).Flush() == nil {
		_, _ = p.history.keep(entry{Kind: "answered", Of: seq})
	}
}

// digest is taken over subject, text and HTML, each ended by a NUL.
func digest(m mailRequest) string {
	parts := map[string]string{}
	for _, c := range m.Content {
		parts[c.Type] = c.Value
	}
	sum := sha256.Sum256([]byte(m.Subject + "\x00" + parts["text/plain"] + "\x00" + parts["text/html"] + "\x00"))
	return hex.EncodeToString(sum[:])
}
