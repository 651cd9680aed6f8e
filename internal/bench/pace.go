package main

import (
	"crypto/sha256"
	"encoding/json"
	"runtime"
	"sync"
	"time"
)

// paceName is the figure that says how quick the machine itself is just now.
const paceName = "the machine's pace: a fixed piece of work on all cores"

// pace times a fixed piece of work, of the kind that the product does: JSON, hashing, memory. A machine that is shared changes
// its speed by a factor of two within minutes: where this moved between two runs, so did everything else.
func (b *bench) pace() {
	var all sync.WaitGroup
	began := time.Now()
	for range runtime.NumCPU() {
		all.Go(func() { b.ballast.Add(work(b.size(3000, 30))) })
	}
	all.Wait()
	b.add(paceName, "ms", ms(time.Since(began)))
}

// work writes, reads and hashes a small document n times. What it returns is there so that nothing is left out of it.
func work(n int) (sum int64) {
	type turn struct{ Who, Text string }
	doc := make([]turn, 20)
	for i := range doc {
		doc[i] = turn{"customer", "Could somebody call me back tomorrow after three, please? I cannot hold the line."}
	}
	for range n {
		raw, err := json.Marshal(doc)
		if err != nil {
			return sum
		}
		var back []turn
		if json.Unmarshal(raw, &back) != nil {
			return sum
		}
		hash := sha256.Sum256(raw)
		sum += int64(hash[0]) + int64(len(back))
	}
	return sum
}
