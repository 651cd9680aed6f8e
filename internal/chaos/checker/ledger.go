package checker

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Question is what a run expects of its mails.
type Question struct {
	History History
	Acked   []string    // conversations the product has promised to handle, by the platform's id
	Wanted  [][2]string // the mails of each: automation and address. Nothing more, nothing less
}

// Finding counts what was found, and names some of it.
type Finding struct {
	Count int
	IDs   []string // the first ten
}

func (f *Finding) add(id string) {
	f.Count++
	if len(f.IDs) < 10 {
		f.IDs = append(f.IDs, id)
	}
}

// Note counts one more, for findings of a single run.
func (f *Finding) Note(id string) { f.add(id) }

func (f Finding) String() string {
	if f.Count == 0 {
		return "0"
	}
	return fmt.Sprintf("%d (%s)", f.Count, strings.Join(f.IDs, ", "))
}

// Ledger is what history and database say together. A mail's place is (conversation, automation, address): counting by
// place and not by the ledger's own id catches two deliveries for one action, too.
type Ledger struct {
	Conversations int // rows
	Mails         int // places that were to be served: acked conversations × wanted
	Calls         int // of the mail provider
	AcceptedCalls int // that it took

	Lost        Finding // acked, but no row; or a place without a final state
	Doubled     Finding // places of which the provider took more than one mail
	Resent      Finding // deliveries called again after the provider took, or may have taken, a mail
	Phantom     Finding // sent says the ledger, the provider never took it
	Unexplained Finding // the provider took it, the ledger says neither sent nor unknown
	Stray       Finding // mails nobody wanted
	Missing     Finding // wanted, and there is no delivery at all
	Changed     Finding // what was taken is not what the ledger stores

	Unknown        Finding // deliveries in doubt, of all channels
	UnknownMails   int     // of them mails
	UnknownTaken   int     // of them mails that the provider had taken
	Unanswered     int     // taken mails whose answer did not leave the provider whole
	UnansweredLost Finding // of them those that the ledger neither doubts nor knows as sent

	States map[string]int // mails by state
}

// delivery is a row of the ledger.
type delivery struct {
	id, conversation, automation, recipient, channel, state, address string
	digest                                                           string
	attempt                                                          int
	updated                                                          time.Time
}

// Ledger reads the database and holds it against the history.
func (c *Checker) Ledger(ctx context.Context, q Question) (l Ledger, err error) {
	rows, err := c.deliveries(ctx)
	if err != nil {
		return l, err
	}
	known, err := c.Rows(ctx, `SELECT external_id FROM conversations`)
	if err != nil {
		return l, err
	}
	l.Conversations, l.Mails, l.States = len(known), len(q.Acked)*len(q.Wanted), map[string]int{}
	has := map[string]bool{}
	for _, id := range known {
		has[id] = true
	}
	for _, id := range q.Acked {
		if !has[id] {
			l.Lost.add("conversation " + id)
		}
	}
	byID := map[string]*delivery{}
	places := map[string]*delivery{}
	for i := range rows {
		d := &rows[i]
		byID[d.id] = d
		l.judge(d)
		if d.channel == "email" {
			_, address, _ := strings.Cut(d.recipient, ":") // a fixed address has the key email:ADDRESS
			places[place(d.conversation, d.automation, address)] = d
		}
	}
	l.wanted(q, places)
	l.calls(q, byID)
	return l, nil
}

func place(conversation, automation, address string) string {
	return conversation + " " + automation + " " + address
}

// judge looks at one row alone.
func (l *Ledger) judge(d *delivery) {
	if d.channel == "email" {
		l.States[d.state]++
	}
	switch d.state {
	case "planned", "retrying", "sending":
		l.Lost.add(d.channel + " " + d.id + " is " + d.state)
	case "unknown":
		l.Unknown.add(d.id)
		if d.channel == "email" {
			l.UnknownMails++
		}
	}
}

// wanted looks for places that have no delivery, and for mails at places that nobody wanted.
func (l *Ledger) wanted(q Question, places map[string]*delivery) {
	want := map[string]bool{}
	for _, id := range q.Acked {
		for _, w := range q.Wanted {
			p := place(id, w[0], w[1])
			want[p] = true
			if places[p] == nil {
				l.Missing.add(p)
			}
		}
	}
	for _, e := range q.History.Mails() {
		for _, to := range e.To {
			if p := place(e.About, e.Automation, to); !want[p] {
				l.Stray.add(p)
			}
		}
	}
}

// calls holds the provider's history against the rows.
func (l *Ledger) calls(q Question, byID map[string]*delivery) {
	taken, served := map[string]int{}, map[string]int{} // accepted mails by delivery, and by place
	for _, e := range q.History.Mails() {
		l.Calls++
		d := byID[e.Delivery]
		if taken[e.Delivery] > 0 {
			l.Resent.add(e.Delivery)
		}
		if !e.Accepted {
			continue
		}
		l.AcceptedCalls++
		taken[e.Delivery]++
		for _, to := range e.To {
			if p := place(e.About, e.Automation, to); true {
				if served[p]++; served[p] > 1 {
					l.Doubled.add(p)
				}
			}
		}
		l.accepted(q, e, d)
	}
	for id, d := range byID {
		if d.channel != "email" {
			continue
		}
		switch {
		case (d.state == "sent" || d.state == "delivered") && taken[id] == 0:
			l.Phantom.add(id)
		case d.state == "unknown" && taken[id] > 0:
			l.UnknownTaken++
		}
	}
	for _, f := range []*Finding{&l.Phantom} {
		slices.Sort(f.IDs)
	}
}

// accepted looks at one mail that the provider took.
func (l *Ledger) accepted(q Question, e Entry, d *delivery) {
	explained := d != nil && (d.state == "sent" || d.state == "delivered" || d.state == "unknown")
	if !explained {
		l.Unexplained.add(e.Delivery)
	}
	if !q.History.Answered[e.Seq] {
		l.Unanswered++
		if !explained {
			l.UnansweredLost.add(e.Delivery)
		}
	}
	if d != nil && d.digest != e.Digest {
		l.Changed.add(e.Delivery)
	}
}

// deliveries reads the whole ledger. The digest is taken over the stored content as the providers take theirs over a mail.
func (c *Checker) deliveries(ctx context.Context) ([]delivery, error) {
	rows, err := c.db.Query(ctx, `
		SELECT d.id::text, c.external_id, d.automation, d.recipient, d.channel, d.state, d.address, d.attempt, d.updated_at,
		       coalesce(d.content ->> 'subject', ''), coalesce(d.content ->> 'text', ''), coalesce(d.content ->> 'html', '')
		FROM deliveries AS d JOIN conversations AS c ON c.id = d.conversation_id`)
	if err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (d delivery, err error) {
		var subject, text, html string
		err = row.Scan(&d.id, &d.conversation, &d.automation, &d.recipient, &d.channel, &d.state, &d.address, &d.attempt, &d.updated,
			&subject, &text, &html)
		sum := sha256.Sum256([]byte(subject + "\x00" + text + "\x00" + html + "\x00"))
		d.digest = hex.EncodeToString(sum[:])
		return d, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	return all, nil
}
