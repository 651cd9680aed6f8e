package delivertest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"
)

// Twilio is a local server with the wire format of Twilio's POST /2010-04-01/Accounts/{sid}/Messages.json. It refuses what
// the real one refuses and records what it accepts.
type Twilio struct {
	URL        string
	SID, Token string // the account and its auth token

	server *httptest.Server
	ended  chan struct{}

	mu       sync.Mutex
	fault    func(n int, m Text) Fault
	requests int
	texts    []Text
}

// Text is a message that the server has whole.
type Text struct {
	SID                     string // ours
	To, From, Service, Body string
	Report                  string // where its fate is to be reported
	At                      time.Time
}

// DeliveryID is the delivery that the reports of a text are to be about.
func (t Text) DeliveryID() string {
	u, err := url.Parse(t.Report)
	if err != nil {
		return ""
	}
	return u.Query().Get("delivery")
}

// NewTwilio starts the server. Close ends it.
func NewTwilio(sid, token string) *Twilio {
	s := &Twilio{SID: sid, Token: token, ended: make(chan struct{})}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /2010-04-01/Accounts/{sid}/Messages.json", s.create)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.refuse(w, http.StatusNotFound, 20404, "The requested resource "+r.URL.Path+" was not found")
	})
	s.server = httptest.NewServer(mux)
	s.URL = s.server.URL
	return s
}

// Close ends the server and every request that is still waiting.
func (s *Twilio) Close() {
	close(s.ended)
	s.server.CloseClientConnections()
	s.server.Close()
}

// Fail sets what is done to the n-th request (from 1), m being what it carries; nil accepts everything.
func (s *Twilio) Fail(f func(n int, m Text) Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
}

// Texts lists what was taken, in order.
func (s *Twilio) Texts() []Text {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Text(nil), s.texts...)
}

func (s *Twilio) create(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return // the request never was complete
	}
	if user, pass, _ := r.BasicAuth(); user != s.SID || pass != s.Token || r.PathValue("sid") != s.SID {
		s.refuse(w, http.StatusUnauthorized, 20003, "Authenticate")
		return
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
		s.refuse(w, http.StatusUnsupportedMediaType, 20415, "Unsupported Media Type")
		return
	}
	m := Text{To: form.Get("To"), From: form.Get("From"), Service: form.Get("MessagingServiceSid"), Body: form.Get("Body"), Report: form.Get("StatusCallback"), At: time.Now()}
	if code, message := m.wrong(); code != 0 {
		s.refuse(w, http.StatusBadRequest, code, message)
		return
	}
	s.take(w, r, m)
}

var number = regexp.MustCompile(`^\+[1-9]\d{7,14}$`)

// wrong gives the code and the sentence with which a message is refused; 0 if nothing is wrong with it.
func (t Text) wrong() (code int, message string) {
	switch {
	case !number.MatchString(t.To):
		return 21211, fmt.Sprintf("The 'To' number %s is not a valid phone number.", t.To)
	case t.From == "" && t.Service == "":
		return 21603, "A 'From' phone number is required."
	case t.Body == "":
		return 21602, "Message body is required."
	case len([]rune(t.Body)) > 1600:
		return 21617, "The concatenated message body exceeds the 1600 character limit"
	}
	return 0, ""
}

// take records a message and answers, unless a fault is asked for.
func (s *Twilio) take(w http.ResponseWriter, r *http.Request, m Text) {
	s.mu.Lock()
	s.requests++
	n, fault := s.requests, s.fault
	s.mu.Unlock()
	var f Fault
	if fault != nil {
		f = fault(n, m)
	}
	if f.Status != 0 {
		for k, v := range f.Header {
			w.Header()[k] = v
		}
		w.WriteHeader(f.Status)
		_, _ = io.WriteString(w, f.Body)
		return
	}
	s.mu.Lock()
	m.SID = fmt.Sprintf("SM%032x", len(s.texts)+1)
	s.texts = append(s.texts, m)
	s.mu.Unlock()
	if f.misbehaves(r, s.ended) {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"sid": m.SID, "account_sid": s.SID, "api_version": "2010-04-01", "body": m.Body, "to": m.To, "from": orNull(m.From),
		"messaging_service_sid": orNull(m.Service), "status": "queued", "direction": "outbound-api", "num_segments": "1", "num_media": "0",
		"date_created": m.At.UTC().Format(time.RFC1123Z), "date_sent": nil, "error_code": nil, "error_message": nil, "price": nil, "price_unit": nil,
		"uri": "/2010-04-01/Accounts/" + s.SID + "/Messages/" + m.SID + ".json",
	})
}

func orNull(s string) any {
	if strings.TrimSpace(s) == "" {
		return nil
	}
	return s
}

func (s *Twilio) refuse(w http.ResponseWriter, status, code int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"code": code, "message": message, "status": status,
		"more_info": fmt.Sprintf("https://www.twilio.com/docs/errors/%d", code)})
}
