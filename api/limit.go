package api

import (
	"sync"
	"time"
)

// How often one key may ask: so many at once, and so many a second from then on. What a person would do with a script is far
// below; a loop that went wrong is not.
const (
	requestsAtOnce    = 200
	requestsPerSecond = 50
)

// limits counts what keys ask for in this process. Only keys that are known are counted, so there are few.
type limits struct {
	now func() time.Time

	mu    sync.Mutex
	until map[string]time.Time // by key: when all that it asked for is worked off at its rate
}

func newLimits(now func() time.Time) *limits {
	return &limits{now: now, until: map[string]time.Time{}}
}

// admit counts a request of a key, and reports whether there is room for it.
func (l *limits) admit(key string) bool {
	const each, room = time.Second / requestsPerSecond, requestsAtOnce * (time.Second / requestsPerSecond)
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	until := l.until[key]
	if until.Before(now) {
		until = now
	}
	if until.Sub(now)+each > room {
		return false
	}
	l.until[key] = until.Add(each)
	return true
}
