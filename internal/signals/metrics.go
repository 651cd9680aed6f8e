package signals

import (
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Words of our own: what became of a post, an interview, a decide job, a reservation; what a sweep found.
const (
	Unauthorized = "unauthorized" // a post: no key or signature that fits
	Refused      = "refused"      // a post: not to be stored as it is
	Unavailable  = "unavailable"  // a post: to come back
	Failed       = "failed"       // a post: something is wrong here. An interview: a sheet could not be filled in
	Ignored      = "ignored"      // a post: nobody asked for this type of event

	Filled   = "filled"   // an interview
	Valid    = "valid"    // a call to a model
	Waiting  = "waiting"  // an interview or a decide job: for the model
	Decided  = "decided"  // a decide job
	Again    = "again"    // a decide job: the conversation moved on meanwhile, or another version must take it
	Errored  = "error"    // an interview or a decide job
	GivenUp  = "given_up" // a decide job: the conversation waits for a person
	Granted  = "granted"  // a reservation
	Busy     = "busy"     // a reservation: calls under way hold the rest
	Spent    = "spent"    // a reservation: the budget is used up
	Lapsed   = "lapsed_worker"
	Doubted  = "unknown_delivery"
	Undone   = "decide_job"
	Unsent   = "deliver_job"
	Unerased = "erase_job"
	TooLate  = "too_late_delivery"
	Returned = "returned_claim"
)

// other stands for every value that is not on its label's list.
const other = "other"

// Metric is what there is to know about one metric without measuring it.
type Metric struct {
	Name, Kind, Help string
	Labels           []Label
	Series           int // how many there can be at most
}

// Label is a label with the words it may hold, beside "other".
type Label struct {
	Name  string
	Words []string
}

// measures are the metrics themselves.
type measures struct {
	catalogue []Metric

	webhooks       *counter
	webhookSeconds *histogram

	requests       *counter
	requestSeconds *histogram

	interviewSeconds *histogram
	modelCalls       *counter
	modelSeconds     *histogram
	modelTokens      *counter
	circuitOpen      *gauge

	decideSeconds *histogram
	decidedAfter  *histogram
	decisions     *counter

	deliveries  *counter
	held        *counter
	sendSeconds *histogram
	sentLate    *histogram

	swept        *counter
	reservations *counter
	budgetMarks  *counter

	vitals
}

// Buckets, in seconds: of what a platform waits for, of what a model takes, and of how long a customer waits.
var (
	quick = []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2, 3}
	model = []float64{.1, .25, .5, 1, 2, 5, 10, 20, 40, 80}
	long  = []float64{.25, .5, 1, 2, 5, 10, 30, 60, 300, 900, 3600, 21600}
)

