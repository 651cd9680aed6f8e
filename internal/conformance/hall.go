package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path/filepath"
	"time"

	"aftercall/deliver/delivertest"
	"aftercall/examples"
	"aftercall/internal/chaos/bed"
	"aftercall/internal/chaos/checker"
	"aftercall/internal/chaos/corpus"
)

// hall is where all suites are tried: one server (`aftercall serve`), with an account for each kind of input.
type hall struct {
	data    corpus.Folder
	builder *bed.Builder
	bed     *bed.Bed
	checker *checker.Checker
	server  *bed.Process
	pages   string       // base URL of the pages
	session *http.Cookie // of somebody who may see them
	client  *http.Client
	secrets []string            // of the vectors' sources
	events  *delivertest.Signer // of SendGrid's events
}

// stringsYAML is the account of hostile strings: whatever comes, it is written into mails of every format and an alert.
const stringsYAML = `account: strings
name: Strings Ltd
timezone: Europe/London
language: en
missing: not stated
from: { email: "Strings Ltd <calls@strings.example>" }
allow: { domains: [strings.example] }
automations:
  - id: html
    name: In HTML
    when: always
    actions:
      - email: { to: [desk@strings.example], subject: "[[{{metadata.text}}]]", body_file: text.html.hbs }
      - team_alert: { to: all, text: "[[{{metadata.text}}]]" }
  - id: markdown
    name: In Markdown
    when: always
    actions:
      - email: { to: [desk@strings.example], subject: "{{customer_name}}, {{agent_name}}", body: "[[{{metadata.text}}]]\n\n{{conversation_transcript}}" }
`

const stringsHTML = `<p>A text: <span id="text">[[{{metadata.text}}]]</span></p>
<p title="{{metadata.text}}">{{customer_name}}</p>
<pre>{{conversation_transcript}}</pre>
`

// otherYAML are the sources of JSON that a platform posts, and of recorded signatures.
const otherYAML = `account: other
name: Other Ltd
timezone: Europe/London
language: en
sources:
  - { id: labs-json, type: elevenlabs, secret: "${ENV:LABS_JSON}" }
`

const labsSecret = "wsec_conformance_json"

func openHall(ctx context.Context, data corpus.Folder, builder *bed.Builder, dir string) (h *hall, err error) {
	h = &hall{data: data, builder: builder, client: &http.Client{Timeout: 30 * time.Second}}
	defer func() {
		if err != nil {
			h.close()
		}
	}()
	vectors, err := data.Vectors()
	if err != nil {
		return h, err
	}
	h.secrets = corpus.Secrets(vectors)
	sources, env := corpus.Sources(h.secrets)
	config, err := example()
	if err != nil {
		return h, err
	}
	config["strings/account.yaml"], config["strings/text.html.hbs"] = stringsYAML, stringsHTML
	posts, err := fixtureSources(data.Fixture())
	if err != nil {
		return h, err
	}
	config["other/account.yaml"] = otherYAML + sources + posts
	for _, account := range []string{deskHostile, deskHarmless} {
		config[account+"/account.yaml"] = deskYAML(account)
	}
	if h.events, err = delivertest.NewSigner(); err != nil {
		return h, err
	}
	env = append(env, "SENDGRID_WEBHOOK_KEY="+h.events.Public, "LABS_JSON="+labsSecret, "FIXTURES="+fixtureSecret, "ACME_CALLS_SECRET=-", "ACME_ITELLICO_SECRET=-", "ACME_ELEVENLABS_SECRET=-")
	if h.bed, err = bed.Open(ctx, bed.Options{Dir: dir, Builder: builder, Seed: 1, Config: config, Env: env}); err != nil {
		return h, err
	}
	if h.checker, err = checker.Open(ctx, h.bed.Database.Direct("chaos")); err != nil {
		return h, err
	}
	return h, h.serve(ctx)
}

// serve starts the product, whole, with the simulated model behind it and mails kept as they are sent.
func (h *hall) serve(ctx context.Context) (err error) {
	if err := h.bed.Model(ctx, bed.Conduct{Mode: "simulated"}); err != nil {
		return err
	}
	if err := h.bed.Mail(ctx, bed.Conduct{Keep: true}); err != nil {
		return err
	}
	if h.server, err = h.bed.Serve(ctx, h.bed.Binary, nil); err != nil {
		return err
	}
	if err := h.bed.UseWeb(ctx, h.server); err != nil {
		return err
	}
	if h.pages, err = h.server.Pages(ctx); err != nil {
		return err
	}
	h.session, err = h.bed.SignIn(ctx, h.pages)
	return err
}

func (h *hall) close() {
	h.client.CloseIdleConnections()
	if h.checker != nil {
		h.checker.Close()
	}
	if h.bed != nil {
		h.bed.Close()
	}
}

// example is the example account, whose automations are the ten starters and some bound to agents that no corpus names.
func example() (map[string]string, error) {
	files := map[string]string{}
	err := fs.WalkDir(examples.Files(), "acme", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := fs.ReadFile(examples.Files(), path)
		files[filepath.FromSlash(path)] = string(raw)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the example account: %w", err)
	}
	return files, nil
}

// post posts a body to POST /v1/conversations for an account.
func (h *hall) post(ctx context.Context, account string, body []byte) (status int, answer []byte) {
	return h.bed.Ask(ctx, h.client, bed.Webhook{
		Path: "/v1/conversations", Header: http.Header{"Authorization": {"Bearer " + h.bed.Keys[account]}}, Body: body,
	})
}

// page fetches a page that ops look at.
func (h *hall) page(ctx context.Context, path string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, h.pages+path, nil)
	if err != nil {
		return "", fmt.Errorf("fetch a page: %w", err)
	}
	r.AddCookie(h.session)
	res, err := h.client.Do(r)
	if err != nil {
		return "", fmt.Errorf("fetch a page: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d", res.StatusCode)
	}
	if err != nil {
		return "", fmt.Errorf("fetch the page %s: %w", path, err)
	}
	return string(raw), nil
}

// settle waits until everything accepted is final.
func (h *hall) settle(ctx context.Context, most time.Duration) error {
	_, left, err := h.checker.Settle(ctx, most)
	if err == nil && !left.Settled() {
		err = fmt.Errorf("not final after %s: %s", most, left)
	}
	return err
}

// balanced runs the product's own audit.
func (h *hall) balanced(ctx context.Context) error {
	out, code, err := h.bed.Run(ctx, "audit")
	if err == nil && code != 0 {
		err = fmt.Errorf("aftercall audit: exit %d\n%s", code, out)
	}
	return err
}
