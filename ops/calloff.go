package ops

import (
	"context"
	"errors"
	"fmt"

	"aftercall/internal/store"
)

// CancelCall calls off what waits of a conversation and of those that belong to the same call (store.Reader.Waiting): each delivery as
// Cancel does, with a line of its own in the audit log, some hundred at once. cancelled are their ids; what moved on meanwhile is not
// among them. more reports that it is worth asking again: more waits. What comes in later for the call, or is decided later, is not hindered.
func (o *Ops) CancelCall(ctx context.Context, by store.Actor, account, conversationID string) (cancelled []string, more bool, err error) {
	if _, err := o.call(ctx, account, conversationID); err != nil {
		return nil, false, err
	}
	waits, more, err := o.store.Waiting(ctx, account, conversationID)
	if err != nil {
		return nil, false, err
	}
	for _, d := range waits {
		var refused *Refused
		switch err := o.Cancel(ctx, by, account, d.ID); {
		case errors.As(err, &refused), errors.Is(err, ErrNotFound):
		case err != nil:
			return cancelled, more, fmt.Errorf("call off what waits of conversation %s, after %d: %w", conversationID, len(cancelled), err)
		default:
			cancelled = append(cancelled, d.ID)
		}
	}
	return cancelled, more && len(cancelled) > 0, nil
}
