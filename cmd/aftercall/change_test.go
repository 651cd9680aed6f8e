package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"aftercall/automation"
	"aftercall/change"
	"aftercall/internal/store"
)

// changedConfig differs from downConfig in whom callback writes to and how, and asks something new.
var changedConfig = strings.NewReplacer(
	`support@acme.example], subject: "Call back"`, `oncall@acme.example], subject: "Call back soon"`,
).Replace(downConfig) + `  - id: complaint
    when: { ask: "Did the customer complain about anything at all?" }
    actions: [ { email: { to: [lead@acme.example], subject: "Complaint", body: "A complaint." } } ]
`

// reader answers what it is asked about downCall: yes to everything.
func reader(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	const yes = `{"evidence":[{"turn":1,"quote":"Please call me back tomorrow."}],"verdict":"yes"}`
	verdicts := `"callback":` + yes
	if bytes.Contains(body, []byte("complain about anything")) {
		verdicts += `,"complaint":` + yes
	}
	completion(w, `{"automations":{`+verdicts+`},"summary":"A call back is wanted."}`)
}

// calls is a house with n decided calls in it.
func calls(t *testing.T, n int) *house {
	t.Helper()
	h := newHouse(t, writeAccount(t, downConfig), http.HandlerFunc(reader))
	for i := range n {
		h.final(h.postCall([]byte(downCallNumber(i))))
	}
	h.drained()
	return h
}

// rows counts the rows of every table, and sums up what stands in those that nobody but us writes to.
func rows(t *testing.T, url string) map[string]string {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(context.Background()) }()
	found, err := c.Query(t.Context(), `SELECT tablename FROM pg_tables WHERE schemaname = 'public'`)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(found, pgx.RowTo[string])
	if err != nil || len(tables) < 20 {
		t.Fatalf("%d tables, %v", len(tables), err)
	}
	all := map[string]string{}
	for _, table := range tables {
		what := `count(*)::text || ' ' || md5(coalesce(string_agg(t::text, ' ' ORDER BY t::text), ''))`
		if strings.HasPrefix(table, "river") || table == "workers" { // a process that runs beats and leads
			what = `count(*)::text`
		}
		var sum string
		if err := c.QueryRow(t.Context(), fmt.Sprintf(`SELECT %s FROM %s AS t`, what, pgx.Identifier{table}.Sanitize())).Scan(&sum); err != nil {
			t.Fatal(err)
		}
		all[table] = sum
	}
	return all
}

// wants fails the test unless a command line ends with a code and says all of this.
func wants(t *testing.T, environment map[string]string, code int, says []string, args ...string) string {
	t.Helper()
	got, out := cli(t, environment, args...)
	if got != code {
		t.Errorf("%v ends with %d, want %d:\n%s", args, got, code, out)
	}
	for _, want := range says {
		if !strings.Contains(out, want) {
			t.Errorf("%v does not say %q:\n%s", args, want, out)
		}
	}
	return out
}

// active is the name of the active revision.
func (h *house) active() string {
	h.t.Helper()
	all, err := h.app.db.ActiveRevisions(context.Background())
	if err != nil || len(all) != 1 {
		h.t.Fatal(all, err)
	}
	return all[0].Digest[:12]
}

