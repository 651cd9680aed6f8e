package dashboard_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"aftercall/dashboard"
	"aftercall/deliver"
	"aftercall/deliver/delivertest"
	"aftercall/deliver/email"
	"aftercall/deliver/sms"
	"aftercall/internal/store"
	"aftercall/people"
)

// by submits a form as somebody does.
func (w *world) by(who, path string, fields ...string) (*http.Response, string) {
	w.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	return w.submit(path, []*http.Cookie{w.session(who)}, form)
}

// done are the last things that were done, the newest first.
func (w *world) done(n int) (deeds []store.Deed) {
	w.t.Helper()
	acts, _, err := w.store.Acts(w.t.Context(), "", "", n+20)
	w.must(err)
	for _, a := range acts {
		if a.What != store.ActSignedIn && len(deeds) < n { // each request of these tests signs in
			deeds = append(deeds, a.What)
		}
	}
	return deeds
}

var shownOnce = regexp.MustCompile(`<code class="break">([^<]+)</code>`)

func TestAKeyIsMadeAndRevoked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	answer, body := w.by("admin", "/settings/keys", "account", "acme", "name", "Ticket desk", "scope", "post")
	made := shownOnce.FindStringSubmatch(body)
	if answer.StatusCode != http.StatusOK || made == nil {
		t.Fatalf("%d %s", answer.StatusCode, body)
	}
	key := people.KeyOf(made[1])
	if found, err := w.store.FindKey(t.Context(), key.Hash); err != nil || found.AccountID != "acme" {
		t.Errorf("the key opens %+v, %v", found, err)
	}
	for _, c := range []struct {
		scope string
		want  int
	}{{"read", http.StatusOK}, {"everything", http.StatusBadRequest}} {
		if answer, _ := w.by("admin", "/settings/keys", "account", "acme", "name", "Of scopes", "scope", c.scope, "scope", "tasks"); answer.StatusCode != c.want {
			t.Errorf("a key that may %s: %d, want %d", c.scope, answer.StatusCode, c.want)
		}
	}
	if answer, _ := w.by("admin", "/settings/keys", "account", "acme", "name", "Of none"); answer.StatusCode != http.StatusBadRequest {
		t.Errorf("a key that may do nothing: %d", answer.StatusCode)
	}
	list := w.ask("GET", "/settings/keys", "admin")
	if !strings.Contains(list.body, "read, tasks") {
		t.Errorf("the list says not what a key may: %s", list.body)
	}
	if strings.Contains(list.body, made[1]) || !strings.Contains(list.body, key.Prefix) || !strings.Contains(list.body, "Ticket desk") {
		t.Errorf("the list afterwards: %s", list.body)
	}
	revoke := "/settings/keys/" + w.key + "/revoke"
	if !strings.Contains(list.body, `action="`+revoke+`"`) {
		t.Errorf("the list has no way to revoke: %s", list.body)
	}
	for _, c := range []struct {
		account, name string
		want          int
	}{{"umbra", "x", http.StatusNotFound}, {"", "x", http.StatusNotFound}, {"none", "x", http.StatusNotFound}, {"acme", " ", http.StatusBadRequest}, {"acme", strings.Repeat("x", 101), http.StatusBadRequest}} {
		if answer, _ := w.by("admin", "/settings/keys", "account", c.account, "name", c.name, "scope", "post"); answer.StatusCode != c.want {
			t.Errorf("a key %.5q of %q: %d, want %d", c.name, c.account, answer.StatusCode, c.want)
		}
	}
	for _, want := range []int{http.StatusSeeOther, http.StatusNotFound} {
		if answer, _ := w.by("admin", revoke); answer.StatusCode != want {
			t.Errorf("revoking: %d, want %d", answer.StatusCode, want)
		}
	}
	if got := w.done(2); !slices.Equal(got, []store.Deed{store.ActKeyRevoked, store.ActKeyAdded}) {
		t.Errorf("the log: %v", got)
	}
}

