package store_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"aftercall/deliver"
	"aftercall/internal/store"
	"aftercall/reason"
)

// heard keeps what StayHome tells.
type heard struct {
	mu  sync.Mutex
	all []store.Homecoming
}

func (l *heard) tell(h store.Homecoming) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, h)
}

func (l *heard) take() []store.Homecoming {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer func() { l.all = nil }()
	return l.all
}

func (h *house) stayHome(t testing.TB, l *heard) {
	t.Helper()
	if err := h.StayHome(t.Context(), l.tell); err != nil {
		t.Fatal(err)
	}
}

// backup fills the ledger with a delivery in every state that a backup can catch, and one call that is not decided. It
// returns the two conversations.
func (h *house) backup(t *testing.T) (*store.Plan, string) {
	t.Helper()
	p := h.plan(h.accept(t, h.arrival(phoneCall("c1"))).ConversationID, 4)
	p.Deliveries[3].State, p.Deliveries[3].Reason = store.Held, reason.VariableMissingForCustomer
	for n, d := range p.Deliveries[:3] { // one more of each on a channel that is not claimed below, and is tried again
		d.ID, d.Channel, d.Action = uuid.NewString(), []string{deliver.SMS, deliver.TeamAlert, deliver.Chatter}[n], n+1
		p.Deliveries = append(p.Deliveries, d)
	}
	p.Actions["callback"] = 4
	h.save(t, p)
	claimed := h.claim(t, p.ConversationID, "original")
	h.record(t, outcome(claimed[0], "original", store.Sent))
	h.record(t, outcome(claimed[1], "original", store.Retrying)) // the third stays in sending
	h.beat(t, "original")
	return p, h.accept(t, h.arrival(phoneCall("c2"))).ConversationID
}

// states counts a conversation's deliveries by state.
func states(s store.Story) map[store.DeliveryState]int {
	n := map[store.DeliveryState]int{}
	for _, d := range s.Deliveries {
		n[d.State]++
	}
	return n
}

func TestDataThatIsNotAtHomeWasRestored(t *testing.T) {
	t.Parallel()
	for name, elsewhere := range map[string]string{
		"another server":         "UPDATE homes SET system_identifier = system_identifier + 1",
		"recovered, failed over": "UPDATE homes SET timeline = timeline + 1",
		"another database":       "UPDATE homes SET database_oid = database_oid + 1",
		"the same database, its tables made anew": `CREATE TABLE again (LIKE homes INCLUDING ALL); INSERT INTO again SELECT * FROM homes;
			DROP TABLE homes; ALTER TABLE again RENAME TO homes`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, said := open(t, store.Options{}), &heard{}
			h.stayHome(t, said)
			decided, undecided := h.backup(t)
			h.stayHome(t, said) // an ordinary restart
			if all := said.take(); len(all) != 0 {
				t.Fatalf("at home, but told %+v", all)
			}
			h.exec(t, elsewhere)

			h.stayHome(t, said)
			if d := cmp.Diff([]store.Homecoming{{Restored: true, Unknown: 5, Undecided: 1, Leases: 1}}, said.take()); d != "" {
				t.Fatal(d)
			}
			s := h.story(t, decided.ConversationID)
			if d := cmp.Diff(map[store.DeliveryState]int{store.Sent: 1, store.Held: 1, store.Unknown: 5}, states(s)); d != "" {
				t.Error(d)
			}
			for _, d := range s.Deliveries {
				if d.State == store.Unknown && (!strings.HasPrefix(d.Detail, "Restored from a backup") || d.Attempts[len(d.Attempts)-1].Class != "restored") {
					t.Errorf("the doubt does not say why: %+v", d)
				}
			}
			for _, channel := range []string{deliver.Email, deliver.SMS, deliver.TeamAlert, deliver.Chatter} {
				if got, err := h.Claim(t.Context(), decided.ConversationID, channel, "w1", time.Now(), nil); err != nil || got != nil {
					t.Errorf("what was restored is handed out again: %v, %v", got, err)
				}
			}
			h.decidedLater(t, undecided)
			h.stayHome(t, said)
			if all := said.take(); len(all) != 0 {
				t.Errorf("the second start told %+v", all)
			}
			h.balanced(t)
		})
	}
}

