package dashboard

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"aftercall/internal/store"
	"aftercall/ops"
	"aftercall/people"
)

// What people do about a call. Each action has a page that says first what it does and, where something goes out, shows it;
// the form on it posts to the same address. What is allowed is decided in room ops, under the row's lock: a door that is
// shown here and shut by then says why.

// doorView is a door to an action.
type doorView struct{ Label, Path string }

// actPage is the view of act.html.
type actPage struct {
	Back, Heading string // the call
	Crumb, Title  string
	Says          string // what it does
	Automation    string
	About         *deliveryView
	Replay        *replayForm
	Waits         *waitsView
	Carried       []fact // what the form takes along
	Preview       *previewView
	Action        string // where the form is posted
	Buttons       []buttonView
}

// buttonView is a way to send the form.
type buttonView struct{ Name, Value, Label string }

// actionRoutes are the pages of actions. A process without room ops has none.
func (d *Dashboard) actionRoutes(rs *routes) {
	if d.ops == nil {
		return
	}
	both := func(path string, h http.Handler) {
		rs.add("GET "+path, people.Operate, h)
		rs.add("POST "+path, people.Operate, h)
	}
	both("/conversations/{id}/deliveries/{delivery}/{act}", d.page(d.deliveryAct))
	both("/conversations/{id}/replay", d.pageWithin(tryTime, d.replay))
	both("/conversations/{id}/cancel", d.page(d.callOff))
}

// doing is a call that somebody is about to do something about.
type doing struct {
	account, id string
	story       store.Story
	l           ledger
	by          store.Actor
}

// toActOn loads the call, if it is in an account in which whoever asks may act.
func (d *Dashboard) toActOn(r *http.Request) (x doing, err error) {
	reader := d.reader(r, people.Operate)
	if x.account, x.id, err = reader.FindConversation(r.Context(), r.URL.Query().Get("account"), r.PathValue("id")); err != nil {
		return x, fmt.Errorf("find a conversation to act on: %w", err)
	}
	if x.story, err = reader.Story(r.Context(), x.account, x.id); err != nil {
		return x, fmt.Errorf("load conversation %s to act on: %w", x.id, err)
	}
	n := d.names(r.Context(), x.story.RevisionID)
	c := x.story.Conversation
	x.l = ledger{story: x.story, names: n, runs: d.namesOfRuns(r.Context(), x.story), zone: c.Location(n.zone()), turns: len(c.Turns)}
	x.by = people.Of(r.Context()).Actor()
	return x, nil
}

// page is the page of an action on the call.
func (x doing) page(r *http.Request, title, says string) actPage {
	return actPage{Back: conversationPath(x.id), Heading: heading(x.story.Conversation), Crumb: "Put right", Title: title, Says: says, Action: r.URL.EscapedPath()}
}

func (p actPage) answer() answer {
	return answer{Template: "act", Title: p.Title, Section: "conversations", View: p, Draft: true}
}

// onCall is where something stands on the page of the call.
func (x doing) onCall(anchor string) answer {
	return answer{Location: conversationPath(x.id) + "#" + anchor}
}

// refusal tells somebody why an action cannot be taken; any other error stays what it is.
func refusedAct(err error) error {
	var refused *ops.Refused
	if !errors.As(err, &refused) {
		return err
	}
	return &postedError{http.StatusConflict, refused.Sentence, "Go back to the call: it may have moved on since its page was opened."}
}

// shut is the answer at a door that is not there for what it leads to as it stands now.
func shut() error {
	return &postedError{http.StatusConflict, "This cannot be done as it stands now.", "Go back to the call: it may have moved on since its page was opened."}
}

// deliveryAct is what can be done about a delivery.
type deliveryAct struct {
	name, label, title, says string
	can                      func(store.StoryDelivery) bool
	buttons                  []buttonView
}

func deliveryActs() []deliveryAct {
	return []deliveryAct{
		{"settle", "Say what became of it", "What became of this message?",
			"A request may have gone out, and no answer was kept. Look the message up at its provider, by the delivery's id, before you say.",
			func(d store.StoryDelivery) bool { return d.State == store.Unknown },
			[]buttonView{{"as", string(store.Sent), "It was sent"}, {"as", string(store.Failed), "It was not sent"}}},
		{"release", "Let it go out", "Let this message go out as it stands?", "It goes to its recipient as it is shown here, in its window.",
			func(d store.StoryDelivery) bool {
				return d.State == store.Held && !store.ShowsGap(d.Customer, d.Reason)
			},
			[]buttonView{{"do", "release", "Let it go out"}}},
		{"resend", "Send it again", "Send this message again?", "The same text goes to the same recipient at once, as a delivery of its own.", resendable,
			[]buttonView{{"do", "resend", "Send it again"}}},
		{"cancel", "Call it off", "Call this message off?", "It has not gone out, and will not.",
			func(d store.StoryDelivery) bool {
				return d.State == store.Planned || d.State == store.Retrying || d.State == store.Held
			},
			[]buttonView{{"do", "cancel", "Call it off"}}},
	}
}

// doorsOf are the doors to what can be done about a delivery. In a sandbox nothing is to be put right.
func (l ledger) doorsOf(d store.StoryDelivery) (doors []doorView) {
	for _, a := range deliveryActs() {
		if l.acts && !l.sandbox(d.Run) && a.can(d) {
			doors = append(doors, doorView{a.label, conversationPath(l.story.Conversation.ID) + "/deliveries/" + url.PathEscape(d.ID) + "/" + a.name})
		}
	}
	return doors
}

// deliveryAct is GET and POST /conversations/{id}/deliveries/{delivery}/{act}.
func (d *Dashboard) deliveryAct(r *http.Request) (answer, error) {
	x, err := d.toActOn(r)
	if err != nil {
		return answer{}, err
	}
	delivery, err := d.reader(r, people.Operate).Delivery(r.Context(), x.account, x.id, r.PathValue("delivery"))
	n := slices.IndexFunc(deliveryActs(), func(a deliveryAct) bool { return a.name == r.PathValue("act") })
	if err == nil && n < 0 {
		err = store.ErrNotFound
	}
	if err != nil {
		return answer{}, fmt.Errorf("act on a delivery: %w", err)
	}
	act := deliveryActs()[n]
	if r.Method == http.MethodPost {
		at, err := d.actOnDelivery(r, x, delivery.ID, act.name)
		return x.onCall(anchor("delivery", at)), refusedAct(err)
	}
	if !act.can(delivery) || x.l.sandbox(delivery.Run) {
		return answer{}, shut()
	}
	p := x.page(r, act.title, act.says)
	view := x.l.delivery(delivery)
	p.About, p.Buttons = &view, act.buttons
	p.Automation, _ = x.l.of(delivery.Run).automation(delivery.Automation)
	return p.answer(), nil
}

// actOnDelivery takes the action, and says which delivery to look at then.
func (d *Dashboard) actOnDelivery(r *http.Request, x doing, id, act string) (at string, err error) {
	switch act {
	case "resend":
		again, err := d.ops.Resend(r.Context(), x.by, x.account, id)
		return again, err
	case "settle":
		err = d.ops.Settle(r.Context(), x.by, x.account, id, store.DeliveryState(field(r, "as")))
	case "cancel":
		err = d.ops.Cancel(r.Context(), x.by, x.account, id)
	case "release":
		err = d.ops.Release(r.Context(), x.by, x.account, id)
	}
	return id, err
}
