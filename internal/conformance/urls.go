package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/html"

	"aftercall/deliver/email"
	"aftercall/internal/chaos/bed"
	"aftercall/internal/chaos/checker"
	"aftercall/internal/chaos/corpus"
	"aftercall/internal/llm"
	"aftercall/internal/llm/openai"
	"aftercall/templates"
)

// webAddresses are URLs, and how a browser reads them.
func webAddresses() suite {
	return suite{
		name: "wpt-url", try: tryURLs,
		how: "Every input goes to the four doors at which an address comes in. *model*: as `OPENAI_BASE_URL`, which is then called, and the host that is dialled is " +
			"compared. *mail*: as `SENDGRID_BASE_URL`. *call*: as the `url` of a call that is posted, whose page then links to it; the link's host is compared. *link*: as the value of " +
			"a url variable in a mail. An absolute http or https address must be let in everywhere, and lead to the host and port that the WHATWG standard finds; " +
			"everything else (another scheme, relative, a failure) must be refused everywhere. `AFTERCALL_PUBLIC_URL`, the platform's page in `account.yaml` and " +
			"`url` variables pass the same function, `internal/webaddress`. Chatter's instance address is not applicable yet: there is no such channel (issue 7).",
	}
}

// urlRow is an input and what the standard makes of it.
type urlRow struct {
	ID, Input, Base, Protocol, Hostname, Port string
	Failure                                   bool
}

var withHost, withScheme = regexp.MustCompile(`(?i)^https?:[/\\]{2}`), regexp.MustCompile(`(?i)^https?:`)

// absolute reports whether the input alone says where it leads, by http or https.
func (u urlRow) absolute() bool {
	own := strings.ToLower(withScheme.FindString(u.Input))
	return !u.Failure && own != "" && u.Protocol == own && (withHost.MatchString(u.Input) || !strings.HasPrefix(u.Base, own))
}

// host is where the standard says that it leads, as net.JoinHostPort would write it.
func (u urlRow) host() string {
	port := u.Port
	if port == "" {
		port = map[string]string{"http:": "80", "https:": "443"}[u.Protocol]
	}
	return net.JoinHostPort(strings.Trim(u.Hostname, "[]"), port)
}

func tryURLs(ctx context.Context, h *hall) (o outcome, err error) {
	rows, err := corpus.Read[urlRow](h.data.Data("wpt-url", "urltestdata.json"))
	if err != nil {
		return o, err
	}
	let := 0
	for _, u := range rows {
		r, in, err := h.doors(ctx, u)
		if err != nil {
			return o, err
		}
		let += in
		o.add(r)
	}
	o.note("%d inputs are absolute http or https addresses by the standard; %d times one was let in at a door.", count(rows, urlRow.absolute), let)
	return o, nil
}

func count[T any](all []T, is func(T) bool) (n int) {
	for _, one := range all {
		if is(one) {
			n++
		}
	}
	return n
}

