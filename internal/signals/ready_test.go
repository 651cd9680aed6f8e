package signals_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aftercall/internal/signals"
)

// TestReadinessSaysWhatIsMissing: all of it at once, in words that strangers may read; the cause is the log's, once.
func TestReadinessSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	broken := map[string]error{}
	check := func(name string) signals.Check {
		return signals.Check{Name: name, Says: "The " + name + " is not there.", Look: func(context.Context) error { return broken[name] }}
	}
	r := signals.NewReadiness(slog.New(slog.NewJSONHandler(&log, nil)), check("database"), check("schema"), check("queue"))
	for _, c := range []struct {
		name   string
		broken map[string]error
		stop   bool
		status int
		want   []string
		logged int // lines so far
	}{
		{name: "all there", status: 200},
		{name: "one missing", broken: map[string]error{"schema": errors.New("cause-1")}, status: 503, want: []string{"schema"}, logged: 1},
		{name: "still missing", broken: map[string]error{"schema": errors.New("cause-2")}, status: 503, want: []string{"schema"}, logged: 1},
		{name: "more missing", broken: map[string]error{"schema": errors.New("cause-1"), "queue": errors.New("cause-3")}, status: 503,
			want: []string{"schema", "queue"}, logged: 2},
		{name: "back", status: 200, logged: 4},
		{name: "stopping", stop: true, status: 503, want: []string{"process"}, logged: 4},
	} {
		if c.stop {
			r.Stop()
		}
		clear(broken)
		for name, err := range c.broken {
			broken[name] = err
		}
		w := httptest.NewRecorder()
		r.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/readyz", nil))
		var said struct {
			Status  any
			Detail  string
			Missing []string
		}
		if err := json.Unmarshal(w.Body.Bytes(), &said); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, said.Missing); diff != "" || w.Code != c.status {
			t.Errorf("%s: %d, missing (-want +got):\n%s", c.name, w.Code, diff)
		}
		if strings.Contains(w.Body.String(), "cause") || c.status == 503 && (said.Detail == "" || w.Header().Get("Retry-After") == "") {
			t.Errorf("%s: %s", c.name, w.Body)
		}
		if got := strings.Count(log.String(), "\n"); got != c.logged {
			t.Errorf("%s: %d lines in the log, want %d: %s", c.name, got, c.logged, log.String())
		}
	}
	if !strings.Contains(log.String(), "cause-1") || !strings.Contains(log.String(), "cause-3") {
		t.Errorf("the causes are not in the log: %s", log.String())
	}
}

// TestOneLookAtATime: however many ask, the checks are never made twice at once, so that a crowd of probes cannot take
// the connections away; and whoever asks later is given no old answer.
func TestOneLookAtATime(t *testing.T) {
	t.Parallel()
	var looking atomic.Int32
	looks := 0
	r := signals.NewReadiness(slog.New(slog.DiscardHandler), signals.Check{Name: "slow", Says: "Slow.", Look: func(context.Context) error {
		if looking.Add(1) > 1 {
			t.Error("two look at once")
		}
		defer looking.Add(-1)
		looks++
		runtime.Gosched()
		return nil
	}})
	var crowd sync.WaitGroup
	for range 50 {
		crowd.Go(func() { r.Missing(t.Context()) })
	}
	crowd.Wait()
	before := looks
	r.Missing(t.Context())
	if looks != before+1 {
		t.Errorf("%d looks, then %d: whoever asked later was given an old answer", before, looks)
	}
}
