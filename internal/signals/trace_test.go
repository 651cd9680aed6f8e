package signals_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"aftercall/internal/signals"
	"aftercall/internal/signals/collector"
)

// following gives signals whose spans go to a collector.
func following(t testing.TB, c *collector.Collector) *signals.Signals {
	t.Helper()
	s := newSignals()
	env := map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL}
	if err := s.SendTraces(t.Context(), func(name string) string { return env[name] }, "v1"); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestOneTraceAcrossTwoProcesses: what a job carries is enough to go on with the trace elsewhere.
func TestOneTraceAcrossTwoProcesses(t *testing.T) {
	t.Parallel()
	c := collector.New()
	t.Cleanup(c.Close)
	web, work := following(t, c), following(t, c)

	stranger := http.Header{"Traceparent": {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}}
	ctx, hook := web.Receive(t.Context(), "hook", stranger)
	carried := signals.Carry(ctx)
	hook.Note(slog.String("conversation_id", "c-1"), slog.Int("status", 200), slog.Duration("took", 1500*time.Millisecond), slog.Bool("ignored", false))
	hook.End("")

	ctx, job := work.Resume(context.Background(), "decide", carried)
	_, call := signals.Call(ctx, "model")
	call.End("unavailable")
	job.End("")
	web.Close()
	work.Close()

	spans := map[string]collector.Span{}
	for _, s := range c.Spans() {
		spans[s.Name] = s
	}
	h, d, m := spans["hook"], spans["decide"], spans["model"]
	if len(spans) != 3 || h.Trace == "" || h.Trace != d.Trace || d.Trace != m.Trace || h.Parent != "" || d.Parent != h.ID || m.Parent != d.ID {
		t.Errorf("not one trace: %+v", spans)
	}
	if h.Trace == "0af7651916cd43dd8448eb211c80319c" || !slices.Equal(h.Links, []string{"0af7651916cd43dd8448eb211c80319c"}) {
		t.Errorf("a stranger's trace is joined, or not linked: %+v", h)
	}
	if m.Failed != "unavailable" || d.Failed != "" || m.Kind != "SPAN_KIND_CLIENT" || d.Kind != "SPAN_KIND_CONSUMER" || h.Kind != "SPAN_KIND_SERVER" {
		t.Errorf("%+v", spans)
	}
	if a := h.Attributes; a["conversation_id"] != "c-1" || a["status"] != "200" || a["took"] != "1.5" || a["ignored"] != "false" {
		t.Errorf("attributes %v", a)
	}
	if r := h.Resources; r["service.name"] != "aftercall" || r["service.version"] != "v1" {
		t.Errorf("of %v", r)
	}
}

// TestALineNamesItsTrace, so that whoever has the one finds the other.
func TestALineNamesItsTrace(t *testing.T) {
	t.Parallel()
	c := collector.New()
	t.Cleanup(c.Close)
	s := following(t, c)
	t.Cleanup(s.Close)
	var out bytes.Buffer
	log := slog.New(signals.Traced(slog.NewTextHandler(&out, nil))).With("of", "test")
	log.InfoContext(t.Context(), "without")
	ctx, span := s.Resume(t.Context(), "decide", "")
	log.InfoContext(ctx, "within")
	span.End("")
	trace := strings.Split(signals.Carry(ctx), "-")[1]
	without, within, _ := strings.Cut(out.String(), "\n")
	if strings.Contains(without, "trace_id") || !strings.Contains(within, "trace_id="+trace) || !strings.Contains(within, "of=test") {
		t.Errorf("trace %s, log:\n%s", trace, out.String())
	}
}

// TestWhereTracesGo: nowhere unless they are asked for, and what cannot be is said at the start.
func TestWhereTracesGo(t *testing.T) {
	t.Parallel()
	c := collector.New()
	t.Cleanup(c.Close)
	for _, tt := range []struct {
		name  string
		env   map[string]string
		sends bool
		wrong string // the error's beginning
	}{
		{"nothing set", nil, false, ""},
		{"for all signals", map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL + "/"}, true, ""},
		{"for traces", map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": c.URL + "/v1/traces", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}, true, ""},
		{"switched off", map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL, "OTEL_SDK_DISABLED": "true"}, false, ""},
		{"none wanted", map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL, "OTEL_TRACES_EXPORTER": "none"}, false, ""},
		{"another exporter", map[string]string{"OTEL_TRACES_EXPORTER": "zipkin"}, false, "OTEL_TRACES_EXPORTER: "},
		{"another protocol", map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": c.URL, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, false, "OTEL_EXPORTER_OTLP_PROTOCOL: "},
		{"no address", map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318"}, false, "OTEL_EXPORTER_OTLP_ENDPOINT: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSignals()
			err := s.SendTraces(t.Context(), func(name string) string { return tt.env[name] }, "v1")
			if tt.wrong != "" {
				if err == nil || !strings.HasPrefix(err.Error(), tt.wrong) {
					t.Errorf("error %v, want %q", err, tt.wrong)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			_, span := s.Resume(t.Context(), tt.name, "")
			span.End("")
			s.Close()
			sent := slices.ContainsFunc(c.Spans(), func(s collector.Span) bool { return s.Name == tt.name })
			if sent != tt.sends {
				t.Errorf("sent %v, want %v", sent, tt.sends)
			}
		})
	}
}
