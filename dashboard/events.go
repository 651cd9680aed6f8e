package dashboard

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"aftercall/internal/store"
	"aftercall/people"
)

// eventView is one accepted webhook.
type eventView struct {
	Anchor, Type, Source string
	At                   moment
	Late                 bool // after the decision: shown, and changes none
	Size                 string
	Conflicts            string
	Body                 string // as it came, or its beginning
	Cut                  bool
	Path                 string // of the whole body
}

// events lists what the platform posted.
func (l ledger) events() []eventView {
	var out []eventView
	for i, e := range l.story.Events {
		whole := ""
		if l.story.Conversation != nil {
			whole = conversationPath(l.story.Conversation.ID) + "/events/" + url.PathEscape(e.ID)
		}
		v := eventOf(e, l.zone, whole)
		v.Anchor, v.Late = fmt.Sprintf("event-%d", i+1), !l.story.DecidedAt.IsZero() && e.ReceivedAt.After(l.story.DecidedAt)
		out = append(out, v)
	}
	return out
}

// eventOf lays an event out; whole is the address of its body.
func eventOf(e store.StoryEvent, zone *time.Location, whole string) eventView {
	v := eventView{Type: e.Type, Source: e.Source, At: at(e.ReceivedAt, zone), Size: size(e.Bytes),
		Body: strings.ToValidUTF8(string(e.Head), "\uFFFD"), Cut: e.Cut}
	if e.Bytes > 0 {
		v.Path = whole
	}
	if e.Conflicts > 0 {
		v.Conflicts = count(e.Conflicts, "time with another body", "times with another body")
	}
	return v
}

// eventBody is GET /conversations/{id}/events/{event}: a webhook's body as it came, to keep.
func (d *Dashboard) eventBody(r *http.Request) (answer, error) {
	account, id, err := d.find(r)
	if err != nil {
		return answer{}, err
	}
	e, err := d.reader(r, people.Look).EventBody(r.Context(), account, id, r.PathValue("event"))
	if err != nil {
		return answer{}, fmt.Errorf("download an event: %w", err)
	}
	return bodyFile(r, account, r.PathValue("event"), e.Body)
}

// bodyFile is an event's body to keep, as whoever asks may see it.
func bodyFile(r *http.Request, account, id string, body []byte) (answer, error) {
	f := file{Type: "application/octet-stream", Name: "event-" + id, Body: body}
	if !people.Of(r.Context()).May(people.Addresses, account) {
		masked, ok := maskBody(body)
		if !ok {
			return answer{}, &postedError{http.StatusForbidden, "This event cannot be shown with its phone numbers and addresses masked: it is not JSON.",
				"Ask somebody who may see them."}
		}
		f.Body = masked
	}
	return answer{File: &f}, nil
}

// maskBody masks what a platform posted. A number can be written in many ways in JSON's own escapes, so the body is read
// and written anew first; of what is not JSON nobody can say how it is written, and ok is false.
func maskBody(body []byte) (masked []byte, ok bool) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, false
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, false
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return nil, false
	}
	return []byte(maskText(b.String())), true
}

// maskEvents masks the beginnings of the bodies, as far as they are whole.
func maskEvents(es []store.StoryEvent) {
	for i := range es {
		head := es[i].Head
		es[i].Head = nil
		if masked, ok := maskBody(head); ok && !es[i].Cut {
			es[i].Head = masked
		}
	}
}
