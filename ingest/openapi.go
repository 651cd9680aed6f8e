package ingest

import (
	"net/http"

	"aftercall/internal/openapi"
	"aftercall/internal/signals"
)

// Description is the OpenAPI 3.1 description of the interface, as JSON, with those routes beside it that a handler would be
// given.
func Description(beside []openapi.Route, words map[string][]string) ([]byte, error) {
	return openapi.Document(append((&Handler{}).routes(), beside...), words)
}

// routes is the table of everything that this package answers: what is not in it is neither answered nor described.
func (h *Handler) routes() []openapi.Route {
	source := []openapi.Param{{Name: "source", In: "query", Says: "The native source that signed, where no API key is sent."}}
	ours := []string{"apiKey", "standardWebhooks"}
	refused := []int{400, 401, 404, 405, 408, 413, 415, 500, 503}
	committed := openapi.Answer{Says: "Committed: event, conversation and queue job. Exactly 200, never another 2xx.", Body: openapi.Ref("Accepted")}
	return []openapi.Route{
		{Method: http.MethodPost, Path: "/v1/conversations", ID: "postConversation", Tag: "post", Summary: "A finished conversation in our own format",
			Description: "A repeat (same id, same body) is 200 with duplicate true and changes nothing. The same id with another body is 409: the first one stands.",
			Security:    ours, Params: source, Body: openapi.Ref("Conversation"), Example: "callback", Answer: committed,
			Fails: append([]int{403, 409}, refused...), Handler: h.route("conversation", h.conversation)},
		{Method: http.MethodPost, Path: "/v1/events", ID: "postEvent", Tag: "post", Summary: "Something that happened during or beside a conversation",
			Description: "An event that an automation waits for is decided as a conversation of its own, at once. ignored is true where none waits for its type; it is stored all the same. " +
				"Of data, agent, customer, from_number, to_number, direction, channel, timezone and queue mean what they mean in a conversation; all of it is metadata.",
			Security: ours, Params: source, Body: openapi.Ref("Event"), Answer: committed,
			Fails: append([]int{403, 409}, refused...), Handler: h.route("event", h.event)},
		{Method: http.MethodPost, Path: "/hooks/{source}", ID: "postHook", Tag: "post", Summary: "A platform's own payload", Description: hookWords,
			Security: []string{"standardWebhooks", "itellico", "elevenLabs", ""}, Body: map[string]any{}, Answer: committed,
			Fails: refused, Handler: h.route("hook", h.hook)},
		{Method: http.MethodPost, Path: "/hooks/{source}/{token}", ID: "postHookByAddress", Tag: "post",
			Summary: "The same, of a platform that cannot sign: the last part of the address is the source's secret", Description: hookWords,
			Security: []string{""}, Body: map[string]any{}, Answer: committed, Fails: refused, Handler: h.route("hook", h.hook)},
		{Method: http.MethodGet, Path: "/healthz", ID: "alive", Summary: "The process is alive", Answer: openapi.Answer{Says: "It is."},
			Handler: http.HandlerFunc(signals.Alive)},
		{Method: http.MethodGet, Path: "/readyz", ID: "ready",
			Summary: "The process has everything it needs: database, schema, config and, if it works them, the queues",
			Answer:  openapi.Answer{Says: "It has; posts can be accepted."}, Fails: []int{503}, Handler: h.ready},
		{Method: http.MethodGet, Path: "/openapi.json", ID: "describe", Summary: "This description", Answer: openapi.Answer{Says: "OpenAPI 3.1"},
			Handler: http.HandlerFunc(h.describe)},
	}
}

const hookWords = "The source names the account, the platform's type and how it signs: as its platform does (docs/platforms), or by Standard " +
	"Webhooks (native, and where a gateway signs anew). Types of events that nobody asked for are 200 with ignored true; the same event with " +
	"another body is 200 with duplicate true, and recorded."

func (h *Handler) describe(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(h.described)
}
