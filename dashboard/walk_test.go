package dashboard_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"aftercall/dashboard"
	"aftercall/internal/store"
	"aftercall/people"
	"aftercall/worker"
)

// These tests walk every address of the pages, taken from the table that the mux is made of: without a session, with every
// role, from another site, and with the ids of an account that is not the reader's.

// canaries stand in the other account's rows and nowhere else.
var canaries = []string{"Ursula", "ursula@canary.example", "7700900777", "foreign-call", "umbra-desk"}

// world is a house with two accounts, where people sign in.
type world struct {
	*house
	theirs    told // of umbra
	people    map[string]string
	revisions *worker.Revisions
}

func newWorld(t *testing.T, change ...func(*dashboard.Config)) *world {
	t.Helper()
	w := &world{people: map[string]string{}}
	w.house, _ = bench(t, func(c *dashboard.Config) {
		w.revisions, c.Dev, c.Loopback = c.Revisions, true, false
		c.SignIn = people.NewDesk(people.Config{Store: c.Store, Logger: slog.New(slog.DiscardHandler)})
		for _, f := range change {
			f(c)
		}
	})
	w.tell()
	w.theirs = w.tellOf("umbra", "umbra-desk", "foreign-call", "Ursula Canary", "+447700900777")
	w.must(w.revisions.Refresh(t.Context()))
	for name, roles := range map[string]map[string]string{
		"nobody": nil, "viewer": {"acme": "viewer"}, "operator": {"acme": "operator"}, "author": {"acme": "author"}, "admin": {"acme": "admin"},
		"runner": {store.EveryAccount: "admin"}, "watcher": {store.EveryAccount: "viewer"}, "target": {"acme": "viewer"}, // to whom the walk does things
	} {
		id, err := w.store.AddPerson(t.Context(), store.Person{Email: name + "@acme.example", Roles: roles}, store.Actor{Name: "test"})
		w.must(err)
		w.people[name] = id
	}
	return w
}

// session signs somebody in behind the desk's back, and gives the cookie.
func (w *world) session(who string) *http.Cookie {
	w.t.Helper()
	token := uuid.NewString()
	sum := sha256.Sum256([]byte(token))
	now := time.Now()
	w.must(w.store.OpenSession(w.t.Context(), w.people[who], sum[:], now, now.Add(time.Hour), store.Act{What: store.ActSignedIn}))
	return &http.Cookie{Name: "aftercall", Value: token}
}

// said is what came back.
type said struct {
	status int
	header http.Header
	body   string
}

// ask makes a request. Of a stream it reads the header only.
func (w *world) ask(method, path, who string, header ...string) said {
	return w.send(method, path, who, nil, header...)
}

func (w *world) send(method, path, who string, form []string, header ...string) said {
	w.t.Helper()
	var body bytes.Buffer
	fields := multipart.NewWriter(&body)
	for i := 0; i+1 < len(form); i += 2 {
		w.must(fields.WriteField(form[i], form[i+1]))
	}
	w.must(fields.Close())
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, w.url+path, &body)
	w.must(err)
	r.Header.Set("Content-Type", fields.FormDataContentType())
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	if who != "" {
		r.AddCookie(w.session(who))
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	w.must(err)
	defer answer.Body.Close()
	if strings.HasPrefix(answer.Header.Get("Content-Type"), "text/event-stream") {
		return said{answer.StatusCode, answer.Header, ""}
	}
	text, err := io.ReadAll(answer.Body)
	w.must(err)
	return said{answer.StatusCode, answer.Header, string(text)}
}

// toSignIn reports whether somebody was told to sign in, and nothing else.
func (s said) toSignIn() bool {
	return s.status == http.StatusUnauthorized || s.status == http.StatusFound && strings.HasPrefix(s.header.Get("Location"), "/sign-in")
}

// leaks are the other account's words in an answer.
func (s said) leaks(t told) (found []string) {
	var head bytes.Buffer
	_ = s.header.Write(&head)
	for _, c := range append(slices.Clone(canaries), t.delivery, t.key) {
		if strings.Contains(s.body+head.String(), c) {
			found = append(found, c)
		}
	}
	return found
}

// visit is one request of the walk.
type visit struct{ method, path, needs string }

