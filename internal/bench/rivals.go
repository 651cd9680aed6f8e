package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"aftercall/internal/chaos/bed"
	"aftercall/internal/chaos/checker"
)

// rivals runs the product in turn with a worker written by hand on the same queue, whose source lies beside the
// project: the same Postgres, and their fakes and load generator, not ours. It asks the model five times a call, keeps no
// ledger and checks nothing.
func rivals() measurement {
	return measurement{
		id: "rivals", title: "in turn with a hand-written worker, by its own fakes and load generator", take: takeRivals,
		wants: func(o options) bool { return o.data != "" },
	}
}

// n8nPerS is what PEERS.md beside the rival's source says n8n did on this machine: regular mode, a model without latency.
const n8nPerS = 14

// arena is where they meet.
type arena struct {
	*stage
	bin           string // folder of the rivals' programs
	openai, mails string // addresses of their fakes
	naive         string // where the hand-written worker listens
	dsn           string // its database
}

func takeRivals(ctx context.Context, b *bench) error {
	if b.data == "" {
		return errors.New("the rivals' source is not here: name its folder with -data")
	}
	s, err := b.stage(ctx, bed.Options{Measure: true})
	if err != nil {
		return err
	}
	defer s.Close()
	a := &arena{stage: s, bin: filepath.Join(s.Dir, "rivals")}
	if err := a.open(ctx); err != nil {
		return err
	}
	for range b.rounds {
		b.pace()
		if err := a.round(ctx); err != nil {
			return err
		}
	}
	return s.audit(ctx)
}

// open builds the rivals and starts their fakes.
func (a *arena) open(ctx context.Context) (err error) {
	source, err := filepath.Abs(filepath.Join(a.bench.data, "bench"))
	if err != nil {
		return fmt.Errorf("find the rivals: %w", err)
	}
	if err := os.MkdirAll(a.bin, 0o755); err != nil {
		return fmt.Errorf("build the rivals: %w", err)
	}
	for _, of := range [][2]string{{source, "./cmd/..."}, {filepath.Join(source, "ceilings"), "./cmd/river-naive"}} {
		cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", a.bin+"/", of[1])
		cmd.Dir, cmd.Env = of[0], append(os.Environ(), "GOWORK=off")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("build the rivals: %w\n%s", err, out)
		}
	}
	for _, addr := range []*string{&a.openai, &a.mails, &a.naive} {
		if *addr, err = freePort(); err != nil {
			return err
		}
	}
	if err := os.WriteFile(a.path("automations.json"), []byte(theirAutomations()), 0o644); err != nil {
		return fmt.Errorf("write the rivals' automations: %w", err)
	}
	if err := a.Database.Create(ctx, "river"); err != nil {
		return err
	}
	a.dsn = a.Database.Direct("river")
	if _, err := a.Start("fake-openai", a.path("fake-openai"), "-addr", a.openai, "-quotes"); err != nil {
		return err
	}
	if _, err := a.Start("fake-sendgrid", a.path("fake-sendgrid"), "-addr", a.mails); err != nil {
		return err
	}
	a.env = []string{"OPENAI_BASE_URL=http://" + a.openai + "/v1", "SENDGRID_BASE_URL=http://" + a.mails}
	return errors.Join(answers(ctx, a.openai), answers(ctx, a.mails))
}

func (a *arena) path(name string) string { return filepath.Join(a.bin, name) }

// result is as much of the load generator's output as is used.
type result struct {
	End        string  `json:"end"`
	Rate       float64 `json:"conversations_per_s"`
	Webhook99  float64 `json:"webhook_ms_p99"`
	EndToEnd99 float64 `json:"e2e_ms_p99"`
	Accepted   int     `json:"accepted"`
	Full       int     `json:"full"`
	Doubled    int     `json:"duplicate_messages"`
	Process    watched `json:"watch_process"`
	Postgres   watched `json:"watch_postgres"`
}

type watched struct {
	PerCall float64 `json:"cpu_ms_per_conv"`
	MB      float64 `json:"peak_rss_mib"`
}

// round lets each run once.
func (a *arena) round(ctx context.Context) error {
	plain, err := a.theirs(ctx)
	if err != nil {
		return err
	}
	quick, err := a.theirs(ctx, "-cooldown", "5ms")
	if err != nil {
		return err
	}
	own, err := a.ours(ctx)
	if err != nil {
		return err
	}
	b := a.bench
	for _, r := range []struct {
		name string
		of   result
	}{{"by hand, as it is", plain}, {"by hand, cooldown 5ms", quick}, {"ours", own}} {
		b.add("calls a second, "+r.name, "/s", r.of.Rate)
		b.add("processor a call with Postgres, "+r.name, "ms", r.of.Process.PerCall+r.of.Postgres.PerCall)
		b.add("most memory, "+r.name, "MB", r.of.Process.MB)
		b.say("%s: %.0f calls/s, webhook p99 %.0f, end to end p99 %.0f ms, %.2f + %.2f ms of processor a call, %d of %d whole, %d doubled (%s)",
			r.name, r.of.Rate, r.of.Webhook99, r.of.EndToEnd99, r.of.Process.PerCall, r.of.Postgres.PerCall, r.of.Full, r.of.Accepted, r.of.Doubled, r.of.End)
	}
	b.add("ours ÷ by hand, same round", "", own.Rate/plain.Rate, atLeast(1))
	b.add("ours ÷ by hand with a cooldown of 5ms, same round", "", own.Rate/quick.Rate, atLeast(1))
	b.add(fmt.Sprintf("ours ÷ n8n's %d calls/s (from PEERS.md, not run here)", n8nPerS), "", own.Rate/n8nPerS, atLeast(30))
	b.add("calls of ours not whole", "", float64(own.Accepted-own.Full), law)
	b.add("mails of ours doubled", "", float64(own.Doubled), law)
	return nil
}

