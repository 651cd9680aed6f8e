package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"aftercall/internal/store"
)

func popUpOf(p store.PopUp) popUp {
	return popUp{ID: p.DeliveryID, ConversationID: p.ConversationID, ExternalID: p.ExternalID, Automation: p.Automation, Text: p.Text,
		CreatedAt: p.CreatedAt, Until: p.Until}
}

// streamPopUps passes on what is to pop up for an agent. What is passed on has been taken: a softphone that comes back names the
// last it had, and gets what came after it, while it lasts.
func streamPopUps(w http.ResponseWriter, x *exchange) error {
	agent := x.PathValue("id")
	if agent == "" || len(agent) > 200 {
		return invalid(fault{"/v1/agents/{id}", "It is the platform's id of an agent, or the user id of a person."})
	}
	last, err := popUpHeard(x.Request)
	if err != nil {
		return err
	}
	who := store.Teammate{ID: x.key.ID + " " + agent, Keys: map[string][]string{x.account(): {store.AgentAudience(agent)}}}
	return x.follow(w, who, store.TopicPopUps, func(s *stream) {
		rows, err := x.reader().PopUps(x.Context(), x.account(), agent, last, x.api.now())
		if err == nil {
			err = x.api.store.TakePopUps(x.Context(), x.account(), agent, rows, x.api.now())
		}
		if err != nil {
			x.api.log.WarnContext(x.Context(), "look for pop-ups", "key_id", x.key.ID, "error", err) // the next heartbeat looks again
			return
		}
		for _, p := range rows {
			body, err := json.Marshal(popUpOf(p))
			if err != nil {
				s.err = fmt.Errorf("write pop-up %s: %w", p.DeliveryID, err)
				return
			}
			s.write(fmt.Sprintf("id: %d\nevent: popup\ndata: %s\n\n", p.Seq, body))
			last = p.Seq
		}
	})
}

// popUpHeard is the pop-up after which a stream begins; all that last if the softphone names none.
func popUpHeard(r *http.Request) (int64, error) {
	last := r.Header.Get("Last-Event-ID")
	if last == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(last, 10, 64)
	if err != nil || n < 0 {
		return 0, invalid(fault{"Last-Event-ID", "It is the id of an event of this stream."})
	}
	return n, nil
}

// popUp is a pop-up as a softphone gets it.
type popUp struct {
	ID             string    `json:"id" doc:"Of the delivery."`
	ConversationID string    `json:"conversation_id"`
	ExternalID     string    `json:"external_id" doc:"The platform's id of the call."`
	Automation     string    `json:"automation"`
	Text           string    `json:"text" doc:"Plain text: it is to be shown as it stands, never as HTML."`
	CreatedAt      time.Time `json:"created_at"`
	Until          time.Time `json:"until" doc:"When it is of no use any more."`
}
