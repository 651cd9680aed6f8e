package api_test

import (
	"bufio"
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aftercall/api"
	"aftercall/deliver"
	"aftercall/internal/openapi"
	"aftercall/internal/store"
	"aftercall/people"
)

// TestWhatThePagesCanDoAProgramCan: one program reads a call and puts everything about it right. Each answer is held against
// its description (ask), and at the end every route has answered.
func TestWhatThePagesCanDoAProgramCan(t *testing.T) {
	t.Parallel()
	h := open(t)
	id := h.call("call-1", h.key)
	told := h.ask("GET", "/v1/conversations/call-1", h.key, nil).want(200) // by the platform's id
	if told.text("id") != id || told.text("conversation", "id") != "call-1" {
		t.Fatalf("the platform's id leads to %s", told.raw)
	}
	h.reads(id)
	h.actsOnDeliveries(told)
	h.reviews(id)
	h.works(id)
	h.hears()
	h.silences()
	h.inBulk()
	h.ask("POST", "/v1/conversations/"+id+"/rehearsals", h.key, map[string]any{"revision": "active"}, "Idempotency-Key", "look").want(200)
	run := h.ask("POST", "/v1/conversations/"+id+"/rehearsals", h.key, map[string]any{"revision": "active"}, "Idempotency-Key", "look").want(200)
	if run.header.Get("Idempotency-Replayed") != "" {
		t.Error("what a replay would send was kept")
	}
	if len(run.said["messages"].([]any)) == 0 {
		t.Errorf("a rehearsal foresees nothing: %s", run.raw)
	}
	h.ask("POST", "/v1/conversations/"+id+"/replays", h.key, map[string]any{"revision": "same", "sandbox": true}).want(202)
	h.settled(id, h.key)
	h.captures(id)
	h.erases()
	h.callsOff()
	for _, r := range h.api.Routes() {
		if !h.described.Answered(r.ID) && r.Answer.Type == "" {
			t.Errorf("%s was never answered here", r.ID)
		}
	}
	if _, wrong, err := h.store.Audit(t.Context()); err != nil || len(wrong) > 0 {
		t.Errorf("the ledger does not balance: %+v, %v", wrong, err)
	}
	if log := h.log.String(); strings.Contains(log, "anary") || strings.Contains(log, "7700900123") || strings.Contains(log, h.key) {
		t.Errorf("the log repeats what was posted: %s", log)
	}
}

// reads asks for everything that can be read about a call.
func (h *house) reads(id string) {
	h.Helper()
	for path, least := range map[string]int{
		"/v1/conversations": 1, "/v1/conversations?search=%2B447700900123": 1, "/v1/conversations?outcome=unsure&limit=1": 1, "/v1/conversations?channel=chat": 0,
		"/v1/conversations/" + id + "/decisions": 3, "/v1/deliveries": 5, "/v1/deliveries?state=unknown": 1, "/v1/deliveries?state=held&automation=confirm": 1,
		"/v1/reviews": 2, "/v1/reviews?kind=held": 1, "/v1/tasks?state=done": 0, "/v1/alerts": 1,
		"/v1/alerts?show=unread": 1, "/v1/revisions": 1, "/v1/automations": 4, "/v1/mutes": 0, "/v1/usage?days=2": 1, "/v1/bulk": 0,
	} {
		if a := h.ask("GET", path, h.key, nil).want(200); len(a.items()) < least {
			h.Errorf("%s lists %d, want %d: %s", path, len(a.items()), least, a.raw)
		}
	}
	maria := h.ask("GET", "/v1/tasks", h.key, nil).text("items", "0", "assignee")
	if a := h.ask("GET", "/v1/tasks?assignee="+url.QueryEscape(maria), h.key, nil).want(200); maria != "person:maria" || len(a.items()) != 1 {
		h.Errorf("the tasks of %q: %s", maria, a.raw)
	}
	if a := h.ask("GET", "/v1/tasks?assignee=nobody", h.key, nil).want(200); len(a.items()) != 0 {
		h.Errorf("nobody's tasks: %s", a.raw)
	}
	rev := h.ask("GET", "/v1/revisions", h.key, nil).text("items", "0", "id")
	if one := h.ask("GET", "/v1/revisions/"+rev, h.key, nil).want(200); !strings.Contains(one.text("files", "account.yaml"), "every-call") {
		h.Errorf("the revision: %s", one.raw)
	}
}

