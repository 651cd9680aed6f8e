package dashboard

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"aftercall/automation"
	"aftercall/internal/store"
	"aftercall/people"
	"aftercall/templates"
	"aftercall/worker"
)

// workbench is the page on which an author tries a config without deploying it: the check of the command line (all of it but
// AC410, for tests are no part of a draft), one call decided by the very steps of the line (worker.Rehearse), and the messages
// that would go out. It reads what is active and
// which calls there are, and writes nothing: what an author makes of the files leaves as a download. What is typed comes
// with every request, so that nothing of it is kept here either.
type workbench struct {
	store     *store.Store
	revisions *worker.Revisions
	samples   []sample
	trial     *trial
	letters   *letters
	checks    *pace
	tries     *pace
	compiling chan struct{} // a place for each check at once
	simulated bool
}

// How much one process does for authors. Beyond that a page is asked to wait a second, and does.
const (
	checksPerSecond, checksAtOnce = 10, 30
	triesPerSecond, triesAtOnce   = 2, 10
	compilesAtOnce                = 2
)

func newWorkbench(c Config) (*workbench, error) {
	calls, err := samples()
	if err != nil {
		return nil, err
	}
	purses := &worker.Purses{Store: c.Store, Revisions: c.Revisions, Logger: c.Logger, TokensPerDay: c.TokensPerDay, Now: c.Now}
	return &workbench{
		store: c.Store, revisions: c.Revisions, samples: calls, letters: newLetters(), simulated: c.Simulated,
		trial:     newTrial(c.Model, purses),
		checks:    newPace(checksPerSecond, checksAtOnce, c.Now),
		tries:     newPace(triesPerSecond, triesAtOnce, c.Now),
		compiling: make(chan struct{}, compilesAtOnce),
	}, nil
}

// routes adds the workbench's addresses. Each answers with a whole page, a part of one, or a file; within renders it.
func (b *workbench) routes(rs *routes, within func(time.Duration, computes) http.Handler) {
	rs.add("GET /workbench", people.Try, within(queryTime, b.open))
	rs.add("POST /workbench", people.Try, within(tryTime, b.posted))
	rs.add("POST /workbench/check", people.Try, within(queryTime, b.check))
	rs.add("POST /workbench/try", people.Try, within(tryTime, b.try))
	rs.add("POST /workbench/files", people.Try, within(queryTime, b.files))
	rs.add("GET /workbench/words.json", people.Try, within(queryTime, b.words))
	rs.add("GET /workbench/rules/{code}", people.Try, within(queryTime, b.rule))
	rs.add("GET /workbench/messages/{id}", people.Try, within(queryTime, b.letter))
}

// reader reads for whoever asks, where they may try things.
func (b *workbench) reader(ctx context.Context) *store.Reader {
	return b.store.Within(people.Of(ctx).Accounts(people.Try))
}

// workbenchPage is the view of workbench.html.
type workbenchPage struct {
	Nonce     string // lets the editor, and nothing else, add a style sheet to this page
	Session   string
	From      string // what the files began as
	Starts    []choices
	Configs   []configView // what is active is not what is in its folder
	Files     []fileView
	Calls     []choices
	Call      string
	Check     checkView
	Try       *tryView // nil: nothing was tried yet
	Helpers   []templates.Helper
	Simulated bool
	Largest   int // bytes of one file
}

// choices are the options of a select element under one heading.
type choices struct {
	Label   string
	Options []choice
}

// choice is one option.
type choice struct {
	Value, Label string
	Chosen       bool
}

// fileView is one file in its text field.
type fileView struct {
	Index      int
	Name, Text string
	Open       bool
}

// open is GET /workbench: a fresh draft of what is active, a starter or an example.
func (b *workbench) open(r *http.Request) (answer, error) {
	from := r.URL.Query().Get("from")
	if from == "" {
		from = b.usual(r.Context())
	}
	files, err := b.start(r.Context(), from)
	if err != nil {
		return answer{}, err
	}
	d := draft{Files: files, From: from, Call: r.URL.Query().Get("call"), Session: rand.Text()}
	return b.page(r.Context(), d, false)
}

// posted is POST /workbench: the page for a browser without JavaScript. Each of its buttons posts the whole draft, says what
// it is for, and gets the whole page back.
func (b *workbench) posted(r *http.Request) (answer, error) {
	d, err := readDraft(r)
	if err != nil {
		return answer{}, err
	}
	what, which, _ := strings.Cut(d.Do, ":")
	n, _ := strconv.Atoi(which) // 0 for none
	switch what {
	case "add":
		err = d.add(d.New)
	case "remove":
		err = d.remove(n)
	case "fix":
		_, problems, failed := b.compile(r.Context(), d)
		if err = failed; err == nil {
			err = d.fix(problems, n)
		}
	}
	if err != nil {
		return answer{}, err
	}
	return b.page(r.Context(), d, what == "try")
}

