// Package bed is what chaos runs and measurements stand on: real processes of the product, a PostgreSQL of their own, fake
// providers in a process of theirs, and what can be done to each of them.
//
// It owns building the product, whole or with a variant (build.go), the database and its proxy (database.go), starting,
// killing, freezing and stopping processes (process.go), what they use (usage.go), and the callers who post
// conversations (callers.go).
//
// It promises that nothing leaves the machine, that only processes it started are ever signalled, and that everything is
// gone when it is closed but the folder with the logs and the history. It decides nothing about right and wrong: that
// is the checker's.
package bed

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options of a bed.
type Options struct {
	Dir     string // for logs, config and history; it must exist
	Data    string // where the database lies, and stays; "": in Dir, and gone when the bed is closed
	Builder *Builder
	// Variants are built into the product. "fast" among them shortens leases, sweeps and back-offs, for runs of seconds.
	Variants []string
	Seed     uint64
	// Config is the config folder's files by path; nil means Account.
	Config map[string]string
	// Env is set for every process of the product, beside what the bed sets itself.
	Env []string
	// Measure is for runs that measure: the product reaches the database past the proxy, and the providers only count
	// mails (Tally) instead of keeping a history on disk.
	Measure bool
	// Postgres are further settings of the database's server, as name=value.
	Postgres []string
}

// Bed is a running bed.
type Bed struct {
	Options
	Binary   string            // of the product
	Database *Database         // its PostgreSQL
	History  string            // path of the providers' history
	Keys     map[string]string // API keys by account
	Web      string            // base URL of the newest web process

	fakeURL   string
	smtp      string // address of the fake mail server
	mu        sync.Mutex
	processes []*Process
	started   int
}

// Open builds what is needed, starts database and providers, and makes the schema and an API key for each account. No
// process of the product runs yet.
func Open(ctx context.Context, o Options) (b *Bed, err error) {
	if o.Config == nil {
		o.Config = Account()
	}
	b = &Bed{Options: o, History: filepath.Join(o.Dir, "history.jsonl"), Keys: map[string]string{}}
	defer func() {
		if err != nil {
			b.Close()
		}
	}()
	if b.Binary, err = o.Builder.Product(ctx, o.Variants...); err != nil {
		return b, err
	}
	if b.Database, err = startDatabase(ctx, b.data(), o.Postgres); err != nil {
		return b, err
	}
	if err := b.startFake(ctx); err != nil {
		return b, err
	}
	if err := b.WriteConfig(o.Config); err != nil {
		return b, err
	}
	if err := b.Must(ctx, nil, "migrate"); err != nil {
		return b, err
	}
	if err := b.RememberHours(ctx, databaseName); err != nil {
		return b, err
	}
	for _, account := range accounts(o.Config) {
		if err := b.addKey(ctx, account); err != nil {
			return b, err
		}
	}
	return b, nil
}

func (b *Bed) data() string {
	if b.Data != "" {
		return b.Data
	}
	return filepath.Join(b.Dir, "postgres")
}

// Must runs a verb that has to end well. env is set beside the bed's own environment.
func (b *Bed) Must(ctx context.Context, env []string, args ...string) error {
	out, code, err := b.RunWith(ctx, env, args...)
	if err == nil && code != 0 {
		err = fmt.Errorf("aftercall %s: exit %d\n%s", strings.Join(args, " "), code, out)
	}
	return err
}

// accounts are the accounts of a config folder: its own, or those of the folders in it.
func accounts(config map[string]string) (names []string) {
	for _, path := range sortedKeys(config) {
		if filepath.Base(path) != "account.yaml" {
			continue
		}
		for l := range strings.Lines(config[path]) {
			if name, ok := strings.CutPrefix(l, "account:"); ok {
				names = append(names, strings.TrimSpace(name))
			}
		}
	}
	return names
}

func sortedKeys(m map[string]string) (keys []string) {
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// WriteConfig writes the config folder. Whichever process watches it takes it within about a second; if none runs, the
// next one at its start.
func (b *Bed) WriteConfig(files map[string]string) error {
	for path, text := range files {
		full := filepath.Join(b.configDir(), path)
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			return fmt.Errorf("write the config: %w", err)
		}
		if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
			return fmt.Errorf("write the config: %w", err)
		}
	}
	return nil
}

func (b *Bed) configDir() string { return filepath.Join(b.Dir, "config") }

