package dashboard

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"aftercall/automation"
	"aftercall/internal/llm"
	"aftercall/internal/store"
	"aftercall/templates"
	"aftercall/variables"
)

// fixtureWorkbench is the workbench in the middle of somebody's work, with everything free written by the story's author.
func fixtureWorkbench(story store.Story, n names) workbenchPage {
	said := story.Digest
	d := draft{Files: []draftFile{{"account.yaml", said}, {said, "\n" + said}}}
	check := d.checked(nil, []automation.Problem{
		{File: "account.yaml", Line: 1, Col: 1, Length: 1, Severity: automation.Error, Code: "AC101", Message: said, Help: said, Excerpt: said},
		{File: said + "/", Line: 3, Col: 4, Severity: automation.Warning, Code: said, Message: said, Help: "did you mean " + said + "?"},
	})
	check.Problems[0].Fix, check.Problems[0].Was = "word", "wrod"
	check.Names = []nameView{{Name: said, Kind: said, Says: said, Dyn: true}}
	p := workbenchPage{Nonce: "abc", Session: said, From: said, Call: said, Check: check, Simulated: true,
		Try:     layTry(story, n, spent{Model: said, Asked: 1}, func(html string) string { return newLetters().keep("", html) }),
		Configs: configTroubles(fixtureTroubles(said), func(string) names { return n }), Helpers: templates.Helpers(),
		Starts: []choices{{said, []choice{{said, said, true}}}}, Calls: []choices{{said, []choice{{said, said, false}}}}}
	for i := range p.Try.NotFired {
		a := &p.Try.NotFired[i]
		a.Sample = &sampleView{Anchor: anchor("sample", a.Anchor, strconv.Itoa(i)), Values: []fact{{said, said}}}
	}
	for i, f := range d.Files {
		p.Files = append(p.Files, fileView{i, f.Name, f.Text, i == 0})
	}
	return p
}