func (h *house) actsOnDeliveries(told answer) {
	h.Helper()
	sent, unknown, held := told.in("every-call", "email", "sent"), told.in("every-call", "email", "unknown"), told.in("confirm", "email", "held")
	if one := h.ask("GET", "/v1/deliveries/"+held, h.key, nil).want(200); one.text("delivery", "state") != "held" || one.text("message", "subject") != "Your appointment" {
		h.Errorf("the delivery: %s", one.raw)
	}
	h.ask("POST", "/v1/deliveries/"+held+"/release", h.key, nil).want(409) // it would show a gap to the customer
	h.ask("POST", "/v1/deliveries/"+unknown+"/settle", h.key, map[string]any{"as": "delivered"}).want(400)
	h.ask("POST", "/v1/deliveries/"+unknown+"/settle", h.key, map[string]any{"as": "sent"}).want(200)
	again := h.ask("POST", "/v1/deliveries/"+sent+"/resend", h.key, nil).want(201)
	if one := h.ask("GET", "/v1/deliveries/"+again.text("delivery_id"), h.key, nil).want(200); one.text("resend_of") != sent {
		h.Errorf("the resend: %s", one.raw)
	}
	h.ask("POST", "/v1/deliveries/"+sent+"/cancel", h.key, nil).want(409)
	acts, _, err := h.store.Acts(h.Context(), "acme", "", 10)
	h.must(err)
	if !slices.ContainsFunc(acts, func(a store.Act) bool {
		return a.What == store.ActResent && strings.HasPrefix(a.By.Name, "API key ac_") && a.By.PersonID != "" && a.By.Address != ""
	}) {
		h.Errorf("the log does not say which key sent again: %+v", acts)
	}
}

// reviews settles what waits for a person, in two calls: an unsure decision is approved, another dismissed, a value is given,
// and of what is held one message is called off and one let go.
func (h *house) reviews(first string) {
	h.Helper()
	at := func(id, automation, act string) string {
		return "/v1/conversations/" + id + "/runs/1/decisions/" + automation + "/" + act
	}
	h.ask("POST", at(first, "callback", "mark"), h.key, map[string]any{"wrong": true, "note": "they did"}).want(200)
	soon := time.Now().AddDate(0, 0, 3).Format(time.DateOnly)
	h.foresees(at(first, "callback", "approve"), nil, "Call back.")
	h.ask("POST", at(first, "callback", "approve"), h.key, nil).want(200)
	for _, path := range []string{at(first, "confirm", "fix"), at(first, "confirm", "fix/rehearsals")} {
		h.ask("POST", path, h.key, map[string]any{"values": map[string]string{"dyn_when": "one day"}}).want(409)
	}
	h.foresees(at(first, "confirm", "fix"), map[string]any{"values": map[string]string{"dyn_when": soon}}, "We call you on ")
	h.ask("POST", at(first, "confirm", "fix"), h.key, map[string]any{"values": map[string]string{"dyn_when": soon}}).want(200)
	told := h.settled(first, h.key)
	told.in("callback", "email", "sent")
	told.in("confirm", "email", "sent")
	second := h.call("call-2", h.key)
	h.ask("POST", at(second, "callback", "dismiss"), h.key, nil).want(200)
	left := h.settled(second, h.key)
	h.ask("POST", "/v1/deliveries/"+left.in("confirm", "email", "held")+"/cancel", h.key, nil).want(200)
	h.ask("POST", "/v1/deliveries/"+left.in("capped", "email", "held")+"/release", h.key, nil).want(200)
	h.settled(second, h.key).in("capped", "email", "sent")
	h.ask("POST", at(second, "callback", "approve"), h.key, nil).want(409)
	h.ask("POST", at(second, "nothing", "approve"), h.key, nil).want(404)
	h.ask("POST", strings.Replace(at(second, "callback", "approve"), "runs/1", "runs/x", 1), h.key, nil).want(404)
}

