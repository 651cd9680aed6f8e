package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"aftercall/internal/chaos/bed"
	"aftercall/internal/chaos/checker"
)

// mailFaults is R6: three in ten mail calls go wrong, in every way a call can, and exactly those are in doubt whose
// answer never came.
func mailFaults() property {
	return property{
		id: "R6", title: "mail faults", try: tryMailFaults,
		weak: []weakness{
			{"silence-is-retried", "doubled"},
			{"no-retry-after-mail", "mail calls before their Retry-After was over"},
			{"refusals-are-retried", "refused for good (400, 413) and called again, or not failed"},
			{"no-wait-for-operators", "waiting for an operator (401, 403) and called again, or not waiting"},
		},
	}
}

// refusedInHandshake is the share of connections cut before a byte of a request is written.
const refusedInHandshake = 0.05

func tryMailFaults(ctx context.Context, t *trial) error {
	o := bed.Options{Variants: []string{"impatient"}}
	if t.full {
		o.Variants = []string{"soon-again"}
	}
	b, c, err := t.bed(ctx, o)
	if err != nil {
		return err
	}
	defer b.Close()
	defer c.Close()
	door, err := b.Door()
	if err != nil {
		return err
	}
	defer door.Close()
	if _, err := b.WebProcess(ctx); err != nil {
		return err
	}
	if _, err := b.Worker(ctx, door.Env...); err != nil {
		return err
	}
	if err := t.mailsThroughFaults(ctx, b, c, door); err != nil {
		return err
	}
	if err := t.audit(ctx, b); err != nil {
		return err
	}
	return t.mailsRefused(ctx, b, c, door)
}

// mailsThroughFaults is the first part: faults that pass.
func (t *trial) mailsThroughFaults(ctx context.Context, b *bed.Bed, c *checker.Checker, door *bed.Door) error {
	door.Cut(refusedInHandshake)
	conduct := bed.Conduct{Close: true, RetryAfter: t.size(5, 1), Faults: map[string]float64{"429": 0.10, "500": 0.10, "hang_after_accept": 0.05}}
	if err := b.Mail(ctx, conduct); err != nil {
		return err
	}
	n := t.size(500, 36)
	posted, err := b.Post(ctx, bed.Calls("r6", n), bed.Posting{})
	if err != nil {
		return err
	}
	_, left, err := c.Settle(ctx, t.patience(150*time.Second, 30*time.Second))
	if err != nil {
		return err
	}
	h, err := checker.ReadHistory(b.History)
	if err != nil {
		return err
	}
	l, err := c.Ledger(ctx, checker.Question{History: h, Acked: posted.Acked, Wanted: bed.Wanted()})
	if err != nil {
		return err
	}
	t.equal("calls accepted", len(posted.Acked), n)
	t.exercised("faults given", faultsGiven(h.Mails())+fmt.Sprintf(", cut in the handshake %d", door.Cuts()))
	t.want("not final", left, "none", left.Settled())
	t.ledger(l)
	calls := float64(len(h.Mails())+door.Cuts()) / float64(max(l.Mails, 1))
	t.want("calls per mail, cut connections among them", fmt.Sprintf("%.2f", calls), "at most 1.5", calls <= 1.5)
	given, heeded, early := checker.Undercut(h.Mails(), func(e checker.Entry) string { return e.Delivery })
	t.exercised("Retry-After given to mails", fmt.Sprintf("%d, %d of them before another call", given, heeded))
	t.zero("mail calls before their Retry-After was over", early)
	return t.doubts(ctx, c, h, door)
}