// TestDiff: what would change is said field by field and on the stored calls, what nobody has asked is said to be
// unknown, and not one row is written.
func TestDiff(t *testing.T) {
	t.Parallel()
	h := calls(t, 3)
	base := map[string]string{"DATABASE_URL": h.url}
	before, dir := rows(t, h.url), writeAccount(t, changedConfig)
	out := wants(t, base, 2, []string{
		"against " + h.active(),
		"~ automation callback\n    email 1.to: support@acme.example → oncall@acme.example\n    email 1.subject: Call back → Call back soon\n",
		"+ automation complaint\n",
		"The model is asked something else about each call: new questions, a new schema",
		"On the last 3 calls",
		"  callback: other recipients on 3, other texts on 3\n    call-2 (", "      email 1\n      - email:support@acme.example\n      + email:oncall@acme.example\n      email 1 subject\n      - Call back\n      + Call back soon\n",
		"  complaint: not judged on 3\n", "3 calls could not be judged without asking a model",
		"Nothing was sent or stored. To make it active: aftercall apply " + dir + " --base " + h.active(),
	}, "diff", dir)
	if strings.Contains(out, "every-call") {
		t.Errorf("what is the same is said to differ:\n%s", out)
	}
	wants(t, base, 2, []string{"On the last 2 calls", "callback: other recipients on 2"}, "diff", "--calls", "2", dir)
	wants(t, base, 0, []string{"the same as what is active"}, "diff", writeAccount(t, downConfig))
	wants(t, base, 2, []string{"The files differ, but nothing in what they say.", "The model is asked the same", "nothing would have been different"},
		"diff", writeAccount(t, "# a remark\n"+downConfig))
	wants(t, base, 1, []string{"error[AC201]", "has errors"}, "diff", writeAccount(t, careless))
	wants(t, base, 1, []string{"usage: aftercall diff", "from 0 to 5000"}, "diff", "--calls", "5001", dir) // 2 would say that there are changes
	wants(t, base, 1, []string{"usage: aftercall diff", "not defined: -cals"}, "diff", "--cals", "10", dir)
	asking := map[string]string{"DATABASE_URL": h.url, "OPENAI_BASE_URL": h.model.URL + "/v1"}
	wants(t, asking, 2, []string{"complaint: newly fires on 3\n", "+ fires (fired) turn 1: “Please call me back tomorrow.”: email 1 to email:lead@acme.example",
		"the model was asked now, for 3150 tokens"}, "diff", "--ask", dir)
	if diff := cmp.Diff(before, rows(t, h.url)); diff != "" {
		t.Errorf("something was written (-before +after):\n%s", diff)
	}
}

// TestDiffAsJSON: the report for a machine holds every effect with both texts whole.
func TestDiffAsJSON(t *testing.T) {
	t.Parallel()
	h := calls(t, 2)
	code, out := cli(t, map[string]string{"DATABASE_URL": h.url}, "diff", "--json", writeAccount(t, changedConfig))
	var reports []change.Report
	if err := json.Unmarshal([]byte(out), &reports); err != nil || code != 2 || len(reports) != 1 {
		t.Fatalf("%d, %v:\n%s", code, err, out)
	}
	r := reports[0]
	if r.Account != "acme" || r.Same || r.Base == nil || r.Base.Digest[:12] != h.active() || len(r.Items) != 2 || len(r.Forms) != 1 {
		t.Errorf("%+v", r)
	}
	c := r.Calls
	if c == nil || c.Looked != 2 || c.Changed != 2 || c.Unjudged != 2 || c.TokensAfter <= c.TokensBefore || c.TokensBefore == 0 || c.Spent != 0 {
		t.Fatalf("%+v", c)
	}
	want := []change.Automation{{ID: "callback", Recipients: 2, Texts: 2}, {ID: "complaint", Unjudged: 2}}
	if diff := cmp.Diff(want, c.Automations); diff != "" {
		t.Error(diff)
	}
	kinds := map[string]int{}
	for _, e := range c.Effects {
		kinds[e.Kind+" "+e.What]++
	}
	if diff := cmp.Diff(map[string]int{"recipients email 1": 2, "text email 1 subject": 2}, kinds); diff != "" {
		t.Error(diff)
	}
}