// define makes every metric. This is the list; docs/operations/metrics.md is held against it.
func (s *Signals) define(w Words) {
	route := Label{"route", []string{"conversation", "event", "hook"}}
	channel := Label{"channel", w.Channels}
	s.webhooks = s.counter("aftercall_webhooks_total", "Posts answered, by what became of them.", route, Label{"outcome", []string{
		"new", "merged", "known", "duplicate", "conflict", "event", Ignored, Unauthorized, Refused, Unavailable, Failed}})
	s.webhookSeconds = s.histogram("aftercall_webhook_seconds", "From a post's arrival to its answer.", quick, route)

	operation := Label{"route", w.Routes}
	s.requests = s.counter("aftercall_api_requests_total", "Requests of programs, by the operation of /openapi.json and the class of the answer.", operation,
		Label{"class", []string{"2xx", "4xx", "5xx"}})
	s.requestSeconds = s.histogram("aftercall_api_request_seconds", "From a program's request to its answer; a stream has no end that could be timed.", quick, operation)

	s.interviewSeconds = s.histogram("aftercall_interview_seconds", "One conversation's form, all calls to the model together.", model,
		Label{"outcome", []string{Filled, Failed, Waiting, Errored}})
	s.modelCalls = s.counter("aftercall_model_calls_total", "Calls to the model, by their purpose and what came of them.",
		Label{"purpose", w.Purposes}, Label{"outcome", append([]string{Valid}, w.Failures...)})
	s.modelSeconds = s.histogram("aftercall_model_call_seconds", "One call to the model that was answered.", model)
	s.modelTokens = s.counter("aftercall_model_tokens_total", "Tokens as the model's server reports them; cached ones are part of those that went in.",
		Label{"kind", []string{"in", "cached", "out"}})
	s.circuitOpen = s.gauge("aftercall_model_circuit_open", "1 while a model counts as away and is only probed.", Label{"model", w.Models})

	s.decideSeconds = s.histogram("aftercall_decide_seconds", "One run of a decide job, its wait for the model included.", model,
		Label{"outcome", []string{Decided, Waiting, Again, GivenUp, Errored}})
	s.decidedAfter = s.histogram("aftercall_decided_after_seconds", "From a conversation's acceptance to its last decision.", long)
	s.decisions = s.counter("aftercall_decisions_total", "Final decisions, one per conversation and automation.", Label{"result", w.Verdicts}, Label{"reason", w.Reasons})

	s.deliveries = s.counter("aftercall_deliveries_total", "Deliveries that entered a state.", channel, Label{"state", w.States})
	s.held = s.counter("aftercall_held_total", "Deliveries that were planned to wait for a person.", Label{"reason", w.Holds})
	s.sendSeconds = s.histogram("aftercall_send_seconds", "One call of a channel's provider.", quick, channel)
	s.sentLate = s.histogram("aftercall_sent_late_seconds", "From the time a message was due first to the provider's receipt.", long, channel)

	s.swept = s.counter("aftercall_swept_total", "What sweeps found and took up.", Label{"found", []string{Lapsed, Doubted, Undone, Unsent, Unerased, TooLate, Returned}})
	s.reservations = s.counter("aftercall_budget_reservations_total", "Tokens asked of an account's budget before a request, by the answer.",
		Label{"result", []string{Granted, Busy, Spent}})
	s.budgetMarks = s.counter("aftercall_budget_marks_total", "Accounts that used up 80 % of their day's budget (warned) or all of it (stopped).",
		Label{"mark", []string{"warned", "stopped"}})
	s.defineVitals(w)
	for _, c := range []*counter{s.webhooks, s.requests, s.modelCalls, s.modelTokens, s.decisions, s.deliveries, s.held, s.swept, s.reservations, s.budgetMarks} {
		c.show()
	}
}

// Catalogue lists every metric of ours.
func (s *Signals) Catalogue() []Metric { return slices.Clone(s.catalogue) }

// Webhook notes a post that was answered.
func (s *Signals) Webhook(route, outcome string, took time.Duration) {
	if s == nil {
		return
	}
	s.webhooks.add(1, route, outcome)
	s.webhookSeconds.note(took, route)
}

// Request notes that a program was answered. took is below 0 for a stream, which lasts as long as it is listened to.
func (s *Signals) Request(operation string, status int, took time.Duration) {
	if s == nil {
		return
	}
	s.requests.add(1, operation, fmt.Sprintf("%dxx", status/100))
	if took >= 0 {
		s.requestSeconds.note(took, operation)
	}
}

// Interview notes that a form was asked.
func (s *Signals) Interview(outcome string, took time.Duration) {
	if s == nil {
		return
	}
	s.interviewSeconds.note(took, outcome)
}

// ModelCall notes one call to the model: Valid, or the kind of its failure.
func (s *Signals) ModelCall(purpose, outcome string, took time.Duration, in, cached, out int) {
	if s == nil {
		return
	}
	s.modelCalls.add(1, purpose, outcome)
	if took > 0 { // of a call without an answer nobody knows
		s.modelSeconds.note(took)
	}
	s.modelTokens.add(in, "in")
	s.modelTokens.add(cached, "cached")
	s.modelTokens.add(out, "out")
}

// DecideJob notes a decide job's run.
func (s *Signals) DecideJob(outcome string, took time.Duration) {
	if s == nil {
		return
	}
	s.decideSeconds.note(took, outcome)
}

// Decided notes that nothing of a conversation is left to decide, so long after it was accepted.
func (s *Signals) Decided(after time.Duration) {
	if s == nil {
		return
	}
	s.decidedAfter.note(after)
}

