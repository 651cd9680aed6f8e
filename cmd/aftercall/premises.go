package main

import (
	"context"
	"log/slog"
	"net/http"
	"sync"

	"aftercall/deliver"
	"aftercall/internal/llm/simulated"
	"aftercall/internal/postgres"
	"aftercall/migrations"
)

// premises are the whole product on this machine, with everything it needs: a private Postgres, secrets for its sources
// and, unless another is named, the simulated model. No channel has credentials, so every message goes to the capture sink.
type premises struct {
	*console
	log    *slog.Logger
	server *postgres.Server
	model  *http.Server // the simulated one; nil if another is asked
	app    *app
	around func(deliver.Channel) deliver.Channel // what stands before the capture sink; nil: nothing
	lent   func(name string) string              // secrets that the environment has for the sources; "" for none

	mu   sync.Mutex
	made map[string]string // secrets, by the names that sources have for them
}

// premisesDatabase is the database on the private server.
const premisesDatabase = "aftercall"

func newPremises(c *console, log *slog.Logger) *premises {
	return &premises{console: c, log: log, lent: func(string) string { return "" }, made: map[string]string{}}
}

// open starts the database and the model, and puts the product together. Of s only what says which model to ask counts; one
// that names none means the simulated one.
func (p *premises) open(ctx context.Context, s settings, dev bool) (err error) {
	if p.server, err = postgres.Start(ctx, postgres.Options{Logger: p.log}); err != nil {
		return err
	}
	if err := p.server.CreateDatabase(ctx, premisesDatabase); err != nil {
		return err
	}
	database := p.server.URL(premisesDatabase)
	if err := migrations.Up(ctx, database); err != nil {
		return err
	}
	s = settings{OpenAIKey: s.OpenAIKey, OpenAIBaseURL: s.OpenAIBaseURL, Model: s.Model, FallbackModel: s.FallbackModel, TokensPerDay: s.TokensPerDay}
	if s.Model == "" {
		s.Model = simulated.ModelName
		if p.model, s.OpenAIBaseURL, err = simulate(); err != nil {
			return err
		}
	}
	s.DatabaseURL, s.Listen, s.AdminListen = secret(database), "127.0.0.1:8080", "127.0.0.1:8081"
	p.app, err = assemble(ctx, assembly{
		settings: s, role: role{web: true, work: true}, getenv: p.secret, log: p.log, simulated: p.model != nil, anyPort: true, dev: dev, open: true, around: p.around,
	})
	return err
}

// secret gives the secret that a source knows by a name: the one lent under that name, else one that is made up when it is
// first asked for and stays the same. So every source of any folder can be posted to, and none is ever without a secret.
func (p *premises) secret(name string) string {
	if s := p.lent(name); s != "" {
		return s
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.made[name] == "" {
		p.made[name] = newSecret()
	}
	return p.made[name]
}

// close stops everything.
func (p *premises) close() {
	if p.app != nil {
		if err := p.app.stop(); err != nil {
			p.log.Warn("stop", "error", err)
		}
	}
	if p.model != nil {
		_ = p.model.Close() // nobody asks any more
	}
	if p.server != nil {
		p.server.Stop()
	}
}
