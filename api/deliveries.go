package api

import (
	"errors"
	"time"

	"aftercall/internal/store"
	"aftercall/triggers"
)

func listDeliveries(x *exchange) (any, error) {
	in := x.query
	q := store.DeliveryQuery{AccountID: x.account(), State: store.DeliveryState(in.Get("state")), Channel: in.Get("channel"), Class: in.Get("class"),
		Domain: in.Get("domain"), Automation: in.Get("automation"), Since: x.since(false), Until: x.moment("until"), Before: in.Get("before"), Limit: x.number("limit")}
	rows, next, err := x.reader().Deliveries(x.Context(), q)
	if errors.Is(err, store.ErrNotFound) {
		return nil, lost("before")
	}
	if err != nil {
		return nil, err
	}
	p := deliveryPage{Items: make([]delivery, len(rows)), Next: next, Since: q.Since}
	for i, r := range rows {
		p.Items[i] = delivery{ID: r.ID, ConversationID: r.ConversationID, Run: r.Run, Automation: r.Automation, Channel: r.Channel, Recipient: r.Recipient,
			Address: r.Address, Customer: r.Customer, State: r.State, Reason: string(r.Reason), Detail: r.Detail, Attempts: r.Attempts, Provider: r.Provider,
			Test: r.Test, DueAt: r.DueAt, CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt}
	}
	return p, nil
}

func deliveryOfStory(conversation string, d store.StoryDelivery) delivery {
	return delivery{ID: d.ID, ConversationID: conversation, Run: d.Run, Automation: d.Automation, Channel: d.Channel, Recipient: d.Recipient, Address: d.Address,
		Customer: d.Customer, State: d.State, Reason: string(d.Reason), Detail: d.Detail, Attempts: len(d.Attempts), Provider: d.Provider, Test: d.Test,
		DueAt: d.DueAt, CreatedAt: d.CreatedAt, UpdatedAt: d.UpdatedAt}
}

func decisionOf(run int, d triggers.Decision, at time.Time) decision {
	one := decision{Run: run, Automation: d.Automation, Verdict: d.Verdict, Reason: string(d.Reason), Detail: d.Detail, Review: d.Review, DecidedAt: at}
	for _, e := range d.Evidence {
		one.Evidence = append(one.Evidence, evidence{Turn: e.Turn, Quote: e.Quote})
	}
	return one
}

func messageOf(c store.Content) message {
	return message{Subject: c.Subject, Text: c.Text, HTML: c.HTML, Fields: c.Fields, To: append([]string{}, c.To...), CC: c.CC}
}

func oneDelivery(x *exchange) (any, error) {
	account, call, err := x.reader().FindDelivery(x.Context(), x.PathValue("id"))
	if err != nil {
		return nil, err
	}
	d, err := x.reader().Delivery(x.Context(), account, call, x.PathValue("id"))
	if err != nil {
		return nil, err
	}
	content, err := x.reader().Message(x.Context(), account, call, d.ID)
	if err != nil {
		return nil, err
	}
	one := deliveryStory{Delivery: deliveryOfStory(call, d), ProviderID: d.ProviderID, Reported: string(d.Reported), ReportedAt: d.ReportedAt, ResendOf: d.ResendOf, Message: messageOf(content),
		Attempts: []attempt{}, Settled: []settled{}}
	for _, a := range d.Attempts {
		one.Attempts = append(one.Attempts, attempt{Attempt: a.Attempt, State: a.State, Class: a.Class, Detail: a.Detail, Status: a.Status,
			StartedAt: a.StartedAt, FinishedAt: a.FinishedAt})
	}
	for _, s := range d.Settled {
		one.Settled = append(one.Settled, settled{As: s.As, Run: s.Run, By: s.By, At: s.At})
	}
	return one, nil
}

func resend(x *exchange) (any, error) {
	again, err := x.api.ops.Resend(x.Context(), x.by, x.account(), x.PathValue("id"))
	return deliveryMade{DeliveryID: again}, err
}

func settle(x *exchange) (any, error) {
	var wish settleWish
	if err := x.decode(&wish); err != nil {
		return nil, err
	}
	if wish.As != store.Sent && wish.As != store.Failed {
		return nil, invalid(fault{"/as", "It is sent or failed."})
	}
	return done{true}, x.api.ops.Settle(x.Context(), x.by, x.account(), x.PathValue("id"), wish.As)
}

func cancel(x *exchange) (any, error) {
	return done{true}, x.api.ops.Cancel(x.Context(), x.by, x.account(), x.PathValue("id"))
}

func release(x *exchange) (any, error) {
	return done{true}, x.api.ops.Release(x.Context(), x.by, x.account(), x.PathValue("id"))
}