// TestApply: what was looked at is applied, or refused where something else became active since; who did it, why and
// from which commit is kept; and there is a way back.
func TestApply(t *testing.T) {
	t.Parallel()
	h := calls(t, 1)
	base := map[string]string{"DATABASE_URL": h.url}
	first, dir, kept := h.active(), writeAccount(t, changedConfig), filepath.Join(t.TempDir(), "change.json")
	wants(t, base, 2, []string{"aftercall apply " + kept}, "diff", "--out", kept, dir)
	wants(t, base, 1, []string{"has errors"}, "apply", writeAccount(t, careless))
	wants(t, base, 3, []string{"the change was made against another revision: " + first}, "apply", "--base", "none", dir)
	wants(t, base, 1, []string{`there is no revision "0123456789ab"`}, "apply", "--base", "0123456789ab", dir)
	third := writeAccount(t, downConfig+"\n# third\n")
	wants(t, base, 0, []string{"is active now, with 2 automations"}, "apply", "--base", first, "--message", "A remark", "--by", "ci", "--git-sha", "1a2b3c4d5e6f", third)
	other := h.active()
	wants(t, base, 3, []string{other + " has been active since", "by ci", "run aftercall diff again"}, "apply", kept)
	wants(t, base, 3, []string{other}, "apply", "--base", first, dir)
	if h.active() != other {
		t.Error("a conflict changed something")
	}
	wants(t, base, 2, nil, "diff", "--out", kept, dir)
	wants(t, base, 2, []string{"leave out --base"}, "apply", "--base", other, kept)
	wants(t, base, 0, []string{"is active now, with 3 automations"}, "apply", "--message", "Ask about complaints", kept)
	wants(t, base, 0, []string{"is active already; nothing has changed"}, "apply", kept)
	list := wants(t, base, 0, []string{"acme: config by aftercall apply (since", "\n* " + h.active(), "Ask about complaints", "  " + other, "ci  git 1a2b3c4d5e  A remark", "  " + first},
		"revisions", "acme")
	if strings.Count(list, "\n* ") != 1 || strings.Index(list, h.active()) > strings.Index(list, first) {
		t.Errorf("not the newest first, with one that is active:\n%s", list)
	}
	wants(t, base, 0, []string{first + " is active again"}, "rollback", "--message", "Too many complaints", first[:8])
	if h.active() != first {
		t.Errorf("active is %s, want %s again", h.active(), first)
	}
	wants(t, base, 0, []string{"is active already"}, "rollback", first)
	wants(t, base, 1, []string{`there is no revision "nothing"`}, "rollback", "nothing")
	wants(t, base, 1, []string{"there is no account umbra"}, "revisions", "umbra")
	raw, err := os.ReadFile(kept)
	if err != nil {
		t.Fatal(err)
	}
	write(t, kept, strings.Replace(string(raw), `"digest": "`, `"digest": "0`, 1))
	wants(t, base, 1, []string{"was changed since it was kept"}, "apply", kept)
	wants(t, base, 1, []string{"is no diff"}, "apply", filepath.Join(dir, "account.yaml"))
}

// TestRollbackAcrossVersions: a revision that an older version took, and this one would not, can be gone back to; one of a
// newer version cannot, since nobody here knows what it says.
func TestRollbackAcrossVersions(t *testing.T) {
	t.Parallel()
	h := calls(t, 0)
	base := map[string]string{"DATABASE_URL": h.url}
	stored := func(format int, text string) string {
		t.Helper()
		files := automation.Files{"account.yaml": []byte(text)}
		r := store.RevisionFiles{AccountID: "acme", Digest: files.Digest(), Format: format, Files: files}
		if _, err := h.app.db.SaveRevision(t.Context(), r, "folder acme"); err != nil {
			t.Fatal(err)
		}
		return r.Digest[:12]
	}
	older := "variables: { dyn_day: { type: date, ask: The day agreed on, default: tomorrow } }\n" + downConfig
	wants(t, base, 1, []string{"AC104"}, "apply", writeAccount(t, older))
	wants(t, base, 0, []string{"is active again"}, "rollback", stored(1, older))
	wants(t, base, 2, []string{"- variable dyn_day"}, "diff", writeAccount(t, changedConfig)) // and left again
	wants(t, base, 1, []string{"a newer version took revision"}, "rollback", stored(automation.Format+1, downConfig+"# newer\n"))
}

// TestAuthority: who may change an account's config is said, set, and held to by every verb.
func TestAuthority(t *testing.T) {
	t.Parallel()
	h := calls(t, 0)
	base := map[string]string{"DATABASE_URL": h.url}
	dir, before := writeAccount(t, changedConfig), h.active()
	wants(t, base, 0, []string{"acme: no door has been used yet"}, "authority")
	wants(t, base, 0, []string{"acme: config from a watched folder"}, "authority", "acme", "files")
	for _, args := range [][]string{{"apply", dir}, {"rollback", before}} {
		wants(t, base, 1, []string{"comes from a watched folder", "`aftercall authority acme cli`"}, args...)
	}
	if h.active() != before {
		t.Error("what was refused is active")
	}
	wants(t, base, 0, []string{"acme: config by aftercall apply"}, "authority", "acme", "cli")
	wants(t, base, 0, []string{"is active now"}, "apply", dir)
	wants(t, base, 1, []string{"there is no account umbra"}, "authority", "umbra", "cli")
	wants(t, base, 2, []string{"usage: aftercall authority"}, "authority", "acme", "both")
}

