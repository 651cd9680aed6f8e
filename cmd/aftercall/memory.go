package main

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// How the garbage collector works unless GOGC or GOMEMLIMIT says otherwise. At the usual 100 it took a fifth of the
// processor time under load, for a heap of a few megabytes; so a small heap may be four times as large as what lives in
// it. A large one may not: beyond usualMemory it is kept to twice of what lives.
const (
	heapGrowth  = 300       // per cent
	usualMemory = 112 << 20 // bytes
	lookAtHeap  = time.Second
)

// tuneMemory sets the collector, and follows the size of what lives until ctx ends.
func tuneMemory(ctx context.Context, getenv func(string) string) {
	if getenv("GOGC") != "" || getenv("GOMEMLIMIT") != "" {
		return
	}
	debug.SetGCPercent(heapGrowth)
	debug.SetMemoryLimit(usualMemory)
	go func() {
		sizes := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}
		tick := time.NewTicker(lookAtHeap)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			metrics.Read(sizes)
			debug.SetMemoryLimit(memoryLimit(sizes[0].Value.Uint64() + sizes[1].Value.Uint64()))
		}
	}()
}

// memoryLimit is how much memory the runtime should get by with when so much is in use.
func memoryLimit(inUse uint64) int64 { return int64(max(usualMemory, 2*inUse)) }