func (b *Bed) addKey(ctx context.Context, account string) error {
	out, code, err := b.Run(ctx, "keys", "add", account, "chaos")
	if err == nil && code != 0 {
		err = fmt.Errorf("exit %d\n%s", code, out)
	}
	if err != nil {
		return fmt.Errorf("make a key for %s: %w", account, err)
	}
	for l := range strings.Lines(out) {
		if l = strings.TrimSpace(l); strings.HasPrefix(l, "ac_") {
			b.Keys[account] = l
			return nil
		}
	}
	return fmt.Errorf("make a key for %s: none was printed\n%s", account, out)
}

func (b *Bed) startFake(ctx context.Context) error {
	binary, err := b.Builder.Fake(ctx)
	if err != nil {
		return err
	}
	args := []string{"-history", b.History, "-seed", fmt.Sprint(b.Seed)}
	if b.Measure {
		args = []string{"-tally"}
	}
	p, err := start("fake", filepath.Join(b.Dir, "fake.log"), os.Environ(), binary, args...)
	if err != nil {
		return err
	}
	b.keep(p)
	if b.smtp, err = p.await(ctx, "smtp ", time.Minute); err != nil {
		return err
	}
	b.fakeURL, err = p.await(ctx, "listening ", time.Minute)
	return err
}

// Environment is what every process of the product gets: the bed's database and providers, and nothing of ours that
// could lead elsewhere.
func (b *Bed) Environment() []string {
	return append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + b.Dir, "NO_PROXY=*",
		"DATABASE_URL=" + b.databaseURL(),
		"AFTERCALL_CONFIG=" + b.configDir(),
		"AFTERCALL_LISTEN=127.0.0.1:0", "AFTERCALL_ADMIN_LISTEN=127.0.0.1:0",
		"OPENAI_API_KEY=" + ModelKey, "OPENAI_BASE_URL=" + b.fakeURL + "/v1", "AFTERCALL_MODEL=chaos-fake-1",
		"SENDGRID_API_KEY=" + MailKey, "SENDGRID_BASE_URL=" + b.fakeURL,
	}, b.Env...)
}

func (b *Bed) databaseURL() string {
	if b.Measure {
		return b.Database.Direct(databaseName)
	}
	return b.Database.URL(databaseName)
}

// The credentials that the product is given. They are canaries, too: nothing it writes may hold them.
const (
	ModelKey = "sk-chaos-canary-3f1c9b7e52"
	MailKey  = "SG.chaos-canary-8d20c4a6f1"
)

// Worker starts a process that decides and delivers. binary "" is the bed's own.
func (b *Bed) Worker(ctx context.Context, env ...string) (*Process, error) {
	p, err := b.Serve(ctx, b.Binary, env, "--only", "worker")
	if err != nil {
		return nil, err
	}
	return p, b.untilWorking(ctx, p)
}

// untilWorking waits until a worker has taken its lease: from then on it takes jobs.
func (b *Bed) untilWorking(ctx context.Context, p *Process) error {
	rest, err := p.await(ctx, `"msg":"working","worker_id":"`, time.Minute)
	p.WorkerID, _, _ = strings.Cut(rest, `"`)
	return err
}

// BySMTP is the environment of a worker that hands its mails to the fake mail server instead of SendGrid.
func (b *Bed) BySMTP() []string { return []string{"SENDGRID_API_KEY=", "SMTP_URL=smtp://" + b.smtp} }

// WebProcess starts a process that takes webhooks and shows pages, waits until it is ready, and makes it b.Web.
func (b *Bed) WebProcess(ctx context.Context, env ...string) (*Process, error) {
	p, err := b.Serve(ctx, b.Binary, env, "--only", "web")
	if err != nil {
		return nil, err
	}
	return p, b.UseWeb(ctx, p)
}

// Whole starts one process that does everything, as a small installation has it, waits until it works and takes webhooks,
// and makes it b.Web.
func (b *Bed) Whole(ctx context.Context, env ...string) (*Process, error) {
	p, err := b.Serve(ctx, b.Binary, env)
	if err != nil {
		return nil, err
	}
	if err := b.untilWorking(ctx, p); err != nil {
		return p, err
	}
	return p, b.UseWeb(ctx, p)
}

// Serve starts `aftercall serve` from any binary.
func (b *Bed) Serve(_ context.Context, binary string, env []string, args ...string) (*Process, error) {
	b.mu.Lock()
	b.started++
	name := fmt.Sprintf("serve-%03d%s", b.started, strings.Join(args, ""))
	b.mu.Unlock()
	p, err := start(name, filepath.Join(b.Dir, name+".log"), append(append(b.Environment(), "PGAPPNAME="+name), env...), binary,
		append([]string{"serve"}, args...)...)
	if err != nil {
		return nil, err
	}
	b.keep(p)
	return p, nil
}

