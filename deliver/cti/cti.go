// Package cti is the channel that lets a message pop up in an agent's softphone.
//
// It owns the hand-over of a pop-up to the place where softphones that listen find it, and what it means that none has.
//
// It promises one pop-up per delivery, however often it is tried, and that it counts as sent only when a softphone has taken it.
// It never leaves the machine by itself: softphones come for it.
package cti

import (
	"context"
	"strings"
	"time"

	"aftercall/deliver"
)

// Provider is what a receipt of this channel names.
const Provider = "softphone"

// FieldAgent is the field with the agent who has or had the call; a message to people goes to their user id instead.
const FieldAgent = "agent"

// A softphone that listens takes a pop-up at once: the channel looks for that after firstLook, and then after twice as long each
// time, up to lastLook. One that comes later settles the delivery without it.
const (
	firstLook = 10 * time.Millisecond
	lastLook  = 640 * time.Millisecond
)

// Board keeps pop-ups for softphones; the store is one. Posting the same delivery again changes nothing.
type Board interface {
	PostPopUp(ctx context.Context, m deliver.Message, agent string, now time.Time) (until time.Time, taken bool, err error)
	PopUpTaken(ctx context.Context, m deliver.Message) (bool, error)
}

// Channel is a deliver.Channel for pop-ups.
type Channel struct {
	board Board
	now   func() time.Time
}

// New returns the channel.
func New(b Board, now func() time.Time) *Channel {
	if now == nil {
		now = time.Now
	}
	return &Channel{board: b, now: now}
}

// Send posts the pop-up, and waits a moment for a softphone to take it. Posting is idempotent, so that every failure is safe to
// try again, also one whose commit may have gone through. What nobody has taken is looked for once more at its end: until then a
// softphone may come and take it.
func (c *Channel) Send(ctx context.Context, m deliver.Message) (deliver.Receipt, error) {
	agent := m.Fields[FieldAgent]
	if len(m.To) == 1 {
		agent = m.To[0].Address
	}
	switch {
	case strings.TrimSpace(m.Text) == "":
		return deliver.Receipt{}, &deliver.Error{Verdict: deliver.Refused, Class: "bad_request", Detail: "the pop-up has no text"}
	case agent == "":
		return deliver.Receipt{}, &deliver.Error{Verdict: deliver.Refused, Class: "bad_request", Detail: "the pop-up is for no agent"}
	}
	until, taken, err := c.board.PostPopUp(ctx, m, agent, c.now())
	for wait := firstLook; err == nil && !taken && wait <= lastLook; wait *= 2 {
		select {
		case <-time.After(wait):
			taken, err = c.board.PopUpTaken(ctx, m)
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	switch {
	case err != nil:
		return deliver.Receipt{}, &deliver.Error{Verdict: deliver.Retry, Class: "database", Detail: "it is not known whether a softphone has the pop-up"}
	case taken:
		return deliver.Receipt{Provider: Provider, ProviderID: m.DeliveryID}, nil
	}
	return deliver.Receipt{}, &deliver.Error{Verdict: deliver.Retry, Class: "nobody_listens", After: max(0, until.Sub(c.now())-time.Second),
		Detail: "no softphone of the agent has taken it"}
}
