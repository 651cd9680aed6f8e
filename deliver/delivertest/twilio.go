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
	"time"
)

// Twilio is a local server with the wire format of Twilio's POST /2010-04-01/Accounts/{sid}/Messages.json. It refuses what
// the real one refuses and records what it accepts.
type Twilio struct {
	provider[Text]
	SID, Token string // the account and its auth token
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
	s := &Twilio{SID: sid, Token: token}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /2010-04-01/Accounts/{sid}/Messages.json", s.create)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.refuse(w, http.StatusNotFound, 20404, "The requested resource "+r.URL.Path+" was not found")
	})
	s.open(httptest.NewServer, mux)
	return s
}

// Texts lists what was taken, in order.
func (s *Twilio) Texts() []Text { return s.all() }

func (s *Twilio) create(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return // the request never was complete
	}
	n := s.asked()
	if user, pass, _ := r.BasicAuth(); user != s.SID || pass != s.Token || r.PathValue("sid") != s.SID {
		s.refuse(w, http.StatusUnauthorized, 20003, "Authenticate")
		return
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
		s.refuse(w, http.StatusUnsupportedMediaType, 20415, "Unsupported Media Type")
		return
	}
	m := Text{SID: fmt.Sprintf("SM%032x", n), To: form.Get("To"), From: form.Get("From"), Service: form.Get("MessagingServiceSid"), Body: form.Get("Body"), Report: form.Get("StatusCallback"), At: time.Now()}
	if code, message := m.wrong(); code != 0 {
		s.refuse(w, http.StatusBadRequest, code, message)
		return
	}
	if s.taken(w, r, n, m) {
		s.accept(w, m)
	}
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

// accept answers that a message was taken.
func (s *Twilio) accept(w http.ResponseWriter, m Text) {
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
