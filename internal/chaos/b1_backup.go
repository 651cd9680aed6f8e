package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"time"

	"aftercall/internal/chaos/bed"
	"aftercall/internal/chaos/checker"
	"aftercall/internal/postgres"
)

// restoredBackup is B1: a backup is made in the middle of work, the original goes on and sends everything, and then the
// backup is restored and worked on. What the backup does not know as final may have gone out: it must not go out again.
func restoredBackup() property {
	return property{
		id: "B1", title: "a backup restored", try: tryRestoredBackup,
		weak: []weakness{{"restores-go-unnoticed", "doubled"}},
	}
}

// copyName is the database that the backup is restored into.
const copyName = "chaos_restored"

func tryRestoredBackup(ctx context.Context, t *trial) error {
	b, c, err := t.bed(ctx, bed.Options{})
	if err != nil {
		return err
	}
	defer b.Close()
	defer c.Close()
	if _, err := b.WebProcess(ctx); err != nil {
		return err
	}
	if _, err := b.Worker(ctx); err != nil {
		return err
	}
	if err := b.Mail(ctx, bed.Conduct{LatencyMS: 300, JitterMS: 500}); err != nil {
		return err
	}
	if err := b.Model(ctx, bed.Conduct{LatencyMS: 200, JitterMS: 800}); err != nil {
		return err
	}
	posted, err := backUpAtWork(ctx, t, b)
	if err != nil {
		return err
	}
	if _, left, err := c.Settle(ctx, t.patience(3*time.Minute, 10*time.Second)); err != nil || !left.Settled() {
		return fmt.Errorf("the original did not get done: %s: %w", left, err)
	}
	b.StopServing()
	if err := restoreBackup(ctx, b); err != nil {
		return err
	}
	return t.workOnCopy(ctx, b, posted)
}

func backupFile(b *bed.Bed) string { return filepath.Join(b.Dir, "backup.dump") }

// backUpAtWork posts calls and makes the backup while about half of them are being worked.
func backUpAtWork(ctx context.Context, t *trial, b *bed.Bed) (bed.Posted, error) {
	n := t.size(600, 48)
	posted, err := b.Post(ctx, bed.Calls("b1", n), bed.Posting{PerS: float64(n) / t.within(10*time.Second, 1200*time.Millisecond).Seconds()})
	if err != nil {
		return posted, err
	}
	err = pgTool(ctx, "pg_dump", "--format=custom", "--file="+backupFile(b), "--dbname="+b.Database.Direct("chaos"))
	return posted, err
}

// restoreBackup brings the backup into another database of the server, which the product is given from now on.
func restoreBackup(ctx context.Context, b *bed.Bed) error {
	if err := b.Database.Create(ctx, copyName); err != nil {
		return err
	}
	return pgTool(ctx, "pg_restore", "--exit-on-error", "--dbname="+b.Database.Direct(copyName), backupFile(b))
}

func pgTool(ctx context.Context, name string, args ...string) error {
	path, err := postgres.Tool(ctx, name)
	if err != nil {
		return err
	}
	if out, err := exec.CommandContext(ctx, path, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, out)
	}
	return nil
}

// dumped is what the backup holds, read before anybody works on it.
type dumped struct {
	calls           []string
	undecided, open int
}

func readDumped(ctx context.Context, c *checker.Checker) (d dumped, err error) {
	if d.calls, err = c.Rows(ctx, `SELECT external_id FROM conversations`); err != nil {
		return d, err
	}
	rest, err := c.Rest(ctx)
	d.undecided, d.open = rest.Undecided, rest.Open+rest.Sending
	return d, err
}

// workOnCopy starts the product on the copy, posts calls that are new to it, and holds it against the history of both.
func (t *trial) workOnCopy(ctx context.Context, b *bed.Bed, posted bed.Posted) error {
	c, err := checker.Open(ctx, b.Database.Direct(copyName))
	if err != nil {
		return err
	}
	defer c.Close()
	before, err := readDumped(ctx, c)
	if err != nil {
		return err
	}
	b.Env = append(b.Env, "DATABASE_URL="+b.Database.URL(copyName))
	if _, err := b.Worker(ctx); err != nil {
		return err
	}
	if _, err := b.WebProcess(ctx); err != nil {
		return err
	}
	fresh, err := b.Post(ctx, bed.Calls("b1-new", t.size(60, 8)), bed.Posting{})
	if err != nil {
		return err
	}
	most := t.patience(time.Minute, 10*time.Second)
	took, left, err := c.Settle(ctx, most)
	if err != nil {
		return err
	}
	h, err := checker.ReadHistory(b.History)
	if err != nil {
		return err
	}
	// Calls that the backup does not hold are the original's; their mails are wanted, and their rows are not here.
	l, err := c.Ledger(ctx, checker.Question{History: h, Acked: append(before.calls, fresh.Acked...), Wanted: bed.Wanted()})
	if err != nil {
		return err
	}
	t.exercised("calls taken by the original", len(posted.Acked))
	t.exercised("calls in the backup", fmt.Sprintf("%d, of which %d undecided", len(before.calls), before.undecided))
	t.atLeast("not final in the backup: deliveries", before.open, 1)
	t.atLeast("not final in the backup: conversations", before.undecided, 1)
	t.judgeCopy(before, l)
	t.want("not final on the copy", left, fmt.Sprintf("none within %s", most), left.Settled())
	t.exercised("final on the copy after", took.Round(100*time.Millisecond))
	newSent, err := c.Count(ctx, `SELECT count(*) FROM deliveries AS d JOIN conversations AS c ON c.id = d.conversation_id
		WHERE c.external_id LIKE 'b1-new-%' AND d.channel = 'email' AND d.state = 'sent'`)
	if err != nil {
		return err
	}
	t.equal("mails of new calls sent on the copy", newSent, len(fresh.Acked)*len(bed.Wanted()))
	return t.audit(ctx, b)
}

// judgeCopy draws the ledger's figures of the copy. Some that hold elsewhere cannot hold here: the original sent mails
// for which the copy planned a delivery of its own, in doubt.
func (t *trial) judgeCopy(before dumped, l checker.Ledger) {
	t.exercised("mail calls of both", fmt.Sprintf("%d, of which the provider took %d", l.Calls, l.AcceptedCalls))
	t.zero("lost", l.Lost)
	t.zero("doubled", l.Doubled)
	t.zero("sent again after it may have gone out", l.Resent)
	t.zero("called sent, never taken", l.Phantom)
	t.zero("wanted, not planned", l.Missing)
	// Every undecided call leads to four mails and a team alert.
	t.equal("in doubt (not final in the backup, or planned by an undecided call)", l.Unknown.Count, before.open+before.undecided*5)
}
