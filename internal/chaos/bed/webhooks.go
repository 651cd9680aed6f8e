package bed

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Webhook is one request to the product's listener for webhooks. The schemes below sign as the platforms' own
// documentation says, without the product's code.
type Webhook struct {
	Path   string // such as /hooks/shop
	Header http.Header
	Body   []byte
	Stream bool // without Content-Length, in pieces
}

// Send posts it and returns the status; 0 if there was no answer.
func (b *Bed) Send(ctx context.Context, client *http.Client, w Webhook) int {
	status, _ := b.Ask(ctx, client, w)
	return status
}

// Ask is Send, and returns what the answer says, too.
func (b *Bed) Ask(ctx context.Context, client *http.Client, w Webhook) (status int, answer []byte) {
	var body io.Reader = bytes.NewReader(w.Body)
	if w.Stream {
		body = io.MultiReader(body) // hides the length
	}
	return b.ask(ctx, client, w, body)
}

// SendSlowly posts the body byte by byte, one each pause, and returns the status; 0 if there was no answer.
func (b *Bed) SendSlowly(ctx context.Context, client *http.Client, w Webhook, pause time.Duration) int {
	status, _ := b.ask(ctx, client, w, &trickle{ctx: ctx, left: w.Body, pause: pause})
	return status
}

func (b *Bed) ask(ctx context.Context, client *http.Client, w Webhook, body io.Reader) (status int, answer []byte) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, b.web()+w.Path, body)
	if err != nil {
		return 0, nil
	}
	r.Header = w.Header.Clone()
	if r.Header.Get("Content-Type") == "" {
		r.Header.Set("Content-Type", "application/json")
	}
	res, err := client.Do(r)
	if err != nil {
		return 0, nil
	}
	defer func() { _ = res.Body.Close() }()
	answer, _ = io.ReadAll(res.Body) // the status says enough if the rest is cut off
	return res.StatusCode, answer
}

type trickle struct {
	ctx   context.Context
	left  []byte
	pause time.Duration
}

func (t *trickle) Read(p []byte) (int, error) {
	if len(t.left) == 0 {
		return 0, io.EOF
	}
	if !Wait(t.ctx, t.pause) {
		return 0, t.ctx.Err()
	}
	p[0], t.left = t.left[0], t.left[1:]
	return 1, nil
}

// SignStandard signs as the Standard Webhooks specification says: id.timestamp.body, under the base64 after "whsec_".
func SignStandard(secret, id, timestamp string, body []byte) (http.Header, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		return nil, fmt.Errorf("read a Standard Webhooks secret: %w", err)
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.", id, timestamp)
	mac.Write(body)
	return http.Header{
		"Webhook-Id": {id}, "Webhook-Timestamp": {timestamp},
		"Webhook-Signature": {"v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))},
	}, nil
}

// SignElevenLabs signs as ElevenLabs does: timestamp.body, in hex.
func SignElevenLabs(secret string, at time.Time, body []byte) http.Header {
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(stamp + "."))
	mac.Write(body)
	return http.Header{"Elevenlabs-Signature": {"t=" + stamp + ",v0=" + hex.EncodeToString(mac.Sum(nil))}}
}

// SignItellico signs as itellico does: body.timestamp, in hex.
func SignItellico(secret string, at time.Time, body []byte) http.Header {
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	mac.Write([]byte("." + stamp))
	return http.Header{"X-Itellico-Timestamp": {stamp}, "X-Itellico-Signature": {hex.EncodeToString(mac.Sum(nil))}}
}
