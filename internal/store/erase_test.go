package store_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"aftercall/internal/store"
	"aftercall/interview"
	"aftercall/variables"
)

// erase erases conversations of acme and wants none to be left.
func (h *house) erase(t testing.TB, ids ...string) {
	t.Helper()
	if left := h.eraseNow(t, ids...); len(left) > 0 {
		t.Errorf("left are %v", left)
	}
}

func (h *house) eraseNow(t testing.TB, ids ...string) (left []string) {
	t.Helper()
	e, err := h.BeginErasure(t.Context(), store.Actor{Name: "test"}, "acme", store.CauseConversation)
	if err != nil {
		t.Fatal(err)
	}
	if left, err = h.Erase(t.Context(), e, ids, 0); err != nil {
		t.Fatal(err)
	}
	if err := h.FinishErasure(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	return left
}

// alone is an event about a call that carries no conversation.
func (h *house) alone(call, identity, body string) store.Arrival {
	return store.Arrival{About: call, Event: store.Event{AccountID: "acme", Source: "api", Identity: identity, Type: "call.started",
		ContentType: "application/json", Body: []byte(body), ReceivedAt: ended()}}
}

func (h *house) conversation(t testing.TB, external string) string {
	t.Helper()
	_, id, err := h.FindConversation(t.Context(), "acme", external)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// whole is h.everything, with a model call, a value, a conflicting webhook, and an event that belongs to the call.
func (h *house) whole(t *testing.T) (id string) {
	t.Helper()
	h.everything(t)
	id = h.conversation(t, "c1")
	if _, err := h.Record(t.Context(), interview.Call{ConversationID: id, AccountID: "acme", RevisionID: h.revision, Part: "all/0",
		Valid: true, Answer: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	p := h.plan(id, 0)
	p.Version, p.Run, p.Values = 2, 2, []variables.Value{{Name: "dyn_when", Type: variables.Text, Status: variables.NotStated}}
	p.Actions = map[string]int{"callback": 0}
	h.save(t, p)
	conflict := h.arrival(phoneCall("c1"))
	conflict.Event.Body = []byte("another body")
	h.accept(t, conflict)
	h.accept(t, h.alone("c1", "started:c1", `{"conversation":"c1"}`))
	h.exec(t, worked, id)
	return id
}

// worked is what people left who worked on a call: run 2, a settlement, a mark, an alert that was read, and a bulk job's item.
const worked = `
WITH r AS (INSERT INTO runs (conversation_id, run, account_id, cause, of_run, automation, sandbox, revision_id, state, person, done_at)
	SELECT id, 2, account_id, 'fix', 1, 'callback', false, revision_id, 'done', 'Ann', now() FROM conversations WHERE id = $1),
s AS (INSERT INTO settlements (delivery_id, settled, account_id, conversation_id, run, person)
	SELECT id, 'sent', account_id, conversation_id, 0, 'Ann' FROM deliveries WHERE conversation_id = $1),
m AS (INSERT INTO marks (conversation_id, run, automation, account_id, wrong, note, person) VALUES ($1, 1, 'callback', 'acme', true, 'n', 'Ann')),
a AS (INSERT INTO alert_reads (alert_id, person, account_id) SELECT id, 'Ann', account_id FROM alerts WHERE conversation_id = $1),
b AS (INSERT INTO bulk_jobs (id, account_id, request, person, address, state, counted, more, refused, ended_at)
	VALUES ('0192f3a4-0000-7000-8000-0000000000b1', 'acme', '{}', 'Ann', '', 'done', 1, false, 1, now()) RETURNING id)
INSERT INTO bulk_items (bulk_id, item, account_id, conversation_id, result, detail, made) SELECT id, $1, 'acme', $1, 'refused', 'Ann called.', '' FROM b`

// counts of the tables that hold what belongs to a call.
func (h *house) holdings(t testing.TB) map[string]int {
	t.Helper()
	n := map[string]int{}
	for _, table := range []string{"conversations", "events", "event_conflicts", "interviews", "decisions", "variable_values", "deliveries",
		"attempts", "tasks", "alerts", "captured", "river_job", "runs", "settlements", "marks", "alert_reads", "bulk_items WHERE detail <> ''"} {
		n[table] = h.count(t, table)
	}
	return n
}

// TestErase: a call goes from every table, what is left of it are ids and counts, its neighbour stays whole, and no webhook
// of it brings it back: not the same again, not another event of the same call, not one that comes with others.
func TestErase(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	neighbour := h.decided(t, "c2", 1)
	h.accept(t, h.alone("c2", "started:c2", "{}"))
	before := h.holdings(t)
	id := h.whole(t)
	for table, n := range h.holdings(t) {
		if n == before[table] {
			t.Errorf("nothing of the call in %s: the test shows nothing there", table)
		}
	}
	h.erase(t, id)
	if diff := cmp.Diff(before, h.holdings(t)); diff != "" {
		t.Errorf("rows that do not belong to the call (-before +after):\n%s", diff)
	}
	if tally := h.balanced(t); tally.Erased != 1 || tally.Conversations != 1 {
		t.Errorf("tally %+v", tally)
	}
	var counts []byte
	if err := h.Pool().QueryRow(t.Context(), "SELECT counts FROM erased_conversations WHERE id = $1", id).Scan(&counts); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(counts, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"events": 1.0, "interviews": 1.0, "decisions": 4.0, "tasks": 1.0, "alerts": 1.0, "captured": 1.0,
		"deliveries": map[string]any{"sent": 4.0}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what is said of the erased call (-want +got):\n%s", diff)
	}
	for name, a := range map[string]store.Arrival{"the same again": h.arrival(phoneCall("c1")), "its own event": h.alone("c1", "started:c1", "{}"),
		"another event about it": h.alone("c1", "reached:c1", "{}"),
		"a later event":          func() store.Arrival { a := h.arrival(phoneCall("c1")); a.Event.Identity = "analysed:c1"; return a }()} {
		if got := h.accept(t, a); !got.Erased || got.New || got.Duplicate {
			t.Errorf("%s: %+v", name, got)
		}
	}
	h.together(t, id)
	if n := h.count(t, "conversations WHERE external_id = 'c1'"); n != 0 {
		t.Error("the call is back")
	}
	if gone, err := h.Erased(t.Context(), "acme", id); err != nil || gone.Cause != store.CauseConversation || gone.At.IsZero() {
		t.Errorf("%+v, %v", gone, err)
	}
	if _, err := h.Erased(t.Context(), "", neighbour.ConversationID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("the neighbour: %v", err)
	}
	h.story(t, neighbour.ConversationID)
	h.balanced(t)
}

// together posts the erased call with many others at once.
func (h *house) together(t *testing.T, erased string) {
	t.Helper()
	var all sync.WaitGroup
	for n := range 40 {
		all.Go(func() {
			id := fmt.Sprintf("new%d", n)
			if n%4 == 0 {
				id = "c1"
			}
			got, err := h.ingest.Accept(t.Context(), h.arrival(phoneCall(id)))
			if err != nil || got.Erased != (id == "c1") || got.New == got.Erased || got.Erased && got.ConversationID != erased {
				t.Errorf("%s: %+v, %v", id, got, err)
			}
		})
	}
	all.Wait()
}

// TestEraseWhileItIsPosted: a platform posts a call again and again while it is erased. Whatever is under way at that moment,
// it is gone afterwards.
func TestEraseWhileItIsPosted(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	for round := range 10 {
		call := fmt.Sprintf("c%d", round)
		id := h.accept(t, h.arrival(phoneCall(call))).ConversationID
		stop := make(chan struct{})
		var posting sync.WaitGroup
		for p := range 4 {
			posting.Go(func() {
				for n := 0; ; n++ {
					a := h.arrival(phoneCall(call))
					a.Event.Identity = fmt.Sprintf("%d:%d:%s", p, n, call)
					if _, err := h.ingest.Accept(t.Context(), a); err != nil {
						t.Error(err)
					}
					select {
					case <-stop:
						return
					default:
					}
				}
			})
		}
		h.erase(t, id)
		if got := h.accept(t, h.arrival(phoneCall(call))); !got.Erased {
			t.Errorf("posted after it was erased: %+v", got)
		}
		close(stop)
		posting.Wait()
	}
	if n := h.count(t, "conversations") + h.count(t, "events"); n != 0 {
		t.Errorf("%d rows are back", n)
	}
	if tally := h.balanced(t); tally.Erased != 10 {
		t.Errorf("tally %+v", tally)
	}
}

// TestEraseWhatIsUnderWay: what waits to be sent goes with its call. While a message is under way the call is stopped and
// stays, the ledger balances, and a plan made meanwhile is not saved; when the message has ended, the call goes.
func TestEraseWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	waits := h.decided(t, "c1", 3)
	h.erase(t, waits.ConversationID)
	if claimed := h.claim(t, waits.ConversationID, "w1"); len(claimed) > 0 {
		t.Errorf("claimed %+v of a call that is erased", claimed)
	}
	p := h.plan(h.accept(t, h.arrival(phoneCall("c2"))).ConversationID, 2)
	p.Deliveries[1].DueAt = time.Now().Add(time.Hour)
	p.State = store.StateWaiting
	p.Decisions[1].Verdict = "waiting"
	h.save(t, p)
	claimed := h.claim(t, p.ConversationID, "w1")
	late := h.plan(p.ConversationID, 5)
	late.Version = 2
	if left := h.eraseNow(t, p.ConversationID); !slices.Equal(left, []string{p.ConversationID}) {
		t.Errorf("left are %v", left)
	}
	h.balanced(t)
	if s := h.story(t, p.ConversationID); s.State != store.StateDecided || s.Deliveries[0].State != store.Sending || s.Deliveries[1].State != store.Cancelled {
		t.Errorf("while a message is under way: %s, %+v", s.State, s.Deliveries)
	}
	if saved, err := h.planner.Save(t.Context(), late); err != nil || saved.OK {
		t.Errorf("a plan of a call that is being erased: %+v, %v", saved, err)
	}
	h.record(t, outcome(claimed[0], "w1", store.Retrying))
	h.erase(t, p.ConversationID)
	if err := h.RecordOutcome(t.Context(), outcome(claimed[0], "w1", store.Sent)); !errors.Is(err, store.ErrFenced) {
		t.Errorf("a receipt for what is erased: %v", err)
	}
	if _, err := h.planner.Save(t.Context(), late); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a plan of a call that is erased: %v", err)
	}
	if _, err := h.Record(t.Context(), interview.Call{ConversationID: p.ConversationID, AccountID: "acme", RevisionID: h.revision}); err == nil {
		t.Error("an answer about a call that is erased was kept")
	}
	if tally := h.balanced(t); tally.Erased != 2 {
		t.Errorf("tally %+v", tally)
	}
}

// TestEraseNothingOfOthers: ids that are not there, or another account's, are passed over.
func TestEraseNothingOfOthers(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	id := h.accept(t, h.arrival(phoneCall("c1"))).ConversationID
	h.account(t, "other")
	e, err := h.BeginErasure(t.Context(), store.Actor{Name: "test"}, "other", store.CauseConversation)
	if err != nil {
		t.Fatal(err)
	}
	if left, err := h.Erase(t.Context(), e, []string{id, uuid.NewString()}, 0); err != nil || len(left) > 0 {
		t.Errorf("%v, %v", left, err)
	}
	h.story(t, id)
	if tally := h.balanced(t); tally.Erased != 0 {
		t.Errorf("tally %+v", tally)
	}
}

// TestRetain: what was accepted before the limit goes, in several batches, events without a conversation too; what came
// later, and what other accounts have, stays.
func TestRetain(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	for n := range 120 {
		h.accept(t, h.arrival(phoneCall(fmt.Sprintf("c%d", n))))
	}
	h.accept(t, h.alone("", "alone", "{}"))
	h.account(t, "other")
	theirs := h.arrival(phoneCall("c1"))
	theirs.Event.AccountID, theirs.RevisionID = "other", h.account(t, "other")
	h.accept(t, theirs)
	if done, err := h.Retain(t.Context(), "acme", time.Now().Add(-time.Hour)); err != nil || done != (store.Retained{}) {
		t.Errorf("an hour ago there was nothing: %+v, %v", done, err)
	}
	sending := h.plan(h.conversation(t, "c60"), 1)
	h.save(t, sending)
	claimed := h.claim(t, sending.ConversationID, "w1")
	if done, err := h.Retain(t.Context(), "acme", time.Now().Add(time.Hour)); err != nil || done != (store.Retained{Conversations: 119, Events: 1}) {
		t.Errorf("erased %+v, %v", done, err)
	}
	h.record(t, outcome(claimed[0], "w1", store.Sent))
	if done, err := h.Retain(t.Context(), "acme", time.Now().Add(time.Hour)); err != nil || done.Conversations != 1 {
		t.Errorf("erased %+v, %v, want the one whose message was under way", done, err)
	}
	if n := h.count(t, "erasures WHERE cause = 'retention' AND finished_at IS NOT NULL"); n != 2 {
		t.Errorf("%d passes are written down, want 2", n)
	}
	if tally := h.balanced(t); tally.Conversations != 1 || tally.Events != 1 || tally.Erased != 120 {
		t.Errorf("tally %+v", tally)
	}
}

// TestCallsOfCustomer: a customer is found by a number in any format and by an e-mail address, wherever it stands, with the events
// of their calls and those that only mention them; somebody in another country whose number ends alike is somebody else.
func TestCallsOfCustomer(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	for id, number := range map[string]string{"plain": "+447700900123", "spaced": "+44 (0)7700 900-123", "national": "07700 900123",
		"double zero": "00447700900123", "abroad": "+39 700 900 123", "another": "+447700900124"} {
		c := phoneCall(id)
		c.FromNumber, c.Customer.Email = number, id[:3]+"@example.com"
		h.accept(t, h.arrival(c))
	}
	h.accept(t, h.alone("", "text", `{"data":{"note":"call +44 7700 900123 back"}}`))
	h.accept(t, h.alone("", "number", `{"data":{"from":447700900123}}`))
	h.accept(t, h.alone("", "other", `{"data":{"from":"+447700900124"}}`))
	h.accept(t, h.alone("", "mail", `{"data":{"mail":"Ann Example <SPA@example.com>"}}`))
	conflict := h.alone("", "other", `{"data":{"from":"+447700900123"}}`)
	h.accept(t, conflict)
	for identity, body := range map[string]string{"of a call": "{}", "of nobody": "{}", "names somebody": `{"data":{"customer":"+39 700 900 123, abr@example.com"}}`} {
		e := h.happened(map[string]string{"of a call": "plain"}[identity], identity)
		e.Event.Body, e.Conversation.FromNumber, e.Conversation.Customer.Email = []byte(body), "", ""
		h.accept(t, e)
	}
	for asked, want := range map[string]struct{ calls, events int }{
		"+447700900123": {5, 3}, "+44 7700 900 123": {5, 3}, "07700 900123": {7, 3}, "0044 7700 900123": {5, 3}, "+39700900123": {3, 1},
		"spa@example.com": {1, 1}, "Spa@Example.COM": {1, 1}, "abr@example.com": {2, 0}, "nobody@example.com": {0, 0}, "+447700900999": {0, 0},
	} {
		who, err := store.ParseCustomer(asked)
		if err != nil {
			t.Fatalf("%s: %v", asked, err)
		}
		calls, err := h.CallsOf(t.Context(), "acme", who)
		if err != nil {
			t.Fatal(err)
		}
		mentions, err := h.MentionsOf(t.Context(), "acme", who)
		if err != nil {
			t.Fatal(err)
		}
		calls = append(calls, mentions...)
		events, err := h.EventsOf(t.Context(), "acme", who)
		if err != nil || len(calls) != want.calls || len(events) != want.events {
			t.Errorf("%s: %d calls %+v, %d events, want %+v (%v)", asked, len(calls), calls, len(events), want, err)
		}
	}
	h.keepsSearches(t)
	for _, nobody := range []string{"", "7", "Ann", "c1", "call 7700900123", "@", "a@", "@example.com", "a@b@c", "12:30"} {
		if _, err := store.ParseCustomer(nobody); !errors.Is(err, store.ErrNoCustomer) {
			t.Errorf("%q is taken for a customer", nobody)
		}
	}
}

// keepsSearches looks for the searches with a customer in them, in what people keep for this account and for all of theirs.
func (h *house) keepsSearches(t *testing.T) {
	t.Helper()
	for name, v := range map[string]store.View{
		"theirs": {AccountID: "acme", Query: "phone:07700-900123"}, "everywhere": {Query: "+447700900123"}, "+44 7700 900 123": {AccountID: "acme", Query: "is:failed"},
		"another": {AccountID: "acme", Query: "07700 900124"}, "elsewhere": {AccountID: "umbra", Query: "07700 900123"}} {
		v.Name = name
		if err := h.SaveView(t.Context(), store.Actor{Name: "Ann"}, v); err != nil {
			t.Fatal(err)
		}
	}
	h.exec(t, `INSERT INTO people (id, email, email_key, name) VALUES ('00000000-0000-7000-8000-000000000001', 'u@umbra.example', 'u@umbra.example', 'Umbra''s');
		INSERT INTO roles VALUES ('00000000-0000-7000-8000-000000000001', 'umbra', 'admin');
		INSERT INTO saved_views VALUES ('00000000-0000-7000-8000-000000000002', '00000000-0000-7000-8000-000000000001', '', 'of others', '07700 900123')`)
	who, err := store.ParseCustomer("+447700900123")
	if err != nil {
		t.Fatal(err)
	}
	ids, err := h.ViewsOf(t.Context(), "acme", who)
	if err != nil || len(ids) != 3 {
		t.Fatalf("%d searches name the customer, %v", len(ids), err)
	}
	e, err := h.BeginErasure(t.Context(), store.Actor{Name: "test"}, "acme", store.CauseCustomer)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.EraseViews(t.Context(), e, ids); err != nil {
		t.Fatal(err)
	}
	if n := h.count(t, "saved_views WHERE name IN ('another', 'elsewhere', 'of others')"); n != 3 || h.count(t, "saved_views") != 3 {
		t.Errorf("%d searches of others are left, and %d in all", n, h.count(t, "saved_views"))
	}
}

// TestErasedWebhookCostsOneLookUp: the statement that stores an event finds what was erased by the key, one look-up for
// each call, and says so before and after the table was filled.
func TestErasedWebhookCostsOneLookUp(t *testing.T) {
	t.Parallel()
	passed := &statements{seen: map[string]pgx.TraceQueryStartData{}}
	h := open(t, store.Options{Tracer: passed})
	h.accept(t, h.arrival(phoneCall("c1")))
	if _, asked := passed.seen["ErasedAmong"]; asked {
		t.Error("a webhook that was never erased is looked for in a statement of its own")
	}
	call := passed.seen["InsertEvents"]
	h.accept(t, h.happened("c2", "missed"))
	event := passed.seen["InsertEvents"]
	for _, fill := range []string{"SELECT 1", `INSERT INTO erased_hashes SELECT sha256(g::text::bytea), 'acme', NULL FROM generate_series(1, 5000) AS g`, "ANALYZE erased_hashes"} {
		h.exec(t, fill)
		for name, insert := range map[string]pgx.TraceQueryStartData{"call": call, "event": event} {
			plan := h.explain(t, insert)
			if strings.Count(plan, "using erased_hashes_pkey") != 2 || strings.Contains(plan, "Seq Scan") {
				t.Errorf("of a %s after %.30s:\n%s", name, fill, plan)
			}
			ran := h.explain(t, pgx.TraceQueryStartData{SQL: "(ANALYZE) " + insert.SQL, Args: insert.Args}) // it is there already
			if once := strings.Contains(ran, "never executed"); once != (name == "call") {
				t.Errorf("a %s is looked for once: %v\n%s", name, once, ran)
			}
		}
	}
}

// TestErasingWalksItsIndexes: what is kept no longer, and what belongs to a call, is found however much there is.
func TestErasingWalksItsIndexes(t *testing.T) {
	t.Parallel()
	passed := &statements{seen: map[string]pgx.TraceQueryStartData{}}
	h := open(t, store.Options{Tracer: passed})
	h.decided(t, "c9", 1)
	h.exec(t, filler, h.revision)
	h.exec(t, "UPDATE events SET conversation_id = NULL, call_id = identity WHERE identity LIKE 'old-%' AND get_byte(uuid_send(id), 15) < 128")
	h.exec(t, "VACUUM ANALYZE")
	h.forget(t)
	seen := passed.all()
	for statement, walks := range map[string][]string{
		"LockDue":       {"conversations_by_account", "id >.*id <"},
		"DueEvents":     {"events_alone", "id <"},
		"EventsAlone":   {"events_alone", "id >"},
		"EventsAbout":   {"events_alone_by_call", "call_id ="},
		"EventsDecided": {"conversations_events", "id >", "events_by_conversation", "conversation_id ="},
		"EventsBeside":  {"beside_calls_by_call", "call_id ="},
		"EraseConversations": {"conversations_(?:pkey|by_account)", "id =", "events_by_conversation", "conversation_id =", "interviews_by_conversation", "conversation_id =",
			"decisions_pkey", "conversation_id =", "variable_values_pkey", "conversation_id =", "deliveries_key", "conversation_id =",
			"attempts_pkey", "delivery_id =", "alerts_delivery_id_key", "delivery_id =", "captured_delivery_id_attempt_key", "delivery_id =",
			"alert_reads_pkey", "alert_id =", "tasks_conversation_id_run_automation_action_key", "conversation_id ="},
	} {
		d, ok := seen[statement]
		if !ok {
			t.Errorf("%s was not asked", statement)
			continue
		}
		text := h.explain(t, d)
		for n := 0; n < len(walks); n += 2 {
			if bound := regexp.MustCompile(walks[n] + `\b.*\n\s*Index Cond: .*` + walks[n+1]); !bound.MatchString(text) {
				t.Errorf("%s is not bound by %s:\n%s", statement, bound, text)
			}
		}
	}
}
