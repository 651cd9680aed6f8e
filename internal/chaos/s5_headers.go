package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"aftercall/internal/chaos/bed"
	"aftercall/internal/chaos/checker"
	"aftercall/internal/chaos/corpus"
)

// headers is S5: strings that break out of headers, in subjects, display names, addresses and answers' addresses.
func headers() property {
	return property{
		id: "S5", title: "no header is smuggled in", try: tryHeaders,
		weak: []weakness{{"line-breaks-kept", "control characters in header fields"}},
	}
}

const headerYAML = `account: chaos
name: Chaos Ltd
timezone: Europe/London
language: en
missing: not stated
from: { email: "Chaos Ltd <calls@chaos.example>" }
allow: { domains: [chaos.example], contacts: true }
variables:
  dyn_reason: { type: text, ask: "Why the customer called, in their words", said_by: customer }
automations:
  - id: team
    name: To the team
    when: { ask: "Did the customer ask for something?", said_by: customer }
    actions:
      - email: { to: [desk@chaos.example], reply_to: "{{customer_email}}", subject: "{{dyn_reason}} ({{customer_name}}, {{agent_name}}, {{metadata.q}})", body: "One." }
  - id: customer
    name: To the customer
    when: always
    actions:
      - email: { to: ["{{customer_email}}"], subject: "Call of {{default customer_name 'a caller'}}", body: "Two." }
`

// ownBreaks are line breaks in all the ways there are, and what could be read as an address or a header.
func ownBreaks() []string {
	all := []string{
		"Ana, Eve <eve@evil.example>", `Ana" <eve@evil.example>, "x`, "Ana <eve@evil.example>", "eve@evil.example", "=?utf-8?q?=0D=0ABcc=3A_eve=40evil.example?=",
		"=?utf-8?b?DQpCY2M6IGV2ZUBldmlsLmV4YW1wbGU=?=", "Ana;eve@evil.example;", "(comment) Ana", "Ana\\", strings.Repeat("long ", 40), "\u202eelpmaxe.live@eve",
	}
	for _, brk := range []string{"\r\n", "\n", "\r", "\v", "\f", "\x00", "\u0085", "\u2028", "\u2029", "%0d%0a", `\r\n`, "\r\n ", "\n\t"} {
		all = append(all, "Ana"+brk+"Bcc: eve@evil.example", "Ana"+brk+brk+"<b>body</b>")
	}
	return all
}

func ownMailboxes() []string {
	return []string{
		"ana@chaos.example", "ana.ruiz+call@customer.example", "ana@chaos.example\r\nBcc: eve@evil.example", "ana@chaos.example, eve@evil.example",
		"\"ana\r\n\"@chaos.example", "<ana@chaos.example>", "ana@[127.0.0.1]", "ana@chaos.example>\r\nRCPT TO:<eve@evil.example", "a@b@chaos.example", "ana",
	}
}

// headerCall is a call with what its mails may say and to whom they may go.
type headerCall struct {
	bed.Call
	address string
}

func (t *trial) headerCalls(prefix string) (calls []headerCall, err error) {
	texts, mailboxes := ownBreaks(), ownMailboxes()
	naughty, err := corpus.Texts(t.shared.Data("blns", "strings.json"), "string")
	if err != nil {
		return nil, err
	}
	isemail, err := corpus.Texts(t.shared.Data("isemail", "tests.json"), "address")
	if err != nil {
		return nil, err
	}
	naughty, isemail = naughty[:min(len(naughty), t.size(len(naughty), 25))], isemail[:min(len(isemail), t.size(len(isemail), 25))]
	texts, mailboxes = append(texts, naughty...), append(mailboxes, isemail...)
	t.exercised("strings in "+prefix, fmt.Sprintf("%d texts and %d addresses, of which corpus rows %d and %d", len(texts), len(mailboxes), len(naughty), len(isemail)))
	add := func(name, text, address string) {
		id := fmt.Sprintf("s5-%s-%d", prefix, len(calls))
		turns := []bed.Turn{{Role: "customer", Text: "I would like " + text + " to be seen to"}, {Role: "agent", Text: "Of course, ref-" + id}}
		calls = append(calls, headerCall{bed.CallOf(id, turns, map[string]any{
			"customer": map[string]any{"name": name, "email": address}, "queue": clipped(text),
			"agent": map[string]any{"id": "reception", "name": clipped(text)}, "metadata": map[string]any{"q": text},
		}), address})
	}
	for _, s := range texts {
		add(clipped(s), s, "ana@customer.example")
	}
	for _, a := range mailboxes {
		add("Ana Ruiz", "it", a)
	}
	return calls, nil
}

