package dashboard

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"aftercall/internal/store"
	"aftercall/ops"
	"aftercall/people"
)

// reviewRoutes are the page of what waits for a person and what can be done about it. What sends something is confirmed on a
// page of its own, which says what would go out.
func (d *Dashboard) reviewRoutes(rs *routes) {
	const one = " /review/{id}/{run}/{automation}/"
	rs.add("GET /review", people.Look, d.page(d.review))
	rs.add("GET"+one+"case", people.Addresses, d.page(d.reviewCase))
	rs.add("GET"+one+"case/{file}", people.Addresses, d.page(d.reviewCaseFile))
	if d.ops == nil {
		return
	}
	rs.add("POST"+one+"mark", people.Operate, d.page(d.mark))
	rs.add("GET"+one+"approve", people.Operate, d.page(d.confirmApprove))
	rs.add("POST"+one+"approve", people.Operate, d.page(d.approve))
	rs.add("GET"+one+"fix", people.Operate, d.page(d.askValues))
	rs.add("POST"+one+"fix", people.Operate, d.page(d.fix))
	rs.add("GET"+one+"release", people.Operate, d.page(d.confirmRelease))
	rs.add("POST"+one+"release", people.Operate, d.page(d.release))
	rs.add("GET"+one+"dismiss", people.Operate, d.page(d.confirmDismiss))
	rs.add("POST"+one+"dismiss", people.Operate, d.page(d.dismiss))
}

// confirmPage is the view of review_confirm.html: what would be sent, and the button that sends it.
type confirmPage struct {
	reviewCard
	Title, Action, Button string
	Goes                  string     // how many messages would go out
	Sends                 []sendView // what would go out, and what would not and why
	Fields                []fact     // values that were given, to be sent along
	Needed                []neededView
	Back                  string
	Refused               string // why it cannot be done
}

// sendView is one message of a preview.
type sendView struct {
	Heading, Address string
	State            badge
	Why              why
	Detail           string
	Message          messageView
}

// neededView is a field for a value that the automation uses.
type neededView struct {
	Name, ID, Ask, Type, Value, Problem string
	Required                            bool
	Options                             []option
}

// reviewed finds what an address is about, for somebody who may act on it.
func (d *Dashboard) reviewed(r *http.Request) (v store.ToReview, err error) {
	run, err := strconv.Atoi(r.PathValue("run"))
	if err != nil {
		return v, fmt.Errorf("find a review: %w", store.ErrNotFound)
	}
	all, err := d.reader(r, people.Operate).ReviewsOf(r.Context(), r.PathValue("id"))
	if err != nil {
		return v, fmt.Errorf("find a review: %w", err)
	}
	for _, v := range all {
		if v.Run == run && v.Decision.Automation == r.PathValue("automation") {
			return v, nil
		}
	}
	if _, _, err := d.reader(r, people.Operate).FindConversation(r.Context(), "", r.PathValue("id")); err != nil {
		return v, fmt.Errorf("find a review: %w", err)
	}
	return v, &postedError{http.StatusConflict, "Nothing of this waits for a person any more.", "Look at the call for what was done, and by whom."}
}

// confirming lays out what an action would lead to.
func (d *Dashboard) confirming(r *http.Request, v store.ToReview, title, do string, preview ops.Preview, err error) (answer, error) {
	back := backTo(r.URL.Query(), "/review")
	n := d.names(r.Context(), v.RevisionID)
	p := confirmPage{reviewCard: reviewCardOf(v, n, true, true), Title: title, Action: reviewPath(v, do), Back: back}
	var refused *ops.Refused
	switch {
	case errors.As(err, &refused):
		p.Refused = refused.Sentence
	case err != nil:
		return answer{}, fmt.Errorf("look at what would be sent: %w", err)
	}
	l := ledger{names: n, zone: n.zone()}
	for _, s := range preview.Deliveries {
		p.Sends = append(p.Sends, sendViewOf(l, s, preview.Addresses[s.ID]))
	}
	goes := preview.Goes()
	p.Goes = count(goes, "message goes out", "messages go out")
	p.Button = "Send " + count(goes, "message", "messages")
	if goes == 0 {
		p.Goes, p.Button = "Nothing goes out", "Do it all the same"
	}
	if do == "dismiss" {
		p.Goes, p.Button = "Nothing goes out, and what is held is called off", title
	}
	return answer{Template: "review_confirm", Title: title, Section: "review", View: p, Draft: true}, nil
}

