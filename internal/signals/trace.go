package signals

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// traces is where this process's spans go.
type traces struct {
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
}

// scope is the name under which a collector finds our spans.
const scope = "aftercall"

// SendTraces begins to send spans to the collector that the environment names, by OTLP over HTTP; without one it does
// nothing. Which share of the traces is sent, how they are batched, headers and certificates follow OpenTelemetry's own
// variables, which its library reads by itself.
func (s *Signals) SendTraces(ctx context.Context, getenv func(string) string, version string) error {
	collector, on, err := collectorOf(getenv)
	if err != nil || !on {
		return err
	}
	var options []otlptracehttp.Option
	if collector != "" {
		options = append(options, otlptracehttp.WithEndpointURL(collector))
	}
	exporter, err := otlptracehttp.New(ctx, options...)
	if err != nil {
		return fmt.Errorf("send traces: %w", err)
	}
	of, err := resource.New(ctx,
		resource.WithAttributes(attribute.String("service.name", scope), attribute.String("service.version", version)),
		resource.WithFromEnv(), resource.WithTelemetrySDK())
	if err != nil {
		return fmt.Errorf("send traces: %w", err)
	}
	otel.SetErrorHandler(&complaints{log: s.log})
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(of))
	s.traces = &traces{provider: provider, tracer: provider.Tracer(scope)}
	s.log.Info("sending traces")
	return nil
}

// collectorOf reads where traces go: on says whether they go anywhere, and an empty address means the usual one.
func collectorOf(getenv func(string) string) (address string, on bool, err error) {
	const all, own = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
	name := own
	if address = getenv(own); address == "" {
		name, address = all, getenv(all)
	}
	kind := getenv("OTEL_TRACES_EXPORTER")
	if getenv("OTEL_SDK_DISABLED") == "true" || kind == "none" || kind == "" && address == "" {
		return "", false, nil
	}
	if kind != "" && kind != "otlp" {
		return "", false, errors.New("OTEL_TRACES_EXPORTER: want otlp or none")
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"} {
		if p := getenv(name); p != "" && p != "http/protobuf" {
			return "", false, fmt.Errorf("%s: want http/protobuf, the one way in which traces are sent", name)
		}
	}
	if address == "" {
		return "", true, nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", false, fmt.Errorf("%s: want an http:// or https:// URL", name)
	}
	if name == all {
		u = u.JoinPath("v1", "traces")
	}
	return u.String(), true, nil
}

// flushFor is how long the last spans may take on their way out.
const flushFor = 3 * time.Second

// Close sends what is left of the traces.
func (s *Signals) Close() {
	if s == nil || s.traces == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), flushFor)
	defer cancel()
	if err := s.traces.provider.Shutdown(ctx); err != nil {
		s.log.Warn("the last traces were not delivered", "error", err)
	}
}

// complaints logs what the library could not deliver, once a minute: a collector that is away must not fill the log.
type complaints struct {
	log *slog.Logger

	mu   sync.Mutex
	last time.Time
}

// Handle takes an error of the library's.
func (c *complaints) Handle(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.last) > time.Minute {
		c.last = now
		c.log.Warn("traces are not delivered", "error", err)
	}
}
