package store_test

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"aftercall/internal/store"
)

// wait plans deliveries at some time that wait for the end of calls, of which so many have come at that time, too.
func (h *house) wait(t testing.TB, n, come int, at time.Time) {
	t.Helper()
	begins := store.FirstID(at)[:len("01234567-89ab")]
	h.exec(t, `WITH e AS (INSERT INTO conversations (id, account_id, source, external_id, revision_id, content, state, decide_at, decided_at, started_at, ended_at,
			channel, direction, status, agent_id, agent_name, customer_name, customer_email, customer_number, email_key, phone_key, far_phone_key)
		SELECT ($4 || '-7000-9000-' || lpad(to_hex(g), 12, '0'))::uuid, 'acme', 'phone', CASE g WHEN 0 THEN 'event:long-ago' ELSE 'come-' || g END, $1::uuid,
			CASE g WHEN 0 THEN '{"event":{}}' ELSE '{}' END::jsonb, 'decided', now(), now(), now(), now(),
			'', '', '', '', '', '', '', '', '', '', '' FROM generate_series(0, $3) AS g),
	n AS (SELECT g, ($4 || '-7000-a000-' || lpad(to_hex(g), 12, '0'))::uuid AS id FROM generate_series(1, $2) AS g),
	d AS (INSERT INTO deliveries (id, account_id, conversation_id, run, automation, action, recipient, channel, customer, state, reason, detail,
			due_at, deadline_at, test, content)
		SELECT id, 'acme', ($4 || '-7000-9000-000000000000')::uuid, 1, 'waits', 0, 'r' || g, 'email', false, 'planned', 'waiting', '',
			now() + interval '1 day', now() + interval '2 days', false, '{}' FROM n)
	INSERT INTO awaited_ends (delivery_id, conversation_id, account_id, call_id)
	SELECT id, ($4 || '-7000-9000-000000000000')::uuid, 'acme', 'come-' || g FROM n`, h.revision, n, come, begins)
}

// ends looks a number of times, and gives the deliveries whose call has come, each once.
func (h *house) ends(t testing.TB, look *store.EndLook, times int) (ids []string) {
	t.Helper()
	for range times {
		for _, w := range h.waits(t, look) {
			ids = append(ids, w.DeliveryID)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// planned plans a delivery that waits for the end of a call.
func (h *house) planned(t *testing.T, call string) (id string) {
	t.Helper()
	p := h.plan(h.accept(t, h.happened(call, uuid.NewString())).ConversationID, 1)
	id = uuid.Must(uuid.NewV7()).String()
	p.Deliveries[0].ID, p.Deliveries[0].EndOf, p.Deliveries[0].DueAt = id, call, time.Now().Add(time.Hour)
	h.save(t, p)
	return id
}

// TestAnEndIsFoundAtOnceAmongMany: whichever comes first, the call or its event, by a worker that has looked before and by one that
// begins; and whatever else waits, for calls that never come or by revisions that this worker may not touch.
func TestAnEndIsFoundAtOnceAmongMany(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	const never, come = 4500, 1500
	h.wait(t, never, come, time.Now().Add(-time.Hour))
	look := &store.EndLook{}
	if got := h.ends(t, look, 6); len(got) != come {
		t.Errorf("%d of %d were found whose call came when nobody looked", len(got), come)
	}
	for name, happens := range map[string]func(call string) string{
		"the event first": func(call string) string {
			id := h.planned(t, call)
			if slices.Contains(h.ends(t, look, 1), id) {
				t.Errorf("%s: it ended before the call did", call)
			}
			h.accept(t, h.arrival(phoneCall(call)))
			return id
		},
		"the call first": func(call string) string {
			h.accept(t, h.arrival(phoneCall(call)))
			h.ends(t, look, 1)
			return h.planned(t, call)
		},
	} {
		id := happens(name)
		for whose, l := range map[string]*store.EndLook{"one that looked before": look, "one that begins": {}} {
			if !slices.Contains(h.ends(t, l, 1), id) {
				t.Errorf("%s: %s does not find it", name, whose)
			}
		}
	}
}

// TestALookAtWaitsIsBounded: no statement of one walks over more rows than a look may, however many wait, and however many calls came
// in since the last one.
func TestALookAtWaitsIsBounded(t *testing.T) {
	t.Parallel()
	passed := &statements{seen: map[string]pgx.TraceQueryStartData{}}
	h := open(t, store.Options{Tracer: passed})
	const most = 5000
	h.wait(t, 4*most, 2*most, time.Now().Add(-time.Minute))
	h.exec(t, "ANALYZE")
	if got := h.ends(t, &store.EndLook{}, 1); len(got) == 0 {
		t.Fatal("nothing was found")
	}
	walked := regexp.MustCompile(`(?:rows=([\d.]+) loops=(\d+)\)|Rows Removed by .*: (\d+))`)
	looked := 0
	for name, d := range passed.all() {
		if name != "WaitsAfter" && name != "LastOfCalls" && name != "WaitsOfCalls" && name != "EndedWaits" && name != "VainWaits" {
			continue
		}
		looked++
		d.SQL = "(ANALYZE) " + d.SQL
		plan := h.explain(t, d)
		for _, m := range walked.FindAllStringSubmatch(plan, -1) {
			rows, _ := strconv.ParseFloat(cmp.Or(m[1], m[3]), 64)
			loops, _ := strconv.ParseFloat(cmp.Or(m[2], "1"), 64)
			if rows*loops > most {
				t.Errorf("%s walks over %.0f rows:\n%s", name, rows*loops, plan)
				break
			}
		}
	}
	if looked != 5 {
		t.Errorf("%d statements of a look were seen", looked)
	}
}

// TestOneLooksAtATime: who comes while somebody sweeps finds nothing, and misses nothing.
func TestOneLooksAtATime(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	h.wait(t, 1500, 1500, time.Now().Add(-time.Hour))
	look := &store.EndLook{}
	first := h.ends(t, look, 1)
	release := h.hold(t, fmt.Sprintf("SELECT pg_advisory_xact_lock(%d)", 0x7377656570))
	if got := h.ends(t, look, 1); len(got) != 0 {
		t.Errorf("%d were found while somebody else sweeps", len(got))
	}
	release()
	if second := h.ends(t, look, 1); len(first) != 1000 || len(second) != 500 {
		t.Errorf("%d, then %d were found", len(first), len(second))
	}
}
