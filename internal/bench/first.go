package main

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"time"
)

// first sees how soon after its start the product takes a call, and how large it is.
func first() measurement {
	return measurement{id: "start", title: "start to the first accepted call, and the binary", take: takeFirst}
}

func takeFirst(ctx context.Context, b *bench) error {
	s, err := b.common(ctx)
	if err != nil {
		return err
	}
	for range b.size(5, 1) {
		run := s.newRun("first")
		began := time.Now()
		if err := s.start(ctx); err != nil {
			return err
		}
		out := newSender(s.Bed, usual).closed(ctx, calls(run, 1, turns), 1)
		took := time.Since(began)
		if len(out.accepted) != 1 {
			return errors.New("the first call was not taken")
		}
		b.add("start to the first accepted call", "s", took.Seconds(), atMost(1))
		if _, err := s.Await(ctx, run, mails, time.Minute); err != nil {
			return err
		}
		s.stop()
	}
	info, err := os.Stat(s.Binary)
	if err != nil {
		return fmt.Errorf("look at the binary: %w", err)
	}
	b.add("the binary", "MB", float64(info.Size())/(1<<20), atMost(60))
	if f, err := elf.Open(s.Binary); err == nil { // on Linux; other systems have other formats
		defer func() { _ = f.Close() }()
		asks := 0
		if f.Section(".interp") != nil {
			asks = 1
		}
		b.add("other libraries it asks for", "", float64(asks), atMost(0))
	}
	return s.audit(ctx)
}