// foresees asks what an act would send, and looks that nothing has come of it.
func (h *house) foresees(act string, wish any, says string) {
	h.Helper()
	call := strings.Split(act, "/")[3]
	before := h.settled(call, h.key).raw
	told := h.ask("POST", act+"/rehearsals", h.key, wish).want(200)
	if text := told.text("messages", "0", "message", "text"); !strings.Contains(text, says) || told.text("decisions", "0", "verdict") != "fires" {
		h.Errorf("what %s would send: %s", act, told.raw)
	}
	if after := h.settled(call, h.key).raw; after != before {
		h.Errorf("looking what %s would send changed the call:\n%s\n%s", act, before, after)
	}
}

// captures reads what the sandbox has kept, page by page.
func (h *house) captures(call string) {
	h.Helper()
	all := h.ask("GET", "/v1/captured?channel=email", h.key, nil).want(200)
	first := h.ask("GET", "/v1/captured?channel=email&limit=1", h.key, nil).want(200)
	second := h.ask("GET", "/v1/captured?channel=email&limit=1&before="+first.text("next"), h.key, nil).want(200)
	if len(all.items()) < 2 || !reflect.DeepEqual(append(first.items(), second.items()...), all.items()[:2]) {
		h.Errorf("captured: %s, by pages of one %s and %s", all.raw, first.raw, second.raw)
	}
	if none := h.ask("GET", "/v1/captured?channel=sms", h.key, nil).want(200); len(none.items()) != 0 || none.text("next") != "" {
		h.Errorf("captured texts: %s", none.raw)
	}
	one := h.ask("GET", "/v1/captured/"+all.text("items", "0", "id"), h.key, nil).want(200)
	if one.text("captured", "conversation_id") != call || !strings.Contains(one.text("captured", "to"), "@") || one.text("text") == "" {
		h.Errorf("one that was captured: %s", one.raw)
	}
}

// kept is a captured message of an account's delivery.
func (h *house) kept(account, delivery string) string {
	h.Helper()
	h.must(h.store.Keep(h.Context(), deliver.Message{DeliveryID: delivery, Attempt: 1, AccountID: account, Channel: deliver.Email,
		To: []deliver.Address{{Address: "log@umbra.example"}}, Subject: "Call", Text: "A call."}))
	rows, _, err := h.store.Within(store.Only(account)).CapturedMessages(h.Context(), account, "", "", 1)
	h.must(err)
	if len(rows) != 1 {
		h.Fatalf("%d messages of %s are captured", len(rows), account)
	}
	return rows[0].ID
}

// callsOff calls off what waits of a call, by the platform's id of it.
func (h *house) callsOff() {
	h.Helper()
	h.call("call-4", h.key)
	if a := h.ask("POST", "/v1/conversations/call-4/cancel", h.key, nil).want(200); a.said["cancelled"].(float64) < 1 || a.said["more"].(bool) {
		h.Errorf("what waited: %s", a.raw)
	}
	h.ask("GET", "/v1/conversations/call-4", h.key, nil).in("confirm", "email", "cancelled")
	if a := h.ask("POST", "/v1/conversations/call-4/cancel", h.key, nil).want(200); a.said["cancelled"].(float64) != 0 {
		h.Errorf("once more: %s", a.raw)
	}
	h.ask("POST", "/v1/conversations/nothing/cancel", h.key, nil).want(404)
}

