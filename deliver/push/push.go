// Package push is the channel to a teammate's browser: Web Push (RFC 8030), encrypted for that browser alone (RFC 8291) and signed
// with the installation's key (VAPID, RFC 8292).
//
// It owns what a notification is made of, what counts as a subscription, and where it may lead: a browser says to which address
// its messages go, so whoever signs in can name any. Only https to a public host, found out again at each connection, is
// ever called.
//
// It promises that a push service reads neither who nor what a message is about, that one send is one request without redirects,
// and that no address or text is in its errors. What is sent twice replaces itself, at the service and on the screen.
package push

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/mail"
	"strings"
	"time"
	"unicode"

	"github.com/SherClockHolmes/webpush-go"

	"aftercall/deliver"
	"aftercall/deliver/wire"
	"aftercall/internal/webaddress"
)

// Provider is what a receipt of this channel names.
const Provider = "web_push"

// Gone is the class of an error that says that the browser has given its subscription up: nothing will ever reach it.
const Gone = "gone"

// The fields of a message that a push needs beside the endpoint, which is its only recipient.
const (
	FieldP256dh = "p256dh" // the browser's public key
	FieldAuth   = "auth"   // and the secret it shares with us
	FieldOpens  = "opens"  // the path of ours that a click leads to
)

const (
	// lifetime is how long the service keeps a message for a browser that is away.
	lifetime = 4 * time.Hour
	// longest is how much of a text is shown; the rest is on the page that a click leads to.
	longest      = 500
	longestTitle = 100
	// timeout bounds one send.
	timeout = 10 * time.Second
	// patience is how long a refused key is left alone.
	patience  = 10 * time.Minute
	maxAnswer = 4 << 10
)

// Config is what the channel needs.
type Config struct {
	Key     string       // the installation's private key, as NewKey writes it
	Subject string       // whom a push service asks: mailto: and an address, or an https address
	Client  *http.Client // default: one that reaches public hosts only
}

// Channel is a deliver.Channel to browsers.
type Channel struct {
	private, public string
	subject         string
	http            *http.Client
}

// New returns the channel. It makes no request.
func New(c Config) (*Channel, error) {
	public, err := publicKey(c.Key)
	if err != nil {
		return nil, err
	}
	subject, err := subjectOf(c.Subject)
	if err != nil {
		return nil, err
	}
	if c.Client == nil {
		c.Client = publicOnly()
	}
	return &Channel{private: c.Key, public: public, subject: subject, http: c.Client}, nil
}

// NewKey makes a private key.
func NewKey() (string, error) {
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return "", fmt.Errorf("make a key for pushes: %w", err)
	}
	return encode(key.Bytes()), nil
}

// CheckKey says what is wrong with a private key, and CheckSubject with a subject.
func CheckKey(key string) error {
	_, err := publicKey(key)
	return err
}

// CheckSubject says what is wrong with a subject.
func CheckSubject(subject string) error {
	_, err := subjectOf(subject)
	return err
}

// publicKey is the public key that belongs to a private one.
func publicKey(private string) (string, error) {
	raw, err := base64.RawURLEncoding.DecodeString(private)
	if err != nil {
		return "", errors.New("the key for pushes is not base64url without padding")
	}
	key, err := ecdh.P256().NewPrivateKey(raw)
	if err != nil {
		return "", errors.New("the key for pushes is not a private key of the curve P-256 in 32 bytes")
	}
	return encode(key.PublicKey().Bytes()), nil
}

// subjectOf is a subject as the library wants it: it writes mailto: itself.
func subjectOf(s string) (string, error) {
	if address, ok := strings.CutPrefix(s, "mailto:"); ok {
		if a, err := mail.ParseAddress(address); err == nil && a.Address == address {
			return address, nil
		}
	}
	if u, ok := webaddress.Parse(s); ok && u.Scheme == "https" {
		return s, nil
	}
	return "", errors.New("want mailto: and an e-mail address, or an https address")
}

// PublicKey is what browsers subscribe under.
func (c *Channel) PublicKey() string { return c.public }

