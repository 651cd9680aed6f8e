package email_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercall/deliver"
	"aftercall/deliver/delivertest"
	"aftercall/deliver/email"
)

const smtpPass = "hunter2-hunter2"

func mailServer(t *testing.T, o delivertest.SMTPOptions) *delivertest.SMTP {
	t.Helper()
	s, err := delivertest.NewSMTP(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func smtpTo(t *testing.T, url string, roots *x509.CertPool) *email.SMTP {
	t.Helper()
	c, err := email.NewSMTP(email.SMTPConfig{URL: url, Roots: roots})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSMTPConforms(t *testing.T) {
	t.Parallel()
	delivertest.Run(t, func(t *testing.T, s delivertest.Situation) delivertest.Rig {
		server := mailServer(t, delivertest.SMTPOptions{User: "acme", Pass: smtpPass})
		server.Fail(func(at string, _ int) delivertest.SMTPFault { return smtpFault(s, at) })
		pass := smtpPass
		switch s {
		case delivertest.NoAccess:
			pass = "wrong-" + smtpPass
		case delivertest.HugeAnswer:
			return delivertest.Rig{Impossible: "a mail server's answer is a few lines, which the library bounds"}
		case delivertest.LateAnswer:
			return delivertest.Rig{Impossible: "an answer that comes after the connection was given up is none: as silent"}
		}
		addr := server.Addr
		if s == delivertest.Unreachable {
			addr = strings.TrimPrefix(nobody(t), "http://")
		}
		return delivertest.Rig{
			Channel: smtpTo(t, "smtp://acme:"+pass+"@"+addr, nil), Secrets: []string{smtpPass, pass},
			Received: func() (all []delivertest.Copy) {
				for _, m := range server.Mails() {
					all = append(all, delivertest.Copy{Delivery: mail.Header(m.Header).Get(email.HeaderDelivery), Key: mail.Header(m.Header).Get("Message-ID"), Text: m.Text})
				}
				return all
			},
		}
	})
}

func smtpFault(s delivertest.Situation, at string) delivertest.SMTPFault {
	switch {
	case s == delivertest.RateLimited && at == delivertest.AtMail:
		return delivertest.SMTPFault{Code: 450, Text: "4.7.1 slow down"}
	case s == delivertest.Failing && at == delivertest.AtDot:
		return delivertest.SMTPFault{Code: 451, Text: "4.3.0 try later"}
	case s == delivertest.Refuses && at == delivertest.AtRcpt:
		return delivertest.SMTPFault{Code: 550, Text: "5.1.1 no such user"}
	case s == delivertest.EchoesInput && at == delivertest.AtRcpt:
		return delivertest.SMTPFault{Code: 550, Text: "5.1.1 <pat.canary@example.com> " + smtpPass + " unknown here"}
	case s == delivertest.Silent && at == delivertest.AtDot:
		return delivertest.SMTPFault{Silent: true}
	case s == delivertest.Cut && at == delivertest.AtDot:
		return delivertest.SMTPFault{Drop: true}
	}
	return delivertest.SMTPFault{}
}

func TestSMTPVerdicts(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		at    string
		fault delivertest.SMTPFault
		want  deliver.Verdict
		class string
	}{
		"busy at the greeting":        {delivertest.AtGreeting, delivertest.SMTPFault{Code: 421, Text: "busy"}, deliver.Retry, "server_error"},
		"hangs up at the greeting":    {delivertest.AtGreeting, delivertest.SMTPFault{Drop: true}, deliver.Retry, "connection"},
		"log-in refused":              {delivertest.AtAuth, delivertest.SMTPFault{Code: 535, Text: "no"}, deliver.Retry, "auth"},
		"log-in wanted at MAIL":       {delivertest.AtMail, delivertest.SMTPFault{Code: 530, Text: "log in"}, deliver.Retry, "auth"},
		"sender refused":              {delivertest.AtMail, delivertest.SMTPFault{Code: 550, Text: "no"}, deliver.Refused, "bad_request"},
		"hangs up at MAIL":            {delivertest.AtMail, delivertest.SMTPFault{Drop: true}, deliver.Retry, "connection"},
		"mailbox busy":                {delivertest.AtRcpt, delivertest.SMTPFault{Code: 450, Text: "greylisted"}, deliver.Retry, "server_error"},
		"hangs up at RCPT":            {delivertest.AtRcpt, delivertest.SMTPFault{Drop: true}, deliver.Retry, "connection"},
		"DATA refused":                {delivertest.AtData, delivertest.SMTPFault{Code: 554, Text: "no"}, deliver.Refused, "bad_request"},
		"hangs up at DATA":            {delivertest.AtData, delivertest.SMTPFault{Drop: true}, deliver.Retry, "connection"},
		"later, after the final dot":  {delivertest.AtDot, delivertest.SMTPFault{Code: 452, Text: "full"}, deliver.Retry, "server_error"},
		"never, after the final dot":  {delivertest.AtDot, delivertest.SMTPFault{Code: 554, Text: "spam"}, deliver.Refused, "bad_request"},
		"too large":                   {delivertest.AtDot, delivertest.SMTPFault{Code: 552, Text: "big"}, deliver.Refused, "too_large"},
		"hangs up after the last dot": {delivertest.AtDot, delivertest.SMTPFault{Drop: true}, deliver.Unknown, "connection"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := mailServer(t, delivertest.SMTPOptions{User: "acme", Pass: smtpPass})
			server.Fail(func(at string, _ int) delivertest.SMTPFault {
				if at == tt.at {
					return tt.fault
				}
				return delivertest.SMTPFault{}
			})
			_, err := smtpTo(t, "smtp://acme:"+smtpPass+"@"+server.Addr, nil).Send(t.Context(), delivertest.Message("d-1"))
			var got *deliver.Error
			if !errors.As(err, &got) {
				t.Fatalf("Send: %v, want a *deliver.Error", err)
			}
			if got.Verdict != tt.want || got.Class != tt.class || got.Status != tt.fault.Code {
				t.Errorf("error = %+v, want %s (%s %d)", *got, tt.want, tt.class, tt.fault.Code)
			}
			if wantMail := tt.want == deliver.Unknown; (len(server.Mails()) == 1) != wantMail {
				t.Errorf("the server has %d mails", len(server.Mails()))
			}
		})
	}
}

func TestSMTPMail(t *testing.T) {
	t.Parallel()
	server := mailServer(t, delivertest.SMTPOptions{})
	c := smtpTo(t, "smtp://"+server.Addr, nil)
	m := delivertest.Message("0190-mail")
	m.Subject = "Rückruf für 李 雷, and a subject that is long enough to be folded over several lines of the header, twice"
	m.Text = "First line\n.\n.. dots, and a long line: " + strings.Repeat("wörd ", 400) + "\nlast"
	m.ReplyTo = deliver.Address{Name: `Front "Desk"`, Address: "front@acme.example"}
	m.CC = []deliver.Address{{Address: "cc@example.com"}, {Address: "PAT.canary@example.com"}}
	var ids []string
	for attempt := 1; attempt <= 2; attempt++ {
		m.Attempt = attempt
		receipt, err := c.Send(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, receipt.ProviderID)
	}
	got := server.Mails()[1]
	if got.Subject != m.Subject || strings.ReplaceAll(got.Text, "\r\n", "\n") != m.Text || got.HTML != m.HTML {
		t.Errorf("the text came through changed:\n%q\n%q\n%q", got.Subject, got.Text, got.HTML)
	}
	if diff := cmp.Diff([]string{"pat.canary@example.com", "cc@example.com"}, got.To); diff != "" {
		t.Errorf("recipients (-want +got):\n%s", diff)
	}
	want := map[string]string{
		"Message-Id": "<0190-mail@acme.example>", email.HeaderDelivery: "0190-mail", "Auto-Submitted": "auto-generated",
		"From": `"Acme Clinic" <calls@acme.example>`, "To": `"Pat Canary" <pat.canary@example.com>`, "Cc": "<cc@example.com>",
		"Reply-To": `"Front \"Desk\"" <front@acme.example>`,
	}
	for k, v := range want {
		if h := got.Header[k]; len(h) != 1 || h[0] != v {
			t.Errorf("%s = %q, want %q", k, h, v)
		}
	}
	if ids[0] != ids[1] || ids[0] != "0190-mail@acme.example" {
		t.Errorf("message ids of two attempts: %v", ids)
	}
}

func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func TestSMTPIsProtected(t *testing.T) {
	t.Parallel()
	cert, roots := certificate(t)
	secure := &tls.Config{Certificates: []tls.Certificate{cert}}
	tests := map[string]struct {
		options delivertest.SMTPOptions
		url     func(addr string) string
		roots   *x509.CertPool
		class   string // "" for a mail that arrives
	}{
		"STARTTLS and log-in": {delivertest.SMTPOptions{User: "acme", Pass: smtpPass, StartTLS: secure},
			func(a string) string { return "smtp://acme:" + smtpPass + "@" + a + "?tls=required" }, roots, ""},
		"TLS from the first byte": {delivertest.SMTPOptions{User: "acme", Pass: smtpPass, Implicit: secure},
			func(a string) string { return "smtps://acme:" + smtpPass + "@" + a }, roots, ""},
		"offered on loopback, so taken": {delivertest.SMTPOptions{StartTLS: secure},
			func(a string) string { return "smtp://" + a }, nil, "tls"},
		"required, not offered": {delivertest.SMTPOptions{},
			func(a string) string { return "smtp://" + a + "?tls=required" }, roots, "tls"},
		"a certificate nobody trusts": {delivertest.SMTPOptions{Implicit: secure},
			func(a string) string { return "smtps://" + a }, nil, "tls"},
		"told to go without": {delivertest.SMTPOptions{User: "acme", Pass: smtpPass, StartTLS: secure},
			func(a string) string { return "smtp://acme:" + smtpPass + "@" + a + "?tls=none" }, nil, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := mailServer(t, tt.options)
			_, err := smtpTo(t, tt.url(server.Addr), tt.roots).Send(t.Context(), delivertest.Message("d-1"))
			if tt.class == "" {
				if err != nil || len(server.Mails()) != 1 {
					t.Errorf("Send: %v, and the server has %d mails", err, len(server.Mails()))
				}
				return
			}
			if e := deliver.AsError(err); err == nil || e.Verdict != deliver.Retry || e.Class != tt.class || e.After < time.Minute {
				t.Errorf("Send: %v, want a patient retry of class %s", err, tt.class)
			}
			if n := len(server.Mails()); n != 0 {
				t.Errorf("the server has %d mails", n)
			}
		})
	}
}

func TestNewSMTPRefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"", "mail.example.com:25", "http://mail.example.com", "smtp://", "smtp://acme:hunter2@mail.example.com:99999",
		"smtp://acme:hunter2@mail.example.com?tls=maybe", "smtps://acme:hunter2@mail.example.com?tls=none",
		"smtp://acme:hunter2@mail.example.com?insecure=1", "smtp://acme:hunter2%zz@mail.example.com",
	} {
		if _, err := email.NewSMTP(email.SMTPConfig{URL: url}); err == nil {
			t.Errorf("%q: accepted", url)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: the error gives the password away: %v", url, err)
		}
	}
}
