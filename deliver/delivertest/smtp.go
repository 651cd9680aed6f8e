package delivertest

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/textproto"
	"strings"
	"sync"
	"time"
)

// The moments of an SMTP dialogue at which a fault can be given.
const (
	AtGreeting = "GREETING"
	AtAuth     = "AUTH"
	AtMail     = "MAIL"
	AtRcpt     = "RCPT"
	AtData     = "DATA"
	AtDot      = "DOT" // after the final dot; only Drop and Silent keep the mail
)

// SMTPFault is what the server does at a moment. The zero SMTPFault does what is right.
type SMTPFault struct {
	Code   int    // answer with this reply code
	Text   string // and text
	Drop   bool   // hang up
	Silent bool   // never answer
}

// SMTPOptions say what the server asks of its clients.
type SMTPOptions struct {
	User, Pass string      // wanted log-in; none if User is empty
	StartTLS   *tls.Config // offered if set
	Implicit   *tls.Config // TLS from the first byte if set
}

// SMTP is a local mail server that records what it takes.
type SMTP struct {
	Addr string

	options  SMTPOptions
	listener net.Listener
	ended    chan struct{}
	all      sync.WaitGroup

	mu    sync.Mutex
	fault func(at string, n int) SMTPFault
	seen  map[string]int
	conns map[net.Conn]bool
	mails []Mail
}

// NewSMTP starts the server on loopback. Close ends it.
func NewSMTP(o SMTPOptions) (*SMTP, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for mail: %w", err)
	}
	s := &SMTP{Addr: l.Addr().String(), options: o, listener: l, ended: make(chan struct{}), seen: map[string]int{}, conns: map[net.Conn]bool{}}
	s.all.Go(s.accept)
	return s, nil
}

// Close ends the server and every dialogue.
func (s *SMTP) Close() {
	close(s.ended)
	_ = s.listener.Close()
	s.mu.Lock()
	for c := range s.conns {
		_ = c.Close()
	}
	s.mu.Unlock()
	s.all.Wait()
}

// Fail sets what is done at each moment; n counts the times that the moment came (from 1). nil does what is right.
func (s *SMTP) Fail(f func(at string, n int) SMTPFault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = f
}

// Mails lists what was taken whole, in order, also what was taken without an answer.
func (s *SMTP) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Mail(nil), s.mails...)
}

func (s *SMTP) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.conns[c] = true
		s.mu.Unlock()
		s.all.Go(func() {
			defer func() {
				_ = c.Close()
				s.mu.Lock()
				delete(s.conns, c)
				s.mu.Unlock()
			}()
			if s.options.Implicit != nil {
				(&smtpSession{server: s}).over(tls.Server(c, s.options.Implicit), true).serve()
				return
			}
			(&smtpSession{server: s}).over(c, false).serve()
		})
	}
}

func (s *SMTP) faultAt(at string) SMTPFault {
	s.mu.Lock()
	s.seen[at]++
	n, f := s.seen[at], s.fault
	s.mu.Unlock()
	if f == nil {
		return SMTPFault{}
	}
	return f(at, n)
}

// smtpSession is one client's dialogue.
type smtpSession struct {
	server  *SMTP
	conn    net.Conn
	text    *textproto.Reader
	secured bool
	known   bool // logged in
	from    string
	to      []string
}

var errHungUp = errors.New("hung up")

func (d *smtpSession) over(c net.Conn, secured bool) *smtpSession {
	d.conn, d.secured = c, secured
	d.text = textproto.NewReader(bufio.NewReader(c))
	return d
}

func (d *smtpSession) serve() {
	if d.reply(AtGreeting, 220, "local ESMTP") != nil {
		return
	}
	for {
		line, err := d.text.ReadLine()
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(line, " ")
		if d.command(strings.ToUpper(verb), rest) != nil {
			return
		}
	}
}

func (d *smtpSession) command(verb, rest string) error {
	switch verb {
	case "EHLO", "HELO":
		return d.hello()
	case "STARTTLS":
		return d.startTLS()
	case "AUTH":
		return d.auth(rest)
	case "MAIL":
		return d.mail(rest)
	case "RCPT":
		return d.rcpt(rest)
	case "DATA":
		return d.data()
	case "RSET":
		d.from, d.to = "", nil
		return d.say(250, "ok")
	case "NOOP":
		return d.say(250, "ok")
	case "QUIT":
		_ = d.say(221, "bye")
		return errHungUp
	}
	return d.say(502, "unknown command")
}

// reply gives the fault of the moment, if there is one, else the right answer. It reports an error if the dialogue ends.
func (d *smtpSession) reply(at string, code int, text string) error {
	f := d.server.faultAt(at)
	switch {
	case f.Drop:
		return errHungUp
	case f.Silent:
		<-d.server.ended
		return errHungUp
	case f.Code != 0:
		if err := d.say(f.Code, f.Text); err != nil {
			return err
		}
		if at == AtGreeting {
			return errHungUp
		}
		return nil
	}
	return d.say(code, text)
}

func (d *smtpSession) say(code int, text string) error {
	_, err := fmt.Fprintf(d.conn, "%d %s\r\n", code, text)
	return err
}

