package dashboard

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"aftercall/deliver"
	"aftercall/internal/store"
	"aftercall/ops"
	"aftercall/reason"
	"aftercall/triggers"
)

// replayForm asks by which config, and whether anything is to go out.
type replayForm struct {
	Which   []choice
	Sandbox bool
}

// previewView is what an action would lead to.
type previewView struct {
	Config  string
	Open    bool // nothing is known without asking a model, which this process does not
	Told    string
	Changed []foreseenView
	Goes    []deliveryView
	Left    []deliveryView // what does not go out, with its reason
}

// foreseenView is a decision that would be another one.
type foreseenView struct {
	Name, Detail string
	Before, Now  badge
	Why          why
}

// replay is GET and POST /conversations/{id}/replay: the choice, what it would lead to, and the replay itself.
func (d *Dashboard) replay(r *http.Request) (answer, error) {
	x, err := d.toActOn(r)
	if err != nil {
		return answer{}, err
	}
	which, sandbox := ops.Revision(or(field(r, "which"), string(ops.Same))), field(r, "sandbox") != ""
	p := x.page(r, "Decide this call anew?", "Every automation is decided again, as a run of its own beside those there are. What was sent, may have been sent or still waits is not sent again.")
	switch {
	case r.Method != http.MethodPost:
		p.Replay = &replayForm{Which: d.configsFor(x, which), Sandbox: true}
		p.Buttons = []buttonView{{"do", "preview", "Show what it would do"}}
		return p.answer(), nil
	case field(r, "do") == "replay":
		_, err := d.ops.Replay(r.Context(), x.by, x.account, x.id, which, sandbox)
		return x.onCall("runs"), refusedAct(err)
	}
	preview, err := d.ops.Rehearse(r.Context(), x.account, x.id, which, sandbox)
	if err != nil {
		return answer{}, refusedAct(err)
	}
	p.Preview = d.previewed(r, x, preview)
	p.Carried = []fact{{"which", string(which)}}
	p.Buttons = []buttonView{{"do", "replay", "Decide anew, and send"}}
	if sandbox {
		p.Says = "In the sandbox: everything is decided again and rendered, and every message is kept on this machine."
		p.Carried = append(p.Carried, fact{"sandbox", "1"})
		p.Buttons[0].Label = "Decide anew in the sandbox"
	}
	return p.answer(), nil
}

// configsFor are the configs that the call can be decided by.
func (d *Dashboard) configsFor(x doing, chosen ops.Revision) []choice {
	cs := []choice{{string(ops.Same), "the config of then, " + shortDigest(x.story.Digest), chosen == ops.Same}}
	if rev, ok := d.revisions.Active(x.account); ok {
		cs = append(cs, choice{string(ops.Active), "the active config, " + shortDigest(rev.Digest), chosen == ops.Active})
	}
	return cs
}

// previewed lays out what an action would lead to, in the words of the config it would go by.
func (d *Dashboard) previewed(r *http.Request, x doing, p ops.Preview) *previewView {
	v := &previewView{Config: shortDigest(p.Digest), Open: p.Open}
	l := x.l
	l.names, l.runs, l.acts = d.names(r.Context(), p.RevisionID), nil, false
	for _, f := range p.Decisions {
		if f.Verdict == f.Before {
			continue
		}
		name, _ := l.names.automation(f.Automation)
		changed := foreseenView{Name: name, Detail: f.Detail, Before: badge{"not decided", "dash", "quiet"}, Now: wouldDecide(verdictBadge(f.Verdict)), Why: whyCode(f.Reason)}
		if f.Before != "" {
			changed.Before = verdictBadge(f.Before)
		}
		v.Changed = append(v.Changed, changed)
	}
	held, before := 0, 0
	for _, delivery := range p.Deliveries {
		view := l.foreseen(delivery, p.Addresses[delivery.ID])
		switch {
		case delivery.State == store.Planned, delivery.State == store.Sent:
			v.Goes = append(v.Goes, view)
			continue
		case delivery.State == store.Held:
			held++
		case delivery.Reason == reason.SentBefore, delivery.Reason == reason.PerhapsSentBefore:
			before++
		}
		v.Left = append(v.Left, view)
	}
	v.Told = toldOf(p, len(v.Goes), held, before)
	return v
}

// foreseen lays out a delivery that is not planned yet.
func (l ledger) foreseen(d store.Delivery, address string) deliveryView {
	const most = 4000 // characters: enough to know a message by
	if runes := []rune(d.Content.Text); len(runes) > most {
		d.Content.Text = string(runes[:most]) + "…"
	}
	view := l.delivery(store.StoryDelivery{Delivery: d, Address: address, TextBytes: len(d.Content.Text)})
	wouldGo(&view, nil)
	if d.Test && view.State.Word == wouldGoOut {
		view.State, view.Why, view.Code = badge{"would be captured", "check", "info"}, why{"It would be kept on this machine.", ""}, ""
	}
	return view
}

// toldOf sums a preview up.
func toldOf(p ops.Preview, goes, held, before int) string {
	fires := 0
	for _, f := range p.Decisions {
		if f.Verdict == triggers.Fires {
			fires++
		}
	}
	tasks := 0
	for _, d := range p.Deliveries {
		if d.Channel == deliver.Task && d.State == store.Sent {
			tasks++
		}
	}
	parts := []string{count(fires, "automation", "automations") + " would fire", count(goes-tasks, "message", "messages") + " would go out"}
	for _, more := range []struct {
		n     int
		words string
	}{{tasks, "written as tasks"}, {held, "held for a person"}, {before, "left out, since the same went out before, or possibly did"}} {
		if more.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", more.n, more.words))
		}
	}
	return strings.Join(parts, ", ") + "."
}

// sandbox reports whether a run is one in which nothing goes out.
func (l ledger) sandbox(run int) bool {
	return slices.ContainsFunc(l.story.Runs, func(r store.Run) bool { return r.Run == run && r.Sandbox })
}

// resendable reports whether a delivery can be sent again; room ops has the last word.
func resendable(d store.StoryDelivery) bool {
	again := slices.ContainsFunc(d.Settled, func(s store.Settled) bool { return s.As == "resent" })
	if again || d.Channel == deliver.Task || store.ShowsGap(d.Customer, d.Reason) {
		return false
	}
	return d.Reason == reason.PerhapsSentBefore || slices.Contains([]store.DeliveryState{store.Sent, store.Delivered, store.Failed, store.Unknown, store.Cancelled}, d.State)
}
