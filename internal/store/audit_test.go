package store_test

import (
	"testing"

	"github.com/google/uuid"

	"aftercall/deliver"
	"aftercall/internal/store"
	"aftercall/tasks"
)

// TestAuditFindsEveryImbalance breaks the ledger behind the store's back, in one way each, and wants that named.
func TestAuditFindsEveryImbalance(t *testing.T) {
	t.Parallel()
	for rule, tamper := range map[string]string{
		"every conversation came with an accepted event":                            "DELETE FROM events",
		"an event and its conversation belong to one account":                       "UPDATE events SET account_id = 'other'",
		"every decision and value has its conversation, every attempt its delivery": "UPDATE attempts SET delivery_id = gen_random_uuid() WHERE provider = 'smtp'",
		"a decided conversation has no decision waiting":                            "UPDATE decisions SET verdict = 'waiting' WHERE automation = 'complaint'",
		"a waiting conversation waits for a decision":                               "UPDATE conversations SET state = 'waiting', decided_at = NULL",
		"a conversation without a plan has no decision":                             "UPDATE conversations SET state = 'accepted', decided_at = NULL",
		"every action of an automation that fired has a delivery":                   "UPDATE decisions SET actions = 5 WHERE automation = 'callback'",
		"every delivery comes from an automation that fired":                        "UPDATE decisions SET verdict = 'no' WHERE automation = 'callback'",
		"a delivery, its attempts and its conversation belong to one account":       "UPDATE attempts SET account_id = 'other'",
		"what is sent has exactly one receipt, or the word of a person":             "DELETE FROM attempts",
		"what has a receipt is sent":                                                "UPDATE deliveries SET state = 'failed' WHERE state = 'sent' AND provider = 'smtp'",
		"no delivery may have gone out twice":                                       "INSERT INTO attempts SELECT delivery_id, attempt + 1, account_id, worker_id, 'unknown', '', 0, '', '', '', started_at, finished_at FROM attempts",
		"what is unknown has the attempt that left it so":                           "UPDATE deliveries SET state = 'unknown' WHERE state = 'sent' AND provider = 'smtp'",
		"every claim ended in one attempt":                                          "UPDATE deliveries SET attempt = attempt + 1",
		"no message is planned twice":                                               "ALTER TABLE deliveries DROP CONSTRAINT deliveries_key; INSERT INTO deliveries SELECT gen_random_uuid(), account_id, conversation_id, run, automation, action, recipient, copy, resend_of, channel, customer, 'failed', reason, detail, due_at, deadline_at, test, content FROM deliveries WHERE channel = 'email'",
		"a resend repeats the delivery it names, and somebody asked for it":         "INSERT INTO deliveries SELECT gen_random_uuid(), account_id, conversation_id, run, automation, action, 'email:eve@acme.example', 1, id, channel, customer, 'failed', reason, detail, due_at, deadline_at, test, content FROM deliveries WHERE channel = 'email'",
		"what is held or skipped says why":                                          "UPDATE deliveries SET state = 'skipped', reason = '' WHERE channel = 'sms'",
		"a task that was written exists":                                            "DELETE FROM tasks",
		"every task has its delivery":                                               "UPDATE tasks SET action = 9",
		"a team alert that is sent exists":                                          "DELETE FROM alerts",
		"every team alert has its delivery":                                         "UPDATE alerts SET delivery_id = (SELECT id FROM deliveries WHERE channel = 'email' LIMIT 1)",
		"what was captured is kept":                                                 "DELETE FROM captured",
		"what was erased is gone":                                                   "UPDATE erased_conversations SET id = (SELECT id FROM conversations LIMIT 1)",
		"what was erased is known when it comes again":                              "DELETE FROM erased_hashes",
		"an erasure counts what it erased":                                          "UPDATE erasures SET conversations = 2",
		"what was kept was not sent as well":                                        "UPDATE deliveries SET provider = 'smtp' WHERE channel = 'sms'",
		"nothing goes out in two runs":                                              "INSERT INTO deliveries SELECT gen_random_uuid(), account_id, conversation_id, 2, automation, action, recipient, copy, resend_of, channel, customer, 'sent', reason, detail, due_at, deadline_at, test, content FROM deliveries WHERE channel = 'email'",
		"a doubt is settled by an answer or by a person":                            "UPDATE attempts SET state = 'unknown'",
		"what is cancelled was cancelled by somebody":                               "UPDATE deliveries SET state = 'cancelled' WHERE channel = 'sms'",
		"what a run took over stands in that run":                                   "INSERT INTO settlements SELECT id, 'superseded', account_id, conversation_id, 7, NULL, 'A' FROM deliveries",
		"every later run was asked for, and decided something once it is done":      "INSERT INTO runs SELECT id, 2, account_id, 'fix', 1, 'callback', false, revision_id, 'done', '', NULL, 'A', now(), now() FROM conversations",
		"a sandbox sends nothing":                                                   "INSERT INTO runs SELECT id, 2, account_id, 'replay', 1, '', true, revision_id, 'done', '', NULL, 'A', now(), now() FROM conversations; UPDATE deliveries SET run = 2",
		"a review ended in a run, or was dismissed":                                 "UPDATE decisions SET settled_as = 'fixed', settled_run = 9, settled_at = now()",
		"a bulk job counts its items":                                               "INSERT INTO bulk_jobs (id, account_id, request, person, address, counted, more, done) VALUES (gen_random_uuid(), 'acme', '{}', 'A', '', 1, false, 5)",
		"what people did stands in the audit log":                                   "INSERT INTO settlements SELECT id, 'released', account_id, conversation_id, 0, NULL, 'A' FROM deliveries",
	} {
		t.Run(rule, func(t *testing.T) {
			t.Parallel()
			h := open(t, store.Options{})
			h.everything(t)
			h.erase(t, h.accept(t, h.arrival(phoneCall("gone"))).ConversationID)
			h.balanced(t)
			h.exec(t, tamper)
			_, wrong, err := h.Audit(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range wrong {
				if w.Rule == rule && len(w.IDs) > 0 {
					return
				}
			}
			t.Errorf("found only %+v", wrong)
		})
	}
}

func TestAuditTally(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	h.everything(t)
	h.accept(t, h.arrival(phoneCall("c2")))
	h.claim(t, h.decided(t, "c3", 1).ConversationID, "nobody")
	got := h.balanced(t)
	if got.Events != 3 || got.Conversations != 3 || got.Undecided != 1 || got.Decisions != 4 || got.Fired != 2 || got.Tasks != 1 ||
		got.Alerts != 1 || got.Orphaned != 1 || got.Deliveries[store.Sent] != 4 || got.Deliveries[store.Sending] != 1 {
		t.Errorf("tally %+v", got)
	}
}

func TestAuditCountsWhatItDoesNotShow(t *testing.T) {
	t.Parallel()
	h := open(t, store.Options{})
	h.decided(t, "c1", 33)
	h.exec(t, "UPDATE deliveries SET attempt = 1")
	_, wrong, err := h.Audit(t.Context())
	if err != nil || len(wrong) != 1 || len(wrong[0].IDs) != 20 || wrong[0].More != 13 {
		t.Errorf("%+v, %v", wrong, err)
	}
}

// everything is one call with an e-mail sent, a text captured, an alert posted and a task written.
func (h *house) everything(t *testing.T) {
	t.Helper()
	p := h.plan(h.accept(t, h.arrival(phoneCall("c1"))).ConversationID, 1)
	p.Actions["callback"] = 4
	for n, channel := range []string{deliver.SMS, deliver.TeamAlert} {
		d := p.Deliveries[0]
		d.ID, d.Action, d.Channel, d.Recipient = uuid.NewString(), n+1, channel, "all"
		p.Deliveries = append(p.Deliveries, d)
	}
	p.Deliveries = append(p.Deliveries, store.Delivery{ID: uuid.NewString(), Automation: "callback", Action: 3, Channel: deliver.Task,
		Recipient: "-", State: store.Sent})
	p.Tasks = []store.Task{{ID: uuid.NewString(), Automation: "callback", Action: 3, Task: tasks.Task{Title: "Call", Priority: tasks.Low}}}
	h.save(t, p)
	for channel, provider := range map[string]string{deliver.Email: "smtp", deliver.SMS: "capture", deliver.TeamAlert: "team_alert"} {
		claimed, err := h.Claim(t.Context(), p.ConversationID, channel, "w1", ended(), nil)
		if err != nil || len(claimed) != 1 {
			t.Fatalf("claimed %+v, %v", claimed, err)
		}
		m := deliver.Message{DeliveryID: claimed[0].ID, Attempt: 1, AccountID: "acme", Text: "x"}
		switch channel {
		case deliver.SMS:
			err = h.Keep(t.Context(), m)
		case deliver.TeamAlert:
			err = h.PostAlert(t.Context(), m)
		}
		if err != nil {
			t.Fatal(err)
		}
		o := outcome(claimed[0], "w1", store.Sent)
		o.Provider = provider
		h.record(t, o)
	}
}
