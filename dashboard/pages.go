package dashboard

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"mime"
	"net/http"
	"strconv"
	"time"

	"aftercall/internal/store"
	"aftercall/people"
)

//go:embed templates/*.html
var templateFiles embed.FS

// site is what every page shows around its content.
type site struct {
	Release   string // this binary's version
	Simulated bool
}

// answer is a computed page, not yet rendered: a template with its view, a redirect, a message's own HTML, or a file.
type answer struct {
	Template string // names templates/<Template>.html
	Title    string
	Section  string // which door of the navigation it belongs to
	View     any
	Status   int        // 200 if 0
	Location string     // a redirect instead of a page
	Message  string     // a message's HTML instead of a page, served under the sandbox policy
	File     *file      // something else than a page
	Check    *checkView // what the workbench's module gets
	Bare     bool       // the template without the frame around it, for a page that puts it in its place
	Draft    bool       // holds what somebody typed: an open page is never told that there is a newer one
	Policy   string     // instead of pagePolicy

	who    people.Person // set where it is written
	counts counts        // for the navigation
}

// file is an answer that is no page: what a program reads, or what somebody keeps.
type file struct {
	Type string
	Name string // under which it is kept; "" if it is only read
	Body []byte
}

// pages renders views.
type pages struct {
	site   site
	assets *assets
	tree   *template.Template
}

func newPages(s site) (*pages, error) {
	as, err := loadAssets()
	if err != nil {
		return nil, err
	}
	tree, err := template.New("").
		Funcs(template.FuncMap{"asset": as.url}).
		Option("missingkey=error").
		ParseFS(templateFiles, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("parse page templates: %w", err)
	}
	return &pages{site: s, assets: as, tree: tree}, nil
}

// clockSkew is how far the clocks of two of our machines may be apart.
const clockSkew = 2 * time.Second

// frame is what layout.html sees.
type frame struct {
	site
	Title, Section string
	Version        string        // of the content, for the module that watches for news
	Content        template.HTML // rendered by html/template already
	Who            string        // who is signed in; "" if nobody is, or nobody has to
	Machine        bool          // this machine signs in by itself
	At             moment        // when it was true; zero if nobody is known
	Live           string        // where the page hears of changes; "" if nobody is known
	Since          string        // below the id of every alert that comes after this page
	counts
	who people.Person
}

// May reports whether a door of the navigation is open to the reader anywhere.
func (f frame) May(right string) bool { return !f.who.Accounts(people.Right(right)).None() }

// around says what stands around a page for its reader.
func (p *pages) around(a answer) frame {
	f := frame{site: p.site, Title: a.Title, Section: a.Section, who: a.who}
	if a.who.Session != "" {
		f.Who = a.who.Name
	}
	f.Machine = a.who.Known() && f.Who == ""
	if a.who.Known() {
		f.At = at(time.Now(), time.UTC)
		f.At.Local = f.At.UTC[len("2006-01-02 "):]
		f.Live, f.Since, f.counts = livePath, store.FirstID(time.Now().Add(-clockSkew)), a.counts
	}
	return f
}

// render lays out a page. The content comes first because its hash stands in the frame around it.
func (p *pages) render(a answer) (body []byte, version string, err error) {
	var content bytes.Buffer
	if err := p.tree.ExecuteTemplate(&content, a.Template+".html", a.View); err != nil {
		return nil, "", fmt.Errorf("render page %s: %w", a.Template, err)
	}
	if a.Bare {
		return content.Bytes(), "", nil
	}
	if !a.Draft {
		sum := sha256.Sum256(content.Bytes())
		version = hex.EncodeToString(sum[:8])
	}
	var page bytes.Buffer
	f := p.around(a)
	f.Version, f.Content = version, template.HTML(content.String()) //nolint:gosec // html/template wrote every byte of it
	if err := p.tree.ExecuteTemplate(&page, "layout.html", f); err != nil {
		return nil, "", fmt.Errorf("render page %s: %w", a.Template, err)
	}
	return page.Bytes(), version, nil
}

