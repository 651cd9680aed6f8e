package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/mail"
	"net/textproto"
	"strings"
)

// serveSMTP plays a mail server that takes everything, for runs of the SMTP channel. The history keeps mails whole.
func (p *providers) serveSMTP(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer func() { _ = conn.Close() }()
			d := &smtpDialogue{providers: p, conn: conn, in: textproto.NewReader(bufio.NewReader(conn))}
			d.serve()
		}()
	}
}

// smtpDialogue is one client's.
type smtpDialogue struct {
	providers *providers
	conn      net.Conn
	in        *textproto.Reader
	to        []string
}

func (d *smtpDialogue) serve() {
	for ok := d.say("220 fake ESMTP"); ok; {
		line, err := d.in.ReadLine()
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(line, " ")
		switch strings.ToUpper(verb) {
		case "EHLO", "HELO":
			ok = d.say("250-fake\r\n250 8BITMIME")
		case "MAIL":
			d.to = nil
			ok = d.say("250 ok")
		case "RCPT":
			_, path, _ := strings.Cut(rest, "<")
			path, _, _ = strings.Cut(path, ">")
			d.to = append(d.to, path)
			ok = d.say("250 ok")
		case "DATA":
			ok = d.say("354 go on") && d.data()
		case "QUIT":
			_ = d.say("221 bye")
			return
		case "RSET", "NOOP":
			ok = d.say("250 ok")
		default:
			ok = d.say("502 what?")
		}
	}
}

func (d *smtpDialogue) data() bool {
	raw, err := io.ReadAll(d.in.DotReader())
	if err != nil {
		return false
	}
	e := entry{Kind: "mail", Accepted: true, Status: 250, To: d.to, Mail: string(raw)}
	if m, err := mail.ReadMessage(bytes.NewReader(raw)); err == nil {
		e.Delivery = m.Header.Get("X-Aftercall-Delivery")
	}
	_, _, end := d.providers.begin("mail", e.Delivery)
	defer end()
	seq, err := d.providers.history.keep(e)
	if err != nil || !d.say("250 taken") {
		return false
	}
	_, err = d.providers.history.keep(entry{Kind: "answered", Of: seq})
	return err == nil
}

func (d *smtpDialogue) say(line string) bool {
	_, err := fmt.Fprintf(d.conn, "%s\r\n", line)
	return err == nil
}
