package email_test

import (
	"strings"
	"testing"

	"aftercall/deliver"
	"aftercall/deliver/delivertest"
	"aftercall/deliver/email"
)

// What must not become a header is refused by both channels, before anybody hears of it.
func TestUnfitMessagesNeverLeave(t *testing.T) {
	t.Parallel()
	tests := map[string]func(*deliver.Message){
		"CR LF in the subject":      func(m *deliver.Message) { m.Subject = "Hi\r\nBcc: eve@evil.example" },
		"LF in the subject":         func(m *deliver.Message) { m.Subject = "Hi\nBcc: eve@evil.example" },
		"NUL in the subject":        func(m *deliver.Message) { m.Subject = "Hi\x00" },
		"no subject":                func(m *deliver.Message) { m.Subject = " " },
		"no text":                   func(m *deliver.Message) { m.Text, m.HTML = "", "" },
		"nobody to send to":         func(m *deliver.Message) { m.To = nil },
		"CR LF in a name":           func(m *deliver.Message) { m.To[0].Name = "Pat\r\nBcc: eve@evil.example" },
		"CR LF in an address":       func(m *deliver.Message) { m.To[0].Address = "pat@example.com\r\nRCPT TO:<eve@evil.example>" },
		"two addresses in one":      func(m *deliver.Message) { m.To[0].Address = "pat@example.com, eve@evil.example" },
		"a name in the address":     func(m *deliver.Message) { m.To[0].Address = "Eve <eve@evil.example>" },
		"no address at all":         func(m *deliver.Message) { m.To[0].Address = "pat" },
		"a bad one in cc":           func(m *deliver.Message) { m.CC = []deliver.Address{{Address: "x@"}} },
		"CR LF in the sender":       func(m *deliver.Message) { m.From.Name = "Acme\r\nX: y" },
		"LF in reply-to":            func(m *deliver.Message) { m.ReplyTo.Address = "a@b.example\nX: y" },
		"no delivery id":            func(m *deliver.Message) { m.DeliveryID = "" },
		"a delivery id with spaces": func(m *deliver.Message) { m.DeliveryID = "a b" },
	}
	for name, spoil := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sg, mx := delivertest.NewSendGrid(sgKey), mailServer(t, delivertest.SMTPOptions{})
			t.Cleanup(sg.Close)
			for kind, c := range map[string]deliver.Channel{"sendgrid": sendGrid(t, sg.URL), "smtp": smtpTo(t, "smtp://"+mx.Addr, nil)} {
				m := delivertest.Message("d-1")
				spoil(&m)
				_, err := c.Send(t.Context(), m)
				if e := deliver.AsError(err); err == nil || e.Verdict != deliver.Refused || e.Class != "bad_message" {
					t.Errorf("%s: %v, want it refused", kind, err)
				} else if strings.Contains(err.Error(), "eve") || strings.Contains(err.Error(), "@") {
					t.Errorf("%s: the error repeats an address: %v", kind, err)
				}
			}
			if n := sg.Requests() + len(mx.Mails()); n != 0 {
				t.Errorf("%d messages left", n)
			}
		})
	}
}

func FuzzHeadersStayWhole(f *testing.F) {
	f.Add("Callback", "Pat", "pat@example.com")
	f.Add("Hi\r\nBcc: x@y.example", "A\nB", "a@b\r\n.example")
	f.Add("=?utf-8?q?x=0D=0AY?=", `"`, `"a b"@example.com`)
	server, err := delivertest.NewSMTP(delivertest.SMTPOptions{})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(server.Close)
	c := smtpToF(f, server.Addr)
	f.Fuzz(func(t *testing.T, subject, name, address string) {
		m := delivertest.Message("d-1")
		m.Subject, m.To[0].Name, m.To[0].Address = subject, name, address
		before := len(server.Mails())
		if _, err := c.Send(t.Context(), m); err != nil {
			return
		}
		got := server.Mails()[before]
		if len(got.To) != 1 {
			t.Errorf("recipients %q", got.To)
		}
		for h := range got.Header {
			switch h {
			case "From", "To", "Subject", "Date", "Message-Id", "Mime-Version", "Content-Type", "Auto-Submitted", "X-Aftercall-Delivery":
			default:
				t.Errorf("a header %q that nobody wrote", h)
			}
		}
	})
}

func smtpToF(f *testing.F, addr string) *email.SMTP {
	f.Helper()
	c, err := email.NewSMTP(email.SMTPConfig{URL: "smtp://" + addr})
	if err != nil {
		f.Fatal(err)
	}
	return c
}
