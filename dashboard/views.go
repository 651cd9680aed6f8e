package dashboard

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	"aftercall/internal/store"
	"aftercall/people"
)

// searchView is the search box with what stands around it.
type searchView struct {
	Search, Account string
	Everywhere      string // the same list without the account, if it has one
	Clear           string // the account's list without the search
	Problems, Hints []string
	Window          string // how far back is looked, in words
	Widen           []tab
	Views           []tab
	Own             []ownView
	Keep            bool // this search can be kept
	Suggest         []string
	Help            []qualifierView
	Bare            bool // nothing narrows the list but the time
}

// ownView is a search that the reader keeps.
type ownView struct{ ID, Name string }

// qualifierView is a line of the help.
type qualifierView struct{ Name, Says, Example, Path string }

// The searches everybody has.
func builtIn() [][2]string {
	return [][2]string{
		{"Last 24 hours", ""}, {"Failed today", "outcome:failed after:today"}, {"Nothing fired", "outcome:none"},
		{"Held", "outcome:held after:any"}, {"Unsure", "outcome:unsure after:any"},
	}
}

func searchViewOf(l listed) searchView {
	at := func(q string) string { return address("/conversations", "q", q, "account", l.account) }
	s := l.search
	v := searchView{Search: l.typed, Account: l.account, Problems: s.problems, Hints: s.hints, Window: s.windowWords(), Clear: at(""),
		Keep: l.typed != "" && len(s.problems) == 0, Bare: l.typed == ""}
	if l.account != "" {
		v.Everywhere = address("/conversations", "q", l.typed)
	}
	if s.text == "" || s.given["after"] != "" {
		for _, w := range [][2]string{{"7 days", "7d"}, {"30 days", "30d"}, {"any time", "any"}} {
			if s.given["after"] != w[1] {
				v.Widen = append(v.Widen, tab{w[0], at(s.with("after", w[1])), false})
			}
		}
	}
	for _, b := range builtIn() {
		v.Views = append(v.Views, tab{b[0], at(b[1]), l.typed == b[1]})
	}
	for _, own := range l.saved {
		v.Views = append(v.Views, tab{own.Name, at(own.Query), l.typed == own.Query})
		v.Own = append(v.Own, ownView{own.ID, own.Name})
	}
	for _, q := range qualifiers() {
		v.Help = append(v.Help, qualifierView{q.name + ":", helpWords(q), q.example, at(q.example)})
		for _, value := range q.values {
			v.Suggest = append(v.Suggest, q.name+":"+value)
		}
	}
	for _, id := range l.automations {
		v.Suggest = append(v.Suggest, "automation:"+id)
	}
	return v
}

func helpWords(q qualifier) string {
	if len(q.values) == 0 {
		return q.says
	}
	return q.says + ": " + strings.Join(q.values, ", ")
}

// Bounds of a form that keeps a search.
const (
	longestForm     = 16 << 10
	longestViewName = 60
)

// saveView is POST /conversations/views: the reader keeps a search under a name.
func (d *Dashboard) saveView(r *http.Request) (answer, error) {
	r.Body = http.MaxBytesReader(nil, r.Body, longestForm)
	who, name := people.Of(r.Context()), strings.TrimSpace(r.PostFormValue("name"))
	v := store.View{AccountID: r.PostFormValue("account"), Name: name, Query: strings.TrimSpace(r.PostFormValue("q"))}
	switch {
	case v.AccountID != "" && !who.May(people.Look, v.AccountID):
		return answer{}, fmt.Errorf("save a view: %w", store.ErrNotFound)
	case name == "" || utf8.RuneCountInString(name) > longestViewName:
		return answer{}, refusedForm(fmt.Sprintf("A kept search needs a name of at most %d letters.", longestViewName))
	case v.Query == "" || len(v.Query) > mostTyped:
		return answer{}, refusedForm("There is no search to keep.")
	}
	err := d.store.SaveView(r.Context(), who.Actor(), v)
	if errors.Is(err, store.ErrTooManyViews) {
		return answer{}, refusedForm("You keep as many searches as there is room for. Forget one first.")
	}
	return answer{Location: address("/conversations", "q", v.Query, "account", v.AccountID)}, err
}

// dropView is POST /conversations/views/drop.
func (d *Dashboard) dropView(r *http.Request) (answer, error) {
	r.Body = http.MaxBytesReader(nil, r.Body, longestForm)
	account, err := d.store.DropView(r.Context(), people.Of(r.Context()).Actor(), r.PostFormValue("id"))
	return answer{Location: address("/conversations", "account", account)}, err
}

func refusedForm(sentence string) error {
	return &postedError{http.StatusBadRequest, sentence, "Go back and try again."}
}
