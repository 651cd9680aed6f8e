package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"aftercall/ingest"
)

// sendTimeout bounds one post.
const sendTimeout = 15 * time.Second

// send posts a file to a running server as a call platform would: with an API key, or signed as a source.
func send(ctx context.Context, c *console, args []string) error {
	flags := flag.NewFlagSet("send", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	base := flags.String("url", "", "server (default AFTERCALL_PUBLIC_URL, else AFTERCALL_LISTEN)")
	source := flags.String("source", "", "post to /hooks/SOURCE, signed with the secret in AFTERCALL_SECRET")
	scheme := flags.String("as", "native", "the source's type: native, itellico, elevenlabs")
	if err := flags.Parse(args); err != nil || flags.NArg() != 1 {
		return wrong("send [--url URL] [--source ID [--as TYPE]] FILE; the key is read from AFTERCALL_KEY, the secret from AFTERCALL_SECRET")
	}
	body, err := os.ReadFile(flags.Arg(0))
	if err != nil {
		return err
	}
	s, err := readSettings(c.getenv)
	if err != nil {
		return err
	}
	p := parcel{url: serverURL(*base, s) + "/v1/conversations", key: c.getenv("AFTERCALL_KEY"), body: body}
	if *source != "" {
		p.url, p.scheme, p.secret = serverURL(*base, s)+"/hooks/"+*source, *scheme, c.getenv("AFTERCALL_SECRET")
	}
	if p.key == "" && p.secret == "" {
		return fmt.Errorf("no key: set AFTERCALL_KEY (aftercall keys add ACCOUNT), or --source with AFTERCALL_SECRET")
	}
	answer, err := p.post(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintln(c.out, strings.TrimSpace(string(answer)))
	return nil
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

// post sends the parcel and gives the answer. Any other answer than 200 is an error that shows what the server says.
func (p parcel) post(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, sendTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, bytes.NewReader(p.body))
	if err != nil {
		return nil, err
	}
	if p.secret != "" {
		signed, err := ingest.Sign(p.scheme, p.secret, time.Now(), p.body)
		if err != nil {
			return nil, fmt.Errorf("sign as %s: %w", p.scheme, err)
		}
		req.Header = signed
	} else {
		req.Header.Set("Authorization", "Bearer "+p.key)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the server answers %s: %s", resp.Status, answer)
	}
	return answer, nil
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
