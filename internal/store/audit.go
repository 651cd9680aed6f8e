package store

import (
	"context"
	"fmt"
	"time"

	"aftercall/internal/store/db"
)

// Tally is the ledger's sum, for the audit line and the overview.
type Tally struct {
	Events, Conversations, Undecided, Decisions, Fired, Tasks, Alerts int
	Deliveries                                                        map[DeliveryState]int
	Calls, SimulatedCalls                                             int
	Orphaned                                                          int // sending under no live lease: a sweep will settle them
	Erased                                                            int // conversations that were there and were erased
}

// Imbalance is one thing the audit found wrong.
type Imbalance struct {
	Rule string   // which rule of the ledger is broken, as one sentence
	IDs  []string // up to 20 offending ids
	More int      // how many more there are
}

const (
	auditShown = 20
	auditMost  = 10_000
	// auditLease is the age of a beat after which the audit calls a lease dead.
	auditLease = time.Minute
)

// rule is one law of the ledger, and how to find what breaks it.
type rule struct {
	sentence string
	broken   func(q *db.Queries, ctx context.Context, most int32) ([]string, error)
}

func rules() []rule {
	return []rule{
		{"every conversation came with an accepted event", (*db.Queries).AuditConversationWithoutEvent},
		{"an event and its conversation belong to one account", (*db.Queries).AuditEventOfForeignAccount},
		{"every decision and value has its conversation, every attempt its delivery", (*db.Queries).AuditOwnerless},
		{"a decided conversation has no decision waiting", (*db.Queries).AuditDecidedButWaiting},
		{"a waiting conversation waits for a decision", (*db.Queries).AuditWaitingForNothing},
		{"a conversation without a plan has no decision", (*db.Queries).AuditDecidedBeforeItsPlan},
		{"every action of an automation that fired has a delivery", (*db.Queries).AuditActionsWithoutDelivery},
		{"every delivery comes from an automation that fired", (*db.Queries).AuditDeliveryWithoutDecision},
		{"a delivery, its attempts and its conversation belong to one account", (*db.Queries).AuditForeignAccount},
		{"what is sent has exactly one receipt, or the word of a person", (*db.Queries).AuditSentWithoutReceipt},
		{"what has a receipt is sent", (*db.Queries).AuditReceiptWithoutSent},
		{"what a provider reports of a message is where it stands", (*db.Queries).AuditReportIgnored},
		{"no delivery may have gone out twice", (*db.Queries).AuditSentTwice},
		{"what is unknown has the attempt that left it so", (*db.Queries).AuditUnknownWithoutAttempt},
		{"every claim ended in one attempt", (*db.Queries).AuditAttemptsMiscounted},
		{"no message is planned twice", (*db.Queries).AuditDoubledKey},
		{"a resend repeats the delivery it names, and somebody asked for it", (*db.Queries).AuditResendOfAnotherKey},
		{"nothing goes out in two runs", (*db.Queries).AuditSentInTwoRuns},
		{"a doubt is settled by an answer or by a person", (*db.Queries).AuditSettledByNobody},
		{"what is cancelled was cancelled by somebody", (*db.Queries).AuditCancelledByNobody},
		{"what a run took over stands in that run", (*db.Queries).AuditTakenOverByNothing},
		{"every later run was asked for, and decided something once it is done", (*db.Queries).AuditRunWithoutDecision},
		{"a sandbox sends nothing", (*db.Queries).AuditSandboxLeaked},
		{"a review ended in a run, or was dismissed", (*db.Queries).AuditReviewSettledByNothing},
		{"a bulk job counts its items", (*db.Queries).AuditBulkMiscounted},
		{"what people did stands in the audit log", (*db.Queries).AuditActionWithoutLine},
		{"what is held or skipped says why", (*db.Queries).AuditHeldWithoutReason},
		{"a task that was written exists", (*db.Queries).AuditTaskWithoutRow},
		{"every task has its delivery", (*db.Queries).AuditRowWithoutTask},
		{"a team alert that is sent exists", (*db.Queries).AuditAlertMissing},
		{"every team alert has its delivery", (*db.Queries).AuditAlertOfNothing},
		{"what was captured is kept", (*db.Queries).AuditCaptureMissing},
		{"what was kept was not sent as well", (*db.Queries).AuditCaptureOfSent},
		{"what was erased is gone", (*db.Queries).AuditErasedAndThere},
		{"what was erased is known when it comes again", (*db.Queries).AuditErasedAndForgotten},
		{"an erasure counts what it erased", (*db.Queries).AuditErasureMiscounted},
	}
}

// Audit checks the conservation rules of the ledger over all accounts and returns the sums and what does not balance. It
// sees one moment of the database and reads whole tables. An Imbalance counts up to 10,000 ids.
func (s *Store) Audit(ctx context.Context) (tally Tally, wrong []Imbalance, err error) {
	err = s.snapshot(ctx, "SET LOCAL statement_timeout = 0; SET LOCAL enable_seqscan = on; SET LOCAL max_parallel_workers_per_gather = 2", func(q *db.Queries) error {
		if tally, err = readTally(ctx, q); err != nil {
			return err
		}
		for _, r := range rules() {
			ids, err := r.broken(q, ctx, auditMost)
			if err != nil {
				return fmt.Errorf("%s: %w", r.sentence, err)
			}
			if len(ids) > 0 {
				shown := ids[:min(len(ids), auditShown)]
				wrong = append(wrong, Imbalance{Rule: r.sentence, IDs: shown, More: len(ids) - len(shown)})
			}
		}
		return nil
	})
	if err != nil {
		return Tally{}, nil, fmt.Errorf("audit: %w", err)
	}
	return tally, wrong, nil
}

func readTally(ctx context.Context, q *db.Queries) (Tally, error) {
	r, err := q.AuditTally(ctx, auditLease)
	if err != nil {
		return Tally{}, err
	}
	states, err := q.AuditDeliveries(ctx)
	if err != nil {
		return Tally{}, err
	}
	t := Tally{Events: int(r.Events), Conversations: int(r.Conversations), Undecided: int(r.Undecided),
		Decisions: int(r.Decisions), Fired: int(r.Fired), Tasks: int(r.Tasks), Alerts: int(r.Alerts), Calls: int(r.Calls),
		SimulatedCalls: int(r.SimulatedCalls), Orphaned: int(r.Orphaned), Erased: int(r.Erased), Deliveries: map[DeliveryState]int{}}
	for _, s := range states {
		t.Deliveries[DeliveryState(s.State)] = int(s.Count)
	}
	return t, nil
}
