package dashboard

import (
	"fmt"
	"net/http"

	"aftercall/internal/store"
	"aftercall/people"
)

// waitsView is what would be called off.
type waitsView struct {
	Rows []waitingView
	More bool // there is more than is listed
}

// waitingView is one message that waits.
type waitingView struct {
	Path, To, Channel string
	State             badge
	Why               string
	Automation        string
	Event             bool // it belongs to another conversation of the same call
	Due               moment
	Test              bool
}

// callOff is GET and POST /conversations/{id}/cancel: what waits of a call and of its events, and calling all of it off.
func (d *Dashboard) callOff(r *http.Request) (answer, error) {
	x, err := d.toActOn(r)
	if err != nil {
		return answer{}, err
	}
	if r.Method == http.MethodPost {
		_, more, err := d.ops.CancelCall(r.Context(), x.by, x.account, x.id)
		if more && err == nil {
			return answer{Location: conversationPath(x.id) + "/cancel"}, nil
		}
		return x.onCall("fired"), refusedAct(err)
	}
	waits, more, err := d.reader(r, people.Operate).Waiting(r.Context(), x.account, x.id)
	if err != nil {
		return answer{}, err
	}
	maskDeliveries(waits, people.Of(r.Context()))
	p := x.page(r, "Call off everything that waits?", "None of this has gone out, and none of it will. It is what waits of this call and of its events. "+
		"What comes in later for the call, or is decided later, is not hindered.")
	p.Waits = &waitsView{More: more}
	for _, w := range waits {
		p.Waits.Rows = append(p.Waits.Rows, x.waiting(w))
	}
	if len(waits) > 0 {
		p.Buttons = []buttonView{{"do", "cancel", fmt.Sprintf("Call off %s", count(len(waits), "message", "messages"))}}
	}
	return p.answer(), nil
}

func (x doing) waiting(w store.DeliveryRow) waitingView {
	as := store.StoryDelivery{Delivery: store.Delivery{State: w.State, Channel: w.Channel, Reason: w.Reason}}
	v := waitingView{Path: conversationPath(w.ConversationID) + "#" + anchor("delivery", w.ID), To: or(w.Address, recipientWord(w.Recipient)), Channel: channelWord(w.Channel),
		State: outcomeBadge(as), Why: whyDelivery(as).Sentence, Event: w.ConversationID != x.id, Due: at(w.DueAt, x.l.zone), Test: w.Test}
	v.Automation, _ = x.l.names.automation(w.Automation)
	return v
}

// mayWait reports whether something of the call can be called off, as far as its own page knows.
func (l ledger) mayWait() bool {
	for _, d := range l.story.Deliveries {
		if (d.State == store.Planned || d.State == store.Retrying || d.State == store.Held) && !l.sandbox(d.Run) {
			return true
		}
	}
	return len(l.story.Beside) > 0
}