// decidedLater plans a conversation that was restored undecided, in two steps: what it leads to is unknown, and no job
// is asked for. A call that came in afterwards is sent like any other.
func (h *house) decidedLater(t *testing.T, restored string) {
	t.Helper()
	_, before := h.asked()
	first, then := h.plan(restored, 1), h.plan(restored, 2)
	first.State, then.Version = store.StateWaiting, 2
	first.Decisions[1].Verdict, first.Decisions[1].Reason = "waiting", reason.ModelUnavailable
	then.Deliveries = append(then.Deliveries[1:], store.Delivery{ID: uuid.NewString(), Automation: "callback", Channel: deliver.Email,
		Recipient: "contact:email", State: store.Held, Reason: reason.VariableMissingForCustomer})
	h.save(t, first)
	h.save(t, then)
	s := h.story(t, restored)
	if d := cmp.Diff(map[store.DeliveryState]int{store.Unknown: 2, store.Held: 1}, states(s)); d != "" {
		t.Error(d)
	}
	if len(s.Decisions) != 2 || s.State != store.StateDecided {
		t.Errorf("not decided: %+v", s.Decisions)
	}
	if _, after := h.asked(); len(after) != len(before) {
		t.Errorf("a job was asked for what is not to be sent: %+v", after[len(before):])
	}
	fresh := h.decided(t, "after", 1)
	if claimed := h.claim(t, fresh.ConversationID, "w1"); len(claimed) != 1 {
		t.Errorf("a new call is not sent: %+v", claimed)
	} else {
		h.record(t, outcome(claimed[0], "w1", store.Sent))
	}
}

// A process that outlives a failover meets the new server through new connections: none of them hands anything out.
func TestEveryNewConnectionLooksWhereItLeads(t *testing.T) {
	t.Parallel()
	h, said := open(t, store.Options{}), &heard{}
	h.stayHome(t, said)
	decided, _ := h.backup(t)
	h.exec(t, "UPDATE homes SET timeline = timeline + 1")
	h.Pool().Reset() // as after a failover: every connection is made anew
	if got, err := h.Claim(t.Context(), decided.ConversationID, deliver.SMS, "original", time.Now(), nil); err != nil || got != nil {
		t.Errorf("claimed on the new server: %v, %v", got, err)
	}
	if all := said.take(); len(all) != 1 || !all[0].Restored || all[0].Unknown != 5 {
		t.Errorf("told %+v", all)
	}
}

