package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"aftercall/internal/store"
	"aftercall/reason"
	"aftercall/triggers"
)

// journal is a log that can be read while it is written.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(b)
}

// lines are the lines so far that hold a text.
func (j *journal) lines(holding string) (found []string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for line := range strings.Lines(j.text.String()) {
		if strings.Contains(line, holding) {
			found = append(found, line)
		}
	}
	return found
}

// meter is a model that finds nothing in any call and charges by the length of what it is sent, per account.
type meter struct {
	mu    sync.Mutex
	spent map[string]int
}

func (m *meter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // what broke off is charged as well
	account := "acme"
	if strings.Contains(string(body), "other speaks") {
		account = "other"
	}
	in, out := 2*len(body)/7, 4000 // a model that talks: nearly what was reserved
	m.mu.Lock()
	m.spent[account] += in + out
	m.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"id": "c", "object": "chat.completion", "model": "scripted", "choices": [{"index": 0, "finish_reason": "stop",
		"message": {"role": "assistant", "content": "{\"automations\":{\"callback\":{\"evidence\":[],\"verdict\":\"no\"}},\"summary\":\"Nothing.\"}"}}],
		"usage": {"prompt_tokens": %d, "completion_tokens": %d, "total_tokens": %d}}`, in, out, in+out)
}

func (m *meter) of(account string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.spent[account]
}

// longCall is a call of some 50,000 tokens, which is read in windows.
func longCall(account string, n int) []byte {
	var turns []string
	for range 200 {
		turns = append(turns, fmt.Sprintf(`{"role": "customer", "text": "%s speaks. %s", "at_ms": 0}`, account, strings.Repeat("On and on. ", 90)))
	}
	whole := fmt.Sprintf(downCall, n)
	at := strings.Index(whole, `"turns": [`) + len(`"turns": [`)
	return []byte(whole[:at] + strings.Join(turns, ",") + "]}")
}

// TestBudgetOfTheDay: many long calls on an account with a budget. It spends what its budget allows and no more, nothing
// is left waiting, what needs no model goes out, somebody is told once, and another account notices nothing.
func TestBudgetOfTheDay(t *testing.T) {
	t.Parallel()
	const calls, limit = 10, 150_000 // enough to read one of them
	dir := t.TempDir()
	for account, budget := range map[string]string{"acme": fmt.Sprintf("\nbudget: { tokens_per_day: %d }", limit), "other": ""} {
		config := strings.Replace(downConfig, "account: acme", "account: "+account+budget, 1)
		if err := os.Mkdir(filepath.Join(dir, account), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, account, "account.yaml"), []byte(config), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	model := &meter{spent: map[string]int{}}
	h := newHouse(t, dir, model)
	other, err := addKey(t.Context(), h.app.db, "other")
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for n := range calls {
		ids = append(ids, h.postCall(longCall("acme", n)))
	}
	h.key = other
	spared := h.postCall(longCall("other", 0))
	over := 0
	for _, id := range ids {
		s := h.final(id)
		over += overBudget(t, s)
		if sent(s) != 1 {
			t.Errorf("call %s: %d mails sent, want the one that needs no model", id, sent(s))
		}
	}
	if over != calls-1 {
		t.Errorf("%d of %d calls were over the budget; want one read to its end", over, calls)
	}
	if got := model.of("acme"); got > limit || got < limit*8/10 {
		t.Errorf("acme spent %d of %d tokens: too much, or stopped too early", got, limit)
	}
	h.drained()
	if s, err := h.app.db.Story(t.Context(), "other", spared); err != nil || len(s.Decisions) != 2 || overBudget(t, s) != 0 || sent(s) != 1 {
		t.Errorf("the other account: %+v, %v", s.Decisions, err)
	}
	heardOf(t, h, model)
}

// overBudget is 1 if the question of a call was decided as over budget.
func overBudget(t *testing.T, s store.Story) int {
	t.Helper()
	for _, d := range s.Decisions {
		switch {
		case d.Automation != "callback" || d.Reason == reason.ConditionNotMet:
		case d.Verdict == triggers.Unsure && d.Reason == reason.BudgetExceeded && d.Review &&
			strings.HasPrefix(d.Detail, "The account's 150,000 model tokens for 2026-11-20 are used up (set by budget in account.yaml)"):
			var why bytes.Buffer
			if err := tell(&why, s, ""); err != nil || !strings.Contains(why.String(), d.Detail) || !strings.Contains(why.String(), reason.BudgetExceeded.Sentence()) {
				t.Errorf("why says: %s (%v)", why.String(), err)
			}
			return 1
		default:
			t.Errorf("callback is %s, %s: %s", d.Verdict, d.Reason, d.Detail)
		}
	}
	return 0
}

// heardOf checks who hears of it: the log once per mark, the page as long as it lasts, and the books of the day.
func heardOf(t *testing.T, h *house, model *meter) {
	t.Helper()
	for mark, level := range map[string]string{"80 % of its model budget": "level=WARN", "used up its model budget": "level=ERROR"} {
		if lines := h.log.lines(mark); len(lines) != 1 || !strings.Contains(lines[0], level) || !strings.Contains(lines[0], "account_id=acme") {
			t.Errorf("the log says of %q: %q", mark, lines)
		}
	}
	page := func(query string) string {
		res, err := http.Get(h.app.address("pages") + "/conversations" + query)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		b, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("the page: %d, %v", res.StatusCode, err)
		}
		return string(b)
	}
	for query, want := range map[string]bool{"": true, "?account=acme": true, "?account=other": false} {
		text := page(query)
		if strings.Contains(text, "has used up its model budget for today") != want || strings.Contains(text, "150,000") != want {
			t.Errorf("the list %q says so: %v, want %v", query, !want, want)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, h.url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	var accounts, spent, reserved int
	if err := conn.QueryRow(ctx, "SELECT count(*), sum(spent), sum(reserved) FROM spending").Scan(&accounts, &spent, &reserved); err != nil {
		t.Fatal(err)
	}
	if accounts != 1 || spent != model.of("acme") || reserved != 0 {
		t.Errorf("the books: %d accounts, %d spent, %d reserved; want 1, %d as charged, 0", accounts, spent, reserved, model.of("acme"))
	}
}