// theirs runs the hand-written worker.
func (a *arena) theirs(ctx context.Context, flags ...string) (r result, err error) {
	p, err := a.Start("river-naive", a.path("river-naive"), append([]string{
		"-dsn", a.dsn, "-addr", a.naive, "-automations", a.path("automations.json"), "-openai", "http://" + a.openai, "-sendgrid", "http://" + a.mails,
	}, flags...)...)
	if err != nil {
		return r, err
	}
	defer p.Terminate(5 * time.Second)
	if err := answers(ctx, a.naive); err != nil {
		return r, err
	}
	return a.load(ctx, p, a.dsn, "http://"+a.naive+"/")
}

// ours runs the product.
func (a *arena) ours(ctx context.Context) (r result, err error) {
	if err := a.start(ctx); err != nil {
		return r, err
	}
	defer a.stop()
	body := a.path("body.json")
	if err := os.WriteFile(body, []byte(theirBody()), 0o644); err != nil {
		return r, fmt.Errorf("write the body: %w", err)
	}
	return a.load(ctx, a.product, a.Database.Direct(a.name), a.Web+"/hooks/"+usual, "-body", body, "-hmac-secret", secret,
		"-hmac-header", "ElevenLabs-Signature")
}

// load warms a worker up and then lets the load generator loose on it.
func (a *arena) load(ctx context.Context, p *bed.Process, database, url string, flags ...string) (r result, err error) {
	pid := a.path("peer.pid")
	if err := os.WriteFile(pid, []byte(strconv.Itoa(p.PID())), 0o644); err != nil {
		return r, fmt.Errorf("write a pid: %w", err)
	}
	flags = append(flags, "-url", url, "-openai", "http://"+a.openai, "-sendgrid", "http://"+a.mails, "-turns", strconv.Itoa(turns), "-json")
	if _, err := a.loadgen(ctx, append(flags, "-m", "30", "-c", "4")...); err != nil {
		return r, err
	}
	c, err := checker.Open(ctx, database)
	if err != nil {
		return r, err
	}
	defer c.Close()
	if err := (&stage{checker: c}).tidy(ctx); err != nil {
		return r, err
	}
	out, err := a.loadgen(ctx, append(flags, "-m", strconv.Itoa(a.bench.size(5000, 60)), "-c", strconv.Itoa(atOnce), "-timeout", "4m",
		"-watch", "process="+pid, "-watch", "postgres="+a.Database.PIDFile())...)
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(out, &r); err != nil {
		return r, fmt.Errorf("read what the load generator says: %w", err)
	}
	return r, nil
}

func (a *arena) loadgen(ctx context.Context, flags ...string) ([]byte, error) {
	out, err := exec.CommandContext(ctx, a.path("loadgen"), flags...).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil, fmt.Errorf("run the load generator: %w\n%s", err, exit.Stderr)
	}
	if err != nil {
		return nil, fmt.Errorf("run the load generator: %w", err)
	}
	return out, nil
}

// theirBody is the load generator's template of what ElevenLabs posts.
func theirBody() string {
	return strings.NewReplacer(`"CALL"`, "{{conversation_id}}", `["TURNS"]`, "{{transcript}}").Replace(`{"type":"post_call_transcription",` +
		`"event_timestamp":` + strconv.FormatInt(time.Now().Unix(), 10) + `,"data":{"agent_id":"agent-1","agent_name":"Reception",` +
		`"conversation_id":"CALL","status":"done","transcript":["TURNS"],"metadata":{"start_time_unix_secs":` +
		strconv.FormatInt(time.Now().Unix()-300, 10) + `,"call_duration_secs":240,"phone_call":{"direction":"inbound",` +
		`"external_number":"+447700900456","agent_number":"+442071838750"}},"analysis":null}}`)
}

// theirAutomations are five automations as the rival reads them: for each, what it asks and the schema of the answer.
func theirAutomations() string {
	var all []map[string]any
	text := map[string]any{"type": "string"}
	for i := range mails {
		all = append(all, map[string]any{
			"id": automation(i), "name": fmt.Sprintf("Follow-up %d", i+1), "from": "desk@northwind.example",
			"trigger": "Did the caller " + questions()[i] + "?",
			"schema": map[string]any{
				"type": "object", "additionalProperties": false, "required": []string{"triggered", "reason", "variables"},
				"properties": map[string]any{
					"triggered": map[string]any{"type": "boolean"}, "reason": text,
					"variables": map[string]any{
						"type": "object", "additionalProperties": false,
						"required": []string{"customer_name", "customer_email", "summary", "appointment_at"},
						"properties": map[string]any{
							"customer_name": text, "customer_email": map[string]any{"type": "string", "format": "email"}, "summary": text,
							"appointment_at": map[string]any{"type": []string{"string", "null"}, "format": "date-time"},
						},
					},
				},
			},
		})
	}
	raw, err := json.Marshal(all)
	if err != nil {
		panic(err) // it is made of plain values
	}
	return string(raw)
}

// freePort is an address of this machine that nobody listens at.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	return l.Addr().String(), l.Close()
}

// answers waits until somebody listens.
func answers(ctx context.Context, addr string) error {
	for until := time.Now().Add(10 * time.Second); ; {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			return c.Close()
		}
		if time.Now().After(until) || !bed.Wait(ctx, 20*time.Millisecond) {
			return fmt.Errorf("nobody listens: %w", err)
		}
	}
}