func TestProcessesThatStartTogetherSettleOnce(t *testing.T) {
	t.Parallel()
	h, said := open(t, store.Options{}), &heard{}
	h.stayHome(t, said)
	h.backup(t)
	h.exec(t, "UPDATE homes SET timeline = timeline + 1")
	var all sync.WaitGroup
	for range 4 {
		peer := openAt(t, h.url, store.Options{Pool: 2, Ingest: -1})
		all.Go(func() {
			if err := peer.StayHome(t.Context(), said.tell); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if told := said.take(); len(told) != 1 || told[0].Unknown != 5 {
		t.Errorf("told %+v", told)
	}
	h.balanced(t)
}

// The sender's late word: a receipt is believed, "not sent" is not, because the original may have tried again since.
func TestLateWordsAfterARestore(t *testing.T) {
	t.Parallel()
	for said, want := range map[store.DeliveryState]store.DeliveryState{
		store.Sent: store.Sent, store.Failed: store.Failed, store.Retrying: store.Unknown,
	} {
		t.Run(string(said), func(t *testing.T) {
			t.Parallel()
			h := open(t, store.Options{})
			p := h.decided(t, "c1", 1)
			claimed := h.claim(t, p.ConversationID, "w1")[0]
			if _, err := h.Restored(t.Context(), ttl); err != nil {
				t.Fatal(err)
			}
			err := h.RecordOutcome(t.Context(), outcome(claimed, "w1", said))
			if fenced := errors.Is(err, store.ErrFenced); fenced != (want == store.Unknown) || (err != nil && !fenced) {
				t.Errorf("record %s: %v", said, err)
			}
			if d := h.story(t, p.ConversationID).Deliveries[0]; d.State != want {
				t.Errorf("delivery is %s, want %s", d.State, want)
			}
			h.balanced(t)
		})
	}
}

func TestRestoredByHand(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	decided, undecided := h.backup(t)
	if _, err := h.Restored(t.Context(), time.Minute); !errors.Is(err, store.ErrWorking) || !strings.Contains(err.Error(), "original") {
		t.Errorf("beside a live worker: %v", err)
	}
	if err := h.Moved(t.Context(), time.Minute); !errors.Is(err, store.ErrWorking) {
		t.Errorf("moved beside a live worker: %v", err)
	}
	if n := states(h.story(t, decided.ConversationID))[store.Unknown]; n != 0 {
		t.Errorf("refused, but %d are unknown", n)
	}
	h.kill(t, "original")
	for _, want := range []store.Homecoming{{Restored: true, Unknown: 5, Undecided: 1, Leases: 1}, {Restored: true}} {
		got, err := h.Restored(t.Context(), ttl)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	}
	h.decidedLater(t, undecided)
	h.balanced(t)
}

func TestMovedWithoutLoss(t *testing.T) {
	t.Parallel()
	h, said := open(t, store.Options{}), &heard{}
	h.stayHome(t, said)
	h.decided(t, "c1", 2)
	h.exec(t, "UPDATE homes SET system_identifier = system_identifier + 1, timeline = 7")
	if err := h.Moved(t.Context(), ttl); err != nil {
		t.Fatal(err)
	}
	h.stayHome(t, said)
	if all := said.take(); len(all) != 0 {
		t.Errorf("told %+v", all)
	}
	if n := h.count(t, "deliveries WHERE state = 'planned'"); n != 2 {
		t.Errorf("%d deliveries are planned, want 2", n)
	}
}

// An ordinary role may ask a server who it is. Where it may not, a start goes on, says so, and still notices a restore
// into another database.
func TestOrdinaryRole(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	role := "plain_" + strings.ReplaceAll(uuid.NewString(), "-", "")
	h.exec(t, "CREATE ROLE "+role+" NOSUPERUSER")
	t.Cleanup(func() {
		if _, err := h.Pool().Exec(context.Background(), "DROP OWNED BY "+role+"; DROP ROLE "+role); err != nil {
			t.Error(err)
		}
	})
	h.exec(t, "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO "+role)
	u, err := url.Parse(h.url)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("role", role)
	u.RawQuery = q.Encode()
	plain, err := store.Open(t.Context(), u.String(), store.Options{Pool: 2, Ingest: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(plain.Close)
	said := &heard{}
	start := func(want ...store.Homecoming) {
		t.Helper()
		if err := plain.StayHome(t.Context(), said.tell); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, said.take()); d != "" {
			t.Error(d)
		}
	}
	start()
	h.exec(t, "UPDATE homes SET system_identifier = system_identifier + 1")
	start(store.Homecoming{Restored: true})
	h.exec(t, "REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC")
	start(store.Homecoming{Blind: true})
	h.exec(t, "UPDATE homes SET database_oid = database_oid + 1")
	start(store.Homecoming{Restored: true, Blind: true})
	h.exec(t, "GRANT EXECUTE ON FUNCTION pg_control_system() TO PUBLIC")
	start()
	if n := h.count(t, "homes WHERE system_identifier IS NOT NULL"); n != 1 {
		t.Error("what the server tells at last is not kept")
	}
}
