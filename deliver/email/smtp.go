package email

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"aftercall/deliver"
	"aftercall/deliver/wire"
)

// ProviderSMTP is what a receipt of an SMTP server names.
const ProviderSMTP = "smtp"

// HeaderDelivery carries the delivery id in a mail sent by SMTP.
const HeaderDelivery = "X-Aftercall-Delivery"

// SMTPConfig is what an SMTP channel needs.
type SMTPConfig struct {
	// URL is smtp://user:pass@host:port (STARTTLS, which the server must offer unless it is on loopback) or
	// smtps://user:pass@host:port (TLS from the first byte). ?tls=none sends in the clear, for a server in one's own
	// network that knows no TLS. Default ports: 587 and 465.
	URL     string
	Timeout time.Duration  // of one send; default 20 s
	Roots   *x509.CertPool // trusted besides nothing else; nil: the system's
	Now     func() time.Time
}

// SMTP sends e-mail by an SMTP server, one connection a message. It is safe for concurrent use.
type SMTP struct {
	host       string
	port       int
	user, pass string
	tls        *tls.Config
	implicit   bool // TLS from the first byte
	policy     gomail.TLSPolicy
	plainAuth  bool // credentials may go in the clear
	timeout    time.Duration
	now        func() time.Time
}

// NewSMTP reads the URL. It makes no connection. Its errors do not repeat the URL, which holds a password.
func NewSMTP(c SMTPConfig) (*SMTP, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Hostname() == "" || (u.Scheme != "smtp" && u.Scheme != "smtps") {
		return nil, errors.New("smtp: the URL is not smtp://user:pass@host:port or smtps://…")
	}
	s := &SMTP{
		host: u.Hostname(), port: 587, implicit: u.Scheme == "smtps", policy: gomail.TLSMandatory,
		tls:     &tls.Config{ServerName: u.Hostname(), MinVersion: tls.VersionTLS12, RootCAs: c.Roots},
		timeout: c.Timeout, now: c.Now, user: u.User.Username(),
	}
	s.pass, _ = u.User.Password()
	if s.implicit {
		s.port = 465
	}
	if u.Port() != "" {
		if s.port, err = strconv.Atoi(u.Port()); err != nil || s.port < 1 || s.port > 65535 {
			return nil, errors.New("smtp: the port is not a number from 1 to 65535")
		}
	}
	if err := s.secure(u.Query()); err != nil {
		return nil, err
	}
	if s.timeout <= 0 {
		s.timeout = sendTimeout
	}
	if s.now == nil {
		s.now = time.Now
	}
	return s, nil
}