// fill puts ids into an address. A page with wildcards adds a line here, and the ids of its rows to told.
func (w *world) fill(path string, ids told) string {
	for _, f := range []struct {
		begins string
		pairs  []string
	}{
		{"/conversations/", []string{"{id}", ids.conversation, "{delivery}", ids.delivery, "{event}", ids.event, "{call}", ids.call, "{run}", "1", "{automation}", "callback-requested"}},
		{"/events/", []string{"{id}", ids.alone}},
		{"/captured/", []string{"{id}", ids.captured}},
		{"/review/", []string{"{id}", ids.conversation, "{run}", "1", "{automation}", "callback-requested", "{file}", "call.json"}},
		{"/tasks/", []string{"{id}", ids.task}},
		{"/alerts/", []string{"{id}", ids.alert}},
		{"/bulk/", []string{"{id}", ids.bulk}},
		{"/config/", []string{"{account}", ids.account, "{revision}", ids.revision}},
		{"/queue/", []string{"{queue}", worker.QueueDecide}}, // of every account
		{"/automations/", []string{"{account}", ids.account, "{id}", "callback-requested"}},
		{"/settings/keys/", []string{"{id}", ids.key}},
		{"/settings/people/", []string{"{id}", w.people["target"]}}, // people are of no account
		{"/settings/channels/", []string{"{channel}", "email"}},
		{"/workbench/messages/", []string{"{id}", strings.Repeat("ab", 32)}},
		{"/workbench/rules/", []string{"{code}", "AC305"}}, // the same for everybody
		{"/assets/", []string{"{name}", "none"}},
	} {
		if strings.HasPrefix(path, f.begins) {
			return strings.NewReplacer(f.pairs...).Replace(path)
		}
	}
	return path
}

// visits are every address there is, by each method it takes, with the ids of one account put in.
func (w *world) visits(ids told) (all []visit) {
	w.t.Helper()
	for _, a := range w.pages.Addresses() {
		path := w.fill(strings.TrimSuffix(a.Path, "{$}"), ids)
		switch {
		case a.Path == "/":
			path = "/nowhere"
		case strings.HasPrefix(path, "/admin/river/"):
			for _, more := range []string{"api/jobs", "api/states", "api/jobs/1"} {
				all = append(all, visit{"GET", path + more, a.Needs})
			}
			all = append(all, visit{"POST", path + "api/jobs/delete", a.Needs}, visit{"POST", path + "api/jobs/retry", a.Needs})
		}
		if before, is := strings.CutSuffix(path, "{act}"); is {
			for _, act := range []string{"resend", "settle", "cancel", "release"} {
				all = append(all, visit{a.Method, before + act, a.Needs})
			}
			continue
		}
		if strings.ContainsAny(path, "{}") {
			w.t.Fatalf("%s: say in fill which ids to put in", a.Path)
		}
		methods := []string{a.Method}
		if a.Method == "" {
			methods = []string{"GET", "POST"}
		}
		for _, m := range methods {
			all = append(all, visit{m, path, a.Needs})
		}
	}
	if len(all) < 25 {
		w.t.Fatalf("the table has only %d addresses", len(all))
	}
	return all
}

// sound checks what holds for every answer.
func (w *world) sound(v visit, got said) {
	w.t.Helper()
	for _, header := range []string{"Content-Security-Policy", "X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy", "Cache-Control", "Cross-Origin-Opener-Policy"} {
		if got.header.Get(header) == "" {
			w.t.Errorf("%s %s has no %s", v.method, v.path, header)
		}
	}
	if got.status >= 500 {
		w.t.Errorf("%s %s: %d", v.method, v.path, got.status)
	}
}

func TestNobodyIsLetInWithoutASession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, v := range w.visits(w.told) {
		got := w.ask(v.method, v.path, "")
		w.sound(v, got)
		public := v.needs == "anybody"
		if got.toSignIn() == public && !strings.HasPrefix(v.path, "/sign-in") || public && got.status == http.StatusForbidden {
			t.Errorf("%s %s, for %s: %d %s", v.method, v.path, v.needs, got.status, got.header.Get("Location"))
		}
		if strings.Contains(got.body, "Dana") || len(got.leaks(w.theirs)) > 0 {
			t.Errorf("%s %s tells somebody unknown: %s", v.method, v.path, got.body)
		}
	}
	for _, token := range []string{"", "x", strings.Repeat("a", 43), "'; DROP TABLE sessions; --"} {
		if got := w.ask("GET", "/conversations", "", "Cookie", "aftercall="+token); !got.toSignIn() {
			t.Errorf("the token %q: %d", token, got.status)
		}
	}
}

