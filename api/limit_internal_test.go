package api

import (
	"testing"
	"time"
)

func TestAKeyThatAsksAllTheTimeIsToldToWait(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	l := newLimits(func() time.Time { return now })
	count := func(key string) (n int) {
		for l.admit(key) {
			n++
		}
		return n
	}
	if n := count("one"); n != requestsAtOnce {
		t.Errorf("%d at once, want %d", n, requestsAtOnce)
	}
	if n := count("two"); n != requestsAtOnce {
		t.Errorf("%d of another key, want %d", n, requestsAtOnce)
	}
	now = now.Add(time.Second)
	if n := count("one"); n != requestsPerSecond {
		t.Errorf("%d more after a second, want %d", n, requestsPerSecond)
	}
	now = now.Add(time.Hour)
	if n := count("one"); n != requestsAtOnce {
		t.Errorf("%d after an hour, want %d", n, requestsAtOnce)
	}
}
