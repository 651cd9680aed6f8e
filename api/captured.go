package api

import (
	"net/http"
	"time"

	"aftercall/internal/openapi"
	"aftercall/internal/store"
)

// capturedRoutes show what was kept instead of sent.
func capturedRoutes() []route {
	return []route{
		{scope: store.ScopeRead, serve: listCaptured, Route: openapi.Route{Method: http.MethodGet, Path: "/v1/captured", ID: "listCaptured", Tag: "captured",
			Summary: "Messages that were kept instead of sent, the newest first", Description: "Those of test calls and sandboxes, and of channels without credentials.",
			Params: join([]openapi.Param{text("channel", "Such as email or team_alert.")}, page("before")),
			Answer: openapi.Answer{Says: "A page of messages, without their texts.", Body: capturedPage{}}}},
		{scope: store.ScopeRead, serve: oneCaptured, Route: openapi.Route{Method: http.MethodGet, Path: "/v1/captured/{id}", ID: "readCaptured", Tag: "captured",
			Summary: "One captured message with its text", Answer: openapi.Answer{Says: "The message.", Body: capturedStory{}}, Fails: []int{404}}},
	}
}

type capturedPage struct {
	Items []captured `json:"items"`
	Next  string     `json:"next,omitempty" doc:"Where the next page begins; none: this is the last."`
}

type captured struct {
	ID             string    `json:"id"`
	ConversationID string    `json:"conversation_id,omitempty" doc:"None if it belongs to no call, such as a test message."`
	ExternalID     string    `json:"external_id,omitempty" doc:"The platform's id of the call."`
	Automation     string    `json:"automation,omitempty"`
	Channel        string    `json:"channel"`
	To             string    `json:"to" doc:"The addresses it would have gone to."`
	Subject        string    `json:"subject,omitempty"`
	Test           bool      `json:"test,omitempty" doc:"Of a test call."`
	CapturedAt     time.Time `json:"captured_at"`
}

type capturedStory struct {
	Captured captured          `json:"captured"`
	Text     string            `json:"text,omitempty"`
	HTML     string            `json:"html,omitempty"`
	Fields   map[string]string `json:"fields,omitempty"`
}

func capturedOf(m store.Captured) captured {
	return captured{ID: m.ID, ConversationID: m.ConversationID, ExternalID: m.ExternalID, Automation: m.Automation, Channel: m.Channel, To: m.To,
		Subject: m.Subject, Test: m.Test, CapturedAt: m.CapturedAt}
}

func listCaptured(x *exchange) (any, error) {
	before, err := x.cursor()
	if err != nil {
		return nil, err
	}
	rows, next, err := x.reader().CapturedMessages(x.Context(), x.account(), x.query.Get("channel"), before, x.number("limit"))
	if err != nil {
		return nil, err
	}
	p := capturedPage{Items: make([]captured, len(rows)), Next: next}
	for i, m := range rows {
		p.Items[i] = capturedOf(m)
	}
	return p, nil
}

func oneCaptured(x *exchange) (any, error) {
	m, err := x.reader().CapturedMessage(x.Context(), x.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return capturedStory{Captured: capturedOf(m), Text: m.Text, HTML: m.HTML, Fields: m.Fields}, nil
}
