package automation_test

import (
	"fmt"
	"testing"
)

// BenchmarkSheets is which sheets a call is asked about: triggers, sheets and the lookups of a decision.
func BenchmarkSheets(b *testing.B) {
	var r rules
	for i := range 5 {
		r.add(fmt.Sprintf("automation-%d", i), "agents: [reception]", fmt.Sprintf("dyn_when_%d", i%3), "conversation_summary")
	}
	rev := r.revision(b)
	b.ReportAllocs()
	for b.Loop() {
		if s := rev.Sheets("reception", rev.Triggers(), true); len(s) != 1 || len(s[0].Questions) != 5 {
			b.Fatal(s)
		}
	}
}
