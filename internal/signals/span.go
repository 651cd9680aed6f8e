package signals

import (
	"context"
	"log/slog"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Span is one step of a trace. The zero value is a step that nobody follows.
type Span struct{ span trace.Span }

// Receive begins the trace of a request from outside. A trace that the caller names is linked and not joined: a stranger
// must not decide what we send to our collector.
func (s *Signals) Receive(ctx context.Context, name string, h http.Header) (context.Context, Span) {
	if s == nil || s.traces == nil {
		return ctx, Span{}
	}
	options := []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindServer), trace.WithNewRoot()}
	named := trace.SpanContextFromContext(propagation.TraceContext{}.Extract(context.Background(), propagation.HeaderCarrier(h)))
	if named.IsValid() {
		options = append(options, trace.WithLinks(trace.Link{SpanContext: named}))
	}
	return begin(ctx, s.traces.tracer, name, options...)
}

// Resume goes on with the trace that was carried along with a job; where none was, it begins one.
func (s *Signals) Resume(ctx context.Context, name, carried string) (context.Context, Span) {
	if s == nil || s.traces == nil {
		return ctx, Span{}
	}
	ctx = propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{traceparent: carried})
	return begin(ctx, s.traces.tracer, name, trace.WithSpanKind(trace.SpanKindConsumer))
}

// traceparent is the name under which a trace is carried (W3C Trace Context).
const traceparent = "traceparent"

// Carry gives the word by which somebody else can go on with the trace in ctx; "" if there is none.
func Carry(ctx context.Context) string {
	if !trace.SpanContextFromContext(ctx).IsValid() {
		return ""
	}
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier[traceparent]
}

// Step begins a step below the one in ctx, if there is one.
func Step(ctx context.Context, name string) (context.Context, Span) {
	return below(ctx, name, trace.SpanKindInternal)
}

// Call begins a step that asks somebody outside.
func Call(ctx context.Context, name string) (context.Context, Span) {
	return below(ctx, name, trace.SpanKindClient)
}

func below(ctx context.Context, name string, kind trace.SpanKind) (context.Context, Span) {
	above := trace.SpanFromContext(ctx)
	if !above.SpanContext().IsValid() {
		return ctx, Span{}
	}
	return begin(ctx, above.TracerProvider().Tracer(scope), name, trace.WithSpanKind(kind))
}

func begin(ctx context.Context, t trace.Tracer, name string, options ...trace.SpanStartOption) (context.Context, Span) {
	ctx, span := t.Start(ctx, name, options...)
	return ctx, Span{span}
}

// Note adds what the log says of the step as well: ids, counts and words of closed lists.
func (s Span) Note(attrs ...slog.Attr) {
	if s.span == nil || !s.span.IsRecording() {
		return
	}
	for _, a := range attrs {
		s.span.SetAttributes(plain(a))
	}
}

// End ends the step. failed is the word for what went wrong, "" if nothing did.
func (s Span) End(failed string) {
	if s.span == nil {
		return
	}
	if failed != "" {
		s.span.SetStatus(codes.Error, failed)
	}
	s.span.End()
}

// plain is an attribute of the log as one of a span. Durations are in seconds, as in the metrics.
func plain(a slog.Attr) attribute.KeyValue {
	switch v := a.Value.Resolve(); v.Kind() {
	case slog.KindBool:
		return attribute.Bool(a.Key, v.Bool())
	case slog.KindInt64:
		return attribute.Int64(a.Key, v.Int64())
	case slog.KindFloat64:
		return attribute.Float64(a.Key, v.Float64())
	case slog.KindDuration:
		return attribute.Float64(a.Key, v.Duration().Seconds())
	default:
		return attribute.String(a.Key, v.String())
	}
}

// Traced makes a log name the trace that a line belongs to.
func Traced(h slog.Handler) slog.Handler { return traced{h} }

type traced struct{ slog.Handler }

// Handle writes one record.
func (t traced) Handle(ctx context.Context, r slog.Record) error {
	if at := trace.SpanContextFromContext(ctx); at.IsValid() {
		r.AddAttrs(slog.String("trace_id", at.TraceID().String()))
	}
	return t.Handler.Handle(ctx, r)
}

// WithAttrs keeps the way of writing.
func (t traced) WithAttrs(attrs []slog.Attr) slog.Handler { return traced{t.Handler.WithAttrs(attrs)} }

// WithGroup keeps the way of writing.
func (t traced) WithGroup(name string) slog.Handler { return traced{t.Handler.WithGroup(name)} }
