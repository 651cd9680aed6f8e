package ops

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"aftercall/internal/store"
	"aftercall/worker"
)

// Bulk does one action for everything that a filter finds, as a job. It returns at once; how far it is, its items and what
// refused them are read by Reader.Bulk and BulkItems.
func (o *Ops) Bulk(ctx context.Context, by store.Actor, account string, b store.BulkRequest) (bulkID string, err error) {
	return o.store.AskBulk(ctx, by, account, b, worker.EnqueueBulk(o.river))
}

// CountBulk says how many the filter finds now, and whether there are more than that.
func (o *Ops) CountBulk(ctx context.Context, account string, b store.BulkRequest) (n int, more bool, err error) {
	return o.store.CountBulk(ctx, account, b)
}

// AbortBulk stops a job before its next item. What is done stays done.
func (o *Ops) AbortBulk(ctx context.Context, by store.Actor, account, bulkID string) error {
	return o.store.AbortBulk(ctx, by, account, bulkID)
}

// A worker does some items at a time, so that a bulk job neither keeps its place for hours nor is noticed when it is stopped.
const (
	bulkItems = 100
	bulkWhile = 20 * time.Second
)

// Work does some items of a bulk job; more reports that there are more. It is what a worker calls (worker.Config.Bulk).
func (o *Ops) Work(ctx context.Context, bulkID string) (more bool, err error) {
	b, err := o.store.Bulk(ctx, bulkID)
	if err != nil || b.State != store.BulkRunning {
		return false, err
	}
	items, err := o.store.NextOfBulk(ctx, b, bulkItems)
	if err != nil || len(items) == 0 {
		return false, err
	}
	by, began := b.By, o.now()
	by.Bulk = b.ID
	for _, id := range items {
		if err := ctx.Err(); err != nil {
			return true, err
		}
		switch err := o.item(ctx, b, by, id); {
		case errors.Is(err, store.ErrBulkMoved):
			return true, nil // it was aborted, or another worker is at it: look again
		case err != nil:
			return true, err
		case o.now().Sub(began) > bulkWhile:
			return true, nil
		}
	}
	return true, nil
}

// item does one item, or records why it was not done. The error is one that may pass.
func (o *Ops) item(ctx context.Context, b store.Bulk, by store.Actor, id string) error {
	err := o.do(ctx, b, by, id)
	var refused *Refused
	switch {
	case err == nil, errors.Is(err, store.ErrBulkMoved), store.Away(err), ctx.Err() != nil:
		return err
	case errors.As(err, &refused):
		return o.skip(ctx, b, id, store.BulkRefused, refused.Sentence)
	case errors.Is(err, ErrNotFound):
		return o.skip(ctx, b, id, store.BulkRefused, "It is not there any more.")
	}
	o.log.LogAttrs(ctx, slog.LevelError, "an item of a bulk job failed", slog.String("bulk_id", b.ID), slog.String("item", id), slog.String("error", err.Error()))
	return o.skip(ctx, b, id, store.BulkFailed, "It failed; the log has the fault.")
}

func (o *Ops) skip(ctx context.Context, b store.Bulk, id, result, sentence string) error {
	item := store.BulkItem{ID: id, ConversationID: id, Result: result, Detail: sentence}
	if !b.Request.Action.Replays() {
		_, conversation, err := o.store.FindDelivery(ctx, id)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		item.ConversationID = conversation
	}
	return o.store.SkipBulkItem(ctx, b, item)
}

func (o *Ops) do(ctx context.Context, b store.Bulk, by store.Actor, id string) error {
	switch b.Request.Action {
	case store.BulkResend:
		_, err := o.Resend(ctx, by, b.AccountID, id)
		return err
	case store.BulkSettleSent:
		return o.Settle(ctx, by, b.AccountID, id, store.Sent)
	case store.BulkSettleFailed:
		return o.Settle(ctx, by, b.AccountID, id, store.Failed)
	case store.BulkCancel:
		return o.Cancel(ctx, by, b.AccountID, id)
	case store.BulkRelease:
		return o.Release(ctx, by, b.AccountID, id)
	case store.BulkReplaySame:
		_, err := o.Replay(ctx, by, b.AccountID, id, Same, b.Request.Sandbox)
		return err
	case store.BulkReplayActive:
		_, err := o.Replay(ctx, by, b.AccountID, id, Active, b.Request.Sandbox)
		return err
	}
	return &Refused{Sentence: "This version does not know the action."}
}