// versionHeader names the content of a page, so that an open page can ask cheaply whether it is still the newest.
const versionHeader = "Page-Version"

func (p *pages) write(w http.ResponseWriter, r *http.Request, a answer) error {
	a.who = people.Of(r.Context())
	switch {
	case a.Location != "":
		status := http.StatusFound
		if r.Method == http.MethodPost {
			status = http.StatusSeeOther // the page that shows what was done
		}
		http.Redirect(w, r, a.Location, status)
		return nil
	case a.Message != "":
		writeMessage(w, a.Message)
		return nil
	case a.Check != nil:
		f, err := p.checkJSON(a.Check)
		if err != nil {
			return err
		}
		a.File = f
	}
	if a.File != nil {
		a.File.write(w)
		return nil
	}
	body, version, err := p.render(a)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if version != "" {
		h.Set(versionHeader, version)
	}
	if a.Policy != "" {
		h.Set("Content-Security-Policy", a.Policy)
	}
	if a.Status != 0 {
		w.WriteHeader(a.Status)
	}
	_, _ = w.Write(body) // the reader has gone; there is nobody to tell
	return nil
}

// write serves a file, to be read or to be kept.
func (f *file) write(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Content-Type", f.Type)
	h.Set("Content-Length", strconv.Itoa(len(f.Body)))
	if f.Name != "" {
		h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.Name}))
	}
	_, _ = w.Write(f.Body) // the reader has gone; there is nobody to tell
}

// problem is a page that says what went wrong and what to do, and nothing about the inside.
type problem struct {
	Status                  int
	Title, Sentence, Remedy string
}

// problemOf decides what a reader is told about an error.
func problemOf(err error) problem {
	var posted *postedError
	var refused *store.Refused
	switch {
	case errors.As(err, &refused):
		return problem{http.StatusConflict, "Not done", refused.Sentence, "Look at the call for how it stands now."}
	case errors.As(err, &posted):
		return problem{posted.status, "Refused", posted.sentence, posted.remedy}
	case errors.Is(err, store.ErrNotFound):
		return problem{http.StatusNotFound, "Not found", "Nothing stands under this address.",
			"Search for the conversation by its id, a phone number or an e-mail address."}
	case errors.Is(err, people.ErrSignedOut):
		return problem{http.StatusUnauthorized, "Not signed in", "You are not signed in any more.", "Sign in, then try again."}
	case errors.Is(err, store.ErrAmbiguous):
		return problem{http.StatusConflict, "Several conversations have this id", "Platforms choose their own ids, and two accounts have a conversation with this one.",
			"Search for the id and pick the account."}
	case errors.Is(err, context.DeadlineExceeded):
		return problem{http.StatusServiceUnavailable, "The database is slow", "The page was not ready in time.",
			"Try again in a moment. Calls are still accepted and nothing is lost."}
	case store.Away(err):
		return problem{http.StatusServiceUnavailable, "The database is away", "The page needs the database, and it does not answer.",
			"Try again in a moment. What was accepted is kept, and nothing is lost."}
	}
	return problem{http.StatusInternalServerError, "This page could not be shown", "Something went wrong here; it is in the log.",
		"Try again in a moment. Calls and messages are not affected by this page."}
}

// problem writes p as a page; if even that fails, as a line of text.
func (p *pages) problem(w http.ResponseWriter, r *http.Request, pr problem) {
	switch pr.Status {
	case http.StatusServiceUnavailable:
		w.Header().Set("Retry-After", "5")
	case http.StatusTooManyRequests:
		w.Header().Set("Retry-After", "1")
	}
	if err := p.write(w, r, answer{Template: "problem", Title: pr.Title, View: pr, Status: pr.Status}); err != nil {
		http.Error(w, pr.Title, pr.Status)
	}
}

// refuse answers a request that the guard did not let through.
func (p *pages) refuse(w http.ResponseWriter, r *http.Request, status int, sentence, remedy string) {
	p.problem(w, r, problem{Status: status, Title: "Refused", Sentence: sentence, Remedy: remedy})
}
