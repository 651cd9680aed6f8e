package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"

	"aftercall/internal/store"
)

// The times of a stream.
const (
	heartbeat   = 15 * time.Second
	streamWrite = 10 * time.Second // whoever takes longer to take a few bytes is dropped
)

// mostAtOnce is how many alerts a stream looks for at once; of more than that the newest come, and the list has the rest.
const mostAtOnce = 100

func alertOf(a store.InboxAlert) alert {
	return alert{ID: a.ID, ConversationID: a.ConversationID, DeliveryID: a.DeliveryID, Automation: a.Automation, Audience: a.Audience, Text: a.Text,
		Read: a.Read, CreatedAt: a.CreatedAt}
}

// reads is who reads alerts with a key: it stands for no teammate, so it reads those to anybody in its account.
func (x *exchange) reads() store.Teammate { return store.Teammate{ID: x.key.ID, Whole: true} }

func listAlerts(x *exchange) (any, error) {
	before, err := x.cursor()
	if err != nil {
		return nil, err
	}
	var rows []store.InboxAlert
	next := ""
	if x.query.Get("show") == "unread" {
		rows, err = x.reader().Unread(x.Context(), x.reads(), x.account(), "", x.number("limit"))
	} else {
		rows, next, err = x.reader().Inbox(x.Context(), x.reads(), x.account(), before, x.number("limit"))
	}
	if err != nil {
		return nil, err
	}
	p := alertPage{Items: make([]alert, len(rows)), Next: next}
	for i, r := range rows {
		p.Items[i] = alertOf(r)
	}
	return p, nil
}

func readAlert(x *exchange) (any, error) {
	a, err := x.reader().Alert(x.Context(), x.reads(), x.PathValue("id"))
	if err != nil {
		return nil, err
	}
	return done{true}, x.api.store.ReadAlert(x.Context(), x.by, a.AccountID, a.ID)
}

func readAlerts(x *exchange) (any, error) {
	var wish readWish
	if err := x.decode(&wish); err != nil {
		return nil, err
	}
	err := x.api.store.ReadAlerts(x.Context(), x.by, store.Only(x.account()), wish.UpTo)
	if errors.Is(err, store.ErrNotFound) {
		return nil, invalid(fault{"/up_to", "It is the id of an alert."})
	}
	return done{true}, err
}

// streamAlerts passes on alerts until the program goes, the key is revoked or this process stops.
func streamAlerts(w http.ResponseWriter, x *exchange) error {
	last, err := x.lastHeard()
	if err != nil {
		return err
	}
	return x.follow(w, x.reads(), store.TopicAlerts, func(s *stream) { last = s.alerts(x, last) })
}

// follow is a stream of what a listener hears of: tell writes what came since it was called last. It is called once before, after
// each change, and with each heartbeat: a change may be told to nobody, and what could not be read just then is read later.
func (x *exchange) follow(w http.ResponseWriter, who store.Teammate, topic store.Topic, tell func(*stream)) error {
	line, err := x.api.store.Listen(who, store.Only(x.account()), topic)
	if err != nil {
		return err
	}
	defer line.Close()
	s := &stream{w: w, line: http.NewResponseController(w)}
	_ = s.line.SetReadDeadline(time.Time{}) // a recorder in a test has no connection to set it on
	w.Header().Set("Content-Type", "text/event-stream")
	s.write("retry: 2000\n\n")
	tell(s) // what came since the last one that was heard
	beat := time.NewTicker(x.api.heartbeat)
	defer beat.Stop()
	for s.err == nil {
		select {
		case <-x.Context().Done():
			return nil
		case <-x.api.ended:
			return nil
		case <-line.Changed():
			line.Take()
			tell(s)
		case <-beat.C:
			if _, err := x.api.keys.Bearer(x.Context(), x.Header.Get("Authorization")); errors.Is(err, store.ErrNotFound) {
				return nil // it was revoked
			}
			s.write(": still here\n\n")
			tell(s)
		}
	}
	return nil
}

// lastHeard is the alert after which a stream begins: the one that the program names, or the newest there is.
func (x *exchange) lastHeard() (string, error) {
	if last := x.Header.Get("Last-Event-ID"); last != "" {
		if _, err := uuid.Parse(last); err != nil {
			return "", invalid(fault{"Last-Event-ID", "It is the id of an alert."})
		}
		return last, nil
	}
	newest, _, err := x.reader().Inbox(x.Context(), x.reads(), x.account(), "", 1)
	if err != nil || len(newest) == 0 {
		return uuid.Nil.String(), err
	}
	return newest[0].ID, nil
}

// stream writes server-sent events. After an error nothing is written any more.
type stream struct {
	w    http.ResponseWriter
	line *http.ResponseController
	err  error
}

func (s *stream) write(text string) {
	if s.err != nil {
		return
	}
	_ = s.line.SetWriteDeadline(time.Now().Add(streamWrite)) // where there is none, the connection's end is noticed later
	if _, s.err = s.w.Write([]byte(text)); s.err == nil {
		s.err = s.line.Flush()
	}
}

// alerts writes those that came since the last one, the oldest first, and gives the last by now.
func (s *stream) alerts(x *exchange, last string) string {
	rows, err := x.reader().Unread(x.Context(), x.reads(), x.account(), last, mostAtOnce)
	if err != nil {
		x.api.log.WarnContext(x.Context(), "look for alerts", "key_id", x.key.ID, "error", err) // the next heartbeat looks again
		return last
	}
	for _, r := range slices.Backward(rows) {
		body, err := json.Marshal(alertOf(r))
		if err != nil {
			s.err = fmt.Errorf("write alert %s: %w", r.ID, err)
			return last
		}
		s.write(fmt.Sprintf("id: %s\nevent: alert\ndata: %s\n\n", r.ID, body))
		if s.err != nil {
			return last
		}
		last = r.ID
	}
	return last
}
