package api

import (
	"slices"
	"testing"
)

// TestWhatIsKeptHasOnlyIDs: an answer that is kept for whoever asks again is one of those that have nothing in them that was
// said, so that erasing a call need not look for it.
func TestWhatIsKeptHasOnlyIDs(t *testing.T) {
	t.Parallel()
	kept := 0
	for _, r := range routes() {
		if !r.changes() {
			continue
		}
		kept++
		if !slices.Contains([]any{done{}, runMade{}, callCancelled{}, deliveryMade{}, taskMade{}, bulkMade{}, erasureMade{}}, r.Answer.Body) {
			t.Errorf("%s is answered with %T, and that is kept", r.Pattern(), r.Answer.Body)
		}
	}
	if kept < 10 {
		t.Errorf("%d routes change anything", kept)
	}
}