// TestExport: what comes back is what went in, byte for byte, and nothing that is there is written over.
func TestExport(t *testing.T) {
	t.Parallel()
	h := calls(t, 0)
	base := map[string]string{"DATABASE_URL": h.url}
	dir := writeAccount(t, "# kept as it is \r\n"+downConfig)
	write(t, filepath.Join(dir, "more", "body.md.hbs"), "Hello\t\n\n")
	write(t, filepath.Join(dir, "more", "rule.yaml"), `automations:
  - id: more
    when: always
    actions: [ { email: { to: [log@acme.example], subject: "More", body_file: body.md.hbs } } ]
`)
	wants(t, base, 0, nil, "apply", dir)
	out := filepath.Join(t.TempDir(), "back")
	wants(t, base, 0, []string{"3 files of revision " + h.active()}, "export", "acme", out)
	sent, err := automation.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	got, err := automation.Read(out)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sent[0].Files, got[0].Files); diff != "" {
		t.Error(diff)
	}
	write(t, filepath.Join(out, "account.yaml"), "mine")
	wants(t, base, 1, []string{filepath.Join(out, "account.yaml"), "not written over"}, "export", h.active(), out)
	if mine, _ := os.ReadFile(filepath.Join(out, "account.yaml")); string(mine) != "mine" {
		t.Errorf("it was written over with %q", mine)
	}
	wants(t, base, 0, nil, "export", "--force", h.active(), out)
	wants(t, base, 0, []string{"the same as what is active"}, "diff", out)
}

// TestCommit: a revision names the commit its folder stands at, and says so if the folder holds something else.
func TestCommit(t *testing.T) {
	t.Parallel()
	dir := writeAccount(t, downConfig)
	if got := commitOf(t.Context(), dir); got != "" {
		t.Errorf("a folder that is not in git stands at %q", got)
	}
	git := func(args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "git", append([]string{"-C", dir, "-c", "user.name=a", "-c", "user.email=a@acme.example", "-c", "commit.gpgsign=false"}, args...)...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v %s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	git("init", "-q")
	git("add", ".")
	git("commit", "-q", "-m", "first")
	sha := git("rev-parse", "HEAD")
	if got := commitOf(t.Context(), dir); got != sha {
		t.Errorf("it stands at %q, want %q", got, sha)
	}
	write(t, filepath.Join(dir, "account.yaml"), downConfig+"# more\n")
	if got := commitOf(t.Context(), dir); got != sha+"-dirty" {
		t.Errorf("it stands at %q, want %q", got, sha+"-dirty")
	}
}

// TestAChangeInMidFlight: a call is decided and written to by the revision that was active when it came in, also if another
// becomes active while the model thinks; the next call goes by the new one.
func TestAChangeInMidFlight(t *testing.T) {
	t.Parallel()
	asked, answer := make(chan struct{}, 10), make(chan struct{})
	h := newHouse(t, writeAccount(t, downConfig), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-answer
		reader(w, r)
	}))
	base := map[string]string{"DATABASE_URL": h.url}
	old := h.active()
	id := h.postCall([]byte(downCallNumber(1)))
	<-asked
	wants(t, base, 0, nil, "apply", writeAccount(t, changedConfig))
	if err := h.app.revisions.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	close(answer)
	said := func(id string) (revision string, subjects []string) {
		s := h.final(id)
		for _, d := range s.Deliveries {
			if d.Automation != "every-call" {
				subjects = append(subjects, d.Content.Subject+" to "+d.Recipient)
			}
		}
		return s.Digest[:12], subjects
	}
	if revision, subjects := said(id); revision != old || !cmp.Equal(subjects, []string{"Call back to email:support@acme.example"}) {
		t.Errorf("decided by %s, want %s: %q", revision, old, subjects)
	}
	revision, subjects := said(h.postCall([]byte(downCallNumber(2))))
	if revision != h.active() || revision == old || len(subjects) != 2 || subjects[0] != "Call back soon to email:oncall@acme.example" {
		t.Errorf("the next one is decided by %s: %q", revision, subjects)
	}
}
