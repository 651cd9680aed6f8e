package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"aftercall/internal/chaos/bed"
	"aftercall/internal/chaos/checker"
)

// erased is R16, with S11: callers are erased while their mails are under way and tried again. Nothing of theirs is sent
// after that, nothing of them stands anywhere, and a platform that posts everything again brings nobody back.
func erased() property {
	return property{
		id: "R16", title: "erased while it is sent", try: tryErased,
		weak: []weakness{
			{"erases-under-way", "mails sent, or still under way, after their call was erased"},
			{"erased-comes-back", "calls that came back"},
			{"values-are-left", "columns with something of an erased caller"},
		},
	}
}

func tryErased(ctx context.Context, t *trial) error {
	var o bed.Options
	if t.full {
		o.Variants = []string{"soon-again"} // a short run tries again soon anyway
	}
	b, c, err := t.bed(ctx, o)
	if err != nil {
		return err
	}
	defer b.Close()
	defer c.Close()
	if _, err := b.WebProcess(ctx); err != nil {
		return err
	}
	if _, err := b.Worker(ctx, "SENDGRID_API_KEY="); err != nil { // captures what it has, so that there is something to erase
		return err
	}
	n := t.size(200, 12)
	calls := make([]bed.Call, n)
	for i := range calls {
		calls[i] = canaryCall(i)
	}
	posted, err := b.Post(ctx, calls[:n/4], bed.Posting{})
	if err != nil {
		return err
	}
	if _, _, err := c.Settle(ctx, time.Minute); err != nil {
		return err
	}
	b.StopServing()
	if _, err := b.WebProcess(ctx); err != nil {
		return err
	}
	if _, err := b.Worker(ctx); err != nil {
		return err
	}
	if err := b.Mail(ctx, bed.Conduct{LatencyMS: 500, JitterMS: 2000, RetryAfter: 1, Faults: map[string]float64{"429": 0.4, "500": 0.1}}); err != nil {
		return err
	}
	more, err := b.Post(ctx, calls[n/4:], bed.Posting{})
	if err != nil {
		return err
	}
	t.equal("calls accepted", len(posted.Acked)+len(more.Acked), n)
	gone, err := t.eraseAll(ctx, b, calls)
	if err != nil {
		return err
	}
	return t.judgeErased(ctx, b, c, calls, gone)
}

// eraseAll erases the calls one by one, some side by side, and says when each was gone. It begins with those that came last,
// whose mails are under way.
func (t *trial) eraseAll(ctx context.Context, b *bed.Bed, calls []bed.Call) (map[string]time.Time, error) {
	var mu sync.Mutex
	var failed checker.Finding
	gone := map[string]time.Time{}
	in := make(chan bed.Call)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for call := range in {
				out, code, err := b.Run(ctx, "erase", "--yes", call.ID)
				mu.Lock()
				if gone[call.ID] = time.Now(); err != nil || code != 0 {
					failed.Note(fmt.Sprintf("%s: %d %v %s", call.ID, code, err, firstLine(out)))
				}
				mu.Unlock()
			}
		})
	}
	for _, call := range slices.Backward(calls) {
		in <- call
	}
	close(in)
	all.Wait()
	t.zero("calls that could not be erased", failed)
	return gone, ctx.Err()
}

// judgeErased lets the workers go on, posts everything again, and looks.
func (t *trial) judgeErased(ctx context.Context, b *bed.Bed, c *checker.Checker, calls []bed.Call, gone map[string]time.Time) error {
	if !bed.Wait(ctx, t.within(10*time.Second, 2*time.Second)) { // longer than a mail waits for its next try
		return ctx.Err()
	}
	h, err := checker.ReadHistory(b.History)
	if err != nil {
		return err
	}
	var late checker.Finding
	for _, e := range h.Mails() {
		if at, ok := gone[e.About]; ok && (e.At.After(at) || h.Ended[e.Seq].After(at)) {
			late.Note(e.About)
		}
	}
	t.exercised("mail calls, refused ones among them", len(h.Mails()))
	t.zero("mails sent, or still under way, after their call was erased", late)
	if err := t.searchErased(ctx, c); err != nil {
		return err
	}
	again, err := b.Post(ctx, calls, bed.Posting{})
	if err != nil {
		return err
	}
	t.equal("calls posted again and answered 200", len(again.Acked), len(calls))
	back, err := c.Rows(ctx, `SELECT external_id FROM conversations UNION SELECT identity FROM events`)
	if err != nil {
		return err
	}
	var returned checker.Finding
	for _, id := range back {
		returned.Note(id)
	}
	t.zero("calls that came back", returned)
	return t.audit(ctx, b)
}

// searchErased looks through every column of every table.
func (t *trial) searchErased(ctx context.Context, c *checker.Checker) error {
	columns, err := c.Columns(ctx)
	if err != nil {
		return err
	}
	found, err := c.Holding(ctx, personal+"|"+drama)
	if err != nil {
		return err
	}
	var left checker.Finding
	for column, n := range found {
		left.Note(fmt.Sprintf("%s.%s: %d rows", column.Table, column.Name, n))
	}
	t.exercised("columns searched", len(columns))
	t.zero("columns with something of an erased caller", left)
	return nil
}
