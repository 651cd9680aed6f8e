// Package chatter posts to Salesforce Chatter by the Connect API.
//
// It owns the channel: its log-in (client credentials, or a signed assertion), whom a post is for (a record, a user, a
// group, each by id or by name), the post's segments, and what Salesforce's answers mean.
//
// It promises that a session that has ended is renewed once, however many posts find it out at the same time; that a name
// which several users or groups have is an error, never the first of them; that the token goes to Salesforce alone; and that
// a post whose end is not known is called Unknown, never Retry. Its errors hold no name, no text and no secret.
package chatter

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"time"
	"unicode/utf16"

	"aftercall/deliver"
	"aftercall/deliver/wire"
)

// Provider is what a receipt of this channel names.
const Provider = "salesforce"

// The names of a message's fields: one of the five says whom it is for.
const (
	FieldRecord     = "record"
	FieldUser       = "user" // a name, a username or an id
	FieldUserID     = "user_id"
	FieldGroup      = "group" // a name or an id
	FieldGroupID    = "group_id"
	FieldVisibility = "visibility" // "all" or "internal"; left out, Salesforce decides
)

// What the Connect API takes of a post.
const (
	maxCharacters = 10_000
	maxMentions   = 25
)

// Channel posts to Chatter. It is safe for concurrent use.
type Channel struct {
	login   *login
	names   *names
	timeout time.Duration
	now     func() time.Time
	http    *http.Client
}

// Send posts m once. A session that has ended is renewed and the post made again: it was not taken.
func (c *Channel) Send(ctx context.Context, m deliver.Message) (deliver.Receipt, error) {
	p, no := read(m)
	if no != nil {
		return deliver.Receipt{}, no
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	if err := ctx.Err(); err != nil {
		return deliver.Receipt{}, &deliver.Error{Verdict: deliver.Retry, Class: wire.ClassOf(err), Detail: "there was no time left to begin"}
	}
	var ended *session
	for {
		s, no := c.login.session(ctx, ended)
		if no != nil {
			return deliver.Receipt{}, no
		}
		receipt, no := c.post(ctx, s, p)
		if no == nil {
			return receipt, nil
		}
		if no.Class != classEnded || ended != nil {
			return deliver.Receipt{}, no
		}
		ended = s
	}
}

// post finds out who is meant and makes the request.
func (c *Channel) post(ctx context.Context, s *session, p post) (deliver.Receipt, *deliver.Error) {
	subject, no := c.find(ctx, s, p.subject)
	if no != nil {
		return deliver.Receipt{}, no
	}
	var mentions []string
	for _, t := range p.mentions {
		id, no := c.find(ctx, s, t)
		if no != nil {
			return deliver.Receipt{}, no
		}
		mentions = append(mentions, id)
	}
	body, err := json.Marshal(p.element(subject, mentions))
	if err != nil {
		return deliver.Receipt{}, bad("the post cannot be written as JSON")
	}
	var far wire.Progress
	r, err := http.NewRequestWithContext(far.Trace(ctx), http.MethodPost, s.instance+api+"/chatter/feed-elements", bytes.NewReader(body))
	if err != nil {
		return deliver.Receipt{}, bad("the request cannot be made")
	}
	s.sign(r)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Request-Id", p.delivery) // for whoever looks into the traffic; Salesforce does not keep it
	res, err := c.http.Do(r)
	if err != nil {
		return deliver.Receipt{}, far.Verdict(ctx, err)
	}
	return c.posted(res)
}

// api is the path below which a version of the API answers; Salesforce keeps one for many years.
const api = "/services/data/v62.0"

// element is the input of the Connect API for a post.
type element struct {
	Type       string `json:"feedElementType"`
	Subject    string `json:"subjectId"`
	Visibility string `json:"visibility,omitempty"`
	Body       struct {
		Segments []segment `json:"messageSegments"`
	} `json:"body"`
}

type segment struct {
	Type string `json:"type"`
	Text string `json:"text,omitempty"`
	ID   string `json:"id,omitempty"`
}

// post is a message whose parts have been checked.
type post struct {
	delivery   string
	subject    target
	mentions   []target
	text       string
	visibility string // Salesforce's word
}

// element writes the post: the text with its line breaks, and below it who is mentioned.
func (p post) element(subject string, mentions []string) element {
	e := element{Type: "FeedItem", Subject: subject, Visibility: p.visibility}
	text := p.text
	if len(mentions) > 0 {
		text += "\n\n"
	}
	e.Body.Segments = []segment{{Type: "Text", Text: text}}
	for i, id := range mentions {
		if i > 0 {
			e.Body.Segments = append(e.Body.Segments, segment{Type: "Text", Text: " "})
		}
		e.Body.Segments = append(e.Body.Segments, segment{Type: "Mention", ID: id})
	}
	return e
}

// deliveryID is what a header may hold of the ledger's id.
var deliveryID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// read checks a message. What Salesforce would refuse for certain is refused here, with words that help.
func read(m deliver.Message) (post, *deliver.Error) {
	p := post{delivery: m.DeliveryID, text: strings.TrimSpace(strings.ReplaceAll(m.Text, "\r\n", "\n"))}
	switch {
	case !deliveryID.MatchString(m.DeliveryID):
		return p, bad("the delivery has no usable id")
	case p.text == "":
		return p, bad("the post has no text")
	case len(utf16.Encode([]rune(p.text))) > maxCharacters:
		e := bad("the post has more than 10,000 characters")
		e.Class = classTooLarge
		return p, e
	case len(m.CC) > maxMentions:
		return p, bad("the post mentions more than 25 people")
	}
	switch m.Fields[FieldVisibility] {
	case "":
	case "all":
		p.visibility = "AllUsers"
	case "internal":
		p.visibility = "InternalUsers"
	default:
		return p, bad("the post's visibility is neither all nor internal")
	}
	for _, a := range m.CC {
		p.mentions = append(p.mentions, target{kind: aUser, value: a.Address})
	}
	var no *deliver.Error
	p.subject, no = subjectOf(m)
	return p, no
}

func bad(detail string) *deliver.Error {
	return &deliver.Error{Verdict: deliver.Refused, Class: classBadMessage, Detail: detail}
}
