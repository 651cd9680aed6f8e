package dashboard_test

import (
	"bytes"
	"encoding/json"
	"io"
	"io/fs"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"aftercall/automation"
	"aftercall/dashboard"
	"aftercall/examples"
	"aftercall/internal/llm/openai"
	"aftercall/internal/llm/simulated"
	"aftercall/internal/store"
	"aftercall/worker"
)

// bench is a house whose workbench asks the simulated model, over HTTP, counted.
func bench(t *testing.T, change ...func(*dashboard.Config)) (h *house, asked *atomic.Int32) {
	t.Helper()
	asked = &atomic.Int32{}
	answers := simulated.New(simulated.Options{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		answers.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	model, err := openai.New(openai.Config{BaseURL: server.URL + "/v1", Model: simulated.ModelName})
	if err != nil {
		t.Fatal(err)
	}
	h = newHouse(t, append([]func(*dashboard.Config){func(c *dashboard.Config) { c.Model = model }}, change...)...)
	return h, asked
}

// post posts the workbench's form and returns what came.
func (h *house) post(path string, fields ...string) (*http.Response, string) {
	h.t.Helper()
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	for i := 0; i+1 < len(fields); i += 2 {
		h.must(form.WriteField(fields[i], fields[i+1]))
	}
	h.must(form.Close())
	r, err := http.NewRequestWithContext(h.t.Context(), "POST", h.url+path, &b)
	h.must(err)
	r.Header.Set("Content-Type", form.FormDataContentType())
	answer, err := http.DefaultTransport.RoundTrip(r)
	h.must(err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	h.must(err)
	return answer, string(body)
}

// activate makes a config of one file an account's.
func (h *house) activate(account, text string) {
	h.t.Helper()
	id, err := h.store.SaveRevision(h.t.Context(), store.RevisionFiles{AccountID: account, Digest: strings.Repeat("cd", 32), Format: 1,
		Files: map[string][]byte{"account.yaml": []byte(text)}}, "test")
	h.must(err)
	_, err = h.store.Activate(h.t.Context(), store.Activation{AccountID: account, RevisionID: id, By: "test"})
	h.must(err)
}

// starter gives the fields of a draft: the example's account with one starter, the body changed by change.
func starter(t *testing.T, change func(body string) string) []string {
	t.Helper()
	account, err := fs.ReadFile(examples.Files(), "acme/account.yaml")
	if err != nil {
		t.Fatal(err)
	}
	files, err := automation.ReadFS(automation.Starters())
	if err != nil {
		t.Fatal(err)
	}
	return []string{
		"session", "s1", "call", "sample:01-callback-requested",
		"name", "account.yaml", "text", string(account),
		"name", "callback-requested/automation.yaml", "text", string(files["callback-requested/automation.yaml"]),
		"name", "callback-requested/email.md.hbs", "text", change(string(files["callback-requested/email.md.hbs"])),
	}
}

func same(s string) string { return s }

func TestTheWorkbenchOpens(t *testing.T) {
	t.Parallel()
	h, _ := bench(t)
	for path, wants := range map[string][]string{
		"/workbench": {"account: acme", "Nothing is wrong with it.", "sample:01-callback-requested", "simulated model", "data-nonce="},
		"/workbench?from=starter:callback-requested": {"callback-requested/email.md.hbs", "dyn_callback_when", "When the customer wants to be called back"},
		"/workbench?from=example:acme":               {"worked-examples.yaml"},
	} {
		answer, body := h.get("GET", path)
		if answer.StatusCode != http.StatusOK || answer.Header.Get("Page-Version") != "" {
			t.Errorf("%s: got %d, version %q", path, answer.StatusCode, answer.Header.Get("Page-Version"))
		}
		for _, want := range wants {
			if !strings.Contains(body, want) {
				t.Errorf("%s does not say %q", path, want)
			}
		}
		nonce, _, _ := strings.Cut(after(body, `data-nonce="`), `"`)
		if policy := answer.Header.Get("Content-Security-Policy"); nonce == "" || !strings.Contains(policy, "style-src 'self' 'nonce-"+nonce+"';") {
			t.Errorf("%s: the nonce %q is not in the policy %q", path, nonce, policy)
		}
	}
	for _, path := range []string{
		"/workbench?from=active:nobody", "/workbench?from=starter:none", "/workbench?from=x", "/workbench/messages/none",
		"/workbench/rules/AC999", "/workbench/rules/..%2f..%2frules%2fAC101",
	} {
		if answer, _ := h.get("GET", path); answer.StatusCode != http.StatusNotFound {
			t.Errorf("%s: got %d, want 404", path, answer.StatusCode)
		}
	}
}

// after is what follows a mark in a text.
func after(s, mark string) string {
	_, rest, _ := strings.Cut(s, mark)
	return rest
}

func TestTheWorkbenchBeginsWithWhatIsActive(t *testing.T) {
	t.Parallel()
	var revisions *worker.Revisions
	h, _ := bench(t, func(c *dashboard.Config) { revisions = c.Revisions })
	h.activate("quiet", "account: quiet\nname: Quiet House\n")
	h.must(revisions.Refresh(t.Context()))
	if _, body := h.get("GET", "/workbench"); !strings.Contains(body, "name: Quiet House") || !strings.Contains(body, `value="active:quiet" selected`) {
		t.Errorf("the workbench does not begin with the active config: %s", body)
	}
}

// A draft that begins as what is active says so if the folder holds something else.
func TestTheWorkbenchSaysThatTheFolderWasNotTaken(t *testing.T) {
	t.Parallel()
	var revisions *worker.Revisions
	h, _ := bench(t, func(c *dashboard.Config) { revisions = c.Revisions })
	h.activate("quiet", "account: quiet\nname: Quiet House\ntimezone: Europe/London\n")
	h.must(revisions.Refresh(t.Context()))
	h.must(h.store.RecordAttempt(t.Context(), store.Attempt{AccountID: "quiet", Folder: "/etc/quiet", Host: "here",
		State: store.AttemptInvalid, Problems: 1, FirstProblem: "account.yaml:2:1: error[AC101]: unknown key nmae", Digest: "d"}))
	if _, body := h.get("GET", "/workbench"); !strings.Contains(body, "The config of Quiet House is not what is in its folder") || !strings.Contains(body, "unknown key nmae") {
		t.Errorf("the page does not say it: %s", body)
	}
	if _, body := h.get("GET", "/workbench?from=example:acme"); strings.Contains(body, "is not what is in its folder") {
		t.Error("a draft of the example is told of another account's folder")
	}
}

// What the check names is explained, in the words of `aftercall explain`.
func TestTheWorkbenchExplainsEveryRule(t *testing.T) {
	t.Parallel()
	h, _ := bench(t)
	for _, rule := range automation.Rules() {
		answer, body := h.get("GET", "/workbench/rules/"+rule.Code)
		if answer.StatusCode != http.StatusOK || !strings.Contains(body, "<h1>"+rule.Code+": ") || !strings.Contains(body, "<h2>Right</h2>") || strings.Contains(body, "raw HTML omitted") {
			t.Errorf("%s: got %d: %s", rule.Code, answer.StatusCode, body)
		}
	}
}

func TestTheWorkbenchGivesTheWordsOfTheFormat(t *testing.T) {
	t.Parallel()
	h, _ := bench(t)
	var got struct {
		Schema  struct{ Properties map[string]any }
		Helpers []struct{ Name, Usage string }
	}
	answer, body := h.get("GET", "/workbench/words.json")
	if err := json.Unmarshal([]byte(body), &got); err != nil || answer.Header.Get("Content-Type") != "application/json" {
		t.Fatalf("got %q, %v: %.200s", answer.Header.Get("Content-Type"), err, body)
	}
	if got.Schema.Properties["automations"] == nil || len(got.Helpers) == 0 || got.Helpers[0].Usage == "" {
		t.Errorf("%d keys and %d helpers", len(got.Schema.Properties), len(got.Helpers))
	}
}

// What the workbench says of a folder is what the command line says.
func TestTheWorkbenchChecksAsTheCommandLineDoes(t *testing.T) {
	t.Parallel()
	h, asked := bench(t)
	fields := starter(t, func(body string) string { return body + "\nDear {{customer_nmae}}\n" })
	fields[7] += "\nvariables: { dyn_never: { type: text } }\n" // a warning, if nothing else keeps the folder from being read
	answer, body := h.post("/workbench/check", fields...)
	var got struct {
		OK       bool
		Problems []struct {
			File, Severity, Code, Message, Help, Fix, Was string
			Line, Column, Length                          int
		}
		Names []struct{ Name string }
		List  string
	}
	if err := json.Unmarshal([]byte(body), &got); err != nil || answer.StatusCode != 200 {
		t.Fatalf("got %d, %v: %s", answer.StatusCode, err, body)
	}
	files := automation.Files{}
	for i := 4; i+3 < len(fields); i += 4 {
		files[fields[i+1]] = []byte(fields[i+3])
	}
	_, want := automation.Compile(files)
	if got.OK || len(got.Problems) != len(want) || len(want) == 0 {
		t.Fatalf("got %d problems, want %d", len(got.Problems), len(want))
	}
	for i, p := range want {
		g := got.Problems[i]
		if g.File != p.File || g.Line != p.Line || g.Column != p.Col || g.Length != p.Length || g.Code != p.Code || g.Message != p.Message || g.Help != p.Help {
			t.Errorf("got %+v, want %+v", g, p)
		}
	}
	if p := got.Problems[len(got.Problems)-1]; p.Fix != "customer_name" || p.Was != "customer_nmae" {
		t.Errorf("the fix is %q for %q", p.Fix, p.Was)
	}
	if len(got.Names) < 18 || !strings.Contains(got.List, "data-fix") || !strings.Contains(got.List, `href="/workbench/rules/AC201"`) {
		t.Errorf("%d names, list: %s", len(got.Names), got.List)
	}
	if asked.Load() != 0 {
		t.Error("a check asks the model")
	}
}

func TestTheWorkbenchTriesACall(t *testing.T) {
	t.Parallel()
	h, asked := bench(t)
	_, body := h.post("/workbench/try", starter(t, same)...)
	for _, want := range []string{
		"simulated model", "Callback requested", "would go out", "Could somebody call me back tomorrow after three", "<mark>", "Call back", "447700900456",
		"Ana Ruiz", "support@acme.example", "/workbench/messages/", "Nothing was sent and nothing was kept",
		"1 automation would fire, 3 messages would go out, 1 task would be written.",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the try does not say %q", want)
		}
	}
	if strings.Contains(body, "<html") {
		t.Error("a part of the page is a whole page")
	}
	once := asked.Load()
	if once == 0 {
		t.Fatal("the model was not asked")
	}
	// Another text leaves the questions as they are, so nobody is asked again, and the message changes.
	_, again := h.post("/workbench/try", starter(t, func(s string) string { return s + "\nRing **soon**.\n" })...)
	if asked.Load() != once || !strings.Contains(again, "nothing was asked again") || !strings.Contains(again, "Ring soon.") {
		t.Errorf("asked %d times, then %d: %s", once, asked.Load(), again)
	}
	frame, _, _ := strings.Cut(after(again, `src="/workbench/messages/`), `"`)
	answer, html := h.get("GET", "/workbench/messages/"+frame)
	if policy := answer.Header.Get("Content-Security-Policy"); !strings.HasSuffix(policy, "sandbox") || !strings.Contains(html, "Ring <strong>soon</strong>") {
		t.Errorf("the message under %q: %s", policy, html)
	}
	calls, _, err := h.store.Conversations(t.Context(), store.ConversationQuery{})
	h.must(err)
	captured, _, err := h.store.CapturedMessages(t.Context(), "", "", "", 10)
	h.must(err)
	active, err := h.store.ActiveRevisions(t.Context())
	h.must(err)
	if len(calls)+len(captured)+len(active) != 0 {
		t.Errorf("a try left %d calls, %d messages and %d revisions behind", len(calls), len(captured), len(active))
	}
}

// An automation that does not fire on the call shows what it would send all the same, and says that its values are made up.
func TestTheWorkbenchShowsSamples(t *testing.T) {
	t.Parallel()
	h, _ := bench(t)
	fields := starter(t, same)
	fields[3] = "sample:10-positive-feedback"
	_, body := h.post("/workbench/try", fields...)
	for _, want := range []string{"No automation would fire.", "would not fire", `id="sample-callback-requested"`, "samples", "sample of callback when", "would go out"} {
		if !strings.Contains(body, want) {
			t.Errorf("the try does not say %q: %s", want, body)
		}
	}
}

// A warning keeps nothing from being tried, and is listed.
func TestTheWorkbenchListsWarnings(t *testing.T) {
	t.Parallel()
	h, _ := bench(t)
	fields := starter(t, same)
	fields[7] += "\nvariables: { dyn_never: { type: text } }\n"
	_, body := h.post("/workbench", append(fields, "do", "check")...)
	if !strings.Contains(body, "0 errors, 1 warning") || !strings.Contains(body, "AC402") || !strings.Contains(body, "dyn_never is declared, but nothing uses it") {
		t.Errorf("the warning is not there: %s", body)
	}
	if _, body := h.post("/workbench/try", fields...); !strings.Contains(body, "would fire") {
		t.Errorf("with a warning nothing is tried: %s", body)
	}
}

func TestTheWorkbenchTriesAStoredCall(t *testing.T) {
	t.Parallel()
	h, _ := bench(t)
	h.tell()
	_, page := h.get("GET", "/workbench?from=example:acme")
	if !strings.Contains(page, "stored:"+h.conversation) || !strings.Contains(page, "Dana Whitfield") {
		t.Error("the stored call is not offered")
	}
	fields := starter(t, same)
	fields[3] = "stored:" + h.conversation
	_, body := h.post("/workbench/try", fields...)
	if !strings.Contains(body, "Acme Clinic, how can I help?") || !strings.Contains(body, "&lt;b&gt;") {
		t.Errorf("the call is not shown as text: %s", body)
	}
}

func TestTheWorkbenchSaysWhyNothingIsTried(t *testing.T) {
	t.Parallel()
	h, _ := bench(t)
	none := newHouse(t)
	nothing := append([]string{}, starter(t, same)...)
	nothing[3] = ""
	for name, c := range map[string]struct {
		h      *house
		fields []string
		says   string
	}{
		"errors":   {h, starter(t, func(string) string { return "{{nobody" }), "The config has errors"},
		"no call":  {h, nothing, "No call is chosen"},
		"no model": {none, starter(t, same), "This process asks no model"},
	} {
		if answer, body := c.h.post("/workbench/try", c.fields...); answer.StatusCode != 200 || !strings.Contains(body, c.says) {
			t.Errorf("%s: got %d: %s", name, answer.StatusCode, body)
		}
	}
	unknown := starter(t, same)
	unknown[3] = "sample:none"
	if answer, _ := h.post("/workbench/try", unknown...); answer.StatusCode != http.StatusNotFound {
		t.Errorf("an unknown call: got %d", answer.StatusCode)
	}
}

// Without JavaScript every button posts the form and gets the whole page.
func TestTheWorkbenchWithoutJavaScript(t *testing.T) {
	t.Parallel()
	h, _ := bench(t)
	wrong := starter(t, func(body string) string { return body + "\nDear {{customer_nmae}}\n" })
	_, checked := h.post("/workbench", append(wrong, "do", "check")...)
	if !strings.Contains(checked, `value="fix:0"`) || !strings.Contains(checked, "did you mean customer_name?") || !strings.Contains(checked, "^^^") {
		t.Errorf("the page shows no fix: %s", checked)
	}
	_, mended := h.post("/workbench", append(wrong, "do", "fix:0")...)
	if !strings.Contains(mended, "Dear {{customer_name}}") || strings.Contains(mended, "customer_nmae") || !strings.Contains(mended, "Nothing is wrong with it.") {
		t.Errorf("the fix was not written: %s", mended)
	}
	_, tried := h.post("/workbench", append(starter(t, same), "do", "try")...)
	if !strings.Contains(tried, "would go out") || !strings.Contains(tried, "<html") || !strings.Contains(tried, `value="sample:01-callback-requested" selected`) {
		t.Errorf("the page shows no try: %s", tried)
	}
	_, added := h.post("/workbench", append(starter(t, same), "do", "add", "new", "more.yaml")...)
	if !strings.Contains(added, `value="more.yaml"`) {
		t.Error("the new file is not there")
	}
	_, fewer := h.post("/workbench", append(starter(t, same), "do", "remove:1")...)
	if strings.Contains(fewer, "callback-requested/automation.yaml") {
		t.Error("the file is still there")
	}
	answer, zip := h.post("/workbench/files", starter(t, same)...)
	if got := answer.Header.Get("Content-Disposition"); got != "attachment; filename=aftercall-config.zip" || !strings.HasPrefix(zip, "PK") {
		t.Errorf("got %q: %.20q", got, zip)
	}
	// A text that begins with an empty line keeps it: a browser drops the first one of a text field.
	if _, page := h.post("/workbench", "name", "account.yaml", "text", "\naccount: x\n", "do", "check"); !strings.Contains(page, ">\n\naccount: x\n</textarea>") {
		t.Error("an empty first line is lost")
	}
}

func TestTheWorkbenchIsBounded(t *testing.T) {
	t.Parallel()
	h, _ := bench(t)
	if answer, body := h.post("/workbench/check", "name", "a.yaml", "text", strings.Repeat("x", 4<<20+64<<10)); answer.StatusCode != http.StatusRequestEntityTooLarge || strings.Contains(body, "xxxx") {
		t.Errorf("more than 4 MiB: got %d", answer.StatusCode)
	}
	refused := 0
	for range 60 {
		answer, _ := h.post("/workbench/check", "name", "account.yaml", "text", "account: x\n")
		if answer.StatusCode == http.StatusTooManyRequests {
			refused++
			if answer.Header.Get("Retry-After") == "" {
				t.Error("a refusal does not say when to come again")
			}
		}
	}
	if refused == 0 {
		t.Error("sixty checks in a row were all let through")
	}
	for _, path := range []string{"/workbench", "/workbench/check", "/workbench/try", "/workbench/files"} {
		if answer, _ := h.get("POST", path, "Sec-Fetch-Site", "cross-site", "Content-Type", "text/plain"); answer.StatusCode != http.StatusForbidden {
			t.Errorf("%s from another site: got %d, want 403", path, answer.StatusCode)
		}
	}
}

// Trying costs what deciding costs: the account's budget pays, and when it is used up nobody is asked.
func TestTheWorkbenchPaysFromTheBudget(t *testing.T) {
	t.Parallel()
	var revisions *worker.Revisions
	h, asked := bench(t, func(c *dashboard.Config) { revisions, c.TokensPerDay = c.Revisions, 1000 })
	if answer, body := h.post("/workbench/try", starter(t, same)...); answer.StatusCode != http.StatusForbidden || !strings.Contains(body, "no budget") {
		t.Errorf("an account that is not here: got %d: %s", answer.StatusCode, body)
	}
	h.activate("acme", starter(t, same)[7])
	h.must(revisions.Refresh(t.Context()))
	if _, body := h.post("/workbench/try", starter(t, same)...); !strings.Contains(body, "budget_exceeded") {
		t.Errorf("a budget of 1000 tokens pays for an interview: %s", body)
	}
	if asked.Load() != 0 {
		t.Errorf("asked %d times without a budget", asked.Load())
	}
}
