package dashboard_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"aftercall/internal/store"
)

// What the walk posts, and how it is seen that a door that is shut changes nothing.

// postedAt are the fields of each form, by how its address ends. A form that is posted adds a line.
var postedAt = []struct {
	ends   string
	fields []string
}{
	{"/resend", nil}, {"/cancel", nil}, {"/release", nil}, {"/approve", nil}, {"/discard", nil}, {"/close", nil}, {"/unmute", nil}, {"/dismiss", nil},
	{"/revoke", nil}, {"/enable", nil}, {"/disable", nil}, {"/reveal", nil}, {"/sign-out", nil}, {"/api/jobs/delete", nil}, {"/api/jobs/retry", nil},
	{"/settle", []string{"as", "sent"}},
	{"/mark", []string{"was", "wrong", "note", "n"}},
	{"/fix", []string{"value.dyn_when", "on Friday", "seen", "1"}},
	{"/replay", []string{"which", "same", "do", "replay"}},
	{"/mute", []string{"reason", "It is loud", "hours", "24", "until", "2030-01-01T00:00"}},
	{"/conversations/views", []string{"account", "ACCOUNT", "name", "mine", "q", "state:failed"}},
	{"/views/drop", []string{"id", "ACCOUNT"}},
	{"/alerts/read", []string{"account", "ACCOUNT", "up_to", "ALERT"}},
	{"/read", []string{"account", "ACCOUNT"}}, {"/alerts/push", nil}, {"/alerts/push/off", nil},
	{"/softphone", []string{"account", "ACCOUNT", "agent", "reception"}},
	{"/test", []string{"account", "ACCOUNT", "to", "someone@acme.example"}},
	{"/settings/keys", []string{"account", "ACCOUNT", "name", "made by the walk", "scopes", "conversations:write"}},
	{"/settings/people", []string{"email", "new@acme.example", "name", "New", "account", "ACCOUNT", "role", "admin"}},
	{"/role", []string{"account", "ACCOUNT", "role", "admin"}}, {"/password", []string{"password", "correct horse battery staple"}},
	{"/sign-in", []string{"email", "nobody@acme.example", "password", "wrong"}},
	{"/bulk", []string{"account", "ACCOUNT", "action", "replay_same", "sandbox", "1", "since", "2026-01-01T00:00:00Z", "until", "2036-01-01T00:00:00Z"}},
	{"/abort", nil}, {"/pause", nil}, {"/resume", nil},
	{"/workbench", nil}, {"/workbench/check", nil}, {"/workbench/try", nil}, {"/workbench/files", nil}, {"/nowhere", nil},
}

// form is what is posted to an address, about an account's rows.
func (w *world) form(path string, ids told) []string {
	w.t.Helper()
	for _, f := range postedAt {
		is := strings.NewReplacer("ACCOUNT", ids.account, "ALERT", ids.alert)
		if strings.HasSuffix(path, is.Replace(f.ends)) {
			fields := slices.Clone(f.fields)
			for n := range fields {
				fields[n] = is.Replace(fields[n])
			}
			return fields
		}
	}
	switch {
	case strings.HasPrefix(path, "/admin/river/"):
		return nil
	case strings.HasPrefix(path, "/config/"):
		return []string{"base", ids.revision, "message", "by the walk"}
	case strings.HasPrefix(path, "/tasks/"):
		return []string{"version", "1", "do", "move", "to", "done"}
	}
	w.t.Fatalf("%s: say in postedAt what is posted there", path)
	return nil
}

// enter asks for an address, and posts what a form there would.
func (w *world) enter(v visit, who string, ids told, header ...string) said {
	w.t.Helper()
	if v.method != http.MethodPost {
		return w.ask(v.method, v.path, who, header...)
	}
	return w.send(v.method, v.path, who, w.form(v.path, ids), header...)
}

// rows is what all tables hold of an account, or of all, but for who signed in: equal if and only if nothing was changed.
func (w *world) rows(account string) map[string]string {
	w.t.Helper()
	tables, err := w.store.Pool().Query(w.t.Context(), `SELECT t.table_name::text FROM information_schema.tables AS t
		JOIN information_schema.columns AS c USING (table_schema, table_name)
		WHERE t.table_schema = current_schema() AND t.table_type = 'BASE TABLE' AND c.column_name = 'account_id'`)
	w.must(err)
	held := map[string]string{}
	for tables.Next() {
		var name string
		w.must(tables.Scan(&name))
		held[name] = ""
	}
	w.must(tables.Err())
	if len(held) < 20 {
		w.t.Fatalf("only %d tables have an account's rows", len(held))
	}
	for name := range held {
		var sum string
		w.must(w.store.Pool().QueryRow(w.t.Context(), fmt.Sprintf(`SELECT coalesce(md5(string_agg(r::text, '|' ORDER BY r::text)), '') FROM %q AS r
			WHERE ($1 = '' OR account_id = $1) AND to_jsonb(r) ->> 'act' IS DISTINCT FROM $2`, name), account, string(store.ActSignedIn)).Scan(&sum))
		held[name] = sum
	}
	return held
}

