package ops_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"aftercall/conversation"
	"aftercall/internal/store"
	"aftercall/ops"
	"aftercall/worker"
)

// TestAnErasureWaitsForWhatIsUnderWay: a call of which a message is being sent stays until that has ended, and a second look
// erases what the first one left. Then nothing says any more what was wished.
func TestAnErasureWaitsForWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	d := sit(t)
	one, other := d.call("Hello."), d.call("Hello again.")
	set := func(state string) { // in the hands of a worker that lives
		_, err := d.store.Pool().Exec(t.Context(), `UPDATE deliveries SET state = $1, attempt = 1, claimed_at = now(), worker_id = (SELECT id FROM workers LIMIT 1)
			WHERE conversation_id = $2 AND channel = 'email'`, state, one.Conversation.ID)
		d.must(err)
	}
	set("sending")
	id, err := d.Erase(t.Context(), d.by(), "acme", store.ErasureWish{Conversations: []string{one.Conversation.ID, other.Conversation.ID}})
	d.must(err)
	if more, err := d.WorkErasure(t.Context(), id); !more || err != nil {
		t.Fatalf("it is through: %v, %v", more, err)
	}
	if e, err := d.store.Erasure(t.Context(), id); err != nil || !e.Waits || e.Found != 2 || e.Conversations != 1 || !e.FinishedAt.IsZero() {
		t.Errorf("in between: %+v, %v", e, err)
	}
	set("sent")
	for range 2 { // and a job that is taken up once more finds nothing to do
		if more, err := d.WorkErasure(t.Context(), id); more || err != nil {
			t.Fatalf("there is more of it: %v, %v", more, err)
		}
	}
	if e, err := d.store.Erasure(t.Context(), id); err != nil || e.Waits || e.Conversations != 2 || e.FinishedAt.IsZero() {
		t.Errorf("in the end: %+v, %v", e, err)
	}
	if _, _, err := d.store.AskedErasure(t.Context(), id); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("it says what was wished: %v", err)
	}
	d.balanced()
}

// happened posts an event of a call, which is decided itself.
func (d *desk) happened(call, identity string) store.Story {
	d.Helper()
	now := time.Now()
	a, err := d.ingest.Accept(d.Context(), store.Arrival{
		Event: store.Event{AccountID: "acme", Source: "api", Identity: identity, Type: "call.missed", Body: []byte("{}"), ReceivedAt: now},
		Conversation: &conversation.Conversation{ExternalID: "event:" + identity, StartedAt: now, EndedAt: now, Turns: []conversation.Turn{},
			Event: &conversation.Event{Type: "call.missed", Call: call}},
		About: call, RevisionID: d.revision, DecideAt: now,
	})
	d.must(err)
	return d.settled(a.ConversationID)
}

// busy gives a conversation a message that a worker is sending.
func (d *desk) busy(id string) {
	d.Helper()
	_, err := d.store.Pool().Exec(d.Context(), `INSERT INTO deliveries (id, account_id, conversation_id, run, automation, action, recipient, channel, customer,
			state, reason, detail, due_at, deadline_at, test, content, attempt, worker_id, claimed_at)
		VALUES (gen_random_uuid(), 'acme', $1, 1, 'a', 0, 'r', 'email', false, 'sending', '', '', now(), now() + interval '1 h', false, '{}', 1,
			(SELECT id FROM workers LIMIT 1), now())`, id)
	d.must(err)
}

// sent ends what busy began.
func (d *desk) sent(id string) {
	d.Helper()
	_, err := d.store.Pool().Exec(d.Context(), `UPDATE deliveries SET state = 'sent' WHERE conversation_id = $1`, id)
	d.must(err)
}

// TestAnErasureComesBackForAnEvent: a call is erased while a message of its event is being sent. The erasure is not through before that is
// erased as well, by whichever of the two it was asked for.
func TestAnErasureComesBackForAnEvent(t *testing.T) {
	t.Parallel()
	for name, wish := range map[string]func(call string) store.ErasureWish{
		"by its call": func(call string) store.ErasureWish { return store.ErasureWish{Conversations: []string{call}} },
		"by customer": func(string) store.ErasureWish { return store.ErasureWish{Customer: "+447700900123"} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := sit(t)
			call := d.call("Hello.")
			event := d.happened(call.Conversation.ExternalID, "missed")
			d.busy(event.Conversation.ID)
			id, err := d.Erase(t.Context(), d.by(), "acme", wish(call.Conversation.ID))
			d.must(err)
			if more, err := d.WorkErasure(t.Context(), id); !more || err != nil {
				t.Fatalf("it is through: %v, %v", more, err)
			}
			d.sent(event.Conversation.ID)
			if more, err := d.WorkErasure(t.Context(), id); more || err != nil {
				t.Fatalf("there is more of it: %v, %v", more, err)
			}
			var left int
			d.must(d.store.Pool().QueryRow(t.Context(), `SELECT (SELECT count(*) FROM conversations) + (SELECT count(*) FROM events)`).Scan(&left))
			if e, err := d.store.Erasure(t.Context(), id); err != nil || e.Waits || e.Conversations != 2 || left != 0 {
				t.Errorf("in the end %d rows are left: %+v, %v", left, e, err)
			}
			d.balanced()
		})
	}
}

