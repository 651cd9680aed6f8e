package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"aftercall/api"
	"aftercall/dashboard"
	"aftercall/deliver"
	"aftercall/deliver/capture"
	"aftercall/deliver/cti"
	"aftercall/deliver/email"
	"aftercall/deliver/push"
	"aftercall/deliver/sms"
	"aftercall/deliver/teamalert"
	"aftercall/ingest"
	"aftercall/internal/llm"
	"aftercall/internal/signals"
	"aftercall/internal/store"
	"aftercall/interview"
	"aftercall/ops"
	"aftercall/people"
	"aftercall/worker"
)

// role says which parts of the product a process runs.
type role struct {
	web  bool // webhooks, API, pages
	work bool // decide and deliver
}

// app is one running process: the rooms put together.
type app struct {
	log       *slog.Logger
	getenv    func(string) string // for the secrets that sources name
	db        *store.Store
	revisions *worker.Revisions
	ops       *ops.Ops
	worker    *worker.Worker // nil in a web process
	intake    *ingest.Handler
	programs  *api.API
	pages     *dashboard.Dashboard
	servers   []*server
	failed    chan error // a server that stopped by itself
	end       context.CancelFunc
	door      *worker.Door // between intake and worker
	signals   *signals.Signals
	ready     *signals.Readiness
}

// server is one listener with its handler.
type server struct {
	name   string
	http   *http.Server
	listen net.Listener
}

// assembly is what an app is put together from.
type assembly struct {
	settings  settings
	role      role
	getenv    func(string) string // for the secrets that sources name
	log       *slog.Logger
	simulated bool                                  // the simulated model may answer
	anyPort   bool                                  // an address that is taken may be replaced by a free port of this machine
	dev       bool                                  // open pages load again when a config becomes active
	open      bool                                  // nobody has to sign in: a demo, on loopback
	now       func() time.Time                      // nil: the system's clock
	environ   func(string) string                   // OpenTelemetry's variables; nil: no traces are sent
	around    func(deliver.Channel) deliver.Channel // what stands before the capture sink; nil: nothing
}

// assemble connects and builds everything, and starts nothing.
func assemble(ctx context.Context, as assembly) (a *app, err error) {
	a = &app{door: &worker.Door{}, log: as.log, getenv: as.getenv, failed: make(chan error, 3), signals: newSignals(as.log)}
	defer func() {
		if err != nil {
			a.release()
		}
	}()
	if as.environ != nil {
		if err = a.signals.SendTraces(ctx, as.environ, versionName()); err != nil {
			return a, err
		}
	}
	if a.db, err = store.Open(ctx, string(as.settings.DatabaseURL), store.Options{Pool: as.settings.Pool}); err != nil {
		return a, err
	}
	if err = a.db.StayHome(ctx, sayHome(as.log)); err != nil { // before anything is taken from the data
		return a, err
	}
	a.revisions = worker.NewRevisions(a.db, as.log)
	jobs, err := worker.NewInserter(a.db)
	if err != nil {
		return a, err
	}
	var model llm.Model
	channels, err := a.channels(as.settings, jobs)
	if err != nil {
		return a, err
	}
	if as.role.work {
		if model, err = buildModel(as.settings, as.simulated, a.signals.WatchCircuit); err != nil {
			return a, err
		}
	}
	if err = a.addOps(as, jobs, model); err != nil {
		return a, err
	}
	if as.role.work {
		if err = a.addWorker(as, model, channels); err != nil {
			return a, err
		}
		jobs = a.worker.Client()
	}
	if err = a.observe(as); err != nil {
		return a, err
	}
	if as.role.web {
		err = a.addWeb(as, jobs, model, channels)
	}
	return a, err
}

// addOps builds what people do about a call. A process that asks no model has previews of what is known without.
func (a *app) addOps(as assembly, jobs *river.Client[pgx.Tx], model llm.Model) (err error) {
	c := ops.Config{Store: a.db, River: jobs, Revisions: a.revisions, TokensPerDay: as.settings.TokensPerDay, Now: as.now, Logger: as.log}
	if model != nil {
		c.Interviewer = interview.NewInterviewer(model, a.db, interview.Limits{})
	}
	a.ops, err = ops.New(c)
	return err
}

// addWorker builds the part that decides and delivers.
func (a *app) addWorker(as assembly, model llm.Model, channels map[string]deliver.Channel) (err error) {
	sink := deliver.Channel(capture.New(a.db))
	if as.around != nil {
		sink = as.around(sink)
	}
	a.worker, err = worker.New(worker.Config{
		Store: a.db, Revisions: a.revisions, Interviewer: interview.NewInterviewer(model, a.db, interview.Limits{}).Tell(a.signals),
		Channels: channels, Capture: sink, Logger: as.log, Version: versionName(), Now: as.now,
		TokensPerDay: as.settings.TokensPerDay, Door: a.door, Bulk: a.ops.Work, Erase: a.ops.WorkErasure, Signals: a.signals,
	})
	return err
}

