package store_test

import (
	"regexp"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"aftercall/internal/store"
	"aftercall/reason"
)

// TestABulkFilterWalksIds: it takes what fits in the order of ids, and looks up what is asked of each, so that a look ends where
// enough are found, however much there is.
func TestABulkFilterWalksIds(t *testing.T) {
	t.Parallel()
	passed := &statements{seen: map[string]pgx.TraceQueryStartData{}}
	h := open(t, store.Options{Tracer: passed})
	h.exec(t, filler, h.revision)
	h.exec(t, "UPDATE deliveries SET state = 'failed' WHERE get_byte(uuid_send(id), 15) < 64")
	h.exec(t, "VACUUM ANALYZE")
	from := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC) // before the filler's
	for _, test := range []struct {
		statement, walks string
		ask              store.BulkRequest
	}{
		{"BulkTroubled", `Index Scan using deliveries_troubled_by_id .*\n\s*Index Cond: .*state = 'failed'.*\(id > `,
			store.BulkRequest{Action: store.BulkResend, Filter: store.BulkFilter{State: store.Failed, Since: time.Now().Add(-time.Hour)}}},
		{"BulkConversations", `SubPlan(?s:.*)Index (?:Only )?Scan using decisions_pkey .*\n\s*Index Cond: .*conversation_id = c.id`,
			store.BulkRequest{Action: store.BulkReplaySame, Filter: store.BulkFilter{Automation: "complaint", Reason: reason.Fired, Since: from}}},
		{"BulkConversations", `SubPlan(?s:.*)Index Scan using deliveries_key .*\n\s*Index Cond: .*conversation_id = c.id`,
			store.BulkRequest{Action: store.BulkReplaySame, Filter: store.BulkFilter{State: store.Sent, Channel: "sms", Since: from}}},
	} {
		test.ask.Filter.Until = time.Now().Add(time.Hour)
		if _, _, err := h.CountBulk(t.Context(), "acme", test.ask); err != nil {
			t.Fatal(err)
		}
		text := h.explain(t, passed.all()[test.statement])
		if scan := regexp.MustCompile(`Seq Scan on (?:decisions|deliveries|attempts)\b`); scan.MatchString(text) || !regexp.MustCompile(test.walks).MatchString(text) {
			t.Errorf("%s does not walk %s:\n%s", test.ask, test.walks, text)
		}
	}
}
