// Package store keeps everything Aftercall knows in Postgres: events and conversations, revisions, interviews and
// decisions, the ledger of deliveries with its attempts, tasks, alerts, captured messages, worker leases and keys, people with
// their roles and sessions, and the log of what people did.
//
// All SQL lives here, in queries/*.sql by area, turned into Go by sqlc (package db, used only here). The types in this
// package are ours, not the generated ones.
//
// It promises that a write is either committed or an error; that writes of one kind that arrive together share a commit
// (see group.go) and one bad row never fails its neighbours; that nothing recorded as sent or unknown is ever handed out
// again; that every row of a call belongs to an account, and that a reader made for some accounts (Within) sees no other;
// and that what was erased (erase.go) is gone from every table, is never sent, and does not come back. It never calls a
// provider or a model, and never decides.
package store

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"aftercall/internal/store/db"
	"aftercall/interview"
	"aftercall/migrations"
)

// ErrNotFound is returned where a row that was asked for by id does not exist.
var ErrNotFound = errors.New("not found")

// ErrAmbiguous is returned where an id without an account fits rows of several.
var ErrAmbiguous = errors.New("the id exists in several accounts")

// ErrFenced is returned for the outcome of an attempt that is not the delivery's any more: somebody else has settled it.
var ErrFenced = errors.New("the claim does not stand any more")

// lanes are as many as make it unlikely that two of a few processes count in one. If they do, they wait for each other's
// commits, and count no less.
const lanes = 64

// Options of a Store. The zero value of a field means its default.
type Options struct {
	Pool     int             // connections for everything but ingest (default 20)
	Ingest   int             // connections of ingest's own pool (default 4); negative: none, ingest shares the pool
	Pages    int             // connections of the pages' own pool, made when they are wanted (default 8)
	Tracer   pgx.QueryTracer // sees every statement; nil for none
	ReadOnly bool            // the database refuses to write anything for this store
}

// Store is the database. It reads every account; for somebody who may not, see Within.
type Store struct {
	*Reader
	pool   *pgxpool.Pool
	ingest *pgxpool.Pool // the same as pool if ingest has none of its own
	pages  *pgxpool.Pool
	q      *db.Queries
	hashes hashes // of what was erased

	loads    *group[opening, *db.LoadConversationsRow]
	claims   *group[ask, []Claimed]
	outcomes *group[Outcome, error]
	calls    *group[interview.Call, []byte]
	spending *group[entry, Standing]
	lost     lostClaims
	lane     int16 // of the rows that this process counts in: two processes that count never wait for each other

	porter *porter
	teller *teller
	hub    *hub

	closing chan struct{}
	mu      sync.Mutex // guards groups
	groups  []func()   // finish and stop each group writer
}

// Open connects and checks that the schema is the one this binary needs.
func Open(ctx context.Context, url string, o Options) (*Store, error) {
	p := &porter{}
	pool, err := connect(ctx, url, or(o.Pool, 20), o, p.admit)
	if err != nil {
		return nil, err
	}
	if err := migrations.Ready(ctx, pool); err != nil {
		pool.Close()
		return nil, err
	}
	s := &Store{Reader: &Reader{from: pool, within: Every()}, pool: pool, ingest: pool, q: db.New(pool), porter: p,
		teller: newTeller(pool), hub: newHub(), closing: make(chan struct{}), lane: int16(rand.N(lanes))}
	if s.hashes.key, err = s.q.ErasureKey(ctx); err != nil {
		s.ingest = pool
		s.Close()
		return nil, fmt.Errorf("read the key of what was erased: %w", err)
	}
	if o.Ingest >= 0 {
		if s.ingest, err = connect(ctx, url, or(o.Ingest, 4), o, p.admit); err != nil {
			s.ingest = pool
			s.Close()
			return nil, err
		}
	}
	if s.pages, err = connect(ctx, url, or(o.Pages, 8), o, nil); err != nil {
		s.Close()
		return nil, err
	}
	s.loads = newGroup(s, groupOf[opening, *db.LoadConversationsRow]{
		write: s.readConversations, patience: 10 * time.Second, timeout: 10 * time.Second, leaves: true, overlaps: true})
	s.claims = newGroup(s, groupOf[ask, []Claimed]{
		write: s.writeClaims, patience: 10 * time.Second, timeout: 10 * time.Second})
	s.outcomes = newGroup(s, groupOf[Outcome, error]{
		write: s.writeOutcomes, patience: 10 * time.Second, timeout: 10 * time.Second})
	s.calls = newGroup(s, groupOf[interview.Call, []byte]{
		write: s.writeCalls, patience: 10 * time.Second, timeout: 10 * time.Second})
	s.spending = newGroup(s, groupOf[entry, Standing]{
		write: s.writeSpending, patience: 10 * time.Second, timeout: 10 * time.Second})
	return s, nil
}