// post makes a request as a browser posts the form.
func post(t *testing.T, fields ...string) *http.Request {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for i := 0; i+1 < len(fields); i += 2 {
		if err := w.WriteField(fields[i], fields[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest("POST", "/workbench", &b)
	r.Header.Set("Content-Type", w.FormDataContentType())
	return r
}

func TestReadDraft(t *testing.T) {
	t.Parallel()
	got, err := readDraft(post(t, "name", " account.yaml ", "text", "a: 1\r\nb: 2\r\n", "name", "x.hbs", "text", "",
		"from", "active:acme", "call", "sample:01", "session", "s", "do", "fix:1", "new", " y.yaml ", "one", "1"))
	if err != nil {
		t.Fatal(err)
	}
	want := draft{Files: []draftFile{{"account.yaml", "a: 1\nb: 2\n"}, {"x.hbs", ""}}, From: "active:acme", Call: "sample:01",
		Session: "s", Do: "fix:1", New: "y.yaml", One: "1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestReadDraftRefuses(t *testing.T) {
	t.Parallel()
	many := []string{}
	for range automation.MaxFiles + 1 {
		many = append(many, "name", "a.yaml", "text", "")
	}
	broken := post(t, "name", "a.yaml")
	broken.Header.Set("Content-Type", "multipart/form-data")
	for name, c := range map[string]struct {
		r    *http.Request
		want int
	}{
		"a name without a text":  {post(t, "name", "a.yaml"), 400},
		"more files than may be": {post(t, many...), 400},
		"no boundary":            {broken, 400},
		"too much":               {post(t, "name", "a.yaml", "text", strings.Repeat("x", mostPosted)), 413},
	} {
		_, err := readDraft(c.r)
		var posted *postedError
		if !errors.As(err, &posted) || posted.status != c.want || posted.remedy == "" {
			t.Errorf("%s: got %v, want a refusal with %d", name, err, c.want)
		}
	}
}

func TestMisplacedFilesAreProblems(t *testing.T) {
	t.Parallel()
	d := draft{Files: []draftFile{{"account.yaml", "account: a\n"}, {"account.yaml", ""}, {"../up.yaml", ""}, {`a\b.yaml`, ""}, {"", ""}, {"notes.txt", ""},
		{"tests/x.yaml", ""}, {"x.test.yaml", ""}, {"/root.yaml", ""}, {"mail/body.md.hbs", "x"}}}
	files, problems := d.config()
	if len(files) != 2 || files["mail/body.md.hbs"] == nil {
		t.Errorf("config of %d files, want account.yaml and the body", len(files))
	}
	if len(problems) != 8 {
		t.Errorf("%d problems, want one for each of the others: %v", len(problems), problems)
	}
	if f, err := d.download(); err == nil {
		t.Errorf("a draft with misplaced files is packed: %s", f.Name)
	}
}

func TestSuggested(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, line, wrong, help, want string
	}{
		{"a key", "  subjct: x", "subjct", "did you mean subject?", "subject"},
		{"a variable", "Hi {{customer_nmae}}", "customer_nmae", "did you mean customer_name?", "customer_name"},
		{"with more to say", "{{dyn_whne}}", "dyn_whne", "did you mean dyn_when? If not, declare it", "dyn_when"},
		{"a helper", "{{uper x}}", "uper", "did you mean the helper upper?", "upper"},
		{"beside other scripts", "日本語 {{nmae}}", "nmae", "did you mean name?", "name"},
		{"a block has an end, too", "{{#ech x}}", "{{#ech x}}", "did you mean {{#each}}?", ""},
		{"in quotes", `to: "suport"`, `"suport"`, "did you mean support?", `"support"`},
		{"in single quotes", `to: 'suport'`, `'suport'`, "did you mean support?", `'support'`},
		{"half in quotes", `to: "suport x`, `"suport`, "did you mean support?", ""},
		{"without the quotes it needs", `phone: +447700900124`, "+447700900124", `write "+447700900124"`, `"+447700900124"`},
		{"with more to write", `to: x`, "x", `write "x" and "y"`, ""},
		{"no suggestion", "subjct: x", "subjct", "known here: subject", ""},
		{"the same", "subject: x", "subject", "did you mean subject?", ""},
	} {
		runes, wrong := []rune(c.line), []rune(c.wrong)
		p := automation.Problem{Line: 1, Col: indexRunes(runes, wrong) + 1, Length: len(wrong), Help: c.help}
		got, ok := suggested(p, c.line)
		if ok != (c.want != "") || ok && got != c.want {
			t.Errorf("%s: got %q, %v", c.name, got, ok)
		}
	}
	if _, ok := suggested(automation.Problem{Col: 5, Length: 9, Help: "did you mean x?"}, "short"); ok {
		t.Error("a place beyond the line has a fix")
	}
}

func TestFixAddRemove(t *testing.T) {
	t.Parallel()
	d := draft{Files: []draftFile{{"a.yaml", "one: 1\n日本 subjct: x\nthree: 3\n"}}}
	p := automation.Problem{File: "a.yaml", Line: 2, Col: 4, Length: 6, Help: "did you mean subject?"}
	if err := d.fix([]automation.Problem{p}, 0); err != nil {
		t.Fatal(err)
	}
	if want := "one: 1\n日本 subject: x\nthree: 3\n"; d.Files[0].Text != want {
		t.Errorf("got %q, want %q", d.Files[0].Text, want)
	}
	for name, err := range map[string]error{
		"nothing to write": d.fix([]automation.Problem{{File: "a.yaml", Line: 1, Col: 1, Length: 3}}, 0), "no such problem": d.fix(nil, 0), "a file from elsewhere": d.fix([]automation.Problem{{File: "b.yaml"}}, 0),
		"no name": d.add(""), "a name that is taken": d.add("a.yaml"), "no such file": d.remove(1), "none": d.remove(-1),
	} {
		if err == nil {
			t.Errorf("%s: no refusal", name)
		}
	}
	if err := errors.Join(d.add("b.hbs"), d.remove(0)); err != nil || len(d.Files) != 1 || d.Files[0].Name != "b.hbs" {
		t.Errorf("got %v, %v", d.Files, err)
	}
}

func TestDownload(t *testing.T) {
	t.Parallel()
	d := draft{Files: []draftFile{{"account.yaml", "account: a\n"}, {"mail/body.hbs", "Hi\n"}}, One: "1"}
	one, err := d.download()
	if err != nil || one.Name != "body.hbs" || string(one.Body) != "Hi\n" || !strings.HasPrefix(one.Type, "text/plain") {
		t.Errorf("got %+v, %v", one, err)
	}
	d.One = ""
	all, err := d.download()
	if err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(all.Body), int64(len(all.Body)))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		got[f.Name] = string(content)
	}
	if diff := cmp.Diff(map[string]string{"account.yaml": "account: a\n", "mail/body.hbs": "Hi\n"}, got); diff != "" {
		t.Error(diff)
	}
	d.One = "7"
	if _, err := d.download(); err == nil {
		t.Error("a file that is not there is downloaded")
	}
}

func TestEverySystemNameIsExplained(t *testing.T) {
	t.Parallel()
	says := systemNames()
	for name := range variables.SystemNames() {
		if says[name] == "" {
			t.Errorf("%s is not explained to authors", name)
		}
		delete(says, name)
	}
	for name := range says {
		t.Errorf("%s is explained and does not exist", name)
	}
}

// scripted answers, or fails, and counts how often it was asked.
type scripted struct {
	asked int
	err   error
}

func (s *scripted) Complete(ctx context.Context, q llm.Request) (llm.Reply, error) {
	s.asked++
	if q.Reserve != nil {
		settle, err := q.Reserve(ctx, 1)
		if err != nil {
			return llm.Reply{}, err
		}
		settle(1)
	}
	return llm.Reply{Content: q.Messages[0].Content, Model: "m", TokensIn: 3, TokensOut: 2}, s.err
}

func TestTheSamePromptIsAskedOnce(t *testing.T) {
	t.Parallel()
	m, paid := &scripted{}, 0
	a := &asker{model: m, answers: newAnswers(), reserve: func(context.Context, int) (func(int), error) { paid++; return func(int) {}, nil }}
	question := func(text string) llm.Request {
		return llm.Request{Messages: []llm.Message{{Role: "user", Content: text}}}
	}
	for _, text := range []string{"one", "one", "two", "one"} {
		got, err := a.Complete(t.Context(), question(text))
		if err != nil || got.Content != text {
			t.Fatalf("%s: got %+v, %v", text, got, err)
		}
	}
	if want := (spent{Model: "m", Asked: 2, Remembered: 2, In: 6, Out: 4}); a.spent != want || m.asked != 2 || paid != 2 {
		t.Errorf("spent %+v, asked %d, paid %d; want %+v", a.spent, m.asked, paid, want)
	}
}

func TestOnlyFailuresOfThePromptAreRemembered(t *testing.T) {
	t.Parallel()
	for kind, asked := range map[llm.Kind]int{llm.Refused: 1, llm.TooLong: 1, llm.Unavailable: 2, llm.Quota: 2, llm.Spent: 2} {
		m := &scripted{err: &llm.Error{Kind: kind}}
		a := &asker{model: m, answers: newAnswers()}
		for range 2 {
			if _, err := a.Complete(t.Context(), llm.Request{Messages: []llm.Message{{}}}); err == nil {
				t.Errorf("%s: no error", kind)
			}
		}
		if m.asked != asked {
			t.Errorf("%s: asked %d times, want %d", kind, m.asked, asked)
		}
	}
}

func TestTheShelfDropsTheOldest(t *testing.T) {
	t.Parallel()
	s := newShelf[string](10)
	for _, name := range []string{"a", "b", "a", "c", "huge"} {
		weight := 5
		if name == "huge" {
			weight = 11
		}
		s.keep(name, name, weight)
	}
	for name, want := range map[string]bool{"a": false, "b": true, "c": true, "huge": false} {
		if _, ok := s.find(name); ok != want {
			t.Errorf("%s: kept %v, want %v", name, ok, want)
		}
	}
	if s.weight != 10 || len(s.order) != 2 || len(s.weights) != 2 {
		t.Errorf("weight %d, order %v", s.weight, s.order)
	}
}

func TestOneTryOfASessionAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turns := newTurns()
		leave, err := turns.take(t.Context(), "s")
		if err != nil {
			t.Fatal(err)
		}
		other, err := turns.take(t.Context(), "another session")
		if err != nil {
			t.Fatal(err)
		}
		other()
		began := make(chan struct{})
		go func() {
			next, err := turns.take(t.Context(), "s")
			if err != nil {
				t.Error(err)
				return
			}
			close(began)
			next()
		}()
		ctx, cancel := context.WithCancel(t.Context())
		gone := make(chan error)
		go func() { _, err := turns.take(ctx, "s"); gone <- err }()
		synctest.Wait()
		cancel()
		if err := <-gone; !errors.Is(err, context.Canceled) {
			t.Errorf("who has gone got %v", err)
		}
		select {
		case <-began:
			t.Error("two tries of a session at once")
		default:
		}
		leave()
		<-began
		synctest.Wait()
		if len(turns.of) != 0 {
			t.Errorf("%d sessions are kept that nobody has open", len(turns.of))
		}
	})
}

func TestThePace(t *testing.T) {
	t.Parallel()
	now := began
	p := newPace(2, 3, func() time.Time { return now })
	allowed := func(n int) (got int) {
		for range n {
			if p.allow() {
				got++
			}
		}
		return got
	}
	if got := allowed(5); got != 3 {
		t.Errorf("at once: %d, want 3", got)
	}
	now = now.Add(time.Second)
	if got := allowed(5); got != 2 {
		t.Errorf("a second later: %d, want 2", got)
	}
	now = now.Add(time.Hour)
	if got := allowed(5); got != 3 {
		t.Errorf("an hour later: %d, want 3", got)
	}
}

func TestOnlyTheWorkbenchTakesAStyleSheetByNonce(t *testing.T) {
	t.Parallel()
	if got, want := workbenchPolicy("n1"), strings.Replace(pagePolicy, "style-src 'self'", "style-src 'self' 'nonce-n1'", 1); got != want || got == pagePolicy {
		t.Errorf("got %q", got)
	}
	if strings.Contains(pagePolicy, "nonce") || strings.Contains(workbenchPolicy("n1"), "unsafe") {
		t.Error("a policy is wider than it says")
	}
}