// Send hands m to the push service of its one recipient, once.
func (c *Channel) Send(ctx context.Context, m deliver.Message) (deliver.Receipt, error) {
	s := Subscription{P256dh: m.Fields[FieldP256dh], Auth: m.Fields[FieldAuth]}
	if len(m.To) == 1 {
		s.Endpoint = m.To[0].Address
	}
	if err := s.Check(); err != nil {
		return deliver.Receipt{}, &deliver.Error{Verdict: deliver.Refused, Class: Gone, Detail: "the subscription is none that can be reached"}
	}
	notice, err := noticeOf(m)
	if err != nil {
		return deliver.Receipt{}, &deliver.Error{Verdict: deliver.Refused, Class: "bad_request", Detail: "the notification could not be written"}
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if err := ctx.Err(); err != nil {
		return deliver.Receipt{}, &deliver.Error{Verdict: deliver.Retry, Class: wire.ClassOf(err), Detail: "there was no time left to begin"}
	}
	var p wire.Progress
	sum := sha256.Sum256([]byte(m.DeliveryID))
	res, err := webpush.SendNotificationWithContext(p.Trace(ctx), notice, &webpush.Subscription{Endpoint: s.Endpoint,
		Keys: webpush.Keys{P256dh: s.P256dh, Auth: s.Auth}}, &webpush.Options{HTTPClient: c.http, Subscriber: c.subject, TTL: int(lifetime / time.Second),
		Urgency: webpush.UrgencyHigh, Topic: encode(sum[:])[:32], VAPIDPublicKey: c.public, VAPIDPrivateKey: c.private})
	if err != nil {
		return deliver.Receipt{}, verdict(ctx, &p, err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, maxAnswer)) // so that the connection can be used again
	return receipt(res, m.DeliveryID)
}

// notice is what the browser shows.
type notice struct {
	Title string `json:"title"`
	Body  string `json:"body"`
	Opens string `json:"opens"`
	Tag   string `json:"tag"` // what has the same one takes the other's place
}

// noticeOf fits into the one record of RFC 8291, whatever is written: a character takes six bytes at most.
func noticeOf(m deliver.Message) ([]byte, error) {
	return json.Marshal(notice{Title: shortened(m.Subject, longestTitle), Body: shortened(m.Text, longest), Opens: m.Fields[FieldOpens], Tag: m.DeliveryID})
}

// shortened is the beginning of a text, without what cannot be seen.
func shortened(s string, most int) string {
	runes := []rune(strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, ""))))
	if len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return string(runes)
}

// receipt judges an answer.
func receipt(res *http.Response, id string) (deliver.Receipt, error) {
	e := &deliver.Error{Verdict: deliver.Refused, Class: "bad_request", Status: res.StatusCode, Detail: "the push service refused it"}
	switch s := res.StatusCode; {
	case s >= 200 && s < 300:
		return deliver.Receipt{Provider: Provider, ProviderID: id}, nil
	case s == http.StatusNotFound || s == http.StatusGone:
		e.Class, e.Detail = Gone, "the browser is not subscribed any more"
	case s == http.StatusUnauthorized:
		e.Verdict, e.Class, e.After, e.Detail = deliver.Retry, "auth", patience, "the push service does not accept the installation's key"
	case s == http.StatusForbidden:
		e.Class, e.Detail = "auth", "the browser is subscribed under another key"
	case s == http.StatusTooManyRequests, s == http.StatusNotAcceptable, s >= 500: // 406 is how Windows says 429
		e.Verdict, e.Class, e.After, e.Detail = deliver.Retry, "rate_limited", wire.After(res.Header, time.Now()), "the push service asks to wait"
		if s >= 500 {
			e.Class, e.Detail = "provider", "the push service has a fault"
		}
	}
	return deliver.Receipt{}, e
}

// verdict judges a request without an answer: whether anything can have arrived.
func verdict(ctx context.Context, p *wire.Progress, err error) *deliver.Error {
	if errors.Is(err, errNotPublic) {
		return &deliver.Error{Verdict: deliver.Refused, Class: Gone, Detail: "the address of the push service is not a public one"}
	}
	return p.Verdict(ctx, err)
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