// channels are the ways out for which there are credentials. Everything else goes to the capture sink.
func (a *app) channels(s settings, jobs *river.Client[pgx.Tx]) (map[string]deliver.Channel, error) {
	channels := map[string]deliver.Channel{deliver.TeamAlert: teamalert.New(a.db.NewPoster(worker.EnqueuePush(jobs)))}
	if s.PushKey != "" {
		browsers, err := push.New(push.Config{Key: string(s.PushKey), Subject: s.PushSubject})
		if err != nil {
			return nil, fmt.Errorf("AFTERCALL_VAPID_KEY: %w", err)
		}
		channels[deliver.Push] = browsers
	}
	if s.TwilioAccount != "" {
		twilio, err := sms.NewTwilio(sms.Config{AccountSID: s.TwilioAccount, AuthToken: string(s.TwilioToken), Service: s.TwilioService, BaseURL: s.TwilioBaseURL,
			Report: reports(s)})
		if err != nil {
			return nil, fmt.Errorf("TWILIO_ACCOUNT_SID: %w", err)
		}
		channels[deliver.SMS] = twilio
	}
	switch {
	case s.SendGridKey != "":
		sendgrid, err := email.NewSendGrid(email.SendGridConfig{Key: string(s.SendGridKey), BaseURL: s.SendGridBaseURL})
		if err != nil {
			return nil, fmt.Errorf("SENDGRID_API_KEY: %w", err)
		}
		channels[deliver.Email] = sendgrid
	case s.SMTPURL != "":
		smtp, err := email.NewSMTP(email.SMTPConfig{URL: string(s.SMTPURL)})
		if err != nil {
			return nil, fmt.Errorf("SMTP_URL: %w", err)
		}
		channels[deliver.Email] = smtp
	}
	if s.Softphone {
		channels[deliver.CTI] = cti.New(a.db, nil)
	}
	if s.Salesforce.ClientID != "" {
		posts, err := s.Salesforce.channel()
		if err != nil {
			return nil, fmt.Errorf("SALESFORCE_CLIENT_ID: %w", err)
		}
		channels[deliver.Chatter] = posts
	}
	return channels, nil
}

// addWeb builds webhooks and pages, and takes their addresses. The model answers on the workbench; a process that asks none
// has none.
func (a *app) addWeb(as assembly, jobs *river.Client[pgx.Tx], model llm.Model, channels map[string]deliver.Channel) error {
	desk, err := a.desk(as)
	if err != nil {
		return err
	}
	if err = a.addDoor(as, jobs); err != nil {
		return err
	}
	a.pages, err = dashboard.New(dashboard.Config{
		Store: a.db, River: jobs, Revisions: a.revisions, Ops: a.ops, Logger: as.log, Version: versionName(),
		SignIn: desk, Loopback: as.open, URL: as.settings.AdminURL, Proxies: as.settings.Proxies,
		Simulated: as.simulated, Model: model, Dev: as.dev, Channels: channels, Prices: as.settings.Prices, TokensPerDay: as.settings.TokensPerDay, Now: as.now,
	})
	if err != nil {
		return err
	}
	if err := a.listen("webhooks", as.settings.Listen, as.anyPort, a.intake); err != nil {
		return err
	}
	a.servers[len(a.servers)-1].http.RegisterOnShutdown(a.programs.End)
	if err := a.listen("pages", as.settings.AdminListen, as.anyPort, a.pages.Handler()); err != nil {
		return err
	}
	a.servers[len(a.servers)-1].http.RegisterOnShutdown(a.pages.EndStreams)
	return nil
}

// addDoor builds what answers platforms and programs: where calls are posted, and beside it where they are read and put right.
func (a *app) addDoor(as assembly, jobs *river.Client[pgx.Tx]) (err error) {
	a.programs, err = api.New(api.Config{Store: a.db, Ops: a.ops, Revisions: a.revisions, Logger: as.log, Signals: a.signals, Now: as.now})
	if err != nil {
		return err
	}
	beside, err := a.callbacks(as)
	if err != nil {
		return err
	}
	a.intake, err = ingest.New(ingest.Config{
		Store: a.db, River: jobs, Revisions: a.revisions, Getenv: as.getenv, Logger: as.log, Now: as.now, Door: a.door,
		Ready: a.ready, Signals: a.signals, Beside: append(a.programs.Routes(), beside...), Words: api.Words(),
		PublicURL: as.settings.PublicURL,
	})
	return err
}