// doors tries an input at each door, and says at how many it was let in.
func (h *hall) doors(ctx context.Context, u urlRow) (r row, in int, err error) {
	r.id = u.ID
	kinds := map[string][]string{}
	for _, door := range []struct {
		name string
		try  func(context.Context, urlRow) (host string, ok bool, err error) // host "" where none can be seen
	}{{"model", h.asModel}, {"mail", h.asMail}, {"call", h.asCall}, {"link", h.asLink}} {
		host, ok, err := door.try(ctx, u)
		if err != nil {
			return r, in, fmt.Errorf("%s as %s: %w", u.ID, door.name, err)
		}
		switch {
		case ok && host == cleaned:
			kinds["cleaned"] = append(kinds["cleaned"], door.name)
		case ok && !u.absolute():
			r.wrong, kinds["let in"] = true, append(kinds["let in"], door.name)
		case ok && host != "" && !sameHost(host, u.host()):
			r.wrong, kinds["another host"], r.detail = true, append(kinds["another host"], door.name), host+", want "+u.host()
		case !ok && u.absolute():
			kinds["refused"] = append(kinds["refused"], door.name)
		}
		if ok {
			in++
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		r.kind = strings.TrimPrefix(r.kind+"; "+kind+": "+strings.Join(kinds[kind], ", "), "; ")
	}
	return r, in, nil
}

// cleaned stands for the host where the address that was let in is not the input, but what is left of it.
const cleaned = "(cleaned)"

// sameHost compares hosts with ports; addresses of version 6 by their value.
func sameHost(a, b string) bool {
	x, errX := netip.ParseAddrPort(a)
	y, errY := netip.ParseAddrPort(b)
	return strings.EqualFold(a, b) || errX == nil && errY == nil && x == y
}

// asModel calls a model there, and sees whom the client dials. Nothing is connected.
func (h *hall) asModel(ctx context.Context, u urlRow) (host string, ok bool, err error) {
	dialled := ""
	m, err := openai.New(openai.Config{BaseURL: u.Input, Model: "any", HTTPClient: &http.Client{Transport: &http.Transport{
		DialContext: func(_ context.Context, _, addr string) (net.Conn, error) {
			dialled = addr
			return nil, errors.New("nobody is called")
		},
	}}})
	if err != nil || u.Input == "" { // empty is the default
		return "", false, nil
	}
	_, _ = m.Complete(ctx, llm.Request{Messages: []llm.Message{{Role: "user", Content: "Hello"}}, Retry: func() bool { return false }})
	return dialled, dialled != "", nil
}

func (h *hall) asMail(_ context.Context, u urlRow) (host string, ok bool, err error) {
	_, refused := email.NewSendGrid(email.SendGridConfig{Key: "any", BaseURL: u.Input})
	return "", refused == nil && u.Input != "", nil
}

// asCall posts a call with that address, and looks where its page links to.
func (h *hall) asCall(ctx context.Context, u urlRow) (host string, ok bool, err error) {
	status, answer := h.post(ctx, "other", bed.CallOf(u.ID, nil, map[string]any{"turns": []bed.Turn{}, "url": u.Input}).Body)
	switch {
	case status == http.StatusBadRequest && strings.Contains(string(answer), `"pointer":"/url"`):
		return "", false, nil
	case status != http.StatusOK:
		return "", false, fmt.Errorf("answered %d %s", status, answer)
	case u.Input == "": // a call without an address
		return "", false, nil
	}
	page, err := h.page(ctx, "/conversations/"+u.ID+"?account=other")
	if err != nil {
		return "", false, err
	}
	links, err := linksOut(page)
	if err != nil || len(links) != 1 {
		return "", false, fmt.Errorf("the page has %d links out (%w)", len(links), err)
	}
	read := urlRow{Protocol: links[0][:strings.Index(links[0], ":")+1]}
	read.Hostname = checker.Host(links[0])
	if _, port, ok := strings.Cut(authority(links[0]), "]:"); ok {
		read.Port = port
	} else if name, port, ok := strings.Cut(authority(links[0]), ":"); ok && !strings.HasPrefix(name, "[") {
		read.Port = port
	}
	return read.host(), true, nil
}

// authority is what stands between the slashes of an address, without a user.
func authority(address string) string {
	_, rest, _ := strings.Cut(address, "://")
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		rest = rest[:i]
	}
	return rest[strings.LastIndexByte(rest, '@')+1:]
}

// linksOut are the addresses of a page's links to other sites.
func linksOut(page string) (links []string, err error) {
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		return nil, fmt.Errorf("parse a page: %w", err)
	}
	for n := range root.Descendants() {
		for _, a := range n.Attr {
			if n.Data == "a" && a.Key == "href" && strings.Contains(a.Val, "://") {
				links = append(links, a.Val)
			}
		}
	}
	return links, nil
}

// asLink writes a mail with a link to it.
func (h *hall) asLink(_ context.Context, u urlRow) (host string, ok bool, err error) {
	text, problems := templates.Parse(`<p><a href="{{address}}">Here</a></p>`, templates.HTML, templates.Names{"address": templates.KindURL})
	if text == nil {
		return "", false, fmt.Errorf("the mail does not parse: %v", problems)
	}
	mail, err := text.Render(templates.Values{"address": u.Input}, templates.Options{Missing: "none"})
	if err != nil {
		return "", false, nil // refused by the last look at a mail's links
	}
	page, err := checker.ReadPage(mail.HTML)
	if err != nil || len(page.Links) != 1 || !strings.Contains(page.Links[0], "//") {
		return "", false, err
	}
	if page.Links[0] != u.Input {
		host = cleaned
	}
	return host, true, nil
}