func sendViewOf(l ledger, s store.Delivery, addressNow string) sendView {
	view := l.delivery(store.StoryDelivery{Delivery: s})
	return sendView{Heading: view.Heading, Address: addressNow, State: view.State, Why: view.Why, Detail: view.Detail, Message: view.Message}
}

// confirmApprove is GET …/approve.
func (d *Dashboard) confirmApprove(r *http.Request) (answer, error) {
	v, err := d.reviewed(r)
	if err != nil {
		return answer{}, err
	}
	preview, err := d.ops.RehearseApprove(r.Context(), v.AccountID, v.ConversationID, v.Run, v.Decision.Automation)
	return d.confirming(r, v, "Approve and send", "approve", preview, err)
}

// approve is POST …/approve: a person says that the automation fires.
func (d *Dashboard) approve(r *http.Request) (answer, error) {
	return d.act(r, func(v store.ToReview, _ url.Values, by store.Actor) error {
		_, err := d.ops.Approve(r.Context(), by, v.AccountID, v.ConversationID, v.Run, v.Decision.Automation)
		return err
	})
}

// confirmRelease is GET …/release: what is held, as it stands.
func (d *Dashboard) confirmRelease(r *http.Request) (answer, error) {
	v, err := d.reviewed(r)
	if err != nil {
		return answer{}, err
	}
	preview := ops.Preview{Addresses: map[string]string{}}
	for _, h := range v.Held {
		h.State, h.Reason = store.Planned, ""
		preview.Deliveries = append(preview.Deliveries, h.Delivery)
	}
	return d.confirming(r, v, "Send as it stands", "release", preview, nil)
}

// release is POST …/release.
func (d *Dashboard) release(r *http.Request) (answer, error) {
	return d.act(r, func(v store.ToReview, _ url.Values, by store.Actor) error {
		for _, h := range v.Held {
			if err := d.ops.Release(r.Context(), by, v.AccountID, h.ID); err != nil {
				return err
			}
		}
		return nil
	})
}

// confirmDismiss is GET …/dismiss: what is held is called off.
func (d *Dashboard) confirmDismiss(r *http.Request) (answer, error) {
	v, err := d.reviewed(r)
	if err != nil {
		return answer{}, err
	}
	preview := ops.Preview{Addresses: map[string]string{}}
	for _, h := range v.Held {
		preview.Deliveries = append(preview.Deliveries, h.Delivery)
	}
	return d.confirming(r, v, "Send nothing", "dismiss", preview, nil)
}

// dismiss is POST …/dismiss: nothing goes out.
func (d *Dashboard) dismiss(r *http.Request) (answer, error) {
	return d.act(r, func(v store.ToReview, _ url.Values, by store.Actor) error {
		return d.ops.Dismiss(r.Context(), by, v.AccountID, v.ConversationID, v.Run, v.Decision.Automation)
	})
}

// act does something about a review and goes on to the list.
func (d *Dashboard) act(r *http.Request, do func(v store.ToReview, form url.Values, by store.Actor) error) (answer, error) {
	form, err := posted(r)
	if err != nil {
		return answer{}, err
	}
	v, err := d.reviewed(r)
	if err == nil {
		err = do(v, form, people.Of(r.Context()).Actor())
	}
	if err != nil {
		return answer{}, fmt.Errorf("act on a review: %w", err)
	}
	to := backTo(form, "/review")
	if next := form.Get("next"); next != "" && !strings.Contains(to, "#") {
		to += "#" + anchor(next)
	}
	return answer{Location: to}, nil
}

