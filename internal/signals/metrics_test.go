package signals_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"aftercall/internal/signals"
)

func words() signals.Words {
	return signals.Words{
		Channels: []string{"email", "task"}, States: []string{"planned", "held", "sent", "unknown"}, Verdicts: []string{"fires", "no"},
		Reasons: []string{"fired", "condition_not_met"}, Holds: []string{"breaker_open"}, Failures: []string{"unavailable"}, Purposes: []string{"interview"},
		Models: []string{"first"}, Queues: []string{"decide"}, Routes: []string{"listTasks"}, Version: "v1",
	}
}

func newSignals() *signals.Signals { return signals.New(words(), slog.New(slog.DiscardHandler)) }

// scrape gives the series of ours, sorted: name and labels without the figure.
func scrape(t *testing.T, s *signals.Signals) (series []string, text string) {
	t.Helper()
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	body, err := io.ReadAll(w.Body)
	if err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d, %v: %s", w.Code, err, body)
	}
	for line := range strings.Lines(string(body)) {
		if strings.HasPrefix(line, "aftercall_") {
			series = append(series, line[:strings.LastIndexByte(line, ' ')])
		}
	}
	slices.Sort(series)
	return series, string(body)
}

// measure says everything that can be said, with one word for each label.
func measure(s *signals.Signals, word string) {
	took := 10 * time.Millisecond
	s.Webhook(word, word, took)
	s.Interview(word, took)
	s.ModelCall(word, word, took, 10, 5, 2)
	s.DecideJob(word, took)
	s.Decided(took)
	s.Decision(word, word)
	s.Delivery(word, word)
	s.Held(word)
	s.Send(word, took)
	s.Sent(word, took)
	s.Swept(word, 3)
	s.Reservation(word)
	s.BudgetMark(word)
	s.Request(word, 200, time.Second)
	s.Request(word, 999, 0)
}

// TestWhatIsMeasuredCannotGrow: whatever words come along, there are no more series than the catalogue says, and none of
// the words is among them.
func TestWhatIsMeasuredCannotGrow(t *testing.T) {
	t.Parallel()
	s := newSignals()
	most := 0
	for _, m := range s.Catalogue() {
		most += m.Series
	}
	measure(s, "stranger-0")
	first, _ := scrape(t, s)
	for i := range 500 {
		measure(s, fmt.Sprintf("stranger-%d\"\n} 1", i))
	}
	then, text := scrape(t, s)
	if !slices.Equal(first, then) {
		t.Errorf("%d series became %d", len(first), len(then))
	}
	if strings.Contains(text, "stranger") {
		t.Errorf("a stranger's word is shown:\n%s", text)
	}
	if len(then) > most || len(then) < len(s.Catalogue())/2 {
		t.Errorf("%d series of at most %d", len(then), most)
	}
	if !slices.Contains(then, `aftercall_webhooks_total{outcome="other",route="other"}`) {
		t.Errorf("what is not known is not counted as other: %v", then)
	}
}

// TestFirstTimeIsAnIncrease: a rule asks for an increase, which the first appearance of a series is not.
func TestFirstTimeIsAnIncrease(t *testing.T) {
	t.Parallel()
	s := newSignals()
	before, text := scrape(t, s)
	for _, want := range []string{
		`aftercall_webhooks_total{outcome="failed",route="hook"}`, `aftercall_deliveries_total{channel="email",state="unknown"}`,
		`aftercall_swept_total{found="lapsed_worker"}`, `aftercall_budget_marks_total{mark="stopped"}`,
		`aftercall_decisions_total{reason="fired",result="fires"}`, `aftercall_api_requests_total{class="5xx",route="listTasks"}`,
	} {
		if !slices.Contains(before, want) || !strings.Contains(text, want+" 0\n") {
			t.Errorf("%s does not begin at nought", want)
		}
	}
	s.Delivery("email", "unknown")
	if _, text := scrape(t, s); !strings.Contains(text, `aftercall_deliveries_total{channel="email",state="unknown"} 1`) {
		t.Errorf("the delivery was not counted:\n%s", text)
	}
}

// TestStandingsAreReadWhenSomebodyLooks, and are not shown while they cannot be read: an old figure would hide the fault.
func TestStandingsAreReadWhenSomebodyLooks(t *testing.T) {
	t.Parallel()
	s := newSignals()
	away := errors.New("away")
	err := error(nil)
	s.WatchDatabase(func(ctx context.Context) (signals.Vitals, error) {
		if _, bounded := ctx.Deadline(); !bounded {
			t.Error("the database may take for ever")
		}
		return signals.Vitals{
			QueueAge: map[string]time.Duration{"decide": 90 * time.Second}, QueueJobs: map[string]int{"decide": 7, "foreign": 1},
			Undecided: map[string]int{"waiting": 4}, Ledger: map[string]int{"held": 2}, OldestDue: time.Minute, Workers: 3, Accounts: 5, Troubled: 1,
		}, err
	})
	open := true
	s.WatchCircuit("first", func() bool { return open })
	_, text := scrape(t, s)
	for _, want := range []string{
		"aftercall_database_up 1\n", `aftercall_queue_age_seconds{queue="decide"} 90`, `aftercall_queue_jobs{queue="decide"} 7`,
		`aftercall_queue_jobs{queue="other"} 1`, `aftercall_undecided_conversations{state="waiting"} 4`,
		`aftercall_ledger_deliveries{state="held"} 2`, "aftercall_due_age_seconds 60\n", "aftercall_workers 3\n",
		`aftercall_accounts{config="troubled"} 1`, `aftercall_model_circuit_open{model="first"} 1`, `aftercall_build_info{version="v1"} 1`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is missing:\n%s", want, text)
		}
	}
	err, open = away, false
	_, text = scrape(t, s)
	if !strings.Contains(text, "aftercall_database_up 0\n") || !strings.Contains(text, `aftercall_model_circuit_open{model="first"} 0`) {
		t.Errorf("it is not said that the database is away, or that the model is back:\n%s", text)
	}
	for _, stale := range []string{"aftercall_queue_age_seconds{", "aftercall_ledger_deliveries{", "aftercall_workers "} {
		if strings.Contains(text, stale) {
			t.Errorf("%s is shown while nobody can know", stale)
		}
	}
}

func TestNobodyMeasuresNothing(t *testing.T) {
	t.Parallel()
	var s *signals.Signals
	measure(s, "email")
	ctx, span := s.Resume(t.Context(), "decide", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	span.Note(slog.String("conversation_id", "c"))
	span.End("error")
	if carried := signals.Carry(ctx); carried != "" {
		t.Errorf("carries %q", carried)
	}
	s.Close()
}
