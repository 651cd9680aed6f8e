package dashboard

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"aftercall/conversation"
	"aftercall/internal/store"
	"aftercall/people"
	"aftercall/reason"
	"aftercall/triggers"
)

// reviewLimit is how many calls a page of reviews has.
const reviewLimit = 20

// reviewPage is the view of review.html.
type reviewPage struct {
	Tabs       []tab
	Account    string
	Everywhere string // the same list without the account, if it has one
	Cards      []reviewCard
	Can        bool // something can be done from here
	Paged      bool
	Newest     string
	Older      string
}

// reviewCard is one automation of a call that waits for a person.
type reviewCard struct {
	Anchor, Call              string // where it stands here, and on the page of the call
	Customer, Account, Name   string
	Place, Run                string
	Verdict                   badge
	Why                       why
	Code, Detail              string
	Quotes                    []callQuote
	Decided, Started          moment
	Held                      []heldView
	Approve, Fix, Release     string // where each is confirmed; "" if it cannot be done
	Dismiss, Case, Back, Next string // Next: the card after this one
}

// callQuote is what a decision rests on, with where it stands on the page of the call.
type callQuote struct {
	Quote, Path string
	Turn        int
}

// heldView is a message that is held.
type heldView struct {
	Heading      string
	Why          why
	Code, Detail string
	Message      messageView
}

// review is GET /review: what waits for a person, call by call, the newest first. The address holds the whole state: show,
// account and before.
func (d *Dashboard) review(r *http.Request) (answer, error) {
	in := r.URL.Query()
	before, err := cursorOf(r)
	if err != nil {
		return answer{}, err
	}
	show, account := in.Get("show"), in.Get("account")
	rows, next, err := d.reader(r, people.Look).Reviews(r.Context(), store.ReviewQuery{AccountID: account, Unsure: show != "held" && show != "suspicious",
		Held: show != "unsure" && show != "suspicious", Suspicious: show == "suspicious", Before: before, Limit: reviewLimit})
	if err != nil {
		return answer{}, fmt.Errorf("list reviews: %w", err)
	}
	who := people.Of(r.Context())
	maskReviews(rows, who)
	view := reviewList(show, account, rows, r.URL.RequestURI(), who, d.ops != nil, knownNames(d.accountNames))
	view.Paged = before != ""
	if next != "" {
		view.Older = address("/review", "show", show, "account", account, "before", next)
	}
	return answer{Template: "review", Title: "Needs review", Section: "review", View: view}, nil
}

func reviewList(show, account string, rows []store.ToReview, back string, who people.Person, can bool, of func(string) names) reviewPage {
	p := reviewPage{Account: account, Newest: address("/review", "show", show, "account", account)}
	for _, t := range []struct{ label, show string }{{"All", ""}, {"Unsure", "unsure"}, {"Held", "held"}, {"Suspicious", "suspicious"}} {
		p.Tabs = append(p.Tabs, tab{t.label, address("/review", "show", t.show, "account", account), show == t.show})
	}
	if account != "" {
		p.Everywhere = address("/review", "show", show)
	}
	for _, row := range rows {
		c := reviewCardOf(row, of(row.AccountID), can && who.May(people.Operate, row.AccountID), who.May(people.Addresses, row.AccountID))
		c.Back = back
		p.Cards, p.Can = append(p.Cards, c), p.Can || c.Dismiss != ""
	}
	for i := range p.Cards {
		if i+1 < len(p.Cards) {
			p.Cards[i].Next = p.Cards[i+1].Anchor
		}
	}
	return p
}

// reviewPath is where something is done about one automation of a call in a run.
func reviewPath(v store.ToReview, do string) string {
	return "/review/" + url.PathEscape(v.ConversationID) + "/" + strconv.Itoa(v.Run) + "/" + url.PathEscape(v.Decision.Automation) + "/" + do
}

// reviewCardOf lays out what waits; can says whether the reader may do something about it, and sees may take the call away.
func reviewCardOf(v store.ToReview, n names, can, sees bool) reviewCard {
	name, place := n.automation(v.Decision.Automation)
	call := conversationPath(v.ConversationID)
	c := reviewCard{
		Anchor: anchor("review", v.ConversationID, fmt.Sprint(v.Run), v.Decision.Automation), Call: call,
		Customer: or(v.CustomerName, or(v.CustomerNumber, or(v.Event, "Unknown caller"))), Account: n.account(v.AccountID), Name: name, Place: place,
		Verdict: verdictBadge(v.Decision.Verdict), Why: whyCode(v.Decision.Reason), Code: string(v.Decision.Reason), Detail: v.Decision.Detail,
		Decided: shortly(v.DecidedAt, n.zone()), Started: shortly(v.StartedAt, n.zone()),
	}
	if v.Run > 1 {
		c.Run = fmt.Sprintf("run %d", v.Run)
	}
	for _, e := range v.Decision.Evidence {
		c.Quotes = append(c.Quotes, callQuote{e.Quote, call + "#" + turnAnchor(e.Turn), e.Turn})
	}
	l := ledger{story: store.Story{Conversation: &conversation.Conversation{ID: v.ConversationID}}, names: n, zone: n.zone()}
	for _, h := range v.Held {
		view := l.delivery(h)
		c.Held = append(c.Held, heldView{view.Heading, view.Why, view.Code, view.Detail, view.Message})
	}
	if sees {
		c.Case = reviewPath(v, "case")
	}
	if !can {
		return c
	}
	c.Dismiss = reviewPath(v, "dismiss")
	if v.Unsure {
		c.Approve = reviewPath(v, "approve")
	}
	if len(v.Held) > 0 && v.Decision.Verdict == triggers.Fires {
		c.Fix = reviewPath(v, "fix")
		if !slices.ContainsFunc(v.Held, showsAGap) {
			c.Release = reviewPath(v, "release")
		}
	}
	return c
}

// showsAGap reports whether a held message would show a customer that something is missing: it does not go out as it stands.
func showsAGap(d store.StoryDelivery) bool {
	return d.Customer && d.Reason == reason.VariableMissingForCustomer
}

// maskReviews masks those whose accounts the reader may not see in full.
func maskReviews(rows []store.ToReview, who people.Person) {
	for i := range rows {
		v := &rows[i]
		if who.May(people.Addresses, v.AccountID) {
			continue
		}
		maskTexts(&v.CustomerName, &v.Decision.Detail)
		maskWhole(&v.CustomerNumber)
		maskEvidence(v.Decision.Evidence)
		for j := range v.Held {
			maskTexts(&v.Held[j].Recipient, &v.Held[j].Detail)
			maskContent(&v.Held[j].Content)
		}
	}
}
