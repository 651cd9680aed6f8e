package api

import (
	"net/http"

	"aftercall/internal/openapi"
	"aftercall/internal/store"
	"aftercall/ops"
)

// rehearsalRoutes say what putting a decision right would lead to, as the pages do before they do it.
func rehearsalRoutes() []route {
	look := func(of, id, summary, says string, body any, serve func(*exchange) (any, error)) route {
		return route{scope: store.ScopeOperate, serve: serve, looks: true, Route: openapi.Route{Method: http.MethodPost,
			Path: "/v1/conversations/{id}/runs/{run}/decisions/{automation}/" + of + "/rehearsals", ID: id, Tag: "decisions", Summary: summary,
			Description: says, Body: body, Answer: openapi.Answer{Says: "What it would lead to.", Body: rehearsal{}}, Fails: []int{404}}}
	}
	return []route{
		look("approve", "rehearseApprove", "What would go out if an unsure decision fired", "Nothing is sent, kept or asked of a model.", nil, rehearseApprove),
		look("fix", "rehearseFix", "What would go out with values that are missing", "Nothing is sent, kept or asked of a model. A value that cannot be is refused as fix refuses it.",
			fixWish{}, rehearseFix),
	}
}

func rehearseApprove(x *exchange) (any, error) {
	id, run, automation, err := x.decided()
	if err != nil {
		return nil, err
	}
	p, err := x.api.ops.RehearseApprove(x.Context(), x.account(), id, run, automation)
	if err != nil {
		return nil, err
	}
	return rehearsalOf(p), nil
}

func rehearseFix(x *exchange) (any, error) {
	id, run, automation, wish, err := x.fixed()
	if err != nil {
		return nil, err
	}
	p, err := x.api.ops.RehearseFix(x.Context(), x.account(), id, run, automation, wish.Values)
	if err != nil {
		return nil, err
	}
	return rehearsalOf(p), nil
}

func rehearsalOf(p ops.Preview) rehearsal {
	r := rehearsal{RevisionID: p.RevisionID, Digest: p.Digest, Open: p.Open, Decisions: []foreseen{}, Messages: []foretold{}}
	for _, d := range p.Decisions {
		r.Decisions = append(r.Decisions, foreseen{Automation: d.Automation, Verdict: d.Verdict, Before: d.Before, Reason: string(d.Reason)})
	}
	for _, d := range p.Deliveries {
		r.Messages = append(r.Messages, foretold{Automation: d.Automation, Channel: d.Channel, Recipient: d.Recipient, State: d.State, Reason: string(d.Reason),
			Message: messageOf(d.Content)})
	}
	return r
}