// works writes a task, changes it and completes it.
func (h *house) works(id string) {
	h.Helper()
	wish := map[string]any{"conversation_id": "call-1", "title": "Ring back", "priority": "high", "assignee": "person:maria", "due_at": "2026-12-01T09:00:00Z"}
	made := h.ask("POST", "/v1/tasks", h.key, wish).want(201)
	task := "/v1/tasks/" + made.text("task_id")
	if one := h.ask("GET", task, h.key, nil).want(200); one.text("title") != "Ring back" || one.text("conversation_id") != id || one.text("state") != "open" {
		h.Errorf("the task: %s", one.raw)
	}
	for name, wrong := range map[string]map[string]any{
		"no title": {"conversation_id": "call-1"}, "no call": {"title": "x"}, "a stranger": {"conversation_id": "call-1", "title": "x", "assignee": "person:nobody"},
		"another's call": {"conversation_id": "call-u", "title": "x"}, "no priority": {"conversation_id": "call-1", "title": "x", "priority": "whenever"},
		"a member of its own": {"conversation_id": "call-1", "title": "x", "colour": "red"},
	} {
		if a := h.ask("POST", "/v1/tasks", h.key, wrong); a.status != 400 || len(a.said["errors"].([]any)) == 0 {
			h.Errorf("%s: %d %s", name, a.status, a.raw)
		}
	}
	h.ask("PATCH", task, h.key, map[string]any{"version": 1, "state": "in_progress", "assignee": ""}).want(200)
	h.ask("PATCH", task, h.key, map[string]any{"version": 1, "priority": "low"}).want(409)
	h.ask("PATCH", task, h.key, map[string]any{"version": 2}).want(400)
	h.ask("POST", task+"/complete", h.key, nil).want(200)
	h.ask("POST", task+"/complete", h.key, nil).want(200) // it stays so
	if one := h.ask("GET", task, h.key, nil); one.text("state") != "done" || one.said["version"] != 3.0 {
		h.Errorf("the task: %s", one.raw)
	}
}

// hears marks alerts read, one and all.
func (h *house) hears() {
	h.Helper()
	all := h.ask("GET", "/v1/alerts?show=unread", h.key, nil).want(200)
	newest := all.text("items", "0", "id")
	h.ask("POST", "/v1/alerts/"+newest+"/read", h.key, nil).want(200)
	if left := h.ask("GET", "/v1/alerts?show=unread", h.key, nil); len(left.items()) != len(all.items())-1 {
		h.Errorf("%d of %d are unread", len(left.items()), len(all.items()))
	}
	h.ask("POST", "/v1/alerts/read", h.key, map[string]any{"up_to": "yesterday"}).want(400)
	h.ask("POST", "/v1/alerts/read", h.key, map[string]any{"up_to": newest}).want(200)
	if left := h.ask("GET", "/v1/alerts?show=unread", h.key, nil); len(left.items()) != 0 {
		h.Errorf("unread after all were: %s", left.raw)
	}
	if theirs := h.ask("GET", "/v1/alerts?show=unread", h.newKey("acme", store.ScopeRead), nil); len(theirs.items()) != len(all.items()) {
		h.Errorf("another key has read %d less", len(all.items())-len(theirs.items()))
	}
}

// stream hears the alerts of an API, for a minute at most.
func (h *house) stream(url string) (ctx context.Context, lines *bufio.Scanner) {
	h.Helper()
	ctx, cancel := context.WithTimeout(h.Context(), time.Minute)
	h.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/v1/alerts/stream", nil)
	h.must(err)
	req.Header.Set("Authorization", "Bearer "+h.key)
	res, err := http.DefaultClient.Do(req)
	h.must(err)
	h.Cleanup(func() { _ = res.Body.Close() })
	lines = bufio.NewScanner(res.Body)
	if lines.Scan(); res.StatusCode != 200 || lines.Text() != "retry: 2000" || res.Header.Get("Content-Type") != "text/event-stream" {
		h.Fatalf("%d %q", res.StatusCode, lines.Text())
	}
	return ctx, lines
}

// TestWhatNobodyToldIsHeardByTheHeartbeat: a process that dies has not told what it changed.
func TestWhatNobodyToldIsHeardByTheHeartbeat(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.call("call-1", h.key)
	h.settled(h.ask("GET", "/v1/conversations", h.key, nil).text("items", "0", "id"), h.key)
	quick, err := api.New(api.Config{Store: h.store, Ops: h.desk, Revisions: h.revisions, Logger: slog.New(slog.DiscardHandler), Heartbeat: 50 * time.Millisecond})
	h.must(err)
	_, lines := h.stream(h.served(quick))
	for beats := 0; beats < 3 && lines.Scan(); {
		if lines.Text() == ": still here" {
			beats++
		}
	}
	_, err = h.store.Pool().Exec(t.Context(), "UPDATE alerts SET id = 'ffffffff-0000-7000-8000-000000000001', text = 'untold' WHERE account_id = 'acme'") // as if it came now
	h.must(err)
	for lines.Scan() {
		if strings.Contains(lines.Text(), "untold") {
			return
		}
	}
	t.Error("it was never heard")
}

