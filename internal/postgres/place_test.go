package postgres

import (
	"path/filepath"
	"testing"
)

// TestWhatNeedsNoCareIsHeldInMemory where there is room, and nothing else is.
func TestWhatNeedsNoCareIsHeldInMemory(t *testing.T) {
	t.Parallel()
	hasty := "/tmp"
	if free(memory) >= room {
		hasty = memory
	}
	for _, c := range []struct {
		name string
		o    Options
		want string
	}{
		{"temporary", Options{}, hasty},
		{"for measurements", Options{Durable: true}, "/tmp"},
		{"lasting", Options{Dir: t.TempDir()}, "/tmp"},
	} {
		if got := roomy(c.o); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	if free(t.TempDir()) == 0 || free(filepath.Join(t.TempDir(), "none")) != 0 {
		t.Error("there is no room, or there is where nothing is")
	}
}