// secure sets how the connection is protected.
func (s *SMTP) secure(q url.Values) error {
	for key := range q {
		if key != "tls" {
			return fmt.Errorf("smtp: the URL has the unknown parameter %.20q; tls is the only one", key)
		}
	}
	switch mode := q.Get("tls"); {
	case mode == "none" && s.implicit:
		return errors.New("smtp: smtps:// and tls=none contradict each other")
	case mode == "none":
		s.policy, s.plainAuth = gomail.NoTLS, true
	case mode != "" && mode != "required":
		return errors.New("smtp: tls is neither required nor none")
	case mode == "" && loopback(s.host):
		s.policy, s.plainAuth = gomail.TLSOpportunistic, true
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// Send hands m to the server once. The dialogue is driven here, command by command, so that it is known at every moment
// whether the server may have the message: before the final dot it certainly has not.
func (s *SMTP) Send(ctx context.Context, m deliver.Message) (deliver.Receipt, error) {
	e, no := check(m)
	if no != nil {
		return deliver.Receipt{}, no
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	if err := ctx.Err(); err != nil {
		return deliver.Receipt{}, &deliver.Error{Verdict: deliver.Retry, Class: wire.ClassOf(err), Detail: "there was no time left to begin"}
	}
	id, body, err := write(m, e, s.now())
	if err != nil {
		return deliver.Receipt{}, bad("the message could not be put together")
	}
	c, no := s.dial(ctx)
	if no != nil {
		return deliver.Receipt{}, no
	}
	defer c.hangUp()
	if no := c.hand(e, body); no != nil {
		return deliver.Receipt{}, no
	}
	return deliver.Receipt{Provider: ProviderSMTP, ProviderID: id}, nil
}

// quitTimeout bounds the good-bye; the message is out by then.
const quitTimeout = 2 * time.Second

// dialogue is one connection to the server.
type dialogue struct {
	*smtp.Client
	ctx  context.Context
	conn net.Conn // the raw one: closing it never writes
	stop func() bool
	done bool // the server has the message
}

// dial connects, greets, secures and authenticates.
func (s *SMTP) dial(ctx context.Context) (*dialogue, *deliver.Error) {
	d := &dialogue{ctx: ctx}
	deadline, _ := ctx.Deadline()
	opts := []gomail.Option{
		gomail.WithPort(s.port), gomail.WithTLSConfig(s.tls), gomail.WithTLSPolicy(s.policy),
		gomail.WithTimeout(max(time.Until(deadline), time.Millisecond)),
		gomail.WithDialContextFunc(func(ctx context.Context, network, addr string) (net.Conn, error) {
			return d.open(ctx, s, network, addr)
		}),
	}
	if s.implicit {
		opts = append(opts, gomail.WithSSL())
	}
	if s.user != "" {
		opts = append(opts, gomail.WithOpportunisticSMTPAuth(s.mechanisms()...), gomail.WithUsername(s.user), gomail.WithPassword(s.pass))
	}
	client, err := gomail.NewClient(s.host, opts...)
	if err == nil {
		d.Client, err = client.DialToSMTPClientWithContext(ctx)
	}
	if err != nil {
		d.drop()
		return nil, s.unopened(ctx, err)
	}
	return d, nil
}

// mechanisms lists how to authenticate, best first. In the clear only where the operator's URL says so.
func (s *SMTP) mechanisms() []gomail.SMTPAuthType {
	m := []gomail.SMTPAuthType{gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthSCRAMSHA1}
	if s.plainAuth {
		return append(m, gomail.SMTPAuthPlainNoEnc, gomail.SMTPAuthLoginNoEnc, gomail.SMTPAuthCramMD5)
	}
	return append(m, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin, gomail.SMTPAuthCramMD5)
}

// open dials and ties the connection to ctx: go-mail itself only knows a deadline.
func (d *dialogue) open(ctx context.Context, s *SMTP, network, addr string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	d.conn = conn
	d.stop = context.AfterFunc(d.ctx, func() { _ = conn.Close() })
	if !s.implicit {
		return conn, nil
	}
	secured := tls.Client(conn, s.tls)
	if err := secured.HandshakeContext(ctx); err != nil {
		return nil, err
	}
	return secured, nil
}

// hand gives the message over: MAIL, RCPT, DATA, text, final dot. If one recipient is refused, nobody gets it.
func (d *dialogue) hand(e envelope, body []byte) *deliver.Error {
	if err := d.Mail("<" + e.from.Address + ">"); err != nil {
		return d.refused("MAIL", err)
	}
	for i, a := range slices.Concat(e.to, e.cc) {
		if err := d.Rcpt("<" + a.Address + ">"); err != nil {
			return d.refused(fmt.Sprintf("RCPT of recipient %d", i+1), err)
		}
	}
	w, err := d.Data()
	if err != nil {
		return d.refused("DATA", err)
	}
	if _, err := w.Write(body); err != nil {
		return d.refused("the text", err)
	}
	if err := w.Close(); err != nil {
		return d.afterDot(err)
	}
	d.done = true
	return nil
}

// afterDot judges what came after the final dot: a reply decides, silence leaves it open.
func (d *dialogue) afterDot(err error) *deliver.Error {
	var reply *textproto.Error
	if errors.As(err, &reply) && reply.Code >= 400 && reply.Code < 600 {
		return d.refused("the message", err)
	}
	e := d.refused("the message", err)
	e.Verdict, e.Detail = deliver.Unknown, "the connection ended after the final dot, before the server's answer"
	return e
}

// refused judges an error before the server can have the message: a 5xx reply is final, all else may be tried again.
func (d *dialogue) refused(stage string, err error) *deliver.Error {
	e := &deliver.Error{Verdict: deliver.Retry, Class: wire.ClassConnection, Detail: "the connection broke at " + stage}
	var reply *textproto.Error
	switch {
	case errors.As(err, &reply):
		byReply(e, reply.Code)
		e.Detail = "the server refuses " + stage
	case d.ctx.Err() != nil:
		e.Class = wire.ClassOf(d.ctx.Err())
	case isTimeout(err):
		e.Class = wire.ClassTimeout
	}
	return e
}

// byReply sorts an SMTP reply code (RFC 5321 4.2, RFC 4954 6).
func byReply(e *deliver.Error, code int) {
	e.Status = code
	switch {
	case code == 530 || code == 534 || code == 535 || code == 538 || code == 454:
		e.Verdict, e.Class, e.After = deliver.Retry, classAuth, afterOperator
	case code == 421 || code == 450 || code == 451 || code == 452:
		e.Verdict, e.Class = deliver.Retry, classServer
	case code >= 400 && code < 500:
		e.Verdict, e.Class = deliver.Retry, classServer
	case code == 552:
		e.Verdict, e.Class = deliver.Refused, classTooLarge
	case code >= 500 && code < 600:
		e.Verdict, e.Class = deliver.Refused, classBadRequest
	default:
		e.Verdict, e.Class = deliver.Retry, classProtocol
	}
}

// unopened judges a connection that did not come about; nothing can have been sent. What the operator has to mend (TLS,
// log-in) waits long, and a 5xx greeting is no word about the message.
func (s *SMTP) unopened(ctx context.Context, err error) *deliver.Error {
	e := &deliver.Error{Verdict: deliver.Retry, Class: wire.ClassConnection, Detail: "there was no connection to the mail server"}
	var reply *textproto.Error
	var cert *tls.CertificateVerificationError
	switch {
	case errors.As(err, &reply):
		byReply(e, reply.Code)
		e.Detail = "the mail server refuses the log-in or the greeting"
		if e.Verdict == deliver.Refused {
			e.Verdict, e.Class, e.After = deliver.Retry, classAuth, afterOperator
		}
	case errors.As(err, &cert):
		e.Class, e.After, e.Detail = classTLS, afterOperator, "the mail server's certificate is not trusted"
	case ctx.Err() != nil:
		e.Class = wire.ClassOf(ctx.Err())
	case isTimeout(err):
		e.Class = wire.ClassTimeout
	case strings.Contains(err.Error(), "STARTTLS"):
		e.Class, e.After, e.Detail = classTLS, afterOperator, "the mail server does not offer STARTTLS"
	case errors.Is(err, gomail.ErrNoSupportedAuthDiscovered), strings.Contains(err.Error(), "SMTP AUTH"):
		e.Class, e.After, e.Detail = classAuth, afterOperator, "the mail server offers no log-in that can be used"
	}
	return e
}

func isTimeout(err error) bool {
	var netErr net.Error
	return errors.As(err, &netErr) && netErr.Timeout()
}

// hangUp ends the connection. QUIT only goes out after a message that was taken: the library finishes an open DATA
// before any command, which would deliver half a mail.
func (d *dialogue) hangUp() {
	if d.done {
		_ = d.UpdateDeadline(quitTimeout)
		_ = d.Quit()
	}
	d.drop()
}

func (d *dialogue) drop() {
	if d.conn == nil {
		return
	}
	d.stop()
	_ = d.conn.Close()
}
