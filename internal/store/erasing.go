package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"aftercall/internal/store/db"
)

// eraseLocked erases conversations that this transaction has locked, and returns those it had to leave because a message of
// theirs is under way; if somebody asked for it, these are stopped. With its conversation locked nothing new is planned; with its deliveries locked nothing is claimed
// and no receipt written: what is true here stays true until the commit.
func (s *Store) eraseLocked(ctx context.Context, q *db.Queries, e Erasure, l locked) (busy []string, err error) {
	sending, err := underWay(ctx, q, e, l)
	if err != nil {
		return nil, err
	}
	var free []db.LockErasingRow
	for _, c := range l.calls {
		if sending[c.ID] {
			busy = append(busy, c.ID)
		} else {
			free = append(free, c)
		}
	}
	if err := e.stop(ctx, q, busy); err != nil {
		return nil, err
	}
	return busy, s.remove(ctx, q, e, free)
}

// underWay locks the conversations' deliveries and says of which conversation one is being sent. A call stays as long as an event that goes
// with it: whoever looks for the call again finds the event by it, and by nothing else.
func underWay(ctx context.Context, q *db.Queries, e Erasure, l locked) (map[string]bool, error) {
	rows, err := q.LockDeliveries(ctx, db.LockDeliveriesParams{Ids: idsOf(l.calls), AccountID: e.AccountID})
	if err != nil {
		return nil, fmt.Errorf("lock deliveries: %w", err)
	}
	sending, stays := map[string]bool{}, map[string]bool{}
	for _, d := range rows {
		if DeliveryState(d.State) != Sending {
			continue
		}
		sending[d.ConversationID] = true
		if call, ok := l.about[d.ConversationID]; ok {
			stays[call] = true
		}
	}
	for _, c := range l.calls {
		if stays[c.ExternalID] {
			sending[c.ID] = true
		}
	}
	return sending, nil
}

// stop leaves of conversations only what is under way: they count as decided, runs that are asked for come to nothing, and
// what waits to be sent is cancelled by whoever erases. Retention leaves all of it to its next pass.
func (e Erasure) stop(ctx context.Context, q *db.Queries, ids []string) error {
	if len(ids) == 0 || !e.asked {
		return nil
	}
	if err := q.StopConversations(ctx, db.StopConversationsParams{Ids: ids, AccountID: e.AccountID}); err != nil {
		return fmt.Errorf("stop deciding: %w", err)
	}
	if err := q.DropWaitingDecisions(ctx, db.DropWaitingDecisionsParams{Ids: ids, AccountID: e.AccountID}); err != nil {
		return fmt.Errorf("drop decisions that wait: %w", err)
	}
	if err := q.FailAskedRuns(ctx, db.FailAskedRunsParams{Ids: ids, AccountID: e.AccountID}); err != nil {
		return fmt.Errorf("end runs that are asked for: %w", err)
	}
	stopped, err := q.CancelDeliveries(ctx, db.CancelDeliveriesParams{Ids: ids, AccountID: e.AccountID, PersonID: e.by.person(), Person: clean(e.by.Name)})
	if err != nil {
		return fmt.Errorf("cancel deliveries: %w", err)
	}
	slices.Sort(stopped)
	for _, id := range slices.Compact(stopped) {
		act := Act{AccountID: e.AccountID, By: e.by, What: ActErased, Target: id, Detail: map[string]string{"erasure": e.ID}}
		if err := logAct(ctx, q, act); err != nil {
			return err
		}
	}
	return nil
}

// remove deletes conversations with all that belongs to them, and keeps by which hashes they are known and how much it was.
func (s *Store) remove(ctx context.Context, q *db.Queries, e Erasure, calls []db.LockErasingRow) error {
	if len(calls) == 0 {
		return nil
	}
	ids := idsOf(calls)
	kept := db.KeepHashesParams{AccountID: e.AccountID}
	var callIDs []string
	var jobs [][]byte
	for _, c := range calls {
		kept.Hashes, kept.ConversationIds = append(kept.Hashes, s.hashes.call(callKey{c.ExternalID, e.AccountID, c.Source})), append(kept.ConversationIds, c.ID)
		if !c.Event { // events about it may still come
			kept.Hashes, kept.ConversationIds = append(kept.Hashes, s.hashes.about(e.AccountID, c.ExternalID)), append(kept.ConversationIds, c.ID)
		}
		callIDs = append(callIDs, c.ExternalID)
		args, err := json.Marshal(map[string]string{"conversation_id": c.ID})
		if err != nil {
			return err
		}
		jobs = append(jobs, args)
	}
	n, err := q.EraseConversations(ctx, db.EraseConversationsParams{Ids: ids, AccountID: e.AccountID, ErasureID: e.ID})
	if err == nil && int(n) != len(calls) {
		err = fmt.Errorf("%d of %d were there", n, len(calls))
	}
	if err != nil {
		return fmt.Errorf("delete conversations: %w", err)
	}
	if _, err := q.EraseJobs(ctx, jobs); err != nil {
		return fmt.Errorf("delete their jobs: %w", err)
	}
	events, err := e.removeAbout(ctx, q, callIDs)
	if err != nil {
		return err
	}
	return e.keep(ctx, q, kept, len(calls), events)
}

// removeAbout deletes the events that are about these calls and carry no conversation. They are known by their calls.
func (e Erasure) removeAbout(ctx context.Context, q *db.Queries, callIDs []string) (int, error) {
	about, err := q.EventsAbout(ctx, db.EventsAboutParams{AccountID: e.AccountID, CallIds: callIDs})
	if err != nil {
		return 0, fmt.Errorf("look for events about them: %w", err)
	}
	if len(about) == 0 {
		return 0, nil
	}
	gone, err := q.EraseEvents(ctx, db.EraseEventsParams{Ids: about, AccountID: e.AccountID})
	if err != nil {
		return 0, fmt.Errorf("delete events about them: %w", err)
	}
	return len(gone), nil
}

func idsOf(calls []db.LockErasingRow) []string {
	ids := make([]string, len(calls))
	for n, c := range calls {
		ids[n] = c.ID
	}
	return ids
}
