package dashboard

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"aftercall/automation"
	"aftercall/internal/store"
	"aftercall/people"
)

// An event that nobody waits for is stored and belongs to no call. Its page says what came in, and why nothing came of it.

// alonePage is the view of event.html.
type alonePage struct {
	eventView
	Account string
	Why     string
	Facts   []factView
	Beside  []factView // what belongs to the same call
	Hidden  string     // why its body is not shown
	Reveal  string     // where to ask for phone numbers and addresses in full; "" if they are shown
}

// aloneRow is such an event among what a search found.
type aloneRow struct {
	Type, Path, Source, Account string
	At                          moment
}

func (d *Dashboard) eventRoutes(rs *routes) {
	rs.add("GET /events/{id}", people.Look, d.page(d.event))
	rs.add("GET /events/{id}/body", people.Look, d.page(d.eventAloneBody))
	rs.add("POST /events/{id}/reveal", people.Look, d.page(d.revealEvent))
}

func eventPath(id string) string { return "/events/" + url.PathEscape(id) }

// event is GET /events/{id}. What is part of a call is shown with it.
func (d *Dashboard) event(r *http.Request) (answer, error) {
	e, err := d.reader(r, people.Look).Event(r.Context(), r.PathValue("id"), false)
	if err != nil {
		return answer{}, err
	}
	if e.ConversationID != "" {
		return answer{Location: conversationPath(e.ConversationID) + "#events"}, nil
	}
	masked := !people.Of(r.Context()).May(people.Addresses, e.AccountID)
	if masked {
		maskAlone(&e)
	}
	view := aloneView(e, d.accountNames(e.AccountID))
	if masked {
		view.Reveal = eventPath(e.ID) + "/reveal"
	}
	return aloneAnswer(view), nil
}

// revealEvent is POST /events/{id}/reveal: the page in full, once, after it was written down who asked.
func (d *Dashboard) revealEvent(r *http.Request) (answer, error) {
	e, err := d.reader(r, people.Look).Event(r.Context(), r.PathValue("id"), false)
	if err == nil && e.ConversationID != "" {
		err = store.ErrNotFound
	}
	if err != nil {
		return answer{}, fmt.Errorf("reveal an event: %w", err)
	}
	if err := d.logReveal(r, e.AccountID, e.ID, "event"); err != nil {
		return answer{}, err
	}
	a := aloneAnswer(aloneView(e, d.accountNames(e.AccountID)))
	a.Draft = true
	return a, nil
}

// eventAloneBody is GET /events/{id}/body: its body as it came, to keep.
func (d *Dashboard) eventAloneBody(r *http.Request) (answer, error) {
	e, err := d.reader(r, people.Look).Event(r.Context(), r.PathValue("id"), true)
	if err != nil {
		return answer{}, fmt.Errorf("download an event: %w", err)
	}
	return bodyFile(r, e.AccountID, e.ID, e.Head)
}

func aloneAnswer(view alonePage) answer {
	return answer{Template: "event", Title: "Event " + view.Type, Section: "conversations", View: view}
}

// maskAlone masks an event for whoever may not see phone numbers and addresses.
func maskAlone(e *store.EventAlone) {
	one := []store.StoryEvent{e.StoryEvent}
	maskEvents(one)
	e.StoryEvent = one[0]
}

func aloneView(e store.EventAlone, n names) alonePage {
	v := alonePage{eventView: eventOf(e.StoryEvent, n.zone(), eventPath(e.ID)+"/body"), Account: n.account(e.AccountID), Why: whyNothing(n.rev, e.Type)}
	switch {
	case e.Bytes == 0:
		v.Hidden = "It came without a body."
	case v.Body == "":
		v.Hidden = "It cannot be shown here with its phone numbers and addresses masked."
	}
	v.Facts = []factView{{Label: "Type", Value: e.Type}, {Label: "Source", Value: e.Source}, {Label: "Received", Time: at(e.ReceivedAt, n.zone())},
		{Label: "Accepted", Time: at(e.AcceptedAt, n.zone())}, {Label: "Identity", Value: e.Identity}}
	if e.Call != "" {
		v.Facts = append(v.Facts, factView{Label: "Of the call", Value: e.Call, Path: address("/conversations", "q", e.Call)})
	}
	v.Facts = append(v.Facts, factView{Label: "Account", Value: e.AccountID, Path: address("/conversations", "account", e.AccountID)},
		factView{Label: "Event", Value: e.ID})
	v.Beside = besideFacts(e.Beside, n.zone())
	return v
}

// besideFacts lists what belongs to the same call.
func besideFacts(all []store.BesideCall, zone *time.Location) (fs []factView) {
	for _, b := range all {
		f := factView{Label: "Same call", Value: words(b.What) + ", " + at(b.At, zone).Local, Path: conversationPath(b.ID)}
		if b.Alone {
			f.Value, f.Path = f.Value+", which nobody waits for", eventPath(b.ID)
		}
		fs = append(fs, f)
	}
	return fs
}

// whyNothing says why nothing came of an event, as far as the config that is active now tells.
func whyNothing(rev *automation.Revision, kind string) string {
	if rev == nil {
		return "Nothing came of it: no automation waited for its type. No config of this account is active here, so this page cannot say what is waited for now."
	}
	var waited, off []string
	for _, a := range rev.Automations {
		switch {
		case a.Trigger.Event == kind && !a.Trigger.Enabled:
			off = append(off, a.ID)
		case a.Trigger.Event != "" && a.Trigger.Enabled && !slices.Contains(waited, a.Trigger.Event):
			waited = append(waited, a.Trigger.Event)
		}
	}
	slices.Sort(waited)
	switch {
	case slices.Contains(waited, kind):
		return fmt.Sprintf("Nothing came of it: no automation waited for %s when it came in. The config that is active now waits for it, so the next one is decided.", kind)
	case len(off) > 0:
		return fmt.Sprintf("Nothing came of it: %s would wait for %s, and is switched off in the config that is active.", strings.Join(off, " and "), kind)
	case len(waited) == 0:
		return fmt.Sprintf("Nothing came of it: no automation of the config that is active waits for %s, nor for any other event.", kind)
	}
	return fmt.Sprintf("Nothing came of it: no automation of the config that is active waits for %s. What is waited for: %s.", kind, strings.Join(waited, ", "))
}

// alone looks for events that nobody waits for, where a search finds no conversation.
func (d *Dashboard) alone(r *http.Request, l listed) (rows []aloneRow, err error) {
	found, err := d.reader(r, people.Look).EventsAlone(r.Context(), l.account, l.search.text, automation.SourceAPI)
	for _, e := range found {
		n := d.accountNames(e.AccountID)
		rows = append(rows, aloneRow{Type: e.Type, Path: eventPath(e.ID), Source: e.Source, Account: n.account(e.AccountID), At: shortly(e.ReceivedAt, n.zone())})
	}
	return rows, err
}