// doubts holds the deliveries in doubt against the mails that were taken without an answer, one by one, and the tries
// that never reached the provider against the connections that were cut.
func (t *trial) doubts(ctx context.Context, c *checker.Checker, h checker.History, door *bed.Door) error {
	var hung []string
	for _, e := range h.Mails() {
		if e.Fault == "hang_after_accept" {
			hung = append(hung, e.Delivery)
		}
	}
	unknown, err := c.Rows(ctx, `SELECT id::text FROM deliveries WHERE state = 'unknown'`)
	if err != nil {
		return err
	}
	t.equal("in doubt (as many as were taken without an answer)", len(unknown), len(hung))
	t.zero("in doubt or hung, but not both", checker.Differ(unknown, hung))
	unsent, err := c.Count(ctx, `SELECT count(*) FROM attempts WHERE state = 'retrying' AND class = 'connection' AND status = 0`)
	if err != nil {
		return err
	}
	t.equal("tries known not to have gone out (as many as were cut)", unsent, door.Cuts())
	return nil
}

// mailsRefused is the second part: answers after which another call is useless. 400 and 413 end a mail. 401 and 403 are an
// operator's to mend (a key, a sender), so the mail is kept, and called again ten minutes later at the earliest.
func (t *trial) mailsRefused(ctx context.Context, b *bed.Bed, c *checker.Checker, door *bed.Door) error {
	door.Cut(0)
	kinds := map[string]float64{"400": 0.25, "401": 0.25, "403": 0.25, "413": 0.25}
	if err := b.Mail(ctx, bed.Conduct{Faults: kinds}); err != nil {
		return err
	}
	posted, err := b.Post(ctx, bed.Calls("r6-refused", t.size(50, 8)), bed.Posting{})
	if err != nil {
		return err
	}
	want := len(posted.Acked) * len(bed.Wanted())
	const tried = `SELECT count(*) FROM deliveries AS d JOIN conversations AS c ON c.id = d.conversation_id
		WHERE c.external_id LIKE 'r6-refused-%' AND d.channel = 'email' AND d.attempt > 0 AND d.state <> 'sending'`
	for n, until := 0, time.Now().Add(t.patience(15*time.Second, 15*time.Second)); n < want && time.Now().Before(until) && bed.Wait(ctx, 50*time.Millisecond); {
		if n, err = c.Count(ctx, tried); err != nil {
			return err
		}
	}
	// Long enough for another try with the ordinary back-off of this build.
	if !bed.Wait(ctx, t.within(10*time.Second, 1500*time.Millisecond)) {
		return ctx.Err()
	}
	h, err := checker.ReadHistory(b.History)
	if err != nil {
		return err
	}
	return t.onceEach(ctx, c, h)
}

func (t *trial) onceEach(ctx context.Context, c *checker.Checker, h checker.History) error {
	calls, fault := map[string]int{}, map[string]string{}
	for _, e := range h.Mails() {
		if strings.HasPrefix(e.About, "r6-refused-") {
			calls[e.Delivery]++
			fault[e.Delivery] = e.Fault
		}
	}
	// Of these calls only: a mail before them may have met eight faults in a row, and was then given up.
	failed, err := c.Rows(ctx, `SELECT d.id::text FROM deliveries AS d JOIN conversations AS v ON v.id = d.conversation_id
		WHERE d.state = 'failed' AND v.external_id LIKE 'r6-refused-%'`)
	if err != nil {
		return err
	}
	waiting, err := c.Rows(ctx, `SELECT id::text FROM deliveries WHERE state = 'retrying' AND due_at > updated_at + interval '9 minutes'`)
	if err != nil {
		return err
	}
	var final, kept []string // called once, by what they were answered
	given := map[string]int{}
	for id, n := range calls {
		given[fault[id]]++
		key := id
		if n > 1 {
			key = fmt.Sprintf("%s, called %d times", id, n) // which no list of the ledger has
		}
		if fault[id] == "400" || fault[id] == "413" {
			final = append(final, key)
		} else {
			kept = append(kept, key)
		}
	}
	t.exercised("mails refused", fmt.Sprintf("400 %d, 401 %d, 403 %d, 413 %d", given["400"], given["401"], given["403"], given["413"]))
	t.zero("refused for good (400, 413) and called again, or not failed", checker.Differ(final, failed))
	t.zero("waiting for an operator (401, 403) and called again, or not waiting", checker.Differ(kept, waiting))
	return nil
}
