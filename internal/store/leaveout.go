package store

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"aftercall/deliver"
	"aftercall/internal/store/db"
	"aftercall/reason"
)

// Before is a delivery of another run that went out, may have gone out or waits.
type Before struct {
	Run                int
	RevisionID         string // that its run went by
	Automation         string
	Action             int
	Recipient, Channel string
	Address            string // where it went; "" before it was sent
	State              DeliveryState
	Content            Content
}

// leaveOut takes out of a plan what other runs have sent, may have sent or still mean to.
func leaveOut(ctx context.Context, q *db.Queries, plan *Plan) error {
	before, err := beforeRun(ctx, q, plan)
	if err != nil {
		return fmt.Errorf("look what went out before: %w", err)
	}
	plan.LeaveOut(before)
	return nil
}

func beforeRun(ctx context.Context, q *db.Queries, plan *Plan) ([]Before, error) {
	rows, err := q.BeforeRun(ctx, db.BeforeRunParams{ConversationID: plan.ConversationID, AccountID: plan.AccountID, Run: int32(plan.Run)})
	if err != nil {
		return nil, err
	}
	before := make([]Before, len(rows))
	for n, r := range rows {
		before[n] = Before{Run: int(r.Run), RevisionID: r.RevisionID, Automation: r.Automation, Action: int(r.Action),
			Recipient: r.Recipient, Channel: r.Channel, Address: r.Address, State: DeliveryState(r.State)}
		if err := json.Unmarshal(r.Content, &before[n].Content); err != nil {
			return nil, fmt.Errorf("read a message of run %d: %w", r.Run, err)
		}
	}
	return before, nil
}

// LeaveOut skips in a plan what another run has sent, may have sent or still means to. Where nobody can say whether a
// message is the same, because the config has changed in between, it is skipped as well, and a person may send it all the same.
func (p *Plan) LeaveOut(before []Before) {
	for n := range p.Deliveries {
		d := &p.Deliveries[n]
		if d.State != Planned && d.State != Held && d.State != Sent {
			continue
		}
		why, detail := p.sentBefore(*d, before)
		if why == "" {
			continue
		}
		if d.State == Held { // its text may show a gap: it is not there to be sent all the same
			why = reason.SentBefore
		}
		d.State, d.Reason, d.Detail = Skipped, why, detail
		if d.Channel == deliver.Task {
			p.Tasks = slices.DeleteFunc(p.Tasks, func(t Task) bool { return t.Automation == d.Automation && t.Action == d.Action })
		}
	}
}

// sentBefore says why a delivery is left out; "" if nothing like it is there.
func (p *Plan) sentBefore(d Delivery, before []Before) (why reason.Code, detail string) {
	if i := slices.IndexFunc(before, func(b Before) bool { return p.same(b, d) }); i >= 0 {
		return reason.SentBefore, fmt.Sprintf("It is %s in run %d.", before[i].State, before[i].Run)
	}
	if i := slices.IndexFunc(before, func(b Before) bool { return p.perhaps(b, d) }); i >= 0 {
		return reason.PerhapsSentBefore, fmt.Sprintf("Possibly the same: what %s has for this recipient by another config is %s in run %d.",
			before[i].Automation, before[i].State, before[i].Run)
	}
	return "", ""
}

// same reports whether a delivery is certainly the same message. Within one config an action is known by its place; in another
// one its place may be another's, so that only the words tell.
func (p *Plan) same(b Before, d Delivery) bool {
	if b.Automation != d.Automation || b.Channel != d.Channel || !p.reachesSame(b, d) {
		return false
	}
	if b.RevisionID == p.RevisionID {
		return b.Action == d.Action
	}
	return sameText(b.Content, d.Content)
}

// perhaps reports whether a delivery could be the same message under a config that was changed: anything of its automation to
// the same recipient on the same channel, or in the same place; and the same words of an automation that has another name now.
func (p *Plan) perhaps(b Before, d Delivery) bool {
	switch {
	case b.RevisionID == p.RevisionID:
		return false
	case b.Automation == d.Automation && b.Action == d.Action && b.Recipient == d.Recipient:
		return true
	case b.Channel != d.Channel || !p.reachesSame(b, d):
		return false
	}
	return b.Automation == d.Automation || !slices.Contains(p.Automations, b.Automation) && sameText(b.Content, d.Content)
}

// reachesSame reports whether two messages of one channel have a recipient in common: by key, or by where they are written
// to. A task is the same whoever it is for, and what goes to all goes to each.
func (p *Plan) reachesSame(b Before, d Delivery) bool {
	if d.Channel == deliver.Task || b.Recipient == d.Recipient {
		return true
	}
	to, went := slices.Concat(d.Content.To, d.Content.CC), slices.Concat(b.Content.To, b.Content.CC)
	if d.Channel == deliver.TeamAlert && (slices.Contains(to, "all") || slices.Contains(went, "all")) {
		return true
	}
	addresses := strings.Split(b.Address, ", ")
	for _, key := range went {
		addresses = append(addresses, p.address(key, b.Channel))
	}
	return slices.ContainsFunc(to, func(key string) bool {
		at := p.address(key, d.Channel)
		return slices.Contains(went, key) || at != "" && slices.Contains(addresses, at)
	})
}

// address is where a recipient is written to, as known now; "" if that is not known.
func (p *Plan) address(key, channel string) string {
	if p.AddressOf == nil {
		return ""
	}
	return p.AddressOf(key, channel)
}

func sameText(a, b Content) bool {
	return a.Subject == b.Subject && a.Text == b.Text && a.HTML == b.HTML && maps.Equal(a.Fields, b.Fields)
}