func TestPeopleAreManagedOnThePages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	answer, body := w.by("runner", "/settings/people", "email", "new@acme.example", "name", "New", "role", "viewer", "account", "acme", "way", "password")
	made := shownOnce.FindStringSubmatch(body)
	if answer.StatusCode != http.StatusOK || made == nil {
		t.Fatalf("%d %s", answer.StatusCode, body)
	}
	enters := func(password string) bool {
		answer, _ := w.submit("/sign-in", nil, url.Values{"email": {"new@acme.example"}, "password": {password}})
		return answer.StatusCode == http.StatusSeeOther
	}
	if !enters(made[1]) {
		t.Error("the password that was shown lets nobody in")
	}
	if list := w.ask("GET", "/settings/people", "runner"); strings.Contains(list.body, made[1]) || !strings.Contains(list.body, "viewer in Clinic") {
		t.Errorf("the list afterwards: %s", list.body)
	}
	p, err := w.store.PersonByEmail(t.Context(), "new@acme.example")
	w.must(err)
	path := "/settings/people/" + p.ID
	for _, step := range [][]string{{"/role", "role", "operator", "account", "*"}, {"/role", "role", "none", "account", "acme"}, {"/disable"}, {"/enable"}} {
		if answer, body := w.by("runner", path+step[0], step[1:]...); answer.StatusCode != http.StatusSeeOther || answer.Header.Get("Location") != "/settings/people" {
			t.Errorf("%v: %d %s", step, answer.StatusCode, body)
		}
	}
	_, body = w.by("runner", path+"/password")
	if next := shownOnce.FindStringSubmatch(body); next == nil || enters(made[1]) || !enters(next[1]) {
		t.Errorf("the new password is not the one that counts: %s", body)
	}
	if p, err = w.store.PersonByID(t.Context(), p.ID); err != nil || len(p.Roles) != 1 || p.Roles["*"] != "operator" || p.Disabled {
		t.Errorf("%+v, %v", p, err)
	}
	want := []store.Deed{store.ActSignInRefused, store.ActPasswordSet, store.ActPersonEnabled, store.ActPersonDisabled, store.ActRoleTaken, store.ActRoleGiven}
	if got := w.done(6); !slices.Equal(got, want) {
		t.Errorf("the log: %v, want %v", got, want)
	}
}

// TestWhatIsNotTakenOfAPerson: nobody shuts themselves out, and a form is what its page shows.
func TestWhatIsNotTakenOfAPerson(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	myself, other := "/settings/people/"+w.people["runner"], "/settings/people/"+w.people["target"]
	for name, c := range map[string]struct {
		path   string
		fields []string
		want   int
	}{
		"disabled oneself":       {myself + "/disable", nil, http.StatusBadRequest},
		"took one's own role":    {myself + "/role", []string{"role", "none", "account", "*"}, http.StatusBadRequest},
		"one's own password":     {myself + "/password", nil, http.StatusBadRequest},
		"a role nobody knows":    {other + "/role", []string{"role", "owner", "account", "acme"}, http.StatusBadRequest},
		"an account not there":   {other + "/role", []string{"role", "viewer", "account", "none"}, http.StatusNotFound},
		"a role they have not":   {other + "/role", []string{"role", "none", "account", "umbra"}, http.StatusNotFound},
		"nobody":                 {"/settings/people/" + w.key + "/disable", nil, http.StatusNotFound},
		"no id":                  {"/settings/people/x/disable", nil, http.StatusNotFound},
		"an address taken":       {"/settings/people", []string{"email", "VIEWER@acme.example", "role", "viewer", "account", "acme"}, http.StatusBadRequest},
		"no address":             {"/settings/people", []string{"email", "Ann <ann@acme.example>", "role", "viewer", "account", "acme"}, http.StatusBadRequest},
		"no role":                {"/settings/people", []string{"email", "x@acme.example", "account", "acme"}, http.StatusBadRequest},
		"more than a form holds": {"/settings/people", []string{"email", strings.Repeat("x", 1<<20)}, http.StatusBadRequest},
	} {
		if answer, body := w.by("runner", c.path, c.fields...); answer.StatusCode != c.want {
			t.Errorf("%s: %d, want %d: %s", name, answer.StatusCode, c.want, body)
		}
	}
	p, err := w.store.PersonByID(t.Context(), w.people["runner"])
	if err != nil || p.Disabled || p.Roles["*"] != "admin" {
		t.Errorf("%+v, %v", p, err)
	}
	if body := w.ask("GET", "/settings/people", "runner").body; strings.Contains(body, myself) || !strings.Contains(body, other) {
		t.Error("the page offers what is not taken, or not what is")
	}
}

