package delivertest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"strings"
	"time"
)

// SendGrid is a local server with the wire format of SendGrid's POST /v3/mail/send. It refuses what the real one
// refuses and records what it accepts.
type SendGrid struct {
	provider[Mail]
	Key string // the API key it wants
}

// Mail is a message that a server has whole.
type Mail struct {
	From, ReplyTo string
	To, CC        []string
	Subject       string
	Text, HTML    string
	Args          map[string]string   // SendGrid: custom arguments
	Header        map[string][]string // SMTP: the mail's header; SendGrid: the request's
	Raw           []byte              // as it came
	At            time.Time
}

// NewSendGrid starts the server. Close ends it.
func NewSendGrid(key string) *SendGrid {
	s := &SendGrid{Key: key}
	mux := http.NewServeMux()
	mux.HandleFunc("/v3/mail/send", s.send)
	s.open(httptest.NewServer, mux)
	return s
}

// Mails lists what was taken, in order.
func (s *SendGrid) Mails() []Mail { return s.all() }

func (s *SendGrid) send(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 30<<20+1))
	if err != nil {
		return // the request never was complete
	}
	n := s.asked()
	status, faults, m := s.judge(r, body)
	if status != http.StatusAccepted {
		refuse(w, status, faults)
		return
	}
	if s.taken(w, r, n, m) {
		w.Header().Set("X-Message-Id", fmt.Sprintf("local-%06d", n))
		w.WriteHeader(http.StatusAccepted)
	}
}

type sgFault struct {
	Message string  `json:"message"`
	Field   *string `json:"field"`
	Help    *string `json:"help"`
}

func refuse(w http.ResponseWriter, status int, faults []sgFault) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": faults})
}

type sgPerson struct{ Email, Name string }

type sgRequest struct {
	From             *sgPerson
	ReplyTo          *sgPerson `json:"reply_to"`
	Subject          string
	Personalizations []struct {
		To, CC, BCC []sgPerson
		Subject     string
	}
	Content []struct{ Type, Value string }
	Args    map[string]string `json:"custom_args"`
}

// judge holds a request against the rules of mail/send.
func (s *SendGrid) judge(r *http.Request, body []byte) (status int, faults []sgFault, m Mail) {
	one := func(status int, message string) (int, []sgFault, Mail) {
		return status, []sgFault{{Message: message}}, m
	}
	switch {
	case r.Method != http.MethodPost:
		return one(http.StatusMethodNotAllowed, "method not allowed")
	case r.Header.Get("Authorization") != "Bearer "+s.Key:
		return one(http.StatusUnauthorized, "The provided authorization grant is invalid, expired, or revoked")
	case !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json"):
		return one(http.StatusUnsupportedMediaType, "Content-Type should be application/json.")
	case len(body) > 30<<20:
		return one(http.StatusRequestEntityTooLarge, "The total size of your message exceeds 30MB.")
	}
	var q sgRequest
	if json.Unmarshal(body, &q) != nil {
		return one(http.StatusBadRequest, "Bad Request")
	}
	if faults = q.faults(); len(faults) > 0 {
		return http.StatusBadRequest, faults, m
	}
	return http.StatusAccepted, nil, q.mail(r, body)
}

// faults lists what mail/send finds wrong.
func (q sgRequest) faults() (out []sgFault) {
	add := func(field, message string) { out = append(out, sgFault{Message: message, Field: &field}) }
	if q.From == nil || !plausible(q.From.Email) {
		add("from.email", "The from email does not contain a valid address.")
	}
	if len(q.Personalizations) == 0 || len(q.Personalizations) > 1000 {
		add("personalizations", "The personalizations field is required and must have at least one personalization.")
	}
	size := 0
	for k, v := range q.Args {
		size += len(k) + len(v)
	}
	if size > 10_000 {
		add("custom_args", "The custom_args are larger than 10000 bytes.")
	}
	for i, p := range q.Personalizations {
		at := fmt.Sprintf("personalizations.%d.", i)
		if len(p.To) == 0 {
			add(at+"to", "The to array is required and must have at least one recipient.")
		}
		if q.Subject == "" && p.Subject == "" {
			add("subject", "The subject is required. You can get around this requirement if you use a template with a subject defined or if every personalization has a subject defined.")
		}
		seen := map[string]bool{}
		for list, people := range map[string][]sgPerson{"to": p.To, "cc": p.CC, "bcc": p.BCC} {
			for j, who := range people {
				if !plausible(who.Email) {
					add(fmt.Sprintf("%s%s.%d.email", at, list, j), "Does not contain a valid address.")
				}
				if key := strings.ToLower(who.Email); seen[key] {
					add(at+list, "Each email address in the personalization block should be unique between to, cc, and bcc.")
				} else {
					seen[key] = true
				}
			}
		}
	}
	return append(out, q.contentFaults()...)
}

func (q sgRequest) contentFaults() (out []sgFault) {
	add := func(field, message string) { out = append(out, sgFault{Message: message, Field: &field}) }
	if len(q.Content) == 0 {
		add("content", "Unless a valid template_id is provided, the content parameter is required.")
	}
	for i, c := range q.Content {
		if c.Type == "" || c.Value == "" {
			add(fmt.Sprintf("content.%d.value", i), "The content value must be a string at least one character in length.")
		}
		if c.Type == "text/plain" && i > 0 {
			add("content", "If present, text/plain and text/html may only be provided once and in that order.")
		}
	}
	return out
}

func plausible(email string) bool {
	a, err := mail.ParseAddress(email)
	return err == nil && a.Name == "" && a.Address == email
}

func (q sgRequest) mail(r *http.Request, body []byte) Mail {
	m := Mail{From: q.From.Email, Subject: q.Subject, Args: q.Args, Header: r.Header.Clone(), Raw: body, At: time.Now()}
	delete(m.Header, "Authorization")
	if q.ReplyTo != nil {
		m.ReplyTo = q.ReplyTo.Email
	}
	for _, p := range q.Personalizations {
		for _, a := range p.To {
			m.To = append(m.To, a.Email)
		}
		for _, a := range p.CC {
			m.CC = append(m.CC, a.Email)
		}
	}
	for _, c := range q.Content {
		if c.Type == "text/html" {
			m.HTML = c.Value
		} else {
			m.Text = c.Value
		}
	}
	return m
}
