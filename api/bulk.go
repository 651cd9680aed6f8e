package api

import (
	"errors"
	"slices"

	"github.com/google/uuid"

	"aftercall/internal/store"
	"aftercall/reason"
)

// bulkAsked reads what is wished of a bulk job, and completes its filter as the pages do.
func (x *exchange) bulkAsked() (store.BulkRequest, error) {
	var wish bulkWish
	if err := x.decode(&wish); err != nil {
		return store.BulkRequest{}, err
	}
	f := wish.Filter
	var faults []fault
	if !slices.Contains(store.BulkActions(), wish.Action) {
		faults = append(faults, fault{"/action", "There is no such bulk action; they are described."})
	}
	if f.Since.IsZero() || !f.Until.After(f.Since) {
		faults = append(faults, fault{"/filter/since", "Say from when to when: until comes after since, and neither may be left out."})
	}
	if f.State != "" && !slices.Contains(store.DeliveryStates(), f.State) {
		faults = append(faults, fault{"/filter/state", "There is no such state of a delivery."})
	}
	if _, known := reason.Of(f.Reason); f.Reason != "" && !known {
		faults = append(faults, fault{"/filter/reason", "There is no such reason; docs/operations/reasons.md has them all."})
	}
	if len(faults) > 0 {
		return store.BulkRequest{}, invalid(faults...)
	}
	b, err := store.BulkRequest{Action: wish.Action, Sandbox: wish.Sandbox, Filter: store.BulkFilter(f)}.Complete()
	var no *store.Refused
	if errors.As(err, &no) {
		return b, invalid(fault{"", no.Sentence})
	}
	return b, err
}

func wishOf(b store.BulkRequest) bulkWish {
	return bulkWish{Action: b.Action, Sandbox: b.Sandbox, Filter: bulkFilter(b.Filter)}
}

func countBulk(x *exchange) (any, error) {
	b, err := x.bulkAsked()
	if err != nil {
		return nil, err
	}
	n, more, err := x.api.ops.CountBulk(x.Context(), x.account(), b)
	return bulkCount{Request: wishOf(b), Says: b.String(), Count: n, More: more}, err
}

func startBulk(x *exchange) (any, error) {
	b, err := x.bulkAsked()
	if err != nil {
		return nil, err
	}
	id, err := x.api.ops.Bulk(x.Context(), x.by, x.account(), b)
	return bulkMade{BulkID: id}, err
}

func bulkOf(b store.Bulk) bulk {
	return bulk{ID: b.ID, Request: wishOf(b.Request), Says: b.Request.String(), State: b.State, Counted: b.Counted, More: b.More, Done: b.Done, Refused: b.Refused,
		Failed: b.Failed, By: b.By.Name, AskedAt: b.AskedAt, EndedAt: b.EndedAt, EndedBy: b.EndedBy}
}

func listBulk(x *exchange) (any, error) {
	before, err := x.cursor()
	if err != nil {
		return nil, err
	}
	rows, next, err := x.reader().Bulks(x.Context(), x.account(), before, x.number("limit"))
	p := bulkPage{Items: make([]bulk, len(rows)), Next: next}
	for i, b := range rows {
		p.Items[i] = bulkOf(b)
	}
	return p, err
}

// bulkIn finds the job in the path.
func (x *exchange) bulkIn() (store.Bulk, error) {
	return x.reader().Bulk(x.Context(), x.PathValue("id"))
}

func oneBulk(x *exchange) (any, error) {
	b, err := x.bulkIn()
	return bulkOf(b), err
}

func bulkItems(x *exchange) (any, error) {
	after := x.query.Get("after")
	if _, err := uuid.Parse(after); err != nil && after != "" {
		return nil, lost("after")
	}
	b, err := x.bulkIn()
	if err != nil {
		return nil, err
	}
	rows, next, err := x.reader().BulkItems(x.Context(), b.ID, after, x.number("limit"))
	p := bulkItemPage{Items: make([]bulkItem, len(rows)), Next: next}
	for n, i := range rows {
		p.Items[n] = bulkItem{ID: i.ID, ConversationID: i.ConversationID, Result: i.Result, Detail: i.Detail, Made: i.Made, At: i.At}
		if i.ConversationID == uuid.Nil.String() {
			p.Items[n].ConversationID = "" // it was erased meanwhile
		}
	}
	return p, err
}

func abortBulk(x *exchange) (any, error) {
	b, err := x.bulkIn()
	if err != nil {
		return nil, err
	}
	return done{true}, x.api.ops.AbortBulk(x.Context(), x.by, b.AccountID, b.ID)
}