// untouched wants what was held to be held still.
func (w *world) untouched(before map[string]string, account string) {
	w.t.Helper()
	after := w.rows(account)
	for name, sum := range before {
		if after[name] != sum {
			w.t.Errorf("rows of %s were changed", name)
		}
	}
}

// TestAShutDoorChangesNothing: what somebody without a session, with another role or on another site posts is refused before
// anything happens, whatever stands in it.
func TestAShutDoorChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before := w.rows("")
	rights := map[string][]string{"": {}, "nobody": {}, "viewer": {"look"}, "operator": {"look", "addresses", "operate"}, "author": {"look", "addresses", "try"}}
	tried := 0
	for _, v := range w.visits(w.told) {
		if v.method != http.MethodPost || v.needs == "anybody" || v.needs == "signedIn" {
			continue
		}
		for who, has := range rights {
			if slices.Contains(has, v.needs) {
				continue
			}
			tried++
			if got := w.enter(v, who, w.told); got.status != http.StatusForbidden && !got.toSignIn() {
				t.Errorf("%s as %q: %d", v.path, who, got.status)
			}
		}
		for _, from := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Origin", "https://evil.example"}} {
			if got := w.enter(v, "runner", w.told, from...); got.status != http.StatusForbidden {
				t.Errorf("%s from another site: %d", v.path, got.status)
			}
		}
	}
	if tried < 60 {
		t.Errorf("only %d doors were tried", tried)
	}
	w.untouched(before, "")
	changed := 0
	for _, v := range w.visits(w.told) { // the same words, by somebody who may
		if got := w.enter(v, "runner", w.told); v.method == http.MethodPost && got.status == http.StatusSeeOther {
			changed++
		}
	}
	if jobs, _, err := w.store.Bulks(t.Context(), w.account, "", 10); err != nil || len(jobs) != 2 { // one was there
		t.Errorf("the form of a bulk job asks for none, even posted by somebody who may: %d, %v", len(jobs), err)
	}
	if changed < 12 {
		t.Errorf("only %d of the forms do anything for somebody who may: they would prove nothing", changed)
	}
}

// TestOneForeignIDIsEnough: an address with several ids finds nothing if one of them is another account's, and what is posted
// there about the other account leaves its rows as they are.
func TestOneForeignIDIsEnough(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before := w.rows("umbra")
	mixed := 0
	for _, ids := range w.mixed() {
		for _, v := range w.visits(ids) {
			foreign := slices.ContainsFunc(w.theirs.ids(), func(id string) bool { return strings.Contains(v.path, id) })
			own := slices.ContainsFunc(w.told.ids(), func(id string) bool { return strings.Contains(v.path, id) })
			if !foreign {
				continue
			}
			got := w.enter(v, "admin", w.theirs)
			w.sound(v, got)
			if found := got.leaks(w.theirs); len(found) > 0 {
				t.Errorf("%s %s tells of %v", v.method, v.path, found)
			}
			if got.status != http.StatusNotFound && got.status != http.StatusForbidden {
				t.Errorf("%s %s: %d, want 404, or 403 where their role has no door", v.method, v.path, got.status)
			}
			if own {
				mixed++
			}
		}
	}
	for _, v := range w.visits(w.told) { // no id in the address, the other account in the form
		if v.method == http.MethodPost && !strings.Contains(v.path, w.conversation) {
			if got := w.enter(v, "admin", w.theirs); len(got.leaks(w.theirs)) > 0 {
				t.Errorf("%s tells of the account in its form", v.path)
			}
		}
	}
	if mixed < 8 {
		t.Errorf("only %d addresses had ids of both", mixed)
	}
	w.untouched(before, "umbra")
}

// mixed are their ids, and ours with one of each kind taken from theirs.
func (w *world) mixed() (all []told) {
	all = append(all, w.theirs)
	for _, put := range []func(*told){
		func(x *told) { x.account = w.theirs.account }, func(x *told) { x.conversation = w.theirs.conversation },
		func(x *told) { x.delivery = w.theirs.delivery }, func(x *told) { x.revision = w.theirs.revision }, func(x *told) { x.event = w.theirs.event }, func(x *told) { x.call = w.theirs.call },
	} {
		x := w.told
		put(&x)
		all = append(all, x)
	}
	return all
}