func TestATestMessageIsSentAndWrittenDown(t *testing.T) {
	t.Parallel()
	const providerKey = "SG.test"
	provider := delivertest.NewSendGrid(providerKey)
	t.Cleanup(provider.Close)
	w := newWorld(t, func(c *dashboard.Config) {
		channel, err := email.NewSendGrid(email.SendGridConfig{Key: providerKey, BaseURL: provider.URL})
		if err != nil {
			t.Fatal(err)
		}
		c.Channels = map[string]deliver.Channel{deliver.Email: channel}
	})
	if body := w.ask("GET", "/settings/channels", "admin").body; !strings.Contains(body, `action="/settings/channels/email/test"`) || !strings.Contains(body, "goes out") || !strings.Contains(body, "captured") {
		t.Fatal(body)
	}
	send := func(account, to string) int {
		answer, _ := w.by("admin", "/settings/channels/email/test", "account", account, "to", to)
		return answer.StatusCode
	}
	for name, c := range map[string]struct {
		account, to string
		want        int
	}{
		"another account": {"umbra", "me@acme.example", http.StatusNotFound}, "no address": {"acme", "me", http.StatusBadRequest},
		"two": {"acme", "me@acme.example, you@acme.example", http.StatusBadRequest}, "a name": {"acme", "Me <me@acme.example>", http.StatusBadRequest},
	} {
		if got := send(c.account, c.to); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
	w.senderOf("")
	if got := send("acme", "me@acme.example"); got != http.StatusBadRequest {
		t.Errorf("without a sender: %d", got)
	}
	w.senderOf("from: { email: calls@acme.example }\n")
	if n := len(provider.Mails()); n != 0 {
		t.Fatalf("%d mails before any was asked for", n)
	}
	if got := send("acme", "me@acme.example"); got != http.StatusSeeOther {
		t.Errorf("%d", got)
	}
	if n := len(provider.Mails()); n != 1 {
		t.Errorf("%d mails, want 1", n)
	}
	page := w.ask("GET", "/settings/channels", "admin").body
	if !strings.Contains(page, "by sendgrid") || strings.Contains(page, "me@acme.example") {
		t.Errorf("the page afterwards: %s", page)
	}
	if got := w.done(2); !slices.Equal(got, []store.Deed{store.ActTestEnded, store.ActTestBegun}) {
		t.Errorf("the log: %v", got)
	}
}

// senderOf makes a config active whose only other line is this.
func (w *world) senderOf(line string) {
	w.t.Helper()
	revision, err := w.store.SaveRevision(w.t.Context(), store.RevisionFiles{AccountID: "acme", Digest: fmt.Sprintf("%064d", len(line)), Format: 1,
		Files: map[string][]byte{"account.yaml": []byte("account: acme\ntimezone: Europe/London\n" + line)}}, "test")
	w.must(err)
	_, err = w.store.Activate(w.t.Context(), store.Activation{AccountID: "acme", RevisionID: revision, By: "test", Sources: []string{"desk"}})
	w.must(err)
	w.must(w.revisions.Refresh(w.t.Context()))
}

// TestATextIsTestedTheSameWay, and where there are no credentials for it, too: then nobody is handed anything.
func TestATextIsTestedTheSameWay(t *testing.T) {
	t.Parallel()
	const sid, token = "AC0123456789abcdef0123456789abcdef", "test-token"
	provider := delivertest.NewTwilio(sid, token)
	t.Cleanup(provider.Close)
	channel, err := sms.NewTwilio(sms.Config{AccountSID: sid, AuthToken: token, BaseURL: provider.URL})
	if err != nil {
		t.Fatal(err)
	}
	for shown, set := range map[string]map[string]deliver.Channel{"by twilio": {deliver.SMS: channel}, "nothing left this machine": nil} {
		w := newWorld(t, func(c *dashboard.Config) { c.Channels = set })
		w.senderOf(`from: { sms: "+442071838750" }` + "\n")
		for to, want := range map[string]int{"me@acme.example": http.StatusBadRequest, "09098790000": http.StatusBadRequest, "07700 900123": http.StatusSeeOther} {
			if answer, _ := w.by("admin", "/settings/channels/sms/test", "account", "acme", "to", to); answer.StatusCode != want {
				t.Errorf("%s, to %s: %d, want %d", shown, to, answer.StatusCode, want)
			}
		}
		if page := w.ask("GET", "/settings/channels", "admin").body; !strings.Contains(page, shown) || strings.Contains(page, "900123") {
			t.Errorf("the page afterwards lacks %q, or tells the number: %s", shown, page)
		}
	}
	if all := provider.Texts(); len(all) != 1 || all[0].To != "+447700900123" || all[0].From != "+442071838750" {
		t.Errorf("the provider had %+v", all)
	}
}

func TestSourcesShowWhatWasHeardLast(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	body := w.ask("GET", "/settings", "admin").body
	for _, want := range []string{"/hooks/desk", "conversation.ended", `href="/conversations/` + w.conversation + `"`, "/v1/conversations"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q: %s", want, body)
		}
	}
}

func TestTheLogIsPagedAndFiltered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 60 {
		w.must(w.store.LogAct(t.Context(), store.Act{AccountID: "acme", By: store.Actor{Name: "bob", Address: "192.0.2.1"}, What: store.ActRevealed, Target: "c"}))
	}
	seen, path := 0, "/settings/log?what=revealed&who=bob&within=1"
	for pages := 0; path != ""; pages++ {
		if pages > 2 {
			t.Fatal("60 lines take more than two pages")
		}
		body := w.ask("GET", path, "admin").body
		seen += strings.Count(body, `<th role="rowheader"`)
		path = older(body)
	}
	if seen != 60 {
		t.Errorf("the pages show %d lines, want 60", seen)
	}
	for path, want := range map[string]bool{"/settings/log?who=ann": false, "/settings/log?what=key_added": false, "/settings/log?account=acme": true, "/settings/log?before=x": false} {
		if got := strings.Contains(w.ask("GET", path, "admin").body, ">bob</a>"); got != want {
			t.Errorf("%s shows bob: %v", path, got)
		}
	}
	if body := w.ask("GET", "/settings/log", "admin").body; strings.Contains(body, "this installation") {
		t.Error("an account's admin sees what concerns the installation")
	}
	if body := w.ask("GET", "/settings/log?what=person_added", "runner").body; !strings.Contains(body, "this installation") || !strings.Contains(body, "target@acme.example") {
		t.Errorf("whoever runs the installation does not: %s", body)
	}
}