// TestEveryRoleOpensItsDoorsAndNoOther: 403 where a role does not give the right, else anything but that.
func TestEveryRoleOpensItsDoorsAndNoOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	opens := map[string][]string{
		"nobody": {}, "viewer": {"look"}, "operator": {"look", "addresses", "operate"}, "author": {"look", "addresses", "try"},
		"admin":  {"look", "addresses", "operate", "try", "manage"},
		"runner": {"look", "addresses", "operate", "try", "manage", "run"}, "watcher": {"look"},
	}
	for who, rights := range opens {
		for _, v := range w.visits(w.told) {
			got := w.ask(v.method, v.path, who)
			w.sound(v, got)
			open := v.needs == "anybody" || v.needs == "signedIn" || slices.Contains(rights, v.needs)
			if open && (got.status == http.StatusForbidden || got.toSignIn() && !strings.HasPrefix(v.path, "/sign-")) || !open && got.status != http.StatusForbidden {
				t.Errorf("%s as %s, for %s: %s %d", v.path, who, v.needs, v.method, got.status)
			}
			if !open && strings.Contains(got.body, "Dana") {
				t.Errorf("%s tells %s", v.path, who)
			}
		}
	}
}

func TestNothingIsChangedFromAnotherSite(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, v := range w.visits(w.told) {
		for _, method := range []string{"POST", "PUT", "PATCH", "DELETE"} {
			for _, from := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}} {
				got := w.ask(method, v.path, "runner", from...)
				w.sound(v, got)
				if got.status != http.StatusForbidden {
					t.Errorf("%s %s from another site (%s): %d", method, v.path, from[0], got.status)
				}
			}
		}
	}
	if acts, _, err := w.store.Acts(t.Context(), "", "", 200); err != nil || slices.ContainsFunc(acts, func(a store.Act) bool { return a.What == store.ActRevealed }) {
		t.Errorf("something was revealed all the same: %v", err)
	}
}

// TestAForeignIDFindsNothing asks for the other account's rows, as somebody who may do everything in their own.
func TestAForeignIDFindsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, who := range []string{"viewer", "operator", "author", "admin"} {
		for _, v := range w.visits(w.theirs) {
			got := w.ask(v.method, v.path, who)
			w.sound(v, got)
			if found := got.leaks(w.theirs); len(found) > 0 {
				t.Errorf("%s %s tells %s of %v", v.method, v.path, who, found)
			}
			named := slices.ContainsFunc(w.theirs.ids(), func(id string) bool { return strings.Contains(v.path, id) })
			if named && got.status != http.StatusNotFound && got.status != http.StatusForbidden {
				t.Errorf("%s %s as %s: %d, want 404, or 403 where their role has no door", v.method, v.path, who, got.status)
			}
		}
		for _, path := range []string{
			"/conversations?account=umbra", "/conversations?q=Ursula", "/conversations?q=" + url.QueryEscape("+447700900777"), "/conversations?q=ursula@canary.example",
			"/conversations?q=" + w.theirs.conversation, "/conversations?q=callback-requested", "/captured?account=umbra", "/captured?channel=email",
			"/conversations/foreign-call", "/conversations/foreign-call?account=umbra", "/conversations/" + w.theirs.conversation + "?account=umbra",
			"/conversations/" + w.conversation + "/deliveries/" + w.theirs.delivery, "/conversations/" + w.conversation + "/events/" + w.theirs.event,
			"/conversations/" + w.conversation + "/calls/" + w.theirs.call, "/conversations/" + w.conversation + "/deliveries/" + w.theirs.delivery + "/text",
			"/settings/log?account=umbra", "/settings/log?within=3660", "/bulk?account=umbra", "/bulk/" + w.theirs.bulk,
			"/bulk/ask?account=umbra&action=replay_same", "/config?account=umbra", "/config/activations?account=umbra",
			"/config/diff?account=umbra&from=abababab&to=abababab", "/config/diff?account=acme&from=" + w.theirs.revision + "&to=abababab",
		} {
			got := w.ask("GET", path, who)
			// What somebody typed stands in their own search box.
			got.body = strings.NewReplacer(`value="Ursula"`, "", "<strong>Ursula</strong>", "", "Conversations: Ursula", "",
				`value="ursula@canary.example"`, "", "<strong>ursula@canary.example</strong>", "", "Conversations: ursula@canary.example", "",
				"447700900777", "").Replace(got.body)
			if found := got.leaks(w.theirs); len(found) > 0 || strings.Contains(got.body, "data-row") && strings.Contains(got.body, w.theirs.conversation) {
				t.Errorf("%s tells %s of %v", path, who, found)
			}
		}
	}
}