func TestAlertsComeByThemselves(t *testing.T) {
	t.Parallel()
	h := open(t)
	ctx, lines := h.stream(h.url)
	h.call("call-u", h.other)
	h.call("call-1", h.key)
	var heard []string
	for lines.Scan() && len(heard) < 3 {
		if text := lines.Text(); text != "" && !strings.HasPrefix(text, ":") {
			heard = append(heard, text)
		}
	}
	newest := h.ask("GET", "/v1/alerts", h.key, nil).text("items", "0", "id")
	if len(heard) != 3 || heard[0] != "id: "+newest || heard[1] != "event: alert" || !strings.Contains(heard[2], "A call came in.") {
		t.Errorf("heard %q, want alert %s and none of another account", heard, newest)
	}
	h.api.End()
	for lines.Scan() { // it ends
	}
	if ctx.Err() != nil {
		t.Error("the stream goes on after its end")
	}
}

// TestWhatWasAskedForIsDoneOnce: the same request under one Idempotency-Key, many times at once and again.
func TestWhatWasAskedForIsDoneOnce(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.call("call-1", h.key)
	wish := map[string]any{"conversation_id": "call-1", "title": "Ring back"}
	var all sync.WaitGroup
	statuses := make([]int, 8)
	for n := range statuses {
		all.Go(func() { statuses[n] = h.ask("POST", "/v1/tasks", h.key, wish, "Idempotency-Key", "ring-back-1").status })
	}
	all.Wait()
	made := 0
	for _, s := range statuses {
		switch s {
		case 201:
			made++
		case 409: // it is being done
		default:
			t.Errorf("answered with %d", s)
		}
	}
	first := h.ask("POST", "/v1/tasks", h.key, wish, "Idempotency-Key", "ring-back-1").want(201)
	again := h.ask("POST", "/v1/tasks", h.key, wish, "Idempotency-Key", "ring-back-1").want(201)
	if first.raw != again.raw || again.header.Get("Idempotency-Replayed") != "true" || made == 0 {
		t.Errorf("answered %s and %s, %d times made", first.raw, again.raw, made)
	}
	if list := h.ask("GET", "/v1/tasks", h.key, nil); len(list.items()) != 2 { // one of the automation
		t.Errorf("%d tasks: %s", len(list.items()), list.raw)
	}
	h.ask("POST", "/v1/tasks", h.key, map[string]any{"conversation_id": "call-1", "title": "Another"}, "Idempotency-Key", "ring-back-1").want(409)
	h.ask("POST", "/v1/tasks", h.key, map[string]any{"conversation_id": "call-1"}, "Idempotency-Key", "mended").want(400)
	h.ask("POST", "/v1/tasks", h.key, wish, "Idempotency-Key", "mended").want(201) // what was refused may be mended
	h.ask("POST", "/v1/tasks", h.key, wish, "Idempotency-Key", strings.Repeat("x", 201)).want(400)
}

// TestWhoMay walks every route without a key, with a key that lacks the scope, and with the ids of another account.
func TestWhoMay(t *testing.T) {
	t.Parallel()
	h := open(t)
	told := h.settled(h.call("call-u", h.other), h.other)
	theirs := map[string]string{"conversations": told.text("id"), "deliveries": told.in("every-call", "email", "sent"),
		"tasks":     h.ask("GET", "/v1/tasks", h.other, nil).text("items", "0", "id"),
		"alerts":    h.ask("GET", "/v1/alerts", h.other, nil).text("items", "0", "id"),
		"revisions": h.ask("GET", "/v1/revisions", h.other, nil).text("items", "0", "id"), "bulk": h.neverWorkedOn("umbra"),
		"erasures": h.erased("umbra"), "agents": "reception", "captured": h.kept("umbra", told.in("every-call", "email", "sent"))}
	before := h.settled(theirs["conversations"], h.other).raw
	for _, r := range h.api.Routes() {
		kind := strings.Split(r.Path, "/")[2]
		path := strings.NewReplacer("{id}", theirs[kind], "{run}", "1", "{automation}", "callback").Replace(r.Path)
		h.ask(r.Method, path, "", nil).want(401)
		h.ask(r.Method, path, "ac_guess", nil).want(401)
		h.ask(r.Method, path, h.newKey("acme", without(r)...), nil).want(403)
		if strings.Contains(r.Path, "{id}") && r.ID != "streamPopUps" { // agents are the platform's, and known to nobody here
			h.ask(r.Method, path, h.key, bodyOf(r)).want(404)
		}
	}
	if after := h.settled(theirs["conversations"], h.other).raw; after != before {
		t.Errorf("another account's call was changed:\n%s\n%s", before, after)
	}
	for _, list := range []string{"conversations", "deliveries", "reviews", "tasks", "alerts", "bulk", "mutes", "usage", "erasures", "captured"} {
		if a := h.ask("GET", "/v1/"+list, h.key, nil).want(200); len(a.items()) != 0 {
			t.Errorf("%s has another account's: %s", list, a.raw)
		}
	}
}

