package main

import (
	"runtime/debug"
)

// How the garbage collector works unless GOGC and GOMEMLIMIT say otherwise. The usual 100 spends a fifth of the processor
// time to keep the heap twice as large as what lives; the heap here is small, so it may be four times as large. Beyond the
// limit, which only a heap full of live data reaches, the collector works as hard as it must.
const (
	heapGrowth  = 300       // per cent
	memoryLimit = 512 << 20 // bytes
)

func tuneMemory(getenv func(string) string) {
	if getenv("GOGC") == "" {
		debug.SetGCPercent(heapGrowth)
	}
	if getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
}
