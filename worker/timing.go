package worker

import (
	"time"

	"aftercall/automation"
	"aftercall/conversation"
	"aftercall/internal/store"
	"aftercall/reason"
)

// longestCall is how long the end of a call is waited for. What was to go out then is too late after that.
const longestCall = 24 * time.Hour

// timed gives a delivery its time.
func timed(d *store.Delivery, act *automation.Action, c *conversation.Conversation, now time.Time, loc *time.Location) {
	if atItsEnd(act, c) {
		d.EndOf, d.Reason, d.Detail = c.Event.Call, reason.Waiting, waitsForTheEnd
		d.DueAt = now.Add(longestCall)
		d.DeadlineAt = d.DueAt
		return
	}
	d.DueAt, d.Reason = act.Send.At(c.EndedAt, now, loc)
	d.DeadlineAt = d.DueAt.Add(LifetimeOn(act.Channel))
}

// atItsEnd reports whether this is what an event leads to at the end of its call, and so waits for the call itself to come in:
// whatever becomes of the call, it ends. That is also where an action does not say when, unless the event does.
func atItsEnd(act *automation.Action, c *conversation.Conversation) bool {
	return c.Event != nil && c.Event.Call != "" && !act.Send.Now && act.Send.After == 0 && (act.Send.AtEnd || !c.Event.Now)
}

const waitsForTheEnd = "It waits for the end of the call."

// onTheirClocks gives a delivery its time by the recipient's own zone, and says which one that is where it waits for it.
func onTheirClocks(d *store.Delivery, rev *automation.Revision, act *automation.Action, c *conversation.Conversation, now time.Time, loc *time.Location) {
	why := "the account's: the recipient's is not known"
	if c.Timezone != "" {
		why = "the call's: the recipient's is not known"
	}
	if theirs := rev.Directory.Zone(d.Content.To, Contact(c)); theirs != nil {
		loc, why = theirs, "the recipient's"
	}
	d.DueAt, d.Reason = act.Send.At(c.EndedAt, now, loc)
	d.DeadlineAt = d.DueAt.Add(LifetimeOn(act.Channel))
	if d.Reason == reason.OutsideWindow {
		d.Detail = "The hours are those of " + loc.String() + ", " + why + "."
	}
}