// TestAForeignAccountIsNotOnTheWorkbench: neither its files nor its calls, nor its budget.
func TestAForeignAccountIsNotOnTheWorkbench(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	own := []string{"name", "account.yaml", "text", "account: acme\ntimezone: Europe/London\n"}
	foreign := []string{"name", "account.yaml", "text", "account: umbra\ntimezone: Europe/London\n"}
	with := func(files []string, more ...string) []string { return append(slices.Clone(files), more...) }
	for name, got := range map[string]said{
		"a start from its files": w.ask("GET", "/workbench?from=active:umbra", "author"),
		"its call, by link":      w.ask("GET", "/workbench?call=stored:"+w.theirs.conversation, "author"),
		"its call, by id":        w.send("POST", "/workbench/try", "author", with(own, "call", "stored:"+w.theirs.conversation)),
		"its call, by their id":  w.send("POST", "/workbench/try", "author", with(own, "call", "stored:foreign-call")),
		"its list of calls":      w.send("POST", "/workbench", "author", with(own, "from", "active:umbra")),
		"its name in a draft":    w.send("POST", "/workbench/try", "author", with(foreign, "call", "stored:"+w.conversation)),
	} {
		if found := got.leaks(w.theirs); len(found) > 0 || got.status >= 500 {
			t.Errorf("%s: %d, %v", name, got.status, found)
		}
	}
	if got := w.send("POST", "/workbench/try", "author", with(foreign, "call", "stored:"+w.conversation)); !strings.Contains(got.body, "not one of yours") {
		t.Errorf("a draft of the other account: %d %s", got.status, got.body)
	}
	if got := w.ask("GET", "/workbench?from=active:umbra", "runner"); !strings.Contains(got.body, "account: umbra") {
		t.Errorf("somebody who may: %d %s", got.status, got.body)
	}
}

// TestAViewerSeesNoNumbers until they ask, which is written down.
func TestAViewerSeesNoNumbers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	secret := func(s string) bool {
		return strings.Contains(s, "7700900123") || strings.Contains(s, "dana@whitfield") || strings.Contains(s, "support@acme")
	}
	call, kept := "/conversations/"+w.conversation, "/captured/"+w.captured
	for _, path := range []string{"/conversations", "/deliveries", call, "/captured", kept, kept + "/html", call + "/deliveries/" + w.delivery, call + "/deliveries/" + w.delivery + "/text",
		call + "/events/" + w.event, call + "/calls/" + w.call} {
		got := w.ask("GET", path, "viewer")
		if got.status != http.StatusOK || secret(got.body) || secret(fmt.Sprint(got.header)) {
			t.Errorf("%s: %d %s", path, got.status, got.body)
		}
		if full := w.ask("GET", path, "operator"); full.status != http.StatusOK || !strings.Contains(path, "html") && !strings.Contains(path, "deliveries") && !secret(full.body) {
			t.Errorf("%s hides them from an operator: %d", path, full.status)
		}
	}
	shown := 0
	for _, v := range w.visits(w.told) {
		if v.method != "GET" {
			continue
		}
		if got := w.ask(v.method, v.path, "viewer"); secret(got.body) || secret(fmt.Sprint(got.header)) {
			t.Errorf("%s shows them: %s", v.path, got.body)
		}
		if secret(w.ask(v.method, v.path, "operator").body) {
			shown++
		}
	}
	if shown < 4 {
		t.Errorf("only %d addresses show them to an operator: is there anything to mask?", shown)
	}
	if acts, _, err := w.store.FindActs(t.Context(), store.ActQuery{What: store.ActRevealed}); err != nil || len(acts) != 0 {
		t.Fatalf("%+v, %v", acts, err)
	}
	for page, path := range map[string]string{"conversation": call, "captured": kept} {
		got := w.ask("POST", path+"/reveal", "viewer")
		if got.status != http.StatusOK || !secret(got.body) || strings.Contains(got.body, "•••") {
			t.Errorf("revealed: %d %s", got.status, got.body)
		}
		if again := w.ask("GET", path+"/reveal", "viewer"); again.status != http.StatusNotFound && again.status != http.StatusMethodNotAllowed {
			t.Errorf("a revealed page has an address: %d", again.status)
		}
		acts, _, err := w.store.Acts(t.Context(), "acme", "", 1)
		if err != nil || len(acts) != 1 || acts[0].What != store.ActRevealed || acts[0].By.PersonID != w.people["viewer"] ||
			acts[0].By.Address != "127.0.0.1" || acts[0].Detail["page"] != page || !strings.Contains(path, acts[0].Target) {
			t.Errorf("the log: %+v, %v", acts, err)
		}
	}
}