var scopeOf = regexp.MustCompile(`Needs a key with the scope (\w+)\.`)

// without are all scopes but the one that a route needs, by its own description.
func without(r openapi.Route) []store.Scope {
	needed := scopeOf.FindStringSubmatch(r.Description)[1]
	return slices.DeleteFunc(store.Scopes(), func(s store.Scope) bool { return string(s) == needed })
}

// bodyOf is a body that a route takes.
func bodyOf(r openapi.Route) any {
	return map[string]any{"replay": map[string]any{"revision": "same"}, "rehearse": map[string]any{"revision": "same"}, "settle": map[string]any{"as": "sent"},
		"fix": map[string]any{"values": map[string]string{"dyn_when": "2026-11-24"}}, "rehearseFix": map[string]any{"values": map[string]string{"dyn_when": "2026-11-24"}}, "mark": map[string]any{"wrong": true},
		"changeTask": map[string]any{"version": 1, "state": "done"}}[r.ID]
}

func TestWhatIsAskedWrongIsSaid(t *testing.T) {
	t.Parallel()
	h := open(t)
	for path, want := range map[string]int{
		"/v1/conversations?colour=red": 400, "/v1/conversations?outcome=good": 400, "/v1/conversations?since=yesterday": 400, "/v1/conversations?limit=0": 400,
		"/v1/conversations?before=x": 400, "/v1/conversations?channel=chat&channel=web": 400, "/v1/deliveries?before=x": 400, "/v1/tasks?after=x": 400,
		"/v1/tasks?state=lost": 400, "/v1/alerts?show=all": 400, "/v1/usage?days=91": 400, "/v1/bulk?before=x": 400, "/v1/bulk/nothing": 404, "/v1/erasures?before=x": 400, "/v1/captured?before=x": 400, "/v1/captured/nothing": 404, "/v1/erasures/nothing": 404, "/v1/revisions?before=x": 400, "/v1/conversations/nothing": 404, "/v1/tasks/nothing": 404, "/v1/revisions/abcdef": 404,
	} {
		h.ask("GET", path, h.key, nil).want(want)
	}
	h.ask("POST", "/v1/conversations/x/replays", h.key, map[string]any{"revision": strings.Repeat("x", 70_000)}).want(413)
	h.ask("POST", "/v1/tasks", h.key, nil).want(415)
	h.ask("POST", "/v1/tasks", h.key, "{}", "Content-Encoding", "gzip").want(415)
	for body, want := range map[string]string{
		"{": "not JSON", "": "not JSON", "[]": "no object", "{} {}": "after the JSON object", `{"title": 5}`: "/title", `{"due_at": "tomorrow"}`: "A time",
		`{"due_at": 5}`: "A time", `{"canary": 1}`: "not known here", `{"title": "x", "priority": "x"}`: "/priority",
	} {
		if a := h.ask("POST", "/v1/tasks", h.key, body).want(400); !strings.Contains(a.raw, want) || strings.Contains(a.raw, "canary") {
			t.Errorf("%s is answered with %s, want %q in it", body, a.raw, want)
		}
	}
	old := people.KeyOf(h.key)
	keys, err := h.store.Within(store.Only("acme")).Keys(t.Context())
	h.must(err)
	if i := slices.IndexFunc(keys, func(k store.Key) bool { return k.Prefix == old.Prefix }); i < 0 || len(keys[i].Scopes) != len(store.Scopes()) {
		t.Errorf("the key is listed as %+v", keys)
	}
}
