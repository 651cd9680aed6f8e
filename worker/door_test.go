package worker

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestDoorYields: others stand back while somebody is there, but not for ever.
func TestDoorYields(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		webhooks []time.Duration // how long each is answered, all from the start
		want     time.Duration
	}{
		"nobody there":         {nil, 0},
		"one, soon gone":       {[]time.Duration{3 * time.Millisecond}, 3 * time.Millisecond},
		"until the last":       {[]time.Duration{3 * time.Millisecond, 9 * time.Millisecond}, 9 * time.Millisecond},
		"not longer than that": {[]time.Duration{time.Minute}, webhooksFirst},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var door Door
				for _, d := range test.webhooks {
					time.AfterFunc(d, door.Enter())
				}
				began := time.Now()
				door.yield(t.Context(), webhooksFirst)
				if took := time.Since(began); took != test.want {
					t.Errorf("stood back for %s, want %s", took, test.want)
				}
			})
		})
	}
}