// Decision notes a final decision.
func (s *Signals) Decision(verdict, reason string) {
	if s == nil {
		return
	}
	s.decisions.add(1, verdict, reason)
}

// Delivery notes that a delivery entered a state.
func (s *Signals) Delivery(channel, state string) {
	if s == nil {
		return
	}
	s.deliveries.add(1, channel, state)
}

// Held notes why a delivery waits for a person.
func (s *Signals) Held(reason string) {
	if s == nil {
		return
	}
	s.held.add(1, reason)
}

// Send notes a call of a channel's provider.
func (s *Signals) Send(channel string, took time.Duration) {
	if s == nil {
		return
	}
	s.sendSeconds.note(took, channel)
}

// Sent notes a receipt, so long after the message was due first.
func (s *Signals) Sent(channel string, late time.Duration) {
	if s == nil {
		return
	}
	s.sentLate.note(max(late, 0), channel)
}

// Swept notes what a sweep found.
func (s *Signals) Swept(found string, n int) {
	if s == nil {
		return
	}
	s.swept.add(n, found)
}

// Reservation notes what an account's budget answered.
func (s *Signals) Reservation(result string) {
	if s == nil {
		return
	}
	s.reservations.add(1, result)
}

// BudgetMark notes that an account passed a mark of its day's budget.
func (s *Signals) BudgetMark(mark string) {
	if s == nil {
		return
	}
	s.budgetMarks.add(1, mark)
}

// closed are the labels of one metric.
type closed []Label

func (c closed) names() (names []string) {
	for _, l := range c {
		names = append(names, l.Name)
	}
	return names
}

// series is how many there can be: every word of every label, and "other".
func (c closed) series() int {
	n := 1
	for _, l := range c {
		n *= len(l.Words) + 1
	}
	return n
}

// admit gives the values as they may be counted.
func (c closed) admit(values []string) []string {
	for i, l := range c {
		if !slices.Contains(l.Words, values[i]) {
			values[i] = other
		}
	}
	return values
}

// each calls f with every combination of words.
func (c closed) each(f func(values []string)) {
	values := make([]string, len(c))
	var fill func(i int)
	fill = func(i int) {
		if i == len(c) {
			f(values)
			return
		}
		for _, word := range c[i].Words {
			values[i] = word
			fill(i + 1)
		}
	}
	fill(0)
}

type counter struct {
	closed
	vec *prometheus.CounterVec
}

func (c *counter) add(n int, values ...string) {
	if n > 0 {
		c.vec.WithLabelValues(c.admit(values)...).Add(float64(n))
	}
}

// show makes every series begin at nought, so that the first time something happens is an increase.
func (c *counter) show() {
	c.each(func(values []string) { c.vec.WithLabelValues(values...) })
}

type histogram struct {
	closed
	vec *prometheus.HistogramVec
}

func (h *histogram) note(d time.Duration, values ...string) {
	h.vec.WithLabelValues(h.admit(values)...).Observe(d.Seconds())
}

type gauge struct {
	closed
	vec *prometheus.GaugeVec
}

func (g *gauge) set(v float64, values ...string) { g.vec.WithLabelValues(g.admit(values)...).Set(v) }

func (s *Signals) counter(name, help string, labels ...Label) *counter {
	c := &counter{labels, prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, closed(labels).names())}
	s.add(Metric{name, "counter", help, labels, c.series()}, c.vec)
	return c
}

func (s *Signals) histogram(name, help string, buckets []float64, labels ...Label) *histogram {
	h := &histogram{labels, prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, closed(labels).names())}
	s.add(Metric{name, "histogram", help, labels, h.series() * (len(buckets) + 3)}, h.vec) // and +Inf, sum, count
	return h
}

func (s *Signals) gauge(name, help string, labels ...Label) *gauge {
	g := &gauge{labels, prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, closed(labels).names())}
	s.add(Metric{name, "gauge", help, labels, g.series()}, g.vec)
	return g
}

func (s *Signals) add(m Metric, c prometheus.Collector) {
	s.catalogue = append(s.catalogue, m)
	s.registry.MustRegister(c)
}