// desk is where people sign in; nil where nobody has to, which is on this machine only. Pages that leave it need somebody
// who may see them.
func (a *app) desk(as assembly) (*people.Desk, error) {
	local := dashboard.RefuseUnlessLoopback(as.settings.AdminListen)
	if as.open {
		return nil, local
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := a.db.PagesReady(ctx); err != nil {
		return nil, err
	}
	known, err := a.db.People(ctx)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(known, func(p store.Person) bool { return !p.Disabled }) {
		const remedy = "nobody may sign in yet: aftercall people add EMAIL --role admin"
		if local != nil {
			return nil, fmt.Errorf("AFTERCALL_ADMIN_LISTEN: %w; %s", local, remedy)
		}
		a.log.Warn(remedy)
	}
	c := people.Config{Store: a.db, Logger: a.log, Now: as.now}
	if as.settings.OIDCIssuer != "" {
		c.OIDC, err = people.NewOIDC(people.OIDCConfig{Issuer: as.settings.OIDCIssuer, ClientID: as.settings.OIDCClientID,
			ClientSecret: string(as.settings.OIDCSecret), RedirectURL: dashboard.CallbackURL(as.settings.AdminURL)})
	}
	return people.NewDesk(c), err
}

// listen takes an address. The timeouts bound what a slow or silent peer can hold.
func (a *app) listen(name, addr string, anyPort bool, h http.Handler) error {
	l, err := net.Listen("tcp", addr)
	if err != nil && anyPort {
		l, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		return fmt.Errorf("listen for %s: %w", name, err)
	}
	a.servers = append(a.servers, &server{name: name, listen: l, http: &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 60 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelWarn),
	}})
	return nil
}

// address gives the URL of a listener.
func (a *app) address(name string) string {
	for _, s := range a.servers {
		if s.name == name {
			return (&url.URL{Scheme: "http", Host: s.listen.Addr().String()}).String()
		}
	}
	return ""
}

// start begins to work: config first, then the queue, then the listeners, so that nothing comes in before it can be taken.
// What is missing meanwhile can be asked from the beginning.
func (a *app) start(ctx context.Context) error {
	run, end := context.WithCancel(context.WithoutCancel(ctx))
	a.end = end
	a.serve("metrics")
	if err := a.revisions.Start(run); err != nil {
		return err
	}
	if a.worker != nil {
		if err := a.worker.Start(ctx); err != nil {
			return err
		}
	}
	if a.pages != nil {
		if err := a.pages.Start(run); err != nil {
			return err
		}
	}
	a.serve("webhooks")
	a.serve("pages")
	return nil
}

// serve begins to answer at an address that was taken.
func (a *app) serve(name string) {
	for _, s := range a.servers {
		if s.name != name {
			continue
		}
		a.log.Info("listening", "for", s.name, "address", s.listen.Addr().String())
		go func() {
			if err := s.http.Serve(s.listen); !errors.Is(err, http.ErrServerClosed) {
				a.failed <- fmt.Errorf("serve %s: %w", s.name, err)
			}
		}()
	}
}

// Grace of each step of stopping. An orchestrator should allow their sum.
const (
	listenerGrace = 10 * time.Second
	workerGrace   = 30 * time.Second
)

// stop ends in the order that loses nothing: no new webhooks, running jobs to their end, pages, connections. Until then
// readiness says that it stops.
func (a *app) stop() error {
	var errs []error
	a.ready.Stop()
	errs = append(errs, a.shutdown("webhooks"))
	if a.worker != nil {
		ctx, cancel := context.WithTimeout(context.Background(), workerGrace)
		errs = append(errs, a.worker.Stop(ctx))
		cancel()
	}
	errs = append(errs, a.shutdown("pages"))
	if a.pages != nil {
		a.pages.Stop()
	}
	errs = append(errs, a.shutdown("metrics"))
	a.release()
	return errors.Join(errs...)
}

func (a *app) shutdown(name string) error {
	ctx, cancel := context.WithTimeout(context.Background(), listenerGrace)
	defer cancel()
	for _, s := range a.servers {
		if s.name != name {
			continue
		}
		if err := s.http.Shutdown(ctx); err != nil {
			return fmt.Errorf("stop %s: %w", name, err)
		}
	}
	return nil
}

// release gives back what assemble took.
func (a *app) release() {
	if a.end != nil {
		a.end()
	}
	for _, s := range a.servers {
		_ = s.listen.Close() // closed already after an orderly stop
	}
	a.signals.Close()
	if a.db != nil {
		a.db.Close()
	}
}