// connect makes a pool. admit lets each connection in; without it, they are the pages', which only read, in a role that sees
// the rows of the accounts it is told to.
func connect(ctx context.Context, url string, connections int, o Options, admit func(context.Context, *pgx.Conn) error) (*pgxpool.Pool, error) {
	c, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errors.New("read the database's URL: it is not one") // its own error could quote the password
	}
	c.MaxConns, c.ConnConfig.Tracer = int32(connections), o.Tracer
	if c.ConnConfig.ConnectTimeout == 0 {
		c.ConnConfig.ConnectTimeout = 2 * time.Second
	}
	p := c.ConnConfig.RuntimeParams
	if p["application_name"] == "" { // of the URL, or PGAPPNAME
		p["application_name"] = "aftercall"
	}
	p["timezone"] = "UTC"
	// A plan made while a table was empty would scan it, and would be kept until the table's first ANALYZE: under load,
	// thousands of growing scans too late. Every statement of the line has its index, so plans may as well be told to use
	// it; then they can be cached, which measured a quarter less of the database's processor time than planning each
	// statement anew. The audit, which does read whole tables, allows scans for itself.
	p["enable_seqscan"] = "off"
	// No statement of the line or of a page reads so much that helping processes are worth their start; but what a cost far
	// off starts for nothing took 128 ms of a page of alerts.
	p["max_parallel_workers_per_gather"] = "0"
	if o.ReadOnly || admit == nil {
		p["default_transaction_read_only"] = "on"
	}
	if admit == nil {
		p["role"] = migrations.PagesRole
		// What a page asks for decides which index answers, and a plan for whatever may be asked takes none of them.
		p["plan_cache_mode"] = "force_custom_plan"
	}
	// A process frozen in the middle of a transaction must not keep its row locks from everybody else.
	p["idle_in_transaction_session_timeout"] = "10s"
	c.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		types := conn.TypeMap()
		types.RegisterType(&pgtype.Type{
			Name: "timestamptz", OID: pgtype.TimestamptzOID, Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC}})
		types.TryWrapEncodePlanFuncs = slices.Insert(types.TryWrapEncodePlanFuncs, 0, identifiers)
		if admit == nil {
			return nil
		}
		return admit(ctx, conn)
	}
	pool, err := pgxpool.NewWithConfig(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("connect to the database: %w", err)
	}
	return pool, nil
}

// Pool is the connection pool, for River's driver.
func (s *Store) Pool() *pgxpool.Pool { return s.pool }

// Close lets running group writes finish, tells what they changed, and closes the pools.
func (s *Store) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.closing:
		return
	default:
		close(s.closing)
	}
	for _, stop := range s.groups {
		stop()
	}
	s.teller.stop()
	s.hub.stop()
	if s.ingest != s.pool {
		s.ingest.Close()
	}
	if s.pages != nil {
		s.pages.Close()
	}
	s.pool.Close()
}

// inTx runs f in one transaction.
func inTx(ctx context.Context, pool *pgxpool.Pool, f func(tx pgx.Tx, q *db.Queries) error) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error { return f(tx, db.New(tx)) })
}

// found turns the driver's word for no row into ours.
func found(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return ErrNotFound
	}
	return err
}

// newID gives a UUID of version 7: in the order of time, so that indexes grow at one end and lists page by id.
func newID() string { return uuid.Must(uuid.NewV7()).String() }

func or(n, standard int) int {
	if n > 0 {
		return n
	}
	return standard
}
