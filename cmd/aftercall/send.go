package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"aftercall/automation"
	"aftercall/ingest"
)

const (
	sendTimeout = 15 * time.Second // bounds one post
	sendTries   = 5                // how often a server is asked that answers 503
)

// letter says how a file is sent.
type letter struct{ base, source, scheme string }

// send posts a file to a running server as a call platform would: with an API key, or signed as a source.
func send(flags *flag.FlagSet) action {
	var l letter
	flags.StringVar(&l.base, "url", "", "the server's `URL` (default AFTERCALL_PUBLIC_URL, else AFTERCALL_LISTEN)")
	flags.StringVar(&l.source, "source", "", "post to /hooks/`ID`, signed with the secret in AFTERCALL_SECRET (default what --as\n"+
		"says); without both to /v1/conversations, with the key in AFTERCALL_KEY. An event in our\n"+
		"own format goes to /v1/events, either way")
	flags.StringVar(&l.scheme, "as", "native", "the source's `type`: "+strings.Join(sourceTypes(), ", "))
	return func(ctx context.Context, c *console, args []string) error {
		if len(args) > 1 && strings.HasPrefix(args[1], "-") { // send FILE --as TYPE
			if err := flags.Parse(args[1:]); err != nil {
				return wrong("%v", err)
			}
			args = append(args[:1:1], flags.Args()...)
		}
		if len(args) != 1 {
			return wrong("name one file")
		}
		if l.source == "" && l.scheme != "native" {
			l.source = l.scheme
		}
		return l.send(ctx, c, args[0])
	}
}

func (l letter) send(ctx context.Context, c *console, file string) error {
	body, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	s, err := readSettings(c.getenv, needs{})
	if err != nil {
		return err
	}
	p := parcel{url: l.address(serverURL(l.base, s), body), key: c.getenv("AFTERCALL_KEY"), body: body}
	if l.source != "" {
		p.scheme, p.secret = l.scheme, c.getenv("AFTERCALL_SECRET")
	}
	switch {
	case l.source != "" && p.secret == "":
		return errors.New("no secret: set AFTERCALL_SECRET to the secret of the source")
	case l.source == "" && p.key == "":
		return errors.New("no key: set AFTERCALL_KEY (aftercall keys add ACCOUNT), or --source with AFTERCALL_SECRET")
	}
	answer, err := p.post(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintln(c.out, strings.TrimSpace(string(answer)))
	return nil
}

// address is where the file goes: an event in our own format to where these are taken.
func (l letter) address(base string, body []byte) string {
	var told struct {
		Type  string
		Turns json.RawMessage
	}
	switch event := json.Unmarshal(body, &told) == nil && told.Type != "" && told.Turns == nil; {
	case l.scheme == "native" && event && l.source != "":
		return base + "/v1/events?source=" + url.QueryEscape(l.source)
	case l.scheme == "native" && event:
		return base + "/v1/events"
	case l.source != "":
		return base + "/hooks/" + l.source
	}
	return base + "/v1/conversations"
}

// sourceTypes are the platforms that a file can be sent as.
func sourceTypes() (names []string) {
	for _, t := range automation.SourceTypes() {
		names = append(names, t.Name)
	}
	return names
}

func serverURL(flag string, s settings) string {
	switch {
	case flag != "":
		return strings.TrimSuffix(flag, "/")
	case s.PublicURL != "":
		return strings.TrimSuffix(s.PublicURL, "/")
	}
	return "http://" + s.Listen
}

// parcel is one post: a body, where it goes, and how it is vouched for.
type parcel struct {
	url    string
	key    string // API key; or
	scheme string // the source's type, with its secret
	secret string
	body   []byte
}

// post sends the parcel and gives the answer. A server that answers 503 is asked again when it says so, a few times, as a
// platform would. Any other answer than 200 is an error that shows what the server says.
func (p parcel) post(ctx context.Context) ([]byte, error) {
	for try := 1; ; try++ {
		answer, wait, err := p.once(ctx)
		if wait == 0 || try == sendTries {
			return answer, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(wait):
		}
	}
}

// once sends the parcel one time. The duration is not zero where the server asks for another try after it.
func (p parcel) once(ctx context.Context) ([]byte, time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, bytes.NewReader(p.body))
	if err != nil {
		return nil, 0, err
	}
	if p.secret != "" {
		req.Header.Set("Content-Type", mediaType(p.body))
		if err := ingest.Sign(req, p.scheme, p.secret, time.Now(), p.body); err != nil {
			return nil, 0, fmt.Errorf("sign as %s: %w", p.scheme, err)
		}
	} else {
		req.Header.Set("Authorization", "Bearer "+p.key)
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, 0, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	switch {
	case err != nil:
		return nil, 0, fmt.Errorf("read the answer: %w", err)
	case resp.StatusCode != http.StatusOK:
		return nil, askedToWait(resp), fmt.Errorf("the server answers %s: %s", resp.Status, answer)
	}
	return answer, 0, nil
}

// mediaType is that of a body as platforms post it: JSON, or a form.
func mediaType(body []byte) string {
	if trimmed := bytes.TrimSpace(body); len(trimmed) > 0 && trimmed[0] != '{' && trimmed[0] != '[' {
		return "application/x-www-form-urlencoded"
	}
	return "application/json"
}

// askedToWait is how long a busy server asks to wait before the next try: a second to ten, whatever it says.
func askedToWait(resp *http.Response) time.Duration {
	if resp.StatusCode != http.StatusServiceUnavailable {
		return 0
	}
	seconds, _ := strconv.Atoi(resp.Header.Get("Retry-After")) // no number reads as none, and waits a second
	return time.Duration(min(max(seconds, 1), 10)) * time.Second
}

// newSecret makes a webhook secret in Standard Webhooks form, which every scheme of ours takes as it is.
func newSecret() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // crypto/rand.Read never fails
	return "whsec_" + base64.StdEncoding.EncodeToString(b[:])
}

// envName is NAME of "${ENV:NAME}".
func envName(ref string) string {
	return strings.TrimSuffix(strings.TrimPrefix(ref, "${ENV:"), "}")
}