// page lays a draft out, checked and, if asked for, tried.
func (b *workbench) page(ctx context.Context, d draft, tried bool) (answer, error) {
	rev, problems, err := b.compile(ctx, d)
	if err != nil {
		return answer{}, err
	}
	view := workbenchPage{
		Nonce: rand.Text(), Session: d.Session, From: d.From, Call: d.Call, Simulated: b.simulated, Largest: automation.MaxFileSize,
		Check: d.checked(rev, problems), Helpers: templates.Helpers(),
	}
	if tried {
		if view.Try, err = b.tried(ctx, d, rev); err != nil {
			return answer{}, err
		}
	}
	if view.Starts, err = b.starts(ctx, d.From); err != nil {
		return answer{}, err
	}
	if view.Configs, err = b.troubles(ctx, d.From); err != nil {
		return answer{}, err
	}
	if view.Calls, err = b.calls(ctx, d); err != nil {
		return answer{}, err
	}
	for i, f := range d.Files {
		view.Files = append(view.Files, fileView{Index: i, Name: f.Name, Text: f.Text, Open: i == 0 || view.Check.about(f.Name)})
	}
	return answer{
		Template: "workbench", Title: "Workbench", Section: "workbench", View: view, Draft: true, Policy: workbenchPolicy(view.Nonce),
	}, nil
}

// compile checks a draft as `aftercall check` does. What has no place in a config folder is reported in the same way and
// left out.
func (b *workbench) compile(ctx context.Context, d draft) (*automation.Revision, []automation.Problem, error) {
	if !b.checks.allow() {
		return nil, nil, tooFast()
	}
	select {
	case b.compiling <- struct{}{}:
		defer func() { <-b.compiling }()
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	files, misplaced := d.config()
	rev, problems := automation.Compile(files)
	if len(misplaced) > 0 {
		rev = nil
	}
	return rev, append(misplaced, problems...), nil
}

// checkAnswer is what the page's module gets for a draft: places for the editor, and the list as it stands on the page.
type checkAnswer struct {
	OK       bool          `json:"ok"` // it compiles, and so it can be tried
	Problems []problemView `json:"problems"`
	Names    []nameView    `json:"names"`
	List     string        `json:"list"`  // HTML
	Aside    string        `json:"aside"` // HTML: the list of names
}

// check is POST /workbench/check.
func (b *workbench) check(r *http.Request) (answer, error) {
	d, err := readDraft(r)
	if err != nil {
		return answer{}, err
	}
	rev, problems, err := b.compile(r.Context(), d)
	if err != nil {
		return answer{}, err
	}
	view := d.checked(rev, problems)
	return answer{Check: &view}, nil
}

// try is POST /workbench/try: what would become of the chosen call, as a part of the page.
func (b *workbench) try(r *http.Request) (answer, error) {
	d, err := readDraft(r)
	if err != nil {
		return answer{}, err
	}
	rev, _, err := b.compile(r.Context(), d)
	if err != nil {
		return answer{}, err
	}
	view, err := b.tried(r.Context(), d, rev)
	if err != nil {
		return answer{}, err
	}
	return answer{Template: "workbench_try", View: view, Bare: true}, nil
}

// files is POST /workbench/files: the draft as one zip, or one file of it.
func (b *workbench) files(r *http.Request) (answer, error) {
	d, err := readDraft(r)
	if err != nil {
		return answer{}, err
	}
	f, err := d.download()
	return answer{File: f}, err
}

// letter is GET /workbench/messages/{id}: a rendered message's HTML under the sandbox policy.
func (b *workbench) letter(r *http.Request) (answer, error) {
	html, ok := b.letters.find(people.Of(r.Context()).ID, r.PathValue("id"))
	if !ok {
		return answer{}, store.ErrNotFound
	}
	return answer{Message: html}, nil
}

// checkJSON writes what the module gets.
func (p *pages) checkJSON(v *checkView) (*file, error) {
	a := checkAnswer{OK: v.OK, Problems: v.Problems, Names: v.Names}
	var list, aside bytes.Buffer
	err := errors.Join(p.tree.ExecuteTemplate(&list, "workbench-problems", v), p.tree.ExecuteTemplate(&aside, "workbench-names", v))
	if err != nil {
		return nil, fmt.Errorf("render the check of a draft: %w", err)
	}
	a.List, a.Aside = list.String(), aside.String()
	body, err := json.Marshal(a)
	if err != nil {
		return nil, fmt.Errorf("write the check of a draft: %w", err)
	}
	return &file{Type: "application/json", Body: body}, nil
}

// workbenchPolicy is pagePolicy with one more way in for a style sheet. The editor measures what it shows and writes its
// rules into a <style> element of its own (EditorView.cspNonce); the nonce is made anew for each page, so no other style
// element gets through, and style attributes and scripts are held to as everywhere.
func workbenchPolicy(nonce string) string {
	return strings.Replace(pagePolicy, "style-src 'self'", "style-src 'self' 'nonce-"+nonce+"'", 1)
}