func tryHeaders(ctx context.Context, t *trial) error {
	b, c, err := t.bed(ctx, bed.Options{Config: map[string]string{"account.yaml": headerYAML}})
	if err != nil {
		return err
	}
	defer b.Close()
	defer c.Close()
	if _, err := b.WebProcess(ctx); err != nil {
		return err
	}
	if err := b.Mail(ctx, bed.Conduct{Keep: true}); err != nil {
		return err
	}
	e := &envelopes{calls: map[string]headerCall{}}
	for _, by := range []struct {
		name string
		env  []string
	}{{"sendgrid", nil}, {"smtp", b.BySMTP()}} {
		calls, err := t.headerCalls(by.name)
		if err != nil {
			return err
		}
		w, err := b.Worker(ctx, by.env...)
		if err != nil {
			return err
		}
		if err := e.post(ctx, b, calls); err != nil {
			return err
		}
		if _, e.left, err = c.Settle(ctx, t.patience(2*time.Minute, 20*time.Second)); err != nil {
			return err
		}
		t.want("not final by "+by.name, e.left, "none", e.left.Settled())
		if code, _ := w.Terminate(40 * time.Second); code != 0 {
			return fmt.Errorf("the worker ended with %d", code)
		}
	}
	return e.judge(ctx, t, b, c)
}

// envelopes looks at what arrived.
type envelopes struct {
	calls   map[string]headerCall
	refused int
	left    checker.Rest

	names, recipients, control, unreadable checker.Finding
	sendgrid, smtp                         int
}

func (e *envelopes) post(ctx context.Context, b *bed.Bed, calls []headerCall) error {
	plain := make([]bed.Call, len(calls))
	for i, c := range calls {
		plain[i], e.calls[c.ID] = c.Call, c
	}
	posted, err := b.Post(ctx, plain, bed.Posting{})
	e.refused += len(posted.Refused)
	return err
}

func (e *envelopes) judge(ctx context.Context, t *trial, b *bed.Bed, c *checker.Checker) error {
	h, err := checker.ReadHistory(b.History)
	if err != nil {
		return err
	}
	about := map[string][2]string{} // of each delivery: the call and the automation, as the ledger has them
	rows, err := c.Rows(ctx, `SELECT d.id::text || ' ' || c.external_id || ' ' || d.automation FROM deliveries AS d JOIN conversations AS c ON c.id = d.conversation_id`)
	if err != nil {
		return err
	}
	for _, row := range rows {
		f := strings.Fields(row)
		about[f[0]] = [2]string{f[1], f[2]}
	}
	for _, m := range h.Mails() {
		e.mail(m, about[m.Delivery])
	}
	missing, err := c.Rows(ctx, `
		SELECT state || ' ' || reason || ' ' || count(*) FROM deliveries WHERE state <> 'sent' GROUP BY state, reason ORDER BY 1`)
	if err != nil {
		return err
	}
	t.exercised("calls", fmt.Sprintf("%d, of which %d were refused at the door", len(e.calls), e.refused))
	t.exercised("mails parsed", fmt.Sprintf("%d of SendGrid, %d of SMTP", e.sendgrid, e.smtp))
	t.exercised("mails not sent", strings.Join(missing, "; "))
	t.atLeast("mails by each way, at least one per three calls", min(e.sendgrid, e.smtp), len(e.calls)/6)
	t.zero("mails that cannot be parsed", e.unreadable)
	t.zero("mails with other headers than wanted", e.names)
	t.zero("mails with other recipients than wanted", e.recipients)
	t.zero("control characters in header fields", e.control)
	return nil
}

func (e *envelopes) mail(m checker.Entry, about [2]string) {
	read, wanted := m.Letter, sendgridMembers()
	if bySMTP := !strings.HasPrefix(m.Mail, "{"); bySMTP {
		e.smtp++
		read, wanted = m.SMTPLetter, smtpHeaders()
	} else {
		e.sendgrid++
	}
	l, err := read()
	if err != nil {
		e.unreadable.Note(m.Delivery)
		return
	}
	replyTo := slices.ContainsFunc(l.Members, func(n string) bool { return n == "Reply-To" || n == "reply_to" })
	names := slices.DeleteFunc(slices.Clone(l.Members), func(n string) bool { return n == "Reply-To" || n == "reply_to" })
	slices.Sort(names)
	if !slices.Equal(names, wanted) || replyTo && about[1] != "team" {
		e.names.Note(m.Delivery + " " + strings.Join(names, ","))
	}
	call := e.calls[about[0]]
	to := call.address
	if about[1] == "team" {
		to = "desk@chaos.example"
	}
	if len(l.To) != 1 || !sameMailbox(l.To[0].Email, to) || len(m.To) != 1 || m.To[0] != l.To[0].Email ||
		l.From != (checker.Address{Name: "Chaos Ltd", Email: "calls@chaos.example"}) || replyTo && !sameMailbox(l.ReplyTo.Email, call.address) {
		e.recipients.Note(m.Delivery)
	}
	if breaking(l) {
		e.control.Note(m.Delivery)
	}
}

// sameMailbox compares addresses; the case of a domain does not matter.
func sameMailbox(a, b string) bool {
	return a != "" && strings.EqualFold(a, strings.TrimSpace(b)) && !strings.ContainsAny(a, " ,;<>\r\n")
}

func sendgridMembers() []string {
	return []string{"content", "custom_args", "from", "personalizations", "personalizations.to", "subject"}
}

func smtpHeaders() []string {
	return []string{"Auto-Submitted", "Content-Type", "Date", "From", "Message-Id", "Mime-Version", "Subject", "To", "X-Aftercall-Delivery"}
}
