package delivertest

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"time"
	"unicode/utf16"
)

// Salesforce is a local server with the wire format of Salesforce's log-in, its query for names and its Connect API for
// posts. It refuses what the real one refuses and records what it accepts.
type Salesforce struct {
	provider[Post]
	ClientID string
	Secret   string         // of the client credentials it takes
	Key      *rsa.PublicKey // for the assertions it takes
	Names    map[string][]string

	tokens  map[string]bool // that are valid
	logins  int
	queries []string
}

// Post is a post that the server has whole.
type Post struct {
	Delivery   string // as the request's header names it
	Subject    string
	Visibility string
	Text       string // of all segments, a mention as @ and the id
	Raw        []byte
	Token      string
}

// NewSalesforce starts the server. Close ends it. names are the ids of each user ("user:Maria Lopez") and group.
func NewSalesforce(clientID, secret string, names map[string][]string) *Salesforce {
	s := &Salesforce{ClientID: clientID, Secret: secret, Names: names, tokens: map[string]bool{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /services/oauth2/token", s.login)
	mux.HandleFunc("GET /services/data/{version}/query", s.query)
	mux.HandleFunc("POST /services/data/{version}/chatter/feed-elements", s.post)
	s.open(httptest.NewServer, mux)
	return s
}

// Expire ends every session.
func (s *Salesforce) Expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens)
}

// Posts lists what was taken, in order.
func (s *Salesforce) Posts() []Post { return s.all() }

// Logins counts the log-ins that were asked for, Queries lists the questions for names.
func (s *Salesforce) Logins() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.logins
}

// Queries lists the questions for names.
func (s *Salesforce) Queries() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.queries...)
}

func answerJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func salesforceRefuses(w http.ResponseWriter, status int, code, message string) {
	answerJSON(w, status, []map[string]string{{"message": message, "errorCode": code}})
}

// login gives a token for the right credentials. Its answer never says how long it lasts.
func (s *Salesforce) login(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.logins++
	token := fmt.Sprintf("00D000000000001!LOCAL.%04d.canary", s.logins)
	s.mu.Unlock()
	if fault, why := s.refusal(r); fault != "" {
		answerJSON(w, http.StatusBadRequest, map[string]string{"error": fault, "error_description": why})
		return
	}
	s.mu.Lock()
	s.tokens[token] = true
	s.mu.Unlock()
	answerJSON(w, http.StatusOK, map[string]string{
		"access_token": token, "instance_url": "https://acme.my.salesforce.com", "token_type": "Bearer",
		"id": "https://login.salesforce.com/id/00Dx0000000BV7zEAH/005x00000012Q9PAAU", "issued_at": fmt.Sprint(time.Now().UnixMilli()), "signature": "c2ln",
	})
}

func (s *Salesforce) refusal(r *http.Request) (code, why string) {
	switch r.PostFormValue("grant_type") {
	case "":
		return "invalid_request", "grant type is missing"
	case "client_credentials":
		if s.Secret == "" || r.PostFormValue("client_id") != s.ClientID || r.PostFormValue("client_secret") != s.Secret {
			return "invalid_client", "invalid client credentials"
		}
	case "urn:ietf:params:oauth:grant-type:jwt-bearer":
		if !s.signed(r.PostFormValue("assertion")) {
			return "invalid_grant", "invalid assertion"
		}
	default:
		return "unsupported_grant_type", "grant type not supported"
	}
	return "", ""
}

