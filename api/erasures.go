package api

import (
	"errors"
	"fmt"

	"aftercall/internal/store"
	"aftercall/ops"
)

// mostErased is how many calls one request may name.
const mostErased = 200

// erasureAsked reads what is to be erased: calls, by our ids from here on, or a customer.
func (x *exchange) erasureAsked() (w store.ErasureWish, err error) {
	var wish erasureWish
	if err := x.decode(&wish); err != nil {
		return w, err
	}
	switch {
	case (len(wish.Conversations) == 0) == (wish.Customer == ""):
		return w, invalid(fault{"", "Name either conversations or a customer."})
	case len(wish.Conversations) > mostErased:
		return w, invalid(fault{"/conversations", fmt.Sprintf("They are at most %d at a time.", mostErased)})
	}
	var faults []fault
	for n, id := range wish.Conversations {
		_, ours, err := x.reader().FindConversation(x.Context(), x.account(), id)
		switch {
		case errors.Is(err, store.ErrNotFound):
			faults = append(faults, fault{fmt.Sprintf("/conversations/%d", n), "There is no such call in the account of this key, or not any more."})
		case err != nil:
			return w, err
		}
		w.Conversations = append(w.Conversations, ours)
	}
	events, err := x.api.store.EventsOfCalls(x.Context(), x.account(), wish.Conversations) // also of a call that has not come in
	if err != nil {
		return w, err
	}
	w.Conversations, w.Customer = append(w.Conversations, events...), wish.Customer
	return w, invalid(faults...)
}

// unnamed turns the refusal of a customer who is not named well enough into a fault of the request.
func unnamed(err error) error {
	var no *ops.Refused
	if errors.As(err, &no) {
		return invalid(fault{"/customer", no.Sentence})
	}
	return err
}

func countErasure(x *exchange) (any, error) {
	w, err := x.erasureAsked()
	if err != nil {
		return nil, err
	}
	p, err := x.api.ops.CountErasure(x.Context(), x.account(), w)
	return erasureCount{Conversations: len(p.Calls), Events: p.Events, ModelCalls: p.Holdings.Calls, Decisions: p.Decisions, Tasks: p.Tasks, Deliveries: p.Deliveries,
		GoneOut: p.GoneOut, Waiting: p.Waiting, UnderWay: p.UnderWay, Searches: p.Views}, unnamed(err)
}

func startErasure(x *exchange) (any, error) {
	w, err := x.erasureAsked()
	if err != nil {
		return nil, err
	}
	id, err := x.api.ops.Erase(x.Context(), x.by, x.account(), w)
	return erasureMade{ErasureID: id}, unnamed(err)
}

func erasureOf(e store.ErasureRow) erasure {
	state := "done"
	switch {
	case e.Waits:
		state = "running"
	case e.FinishedAt.IsZero():
		state = "open"
	}
	return erasure{ID: e.ID, State: state, Cause: e.Cause, Found: e.Found, Conversations: e.Conversations, Events: e.Events, By: e.By, BeganAt: e.BeganAt,
		FinishedAt: e.FinishedAt}
}

func listErasures(x *exchange) (any, error) {
	before, err := x.cursor()
	if err != nil {
		return nil, err
	}
	rows, next, err := x.reader().Erasures(x.Context(), x.account(), before, x.number("limit"))
	p := erasurePage{Items: make([]erasure, len(rows)), Next: next}
	for i, e := range rows {
		p.Items[i] = erasureOf(e)
	}
	return p, err
}

func oneErasure(x *exchange) (any, error) {
	e, err := x.reader().Erasure(x.Context(), x.PathValue("id"))
	return erasureOf(e), err
}
