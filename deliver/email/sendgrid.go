package email

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/mail"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/sendgrid/rest"
	"github.com/sendgrid/sendgrid-go"
	sgmail "github.com/sendgrid/sendgrid-go/helpers/mail"

	"aftercall/deliver"
	"aftercall/deliver/wire"
	"aftercall/internal/webaddress"
)

// ProviderSendGrid is what a receipt of SendGrid names.
const ProviderSendGrid = "sendgrid"

// The names of the custom arguments that SendGrid hands back in its events. They must not be event, email or timestamp:
// SendGrid puts them beside its own.
const (
	ArgDelivery     = "delivery_id"
	ArgConversation = "conversation_id" // the platform's id
	ArgAutomation   = "automation_id"
	ArgAttempt      = "attempt"
)

// SendGridConfig is what a SendGrid channel needs.
type SendGridConfig struct {
	Key         string        // API key
	BaseURL     string        // default https://api.sendgrid.com; https://api.eu.sendgrid.com for EU accounts
	Timeout     time.Duration // of one send; default 20 s
	Connections int           // kept to the provider at most; default 64
	Now         func() time.Time
}

// SendGrid sends e-mail by SendGrid's v3 API. It is safe for concurrent use.
type SendGrid struct {
	key, base string
	timeout   time.Duration
	now       func() time.Time
	http      *http.Client
}