// UseWeb waits until p listens for webhooks and makes it the one to which callers post.
func (b *Bed) UseWeb(ctx context.Context, p *Process) error {
	rest, err := p.await(ctx, `"msg":"listening","for":"webhooks","address":"`, time.Minute)
	if err != nil {
		return err
	}
	addr, _, _ := strings.Cut(rest, `"`)
	if _, _, err := net.SplitHostPort(addr); err != nil {
		return fmt.Errorf("%s listens at %q", p.Name, addr)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.Web = "http://" + addr
	return nil
}

func (b *Bed) web() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Web
}

// Start starts a program that is not the product; Close ends it.
func (b *Bed) Start(name, binary string, args ...string) (*Process, error) {
	p, err := start(name, filepath.Join(b.Dir, name+".log"), os.Environ(), binary, args...)
	if err == nil {
		b.keep(p)
	}
	return p, err
}

func (b *Bed) keep(p *Process) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.processes = append(b.processes, p)
}

// Conduct is how a provider behaves. The zero value serves at once and without faults.
type Conduct struct {
	LatencyMS  int                `json:"latency_ms"`
	JitterMS   int                `json:"jitter_ms"`
	Faults     map[string]float64 `json:"faults"`      // share of calls by kind of fault (see fake/providers.go)
	RetryAfter int                `json:"retry_after"` // seconds, with a 429
	Down       bool               `json:"down"`        // every call's connection is cut
	Keep       bool               `json:"keep"`        // the history keeps mails whole, and of prompts the instructions
	Close      bool               `json:"close"`       // mails: every answer ends its connection, so each mail makes one
	Mode       string             `json:"mode"`        // model: "" quotes, "simulated", "obedient", "hostile", "reply"
	Echo       bool               `json:"echo"`        // refusals repeat the request and its credentials
	Reply      string             `json:"reply"`       // model, mode "reply": what every answer says
	// Replies are the answers about single calls, by "ref-ID"; <answer> in one is the right answer, <members> its inside.
	Replies map[string]string `json:"replies"`
}

// Model sets how the fake model behaves from now on.
func (b *Bed) Model(ctx context.Context, c Conduct) error {
	return b.control(ctx, map[string]any{"model": c})
}

// Mail sets how the fake mail provider behaves from now on.
func (b *Bed) Mail(ctx context.Context, c Conduct) error {
	return b.control(ctx, map[string]any{"mail": c})
}

// Refuse cuts every new connection to the providers, or ends that.
func (b *Bed) Refuse(ctx context.Context, refuse bool) error {
	return b.control(ctx, map[string]any{"refuse": refuse})
}

func (b *Bed) control(ctx context.Context, what any) error {
	raw, err := json.Marshal(what)
	if err != nil {
		return fmt.Errorf("control the providers: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, b.fakeURL+"/control", bytes.NewReader(raw))
	if err != nil {
		return fmt.Errorf("control the providers: %w", err)
	}
	r.Close = true // a connection of its own every time
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("control the providers: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(res.Body, 1<<10))
		return fmt.Errorf("control the providers: %d %s", res.StatusCode, text)
	}
	return nil
}

// Stats are the providers' counts: calls ("model", "mail"), calls by fault ("mail 429"), and how many are in work now.
type Stats struct {
	Counts   map[string]int `json:"counts"`
	InFlight map[string]int `json:"in_flight"`
	Most     map[string]int `json:"most_in_flight"`
}

// Stats asks the providers for their counts.
func (b *Bed) Stats(ctx context.Context) (s Stats, err error) {
	return s, b.read(ctx, "/stats", &s)
}

func (b *Bed) read(ctx context.Context, path string, answer any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, b.fakeURL+path, nil)
	if err != nil {
		return fmt.Errorf("ask the providers: %w", err)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("ask the providers: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	if err := json.NewDecoder(res.Body).Decode(answer); err != nil {
		return fmt.Errorf("ask the providers: %w", err)
	}
	return nil
}

// Logs are the paths of everything the product has written to its logs.
func (b *Bed) Logs() ([]string, error) {
	return filepath.Glob(filepath.Join(b.Dir, "serve-*.log"))
}

// Close ends every process and the database. Logs, config and history stay, and Data.
func (b *Bed) Close() {
	b.mu.Lock()
	all := b.processes
	b.mu.Unlock()
	var done sync.WaitGroup
	for _, p := range all {
		done.Go(p.stop)
	}
	done.Wait()
	if b.Database != nil {
		b.Database.stop()
		if b.Data == "" {
			_ = os.RemoveAll(b.data())
		}
	}
}