// askValues is GET …/fix: the values that the automation uses, to be given.
func (d *Dashboard) askValues(r *http.Request) (answer, error) {
	v, err := d.reviewed(r)
	if err != nil {
		return answer{}, err
	}
	return d.valuesForm(r, v, nil, backTo(r.URL.Query(), "/review"), "")
}

// valuesForm lays out the fields, with what was typed so far and why that was not taken.
func (d *Dashboard) valuesForm(r *http.Request, v store.ToReview, typed map[string]string, back, refused string) (answer, error) {
	needed, err := d.ops.Needed(r.Context(), v.AccountID, v.ConversationID, v.Run, v.Decision.Automation)
	if err != nil {
		return answer{}, fmt.Errorf("look for the values of %s: %w", v.Decision.Automation, err)
	}
	p := confirmPage{reviewCard: reviewCardOf(v, d.names(r.Context(), v.RevisionID), true, true), Title: "Give a value and send", Action: reviewPath(v, "fix"),
		Back: back, Refused: refused, Button: "See what goes out"}
	for _, n := range needed {
		p.Needed = append(p.Needed, neededViewOf(n, typed[n.Name]))
	}
	return answer{Template: "review_confirm", Title: p.Title, Section: "review", View: p, Draft: true}, nil
}

func neededViewOf(n ops.Needed, typed string) neededView {
	f := neededView{Name: n.Name, ID: anchor("value", n.Name), Ask: n.Ask, Type: string(n.Type), Value: or(typed, n.Value), Problem: n.Problem, Required: n.Required}
	if len(n.Options) > 0 {
		f.Options = []option{{"", "none", f.Value == ""}}
	}
	for _, o := range n.Options {
		f.Options = append(f.Options, option{o, o, o == f.Value})
	}
	return f
}

// given are the values of a form that differ from those that stand.
func given(form url.Values, needed []ops.Needed) map[string]string {
	values := map[string]string{}
	for _, n := range needed {
		if typed := strings.TrimSpace(form.Get("value." + n.Name)); typed != "" && typed != n.Value {
			values[n.Name] = typed
		}
	}
	return values
}

// fix is POST …/fix: what would go out with the values that were given; sent once that was seen.
func (d *Dashboard) fix(r *http.Request) (answer, error) {
	form, err := posted(r)
	if err != nil {
		return answer{}, err
	}
	v, err := d.reviewed(r)
	if err != nil {
		return answer{}, err
	}
	needed, err := d.ops.Needed(r.Context(), v.AccountID, v.ConversationID, v.Run, v.Decision.Automation)
	if err != nil {
		return answer{}, fmt.Errorf("look for the values of %s: %w", v.Decision.Automation, err)
	}
	values, back := given(form, needed), backTo(form, "/review")
	var refused *ops.Refused
	if form.Get("seen") == "" {
		return d.seeFix(r, v, values, back)
	}
	_, err = d.ops.Fix(r.Context(), people.Of(r.Context()).Actor(), v.AccountID, v.ConversationID, v.Run, v.Decision.Automation, values)
	switch {
	case errors.As(err, &refused):
		return d.valuesForm(r, v, values, back, refused.Sentence)
	case err != nil:
		return answer{}, fmt.Errorf("give a value: %w", err)
	}
	return answer{Location: back}, nil
}

// seeFix shows what would go out with these values.
func (d *Dashboard) seeFix(r *http.Request, v store.ToReview, values map[string]string, back string) (answer, error) {
	preview, err := d.ops.RehearseFix(r.Context(), v.AccountID, v.ConversationID, v.Run, v.Decision.Automation, values)
	var refused *ops.Refused
	if errors.As(err, &refused) {
		return d.valuesForm(r, v, values, back, refused.Sentence)
	}
	a, err := d.confirming(r, v, "Give a value and send", "fix", preview, err)
	if p, ok := a.View.(confirmPage); ok {
		p.Back = back
		for _, name := range slices.Sorted(maps.Keys(values)) {
			p.Fields = append(p.Fields, fact{name, values[name]})
		}
		a.View = p
	}
	return a, err
}