// NewSendGrid returns the channel. It makes no request.
func NewSendGrid(c SendGridConfig) (*SendGrid, error) {
	if c.Key == "" || hasControl(c.Key) {
		return nil, errors.New("sendgrid: the API key is missing or holds a line break")
	}
	if c.BaseURL == "" {
		c.BaseURL = "https://api.sendgrid.com"
	}
	u, ok := webaddress.Parse(c.BaseURL)
	if !ok || u.RawQuery != "" || u.User != nil {
		return nil, errors.New("sendgrid: the base URL is not an absolute http or https address")
	}
	if c.Timeout <= 0 {
		c.Timeout = sendTimeout
	}
	if c.Connections <= 0 {
		c.Connections = 64
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &SendGrid{
		key: c.Key, base: strings.TrimRight(c.BaseURL, "/"), timeout: c.Timeout, now: c.Now,
		http: wire.Client(c.Connections),
	}, nil
}

// Send hands m to SendGrid once.
func (s *SendGrid) Send(ctx context.Context, m deliver.Message) (deliver.Receipt, error) {
	e, no := check(m)
	if no != nil {
		return deliver.Receipt{}, no
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	if err := ctx.Err(); err != nil {
		return deliver.Receipt{}, &deliver.Error{Verdict: deliver.Retry, Class: wire.ClassOf(err), Detail: "there was no time left to begin"}
	}
	var p wire.Progress
	// A client, with a request of its own, for every send: the library's client keeps the body in itself.
	req := sendgrid.GetRequest(s.key, "/v3/mail/send", s.base)
	req.Method, req.Body = rest.Post, sgmail.GetRequestBody(compose(m, e))
	res, err := (&rest.Client{HTTPClient: s.http}).SendWithContext(p.Trace(ctx), req)
	if err != nil {
		return deliver.Receipt{}, p.Verdict(ctx, err)
	}
	return s.judge(res)
}

// compose writes the request: one personalization, text before HTML as SendGrid demands, our ids as custom arguments.
func compose(m deliver.Message, e envelope) *sgmail.SGMailV3 {
	out := sgmail.NewV3Mail().SetFrom(person(e.from))
	out.Subject = m.Subject
	if e.replyTo != nil {
		out.SetReplyTo(person(*e.replyTo))
	}
	p := sgmail.NewPersonalization()
	for _, a := range e.to {
		p.AddTos(person(a))
	}
	for _, a := range e.cc {
		p.AddCCs(person(a))
	}
	out.AddPersonalizations(p)
	if m.Text != "" {
		out.AddContent(sgmail.NewContent("text/plain", m.Text))
	}
	if m.HTML != "" {
		out.AddContent(sgmail.NewContent("text/html", m.HTML))
	}
	out.SetCustomArg(ArgDelivery, m.DeliveryID)
	out.SetCustomArg(ArgConversation, m.ConversationID)
	out.SetCustomArg(ArgAutomation, m.AutomationID)
	out.SetCustomArg(ArgAttempt, strconv.Itoa(m.Attempt))
	return out
}

func person(a mail.Address) *sgmail.Email { return sgmail.NewEmail(a.Name, a.Address) }

// messageID is what a provider's id may look like; anything else in its place is not kept.
var messageID = regexp.MustCompile(`^[A-Za-z0-9_.\-]{1,128}$`)

// judge turns SendGrid's answer into a receipt or an error. A non-2xx answer is no error to the library.
func (s *SendGrid) judge(res *rest.Response) (deliver.Receipt, error) {
	header := http.Header(res.Headers)
	switch res.StatusCode {
	case http.StatusAccepted, http.StatusOK: // 200: accepted in sandbox mode
		r := deliver.Receipt{Provider: ProviderSendGrid}
		if id := header.Get("X-Message-Id"); messageID.MatchString(id) {
			r.ProviderID = id
		}
		return r, nil
	}
	e := classify(res.StatusCode, header, s.now())
	explain(e, []byte(res.Body))
	return deliver.Receipt{}, e
}

// classify is SendGrid's table of answers (design of the wire protocols, C1). A wrong key and a sender that is not
// verified are the operator's to mend, so that messages wait for it instead of being lost. A 5xx of mail/send means the
// message was not taken.
func classify(status int, h http.Header, now time.Time) *deliver.Error {
	e := &deliver.Error{Verdict: deliver.Refused, Class: classBadRequest, Status: status}
	switch {
	case status == http.StatusUnauthorized:
		e.Verdict, e.Class, e.After = deliver.Retry, classAuth, afterOperator
	case status == http.StatusForbidden:
		e.Verdict, e.Class, e.After = deliver.Retry, classForbidden, afterOperator
	case status == http.StatusTooManyRequests:
		e.Verdict, e.Class, e.After = deliver.Retry, classRateLimited, after(h, now)
	case status == http.StatusRequestTimeout, status >= 500:
		e.Verdict, e.Class, e.After = deliver.Retry, classServer, after(h, now)
	case status == http.StatusRequestEntityTooLarge:
		e.Class = classTooLarge
	case status == http.StatusNotFound, status == http.StatusMethodNotAllowed, status >= 300 && status < 400:
		e.Class = classWrongURL
	case status < 300:
		e.Verdict, e.Class, e.Detail = deliver.Unknown, classProtocol, "the answer is none that SendGrid gives"
	}
	return e
}

// after reads when to try again: X-RateLimit-Reset in Unix seconds, else Retry-After in seconds or as a date.
func after(h http.Header, now time.Time) time.Duration {
	if n, err := strconv.ParseInt(h.Get("X-RateLimit-Reset"), 10, 64); err == nil {
		return wire.Within(time.Unix(n, 0).Sub(now))
	}
	return wire.After(h, now)
}

// fieldPath is how SendGrid names the place of a fault: personalizations.0.to.0.email.
var fieldPath = regexp.MustCompile(`^[a-z_]+(\.[a-z_0-9]+){0,8}$`)

// explain adds what is safe to keep of an answer's body: the known meanings, and the names of the fields at fault. The
// messages themselves may quote an address, so they are never copied.
func explain(e *deliver.Error, body []byte) {
	var fields []string
	for _, f := range faults(body) {
		switch {
		case e.Status == http.StatusUnauthorized && strings.HasPrefix(f.Message, "Maximum credits exceeded"):
			e.Class, e.After, e.Detail = classQuota, afterQuota, "the SendGrid account has used up its credits"
			return
		case strings.Contains(f.Message, "does not match a verified Sender Identity"):
			e.Detail = "the sender is not a verified SendGrid sender identity"
			return
		}
		if len(fields) < 5 && len(f.Field) <= 80 && fieldPath.MatchString(f.Field) {
			fields = append(fields, f.Field)
		}
	}
	switch {
	case len(fields) > 0:
		e.Detail = fmt.Sprintf("SendGrid finds fault with %s", strings.Join(fields, ", "))
	case e.Class == classAuth:
		e.Detail = "SendGrid does not accept the API key"
	case e.Class == classForbidden:
		e.Detail = "SendGrid does not allow this key or sender to send"
	case e.Class == classWrongURL:
		e.Detail = "there is no SendGrid API at the configured base URL"
	}
}