// reads counts the statements that read the bodies of events.
type reads struct{ atomic.Int64 }

func (r *reads) TraceQueryStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	if strings.HasPrefix(d.SQL, "-- name: EventsAlone ") || strings.HasPrefix(d.SQL, "-- name: EventsDecided ") {
		r.Add(1)
	}
	return ctx
}

func (r *reads) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// other is another process of the same installation, with what it reads.
func (d *desk) other(now func() time.Time) (*ops.Ops, *reads) {
	d.Helper()
	r := &reads{}
	db, err := store.Open(d.Context(), d.store.Pool().Config().ConnString(), store.Options{Tracer: r})
	d.must(err)
	d.Cleanup(db.Close)
	jobs, err := worker.NewInserter(db)
	d.must(err)
	o, err := ops.New(ops.Config{Store: db, River: jobs, Revisions: d.revisions, Logger: slog.New(slog.DiscardHandler), Now: now})
	d.must(err)
	return o, r
}

// stored posts an event that belongs to nothing, and that nobody waits for.
func (d *desk) stored(identity, body string) {
	d.Helper()
	_, err := d.ingest.Accept(d.Context(), store.Arrival{
		Event: store.Event{AccountID: "acme", Source: "api", Identity: identity, Type: "noted", Body: []byte(body), ReceivedAt: time.Now()}})
	d.must(err)
}

// TestAnErasureReadsEachEventOnce: while a message of an event is under way that mentions the customer, nothing that was read is read again,
// whoever goes on; what comes in meanwhile is read.
func TestAnErasureReadsEachEventOnce(t *testing.T) {
	t.Parallel()
	d := sit(t)
	for n := range 45 {
		d.stored(fmt.Sprintf("of nobody %d", n), "{}")
	}
	event := d.happened("", "mentions")
	d.busy(event.Conversation.ID)
	_, err := d.store.Pool().Exec(t.Context(), `UPDATE events SET body = '{"data": "+44 7700 900456"}' WHERE conversation_id = $1`, event.Conversation.ID)
	d.must(err)
	id, err := d.Erase(t.Context(), d.by(), "acme", store.ErasureWish{Customer: "+447700900456"})
	d.must(err)
	first, all := d.other(time.Now)
	if more, err := first.WorkErasure(t.Context(), id); !more || err != nil || all.Load() != 8 {
		t.Fatalf("it is through: %v, %v, with %d pages of events, want 4 of either kind", more, err, all.Load())
	}
	d.stored("meanwhile", `{"from": "07700 900456"}`)
	second, few := d.other(time.Now)
	for range 3 {
		if more, err := second.WorkErasure(t.Context(), id); !more || err != nil {
			t.Fatalf("it is through: %v, %v", more, err)
		}
	}
	if n := few.Load(); n != 8 { // one page more with what came in, and three times the empty one
		t.Errorf("%d pages were read while it waited", n)
	}
	d.sent(event.Conversation.ID)
	if more, err := second.WorkErasure(t.Context(), id); more || err != nil {
		t.Fatalf("there is more of it: %v, %v", more, err)
	}
	if e, err := d.store.Erasure(t.Context(), id); err != nil || e.Waits || e.Conversations != 1 || e.Events != 1 {
		t.Errorf("in the end: %+v, %v", e, err)
	}
}

// TestALongLookComesToItsEnd: a look through the events that takes longer than a job may is done in parts.
func TestALongLookComesToItsEnd(t *testing.T) {
	t.Parallel()
	d := sit(t)
	for n := range 60 {
		d.stored(fmt.Sprint(n), fmt.Sprintf(`{"from": "+4477009004%02d"}`, n))
	}
	id, err := d.Erase(t.Context(), d.by(), "acme", store.ErasureWish{Customer: "+447700900459"})
	d.must(err)
	var hours atomic.Int64
	slow, _ := d.other(func() time.Time { return time.Now().Add(time.Duration(hours.Add(1)) * time.Hour) })
	looks := 1
	for more := true; more; looks++ {
		if more, err = slow.WorkErasure(t.Context(), id); err != nil || looks > 10 {
			t.Fatalf("look %d: %v", looks, err)
		}
	}
	if e, err := d.store.Erasure(t.Context(), id); err != nil || e.Waits || e.Events != 1 || looks < 4 {
		t.Errorf("after %d looks: %+v, %v", looks, e, err)
	}
}