func (d *smtpSession) hello() error {
	lines := []string{"local", "8BITMIME", "ENHANCEDSTATUSCODES"}
	if d.server.options.StartTLS != nil && !d.secured {
		lines = append(lines, "STARTTLS")
	}
	if d.server.options.User != "" {
		lines = append(lines, "AUTH PLAIN LOGIN")
	}
	var b strings.Builder
	for _, l := range lines[:len(lines)-1] {
		b.WriteString("250-" + l + "\r\n")
	}
	b.WriteString("250 " + lines[len(lines)-1] + "\r\n")
	_, err := io.WriteString(d.conn, b.String())
	return err
}

func (d *smtpSession) startTLS() error {
	if d.server.options.StartTLS == nil || d.secured {
		return d.say(502, "not offered")
	}
	if err := d.say(220, "go ahead"); err != nil {
		return err
	}
	d.over(tls.Server(d.conn, d.server.options.StartTLS), true)
	return nil
}

// auth knows AUTH PLAIN with an initial response (RFC 4616).
func (d *smtpSession) auth(rest string) error {
	kind, initial, _ := strings.Cut(rest, " ")
	if strings.ToUpper(kind) != "PLAIN" {
		return d.say(504, "only PLAIN")
	}
	raw, err := base64.StdEncoding.DecodeString(initial)
	if err != nil || string(raw) != "\x00"+d.server.options.User+"\x00"+d.server.options.Pass {
		return d.say(535, "5.7.8 authentication failed for "+string(bytes.ReplaceAll(raw, []byte{0}, []byte{' '})))
	}
	d.known = true
	return d.reply(AtAuth, 235, "welcome")
}

func (d *smtpSession) mail(rest string) error {
	if d.server.options.User != "" && !d.known {
		return d.say(530, "5.7.0 authentication required")
	}
	addr, ok := path(rest, "FROM:")
	if !ok {
		return d.say(501, "bad sender")
	}
	d.from, d.to = addr, nil
	return d.reply(AtMail, 250, "ok")
}

func (d *smtpSession) rcpt(rest string) error {
	addr, ok := path(rest, "TO:")
	if !ok || d.from == "" {
		return d.say(501, "bad recipient or no sender")
	}
	d.to = append(d.to, addr)
	return d.reply(AtRcpt, 250, "ok")
}

// path reads the address out of "FROM:<a@b> PARAMS".
func path(rest, prefix string) (string, bool) {
	if len(rest) < len(prefix) || !strings.EqualFold(rest[:len(prefix)], prefix) {
		return "", false
	}
	open, end := strings.IndexByte(rest, '<'), strings.IndexByte(rest, '>')
	if open < 0 || end < open {
		return "", false
	}
	return rest[open+1 : end], plausible(rest[open+1 : end])
}

func (d *smtpSession) data() error {
	if len(d.to) == 0 {
		return d.say(503, "no recipients")
	}
	if f := d.server.faultAt(AtData); f != (SMTPFault{}) {
		if f.Drop || f.Silent {
			return errHungUp
		}
		return d.say(f.Code, f.Text)
	}
	if err := d.say(354, "go on"); err != nil {
		return err
	}
	raw, err := io.ReadAll(d.text.DotReader())
	if err != nil {
		return err // no final dot: the mail does not exist
	}
	m, err := parseMail(raw, d.from, d.to)
	if err != nil {
		return d.say(554, "5.6.0 not a message")
	}
	f := d.server.faultAt(AtDot)
	if f.Code != 0 {
		return d.say(f.Code, f.Text)
	}
	d.server.mu.Lock()
	d.server.mails = append(d.server.mails, m)
	d.server.mu.Unlock()
	switch {
	case f.Drop:
		return errHungUp
	case f.Silent:
		<-d.server.ended
		return errHungUp
	}
	return d.say(250, "2.0.0 queued")
}

// ReadMail reads a message that a mail server has put somewhere.
func ReadMail(raw []byte) (Mail, error) { return parseMail(raw, "", nil) }

// parseMail reads a message as a mail reader would.
func parseMail(raw []byte, from string, to []string) (Mail, error) {
	msg, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return Mail{}, err
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject"))
	if err != nil {
		return Mail{}, err
	}
	m := Mail{From: from, To: to, Subject: subject, Header: msg.Header, Raw: raw, At: time.Now(), ReplyTo: msg.Header.Get("Reply-To")}
	kind, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil {
		return Mail{}, err
	}
	if !strings.HasPrefix(kind, "multipart/") {
		return m, m.part(kind, msg.Header.Get("Content-Transfer-Encoding"), msg.Body)
	}
	parts := multipart.NewReader(msg.Body, params["boundary"])
	for {
		p, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return m, nil
		}
		if err != nil {
			return m, err
		}
		kind, _, _ := mime.ParseMediaType(p.Header.Get("Content-Type"))
		if err := m.part(kind, p.Header.Get("Content-Transfer-Encoding"), p); err != nil {
			return m, err
		}
	}
}

func (m *Mail) part(kind, encoding string, r io.Reader) error {
	switch strings.ToLower(encoding) {
	case "quoted-printable":
		r = quotedprintable.NewReader(r)
	case "base64":
		r = base64.NewDecoder(base64.StdEncoding, r)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if kind == "text/html" {
		m.HTML = string(b)
	} else {
		m.Text = string(b)
	}
	return nil
}
