package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"aftercall/internal/chaos/bed"
	"aftercall/internal/chaos/checker"
)

// crowded is R10: one account posts thousands of conversations at once, and another does not notice.
func crowded() property {
	return property{
		id: "R10", title: "noisy neighbour", try: tryCrowded,
		weak: []weakness{{"no-fairness", "the neighbour's calls beside them, p95 from accepted to sent"}},
	}
}

// house is a config of several accounts that are all like bed.Account.
func house(accounts ...string) map[string]string {
	files := map[string]string{}
	for _, name := range accounts {
		files[name+"/account.yaml"] = strings.Replace(bed.Account()["account.yaml"], "account: chaos", "account: "+name, 1)
	}
	return files
}

func tryCrowded(ctx context.Context, t *trial) error {
	o := bed.Options{Config: house("loud", "quiet")}
	if !t.full {
		o.Variants = []string{"few-slots"}
	}
	b, c, err := t.bed(ctx, o)
	if err != nil {
		return err
	}
	defer b.Close()
	defer c.Close()
	if _, err := webAndWorkers(ctx, b, 1); err != nil {
		return err
	}
	// A model as slow as models are: it is what conversations wait for.
	if err := b.Model(ctx, bed.Conduct{LatencyMS: t.size(3000, 400), JitterMS: t.size(1000, 100)}); err != nil {
		return err
	}
	if err := b.Mail(ctx, bed.Conduct{LatencyMS: 100}); err != nil {
		return err
	}
	alone, err := t.neighbour(ctx, b, c, "alone-", t.size(60, 9))
	if err != nil {
		return err
	}
	many := t.size(5000, 250)
	crowd := make(chan error, 1)
	var posted bed.Posted
	go func() {
		var err error
		posted, err = b.Post(ctx, bed.Calls("loud", many), bed.Posting{Account: "loud", Clients: 32})
		crowd <- err
	}()
	beside, err := t.neighbour(ctx, b, c, "beside-", t.size(90, 12))
	if err != nil {
		return err
	}
	if err := <-crowd; err != nil {
		return err
	}
	t.equal("calls of the loud account accepted", len(posted.Acked), many)
	return t.neighbourly(ctx, c, alone, beside)
}

// neighbour posts calls of the quiet account one after another, and waits until they are sent.
func (t *trial) neighbour(ctx context.Context, b *bed.Bed, c *checker.Checker, prefix string, n int) ([]time.Duration, error) {
	posted, err := b.Post(ctx, bed.Calls(strings.TrimSuffix(prefix, "-"), n), bed.Posting{Account: "quiet", PerS: float64(t.size(2, 3))})
	if err != nil {
		return nil, err
	}
	var took []time.Duration
	for until := time.Now().Add(time.Minute); len(took) < len(posted.Acked) && time.Now().Before(until); {
		if took, err = c.Latencies(ctx, prefix); err != nil {
			return nil, err
		}
		if !bed.Wait(ctx, 100*time.Millisecond) {
			return nil, ctx.Err()
		}
	}
	t.equal("the neighbour's calls sent, "+strings.TrimSuffix(prefix, "-"), len(took), n)
	return took, nil
}

// neighbourly reports what the neighbour noticed.
func (t *trial) neighbourly(ctx context.Context, c *checker.Checker, alone, beside []time.Duration) error {
	crowded, err := c.Count(ctx, `
		SELECT count(*) FROM conversations AS c WHERE starts_with(c.external_id, 'beside-') AND EXISTS (
			SELECT 1 FROM conversations AS l JOIN deliveries AS d ON d.conversation_id = l.id
			WHERE l.account_id = 'loud' AND l.accepted_at < c.accepted_at AND d.updated_at > c.accepted_at)`)
	if err != nil {
		return err
	}
	took, left, err := c.Settle(ctx, t.patience(4*time.Minute, 20*time.Second))
	if err != nil {
		return err
	}
	loud, err := c.Latencies(ctx, "loud-")
	if err != nil {
		return err
	}
	t.atLeast("the neighbour's calls that came while the loud account's were worked on", crowded, len(beside)/2)
	t.exercised("the loud account's calls, p50 and last", fmt.Sprintf("%s, %s", checker.Share(loud, 0.5).Round(time.Millisecond), checker.Share(loud, 1).Round(time.Millisecond)))
	t.want("not final", left, "none", left.Settled())
	t.exercised("final after the neighbour's last", took.Round(100*time.Millisecond))
	before, now := p95(alone), p95(beside)
	t.exercised("the neighbour's calls alone, p50 and p95 from accepted to sent", fmt.Sprintf("%s, %s", checker.Share(alone, 0.5).Round(time.Millisecond), before))
	most := max(2*before, before+time.Second)
	t.measured("the neighbour's calls beside them, p95 from accepted to sent", now, fmt.Sprintf("at most twice that, or 1 s more: %s", most), now <= most && len(beside) > 0)
	slowest := checker.Share(beside, 1)
	t.measured("the neighbour's slowest call", slowest.Round(time.Millisecond), "at most 30 s", slowest <= 30*time.Second)
	return nil
}
