package main

import (
	"context"
	"errors"
	"time"

	"aftercall/internal/chaos/bed"
	"aftercall/internal/chaos/checker"
)

// rewrite changes the config folder, which a running process watches, and waits until the change is active.
func rewrite(ctx context.Context, b *bed.Bed, c *checker.Checker, files map[string]string) error {
	const activations = `SELECT count(*) FROM activations`
	before, err := c.Count(ctx, activations)
	if err != nil {
		return err
	}
	if err := b.WriteConfig(files); err != nil {
		return err
	}
	for until := time.Now().Add(20 * time.Second); time.Now().Before(until); {
		now, err := c.Count(ctx, activations)
		if err != nil || now > before {
			return err
		}
		if !bed.Wait(ctx, 20*time.Millisecond) {
			return ctx.Err()
		}
	}
	return errors.New("the changed config did not become active in 20 s")
}
