package main

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"aftercall/internal/chaos/bed"
	"aftercall/internal/chaos/checker"
)

// bytesKept is R14: workers are killed when messages are rendered and not yet sent, the config gets other texts
// meanwhile, and what then goes out is byte for byte what was stored, in the words of the revision that was pinned.
func bytesKept() property {
	return property{
		id: "R14", title: "same bytes after a crash and a new config", try: tryBytesKept,
		weak: []weakness{
			{"rewrites-at-sending", "sent other than stored"},
			{"decides-by-the-active-revision", "mails in the words of another revision"},
		},
	}
}

// edition is the bed's account with texts that say which edition of the config they come from.
func edition(n int) map[string]string {
	account := bed.Account()
	mark := fmt.Sprintf("edition-%d: ", n)
	account["account.yaml"] = strings.NewReplacer(`subject: "`, `subject: "`+mark, `body: "`, `body: "`+mark).Replace(account["account.yaml"])
	return account
}

var editionOf = regexp.MustCompile(`edition-\d+: `)

func tryBytesKept(ctx context.Context, t *trial) error {
	b, c, err := t.bed(ctx, bed.Options{Config: edition(0)})
	if err != nil {
		return err
	}
	defer b.Close()
	defer c.Close()
	if err := b.Mail(ctx, bed.Conduct{Keep: true}); err != nil {
		return err
	}
	if _, err := b.WebProcess(ctx); err != nil {
		return err
	}
	e := &editor{bed: b, checker: c}
	rounds, calls := t.size(10, 2), t.size(25, 10)
	for n := range rounds {
		if err := e.round(ctx, n, calls); err != nil {
			return err
		}
	}
	h, err := checker.ReadHistory(b.History)
	if err != nil {
		return err
	}
	l, err := c.Ledger(ctx, checker.Question{History: h, Acked: e.acked, Wanted: bed.Wanted()})
	if err != nil {
		return err
	}
	pinned, err := e.pinned(ctx)
	if err != nil {
		return err
	}
	t.equal("calls accepted", len(e.acked), rounds*calls)
	t.exercised("kills", rounds)
	t.atLeast("messages that were rendered and not sent when their worker was killed", e.waiting, rounds*calls*mailsPerCall/2)
	t.exercised("calls decided after the config had changed", e.late)
	t.exercised("revisions that calls were pinned to", distinct(pinned))
	t.zero("mails in the words of another revision", otherWords(h, pinned))
	t.ledger(l)
	t.equal("in doubt", l.Unknown.Count, 0)
	return t.audit(ctx, b)
}

// editor changes the config while messages wait.
type editor struct {
	bed     *bed.Bed
	checker *checker.Checker

	acked         []string
	waiting, late int
}

// round has most calls decided while nothing may be sent, kills the worker, takes in some more calls under the old
// config, changes it, and lets another worker finish.
func (e *editor) round(ctx context.Context, n, calls int) error {
	all := bed.Calls(fmt.Sprintf("r14-%d", n), calls)
	most := calls * 3 / 4
	if err := e.pause(ctx, true); err != nil {
		return err
	}
	if err := e.post(ctx, all[:most]); err != nil {
		return err
	}
	first, err := e.bed.Worker(ctx)
	if err != nil {
		return err
	}
	if err := e.decided(ctx); err != nil {
		return err
	}
	first.Kill()
	waiting, err := e.checker.Count(ctx, `SELECT count(*) FROM deliveries WHERE channel = 'email' AND state = 'planned'`)
	if err != nil {
		return err
	}
	e.waiting += waiting
	if err := e.post(ctx, all[most:]); err != nil {
		return err
	}
	e.late += len(all) - most
	if err := rewrite(ctx, e.bed, e.checker, edition(n+1)); err != nil {
		return err
	}
	if err := e.pause(ctx, false); err != nil {
		return err
	}
	second, err := e.bed.Worker(ctx)
	if err != nil {
		return err
	}
	if _, _, err := e.checker.Settle(ctx, 30*time.Second); err != nil {
		return err
	}
	second.Terminate(25 * time.Second)
	return nil
}

func (e *editor) post(ctx context.Context, calls []bed.Call) error {
	posted, err := e.bed.Post(ctx, calls, bed.Posting{})
	e.acked = append(e.acked, posted.Acked...)
	return err
}

// pause holds the queue of mails, as an operator can; workers that start see it.
func (e *editor) pause(ctx context.Context, on bool) error {
	_, err := e.checker.Pool().Exec(ctx, `
		INSERT INTO river_queue (name, paused_at, updated_at) VALUES ('deliver_email', CASE WHEN $1 THEN now() END, now())
		ON CONFLICT (name) DO UPDATE SET paused_at = excluded.paused_at, updated_at = now()`, on)
	if err != nil {
		return fmt.Errorf("pause the queue of mails: %w", err)
	}
	return nil
}

// decided waits until every conversation is, and nothing but mails is left to do: what else the kill interrupted would
// have to wait for the dead worker's lease.
func (e *editor) decided(ctx context.Context) error {
	for until := time.Now().Add(30 * time.Second); time.Now().Before(until); {
		left, err := e.checker.Count(ctx, `
			SELECT (SELECT count(*) FROM conversations WHERE state <> 'decided')
			     + (SELECT count(*) FROM deliveries WHERE channel <> 'email' AND state IN ('planned', 'retrying', 'sending'))`)
		if err != nil || left == 0 {
			return err
		}
		if !bed.Wait(ctx, 20*time.Millisecond) {
			return ctx.Err()
		}
	}
	return fmt.Errorf("not all calls were decided in 30 s")
}

// pinned says for each conversation which edition its revision has, as the stored files have it.
func (e *editor) pinned(ctx context.Context) (map[string]string, error) {
	rows, err := e.checker.Rows(ctx, `
		SELECT c.external_id || ' ' || substring(convert_from(decode(r.files ->> 'account.yaml', 'base64'), 'UTF8') FROM 'edition-\d+: ')
		FROM conversations AS c JOIN revisions AS r ON r.id = c.revision_id`)
	if err != nil {
		return nil, err
	}
	pinned := map[string]string{}
	for _, r := range rows {
		id, mark, _ := strings.Cut(r, " ")
		pinned[id] = mark
	}
	return pinned, nil
}

func distinct(pinned map[string]string) int {
	marks := map[string]bool{}
	for _, m := range pinned {
		marks[m] = true
	}
	return len(marks)
}

// otherWords finds mails with a text, subject or body, that is not of the pinned edition.
func otherWords(h checker.History, pinned map[string]string) (f checker.Finding) {
	for _, m := range h.Mails() {
		marks := editionOf.FindAllString(m.Mail, -1)
		ok := len(marks) >= 2 // subject and body
		for _, mark := range marks {
			ok = ok && mark == pinned[m.About]
		}
		if !ok {
			f.Count++
			f.IDs = append(f.IDs, fmt.Sprintf("%s has %q, not %q", m.About, marks, pinned[m.About]))
		}
	}
	f.IDs = f.IDs[:min(len(f.IDs), 5)]
	return f
}