// signed checks an assertion as Salesforce does: the algorithm, who it is of and for, until when, and the signature.
func (s *Salesforce) signed(assertion string) bool {
	parts := strings.Split(assertion, ".")
	if len(parts) != 3 || s.Key == nil {
		return false
	}
	var header struct{ Alg string }
	var claims struct {
		Iss, Sub, Aud string
		Exp           int64
	}
	for i, into := range []any{&header, &claims} {
		b, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil || json.Unmarshal(b, into) != nil {
			return false
		}
	}
	left := time.Until(time.Unix(claims.Exp, 0))
	if header.Alg != "RS256" || claims.Iss != s.ClientID || claims.Sub == "" || !strings.HasSuffix(claims.Aud, ".salesforce.com") || left <= 0 || left > 3*time.Minute {
		return false
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	return err == nil && rsa.VerifyPKCS1v15(s.Key, crypto.SHA256, digest[:], signature) == nil
}

// admitted reports whether a request bears a session, and answers it if not.
func (s *Salesforce) admitted(w http.ResponseWriter, r *http.Request) (token string, ok bool) {
	token, _ = strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.tokens[token] {
		salesforceRefuses(w, http.StatusUnauthorized, "INVALID_SESSION_ID", "Session expired or invalid")
		return token, false
	}
	return token, true
}

// named is the two queries that the server understands.
var named = regexp.MustCompile(`^SELECT Id FROM (User|CollaborationGroup) WHERE \(?Name = '((?:[^'\\]|\\['\\])*)'(?: OR Username = '((?:[^'\\]|\\['\\])*)'\))? AND (?:IsActive = true|IsArchived = false) ORDER BY Id LIMIT \d+$`)

func (s *Salesforce) query(w http.ResponseWriter, r *http.Request) {
	if _, ok := s.admitted(w, r); !ok {
		return
	}
	q := r.URL.Query().Get("q")
	s.mu.Lock()
	s.queries = append(s.queries, q)
	s.mu.Unlock()
	m := named.FindStringSubmatch(q)
	if m == nil {
		salesforceRefuses(w, http.StatusBadRequest, "MALFORMED_QUERY", "unexpected token")
		return
	}
	key := map[string]string{"User": "user:", "CollaborationGroup": "group:"}[m[1]] + strings.NewReplacer(`\\`, `\`, `\'`, `'`).Replace(m[2])
	records := []map[string]any{}
	for _, id := range s.Names[key] {
		records = append(records, map[string]any{"attributes": map[string]string{"type": m[1]}, "Id": id})
	}
	answerJSON(w, http.StatusOK, map[string]any{"totalSize": len(records), "done": true, "records": records})
}

func (s *Salesforce) post(w http.ResponseWriter, r *http.Request) {
	token, ok := s.admitted(w, r)
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if !ok || err != nil {
		return
	}
	n := s.asked()
	p, code := readPost(body)
	p.Delivery, p.Raw, p.Token = r.Header.Get("X-Request-Id"), body, token
	if code != "" || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		salesforceRefuses(w, http.StatusBadRequest, code, "the post is not right")
		return
	}
	if !s.taken(w, r, n, p) {
		return
	}
	id := fmt.Sprintf("0D5D%011dKAK", n)
	answerJSON(w, http.StatusCreated, map[string]any{
		"feedElementType": "FeedItem", "id": id, "url": "/services/data/v62.0/chatter/feed-elements/" + id,
		"body": map[string]string{"text": p.Text}, "actor": map[string]string{"id": "005D00000016QxpIAE"},
	})
}

// readPost holds a post against the rules of the Connect API.
func readPost(body []byte) (p Post, code string) {
	var q struct {
		Type       string `json:"feedElementType"`
		SubjectID  string `json:"subjectId"`
		Visibility string
		Body       struct {
			Segments []struct{ Type, Text, ID string } `json:"messageSegments"`
		}
	}
	if json.Unmarshal(body, &q) != nil || q.Type != "FeedItem" || len(q.Body.Segments) == 0 {
		return p, "JSON_PARSER_ERROR"
	}
	if !idForm.MatchString(q.SubjectID) {
		return p, "INVALID_ID_FIELD"
	}
	if q.Visibility != "" && q.Visibility != "AllUsers" && q.Visibility != "InternalUsers" {
		return p, "POST_BODY_PARSE_ERROR"
	}
	for _, one := range q.Body.Segments {
		switch {
		case one.Type == "Text" && one.Text != "":
			p.Text += one.Text
		case one.Type == "Mention" && strings.HasPrefix(one.ID, "005") && idForm.MatchString(one.ID):
			p.Text += "@" + one.ID
		default:
			return p, "POST_BODY_PARSE_ERROR"
		}
	}
	if len(utf16.Encode([]rune(p.Text))) > 10_000+25*19 {
		return p, "STRING_TOO_LONG"
	}
	p.Subject, p.Visibility = q.SubjectID, q.Visibility
	return p, ""
}

var idForm = regexp.MustCompile(`^[A-Za-z0-9]{15}(?:[A-Z0-5]{3})?$`)
