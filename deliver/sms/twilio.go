package sms

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	twilio "github.com/twilio/twilio-go/client"
	api "github.com/twilio/twilio-go/rest/api/v2010"

	"aftercall/deliver"
	"aftercall/deliver/wire"
	"aftercall/internal/webaddress"
)

// ProviderTwilio is what a receipt of Twilio names.
const ProviderTwilio = "twilio"

// DefaultBaseURL is Twilio's API.
const DefaultBaseURL = "https://api.twilio.com"

// Config is what a Twilio channel needs.
type Config struct {
	AccountSID  string // AC…
	AuthToken   string
	Service     string                                    // a messaging service (MG…) that sends for the numbers; "" sends from the number itself
	BaseURL     string                                    // default DefaultBaseURL
	Report      func(accountID, deliveryID string) string // where Twilio reports what became of a message; nil: nowhere
	Timeout     time.Duration                             // of one send; default 20 s
	Connections int                                       // kept to the provider at most; default 64
	Now         func() time.Time
}

// Twilio sends texts by Twilio's Messages API. It is safe for concurrent use.
type Twilio struct {
	c    Config
	http *http.Client
}

var (
	accountSID = regexp.MustCompile(`^AC[0-9a-f]{32}$`)
	serviceSID = regexp.MustCompile(`^MG[0-9a-f]{32}$`)
	// messageSID is what Twilio's id of a message may look like; anything else in its place is not kept.
	messageSID = regexp.MustCompile(`^[A-Za-z0-9]{1,64}$`)
)

// NewTwilio returns the channel. It makes no request.
func NewTwilio(c Config) (*Twilio, error) {
	if c.BaseURL == "" {
		c.BaseURL = DefaultBaseURL
	}
	if err := errors.Join(CheckAccount(c.AccountSID), CheckToken(c.AuthToken), CheckService(c.Service), CheckBaseURL(c.BaseURL)); err != nil {
		return nil, err
	}
	c.BaseURL = strings.TrimRight(c.BaseURL, "/")
	if c.Timeout <= 0 {
		c.Timeout = sendTimeout
	}
	if c.Connections <= 0 {
		c.Connections = 64
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Twilio{c: c, http: wire.Client(c.Connections)}, nil
}

// CheckAccount says what is wrong with an account's SID.
func CheckAccount(sid string) error {
	if !accountSID.MatchString(sid) {
		return errors.New("want AC and 32 hexadecimal digits: the Account SID, not that of an API key")
	}
	return nil
}

// CheckToken says what is wrong with an auth token.
func CheckToken(token string) error {
	if token == "" || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return errors.New("want the auth token on one line, without spaces")
	}
	return nil
}

// CheckService says what is wrong with a messaging service's SID; "" is none.
func CheckService(sid string) error {
	if sid != "" && !serviceSID.MatchString(sid) {
		return errors.New("want MG and 32 hexadecimal digits")
	}
	return nil
}

// CheckBaseURL says what is wrong with the address of Twilio's API.
func CheckBaseURL(s string) error {
	if u, ok := webaddress.Parse(s); !ok || u.RawQuery != "" || u.User != nil {
		return errors.New("want an http:// or https:// URL")
	}
	return nil
}

// Send hands m to Twilio once.
func (t *Twilio) Send(ctx context.Context, m deliver.Message) (deliver.Receipt, error) {
	if no := check(m, t.c.Service); no != nil {
		return deliver.Receipt{}, no
	}
	ctx, cancel := context.WithTimeout(ctx, t.c.Timeout)
	defer cancel()
	if err := ctx.Err(); err != nil {
		return deliver.Receipt{}, &deliver.Error{Verdict: deliver.Retry, Class: wire.ClassOf(err), Detail: "there was no time left to begin"}
	}
	call := &request{Twilio: t, ctx: ctx}
	// The handler is not made by the library's constructor, which looks into the environment.
	kept, err := api.NewApiService(&twilio.RequestHandler{Client: call}).CreateMessage(t.compose(m))
	switch {
	case call.failed != nil:
		return deliver.Receipt{}, call.failed
	case !call.accepted:
		return deliver.Receipt{}, bad("the request could not be put together")
	}
	r := deliver.Receipt{Provider: ProviderTwilio}
	if err == nil && kept.Sid != nil && messageSID.MatchString(*kept.Sid) { // taken all the same if the answer cannot be read
		r.ProviderID = *kept.Sid
	}
	return r, nil
}

// FieldFrom is the field of a message whose author chose the number it comes from.
const FieldFrom = "from"

// compose writes the request. A messaging service chooses the number itself, unless the author did.
func (t *Twilio) compose(m deliver.Message) *api.CreateMessageParams {
	p := (&api.CreateMessageParams{}).SetPathAccountSid(t.c.AccountSID).SetTo(m.To[0].Address).SetBody(m.Text)
	if t.c.Service != "" {
		p.SetMessagingServiceSid(t.c.Service)
	}
	if t.c.Service == "" || m.Fields[FieldFrom] != "" {
		p.SetFrom(m.From.Address)
	}
	if t.c.Report != nil {
		if to := t.c.Report(m.AccountID, m.DeliveryID); to != "" {
			p.SetStatusCallback(to)
		}
	}
	return p
}

// request is one request, in the place of the library's own client. That one cannot be cancelled, gives no Retry-After
// away, and does not tell a request that never went out from one without an answer.
type request struct {
	*Twilio
	ctx      context.Context
	accepted bool
	failed   *deliver.Error
}

// AccountSid is whose messages they are.
func (r *request) AccountSid() string { return r.c.AccountSID }

// SetTimeout does nothing: the context has the deadline.
func (r *request) SetTimeout(time.Duration) {}

// SetOauth does nothing: the auth token is used.
func (r *request) SetOauth(twilio.OAuth) {}

// OAuth is nil: the auth token is used.
func (r *request) OAuth() twilio.OAuth { return nil }

// SendRequest makes the request that the library has put together.
func (r *request) SendRequest(method, address string, form url.Values, _ map[string]any, _ ...byte) (*http.Response, error) {
	var p wire.Progress
	address = r.c.BaseURL + strings.TrimPrefix(address, DefaultBaseURL)
	req, err := http.NewRequestWithContext(p.Trace(r.ctx), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	req.SetBasicAuth(r.c.AccountSID, r.c.AuthToken)
	res, err := r.http.Do(req)
	if err != nil {
		r.failed = p.Verdict(r.ctx, err)
		return nil, r.failed
	}
	if res.StatusCode != http.StatusCreated && res.StatusCode != http.StatusOK {
		r.failed = judge(res, r.c.Now())
		return nil, r.failed
	}
	r.accepted = true
	return res, nil
}
