// Package collector is a collector of traces for tests: a local server that takes OTLP over HTTP and keeps what it is sent.
//
// It owns the server and the spans as a test wants to see them. It promises to keep every byte that came, so that a test
// can search it for what must not be there. It sends nothing anywhere.
package collector

import (
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"

	collect "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	"google.golang.org/protobuf/proto"
)

// Collector is a running server. It is safe for concurrent use.
type Collector struct {
	URL string // what OTEL_EXPORTER_OTLP_ENDPOINT is to be

	server *httptest.Server
	mu     sync.Mutex
	spans  []Span
	raw    []byte
}

// Span is one step of a trace, with its ids in hex.
type Span struct {
	Name, Kind            string
	Trace, ID, Parent     string // Parent is "" for the first
	Links                 []string
	Failed                string            // the word for what went wrong
	Attributes, Resources map[string]string // as text
}

// New starts a collector. Close ends it.
func New() *Collector {
	c := &Collector{}
	routes := http.NewServeMux()
	routes.HandleFunc("POST /v1/traces", c.take)
	c.server = httptest.NewServer(routes)
	c.URL = c.server.URL
	return c
}

// Close ends the server.
func (c *Collector) Close() { c.server.Close() }

// Spans are those that came so far.
func (c *Collector) Spans() []Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Span(nil), c.spans...)
}

// Raw is every byte that came so far.
func (c *Collector) Raw() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return string(c.raw)
}

func (c *Collector) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var sent collect.ExportTraceServiceRequest
	if err == nil {
		err = proto.Unmarshal(body, &sent)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.raw = append(c.raw, body...)
	for _, of := range sent.GetResourceSpans() {
		resources := texts(of.GetResource().GetAttributes())
		for _, scope := range of.GetScopeSpans() {
			for _, s := range scope.GetSpans() {
				span := Span{
					Name: s.GetName(), Kind: s.GetKind().String(), Trace: hex.EncodeToString(s.GetTraceId()), ID: hex.EncodeToString(s.GetSpanId()),
					Parent: hex.EncodeToString(s.GetParentSpanId()), Failed: s.GetStatus().GetMessage(),
					Attributes: texts(s.GetAttributes()), Resources: resources,
				}
				for _, l := range s.GetLinks() {
					span.Links = append(span.Links, hex.EncodeToString(l.GetTraceId()))
				}
				c.spans = append(c.spans, span)
			}
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

func texts(attributes []*common.KeyValue) map[string]string {
	out := map[string]string{}
	for _, a := range attributes {
		switch v := a.GetValue().GetValue().(type) {
		case *common.AnyValue_StringValue:
			out[a.GetKey()] = v.StringValue
		case *common.AnyValue_IntValue:
			out[a.GetKey()] = fmt.Sprint(v.IntValue)
		case *common.AnyValue_BoolValue:
			out[a.GetKey()] = fmt.Sprint(v.BoolValue)
		case *common.AnyValue_DoubleValue:
			out[a.GetKey()] = fmt.Sprint(v.DoubleValue)
		default:
			out[a.GetKey()] = "?"
		}
	}
	return out
}
