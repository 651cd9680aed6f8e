package store

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"aftercall/internal/store/db"
)

// The data knows where it lives: which server, database and table, and how often the server's log was recovered or taken
// over. Found elsewhere it is a copy, made at some moment after which the original may have gone on and sent. Then
// whatever was not final in it becomes unknown; and what was not decided is decided, with deliveries that are unknown
// too. See docs/operations/backup.md.

// ErrWorking is returned where workers have to be stopped first. Its text goes on with their ids.
var ErrWorking = errors.New("workers are running on this database")

// Homecoming is what was found, and done, about where the data lives.
type Homecoming struct {
	Restored  bool // the data was taken as a copy: what was not final in it is doubted
	Blind     bool // the server does not tell who it is: only a restore into another database or table is noticed
	Unknown   int  // deliveries that were not final
	Undecided int  // conversations whose deliveries will be unknown once they are decided
	Leases    int  // of the original's workers, dropped
}

// StayHome makes sure that the data is at home, now and on every connection made from now on: a process that outlives a
// failover or a restore in place meets the new server through a new connection, before it does anything there. The first
// start ever records the home. A process that works calls this before anything else; a verb that only looks does not.
// tell hears of what deserves a person's attention, at any time and from any goroutine.
func (s *Store) StayHome(ctx context.Context, tell func(Homecoming)) error {
	err := s.pool.AcquireFunc(ctx, func(c *pgxpool.Conn) error {
		found, err := comeHome(ctx, c.Conn())
		if err == nil && (found.Restored || found.Blind) {
			tell(found)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("find out whether the data was restored: %w", err)
	}
	s.porter.tell.Store(&tell)
	return nil
}

// porter admits new connections to the pools: from StayHome on, only to data that is at home.
type porter struct {
	tell atomic.Pointer[func(Homecoming)]
}

func (p *porter) admit(ctx context.Context, conn *pgx.Conn) error {
	tell := p.tell.Load()
	if tell == nil {
		return nil
	}
	found, err := comeHome(ctx, conn)
	if err != nil {
		return fmt.Errorf("find out whether the data was restored: %w", err)
	}
	if found.Restored {
		(*tell)(found)
	}
	return nil
}

// Restored takes the data as restored, wherever it is: a copy of the files cannot be told from a crash. It refuses while
// a worker's lease is younger than ttl. The second time in a row it finds nothing to do.
func (s *Store) Restored(ctx context.Context, ttl time.Duration) (Homecoming, error) {
	h, err := s.settle(ctx, ttl, true)
	if err != nil {
		return Homecoming{}, fmt.Errorf("settle what was restored: %w", err)
	}
	return h, nil
}

// Moved records that the data lives here now and that nothing was lost on the way: the original was stopped before it
// was copied. It refuses like Restored.
func (s *Store) Moved(ctx context.Context, ttl time.Duration) error {
	if _, err := s.settle(ctx, ttl, false); err != nil {
		return fmt.Errorf("record the data's new home: %w", err)
	}
	return nil
}

// settle is done by hand, with the workers stopped.
func (s *Store) settle(ctx context.Context, ttl time.Duration, restored bool) (h Homecoming, err error) {
	err = s.pool.AcquireFunc(ctx, func(c *pgxpool.Conn) error {
		here, err := whereabouts(ctx, db.New(c.Conn()))
		if err != nil {
			return err
		}
		return homeTx(ctx, c.Conn(), func(q *db.Queries) error {
			working, err := q.LiveWorkers(ctx, ttl)
			if err != nil {
				return fmt.Errorf("look for running workers: %w", err)
			}
			if len(working) > 0 {
				return fmt.Errorf("%w: %v", ErrWorking, working)
			}
			h, err = move(ctx, q, here, restored)
			return err
		})
	})
	return h, err
}

// comeHome compares where the data is with where it lives, on the connection asked about. Of several processes that find
// it elsewhere at once, one settles it and the others wait.
func comeHome(ctx context.Context, conn *pgx.Conn) (h Homecoming, err error) {
	here, err := whereabouts(ctx, db.New(conn))
	if err != nil {
		return h, err
	}
	known, _, err := compare(ctx, db.New(conn), here)
	if err != nil || known {
		return Homecoming{Blind: here.blind()}, err
	}
	err = homeTx(ctx, conn, func(q *db.Queries) error {
		known, away, err := compare(ctx, q, here)
		if err == nil && !known {
			h, err = move(ctx, q, here, away)
		}
		return err
	})
	h.Blind = here.blind()
	return h, err
}

// homeTx runs f in a transaction of the connection, one at a time in the whole database.
func homeTx(ctx context.Context, conn *pgx.Conn, f func(q *db.Queries) error) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		q := db.New(tx)
		if err := q.LockHome(ctx, homeLock); err != nil {
			return err
		}
		return f(q)
	})
}

// homeLock is the advisory lock under which one process finds out where the data lives.
const homeLock = 0x686f6d65 // "home"

// move makes here the home, and doubts what was not final if the data was restored.
func move(ctx context.Context, q *db.Queries, here place, restored bool) (h Homecoming, err error) {
	if restored {
		if h, err = doubt(ctx, q); err != nil {
			return Homecoming{}, err
		}
	}
	p := db.SetHomeParams{SystemIdentifier: here.SystemIdentifier, Timeline: here.Timeline,
		DatabaseOid: here.DatabaseOid, TableOid: here.TableOid, Restored: restored}
	if err := q.SetHome(ctx, p); err != nil {
		return Homecoming{}, fmt.Errorf("record the home: %w", err)
	}
	return h, nil
}

// doubt leaves nothing that is not final. Held deliveries stay: nothing but a person lets them go. Jobs stay too: those
// that deliver find nothing to claim, and those that decide are wanted.
func doubt(ctx context.Context, q *db.Queries) (Homecoming, error) {
	undecided, err := q.MarkUndecided(ctx)
	if err != nil {
		return Homecoming{}, fmt.Errorf("mark what is not decided: %w", err)
	}
	unfinished, err := q.UnfinishedConversations(ctx)
	if err != nil {
		return Homecoming{}, fmt.Errorf("look for what is not final: %w", err)
	}
	unknown, err := q.DoubtRestored(ctx, unfinished)
	if err != nil {
		return Homecoming{}, fmt.Errorf("doubt what is not final: %w", err)
	}
	if err := q.BreakOffRuns(ctx); err != nil {
		return Homecoming{}, fmt.Errorf("break off the runs that people asked for: %w", err)
	}
	if err := q.BreakOffBulks(ctx); err != nil {
		return Homecoming{}, fmt.Errorf("break off bulk jobs: %w", err)
	}
	leases, err := q.DropLeases(ctx)
	if err != nil {
		return Homecoming{}, fmt.Errorf("drop the leases of the original's workers: %w", err)
	}
	return Homecoming{Restored: true, Unknown: int(unknown), Undecided: int(undecided), Leases: int(leases)}, nil
}

// doubtPlans turns what was just planned into doubts where the conversation was restored undecided.
func doubtPlans(ctx context.Context, q *db.Queries, plans []*planned) error {
	var restored []string
	for _, p := range plans {
		if p.restored {
			restored = append(restored, p.ConversationID)
		}
	}
	if len(restored) == 0 {
		return nil
	}
	if _, err := q.DoubtRestored(ctx, restored); err != nil {
		return fmt.Errorf("doubt what restored conversations lead to: %w", err)
	}
	return nil
}

// place is where data can live.
type place db.HomeRow

// blind reports whether the server keeps to itself who it is.
func (p place) blind() bool { return p.SystemIdentifier == nil }

// whereabouts asks where the connection leads. Some managed servers do not tell everybody, or not at all.
func whereabouts(ctx context.Context, q *db.Queries) (place, error) {
	table, err := q.WhichTable(ctx)
	if err != nil {
		return place{}, fmt.Errorf("ask which database this is: %w", err)
	}
	p := place{DatabaseOid: table.DatabaseOid, TableOid: table.TableOid}
	server, err := q.WhichServer(ctx)
	var known *pgconn.PgError
	switch {
	case err == nil:
		p.SystemIdentifier, p.Timeline = &server.SystemIdentifier, &server.Timeline
	case errors.As(err, &known) && (known.Code == pgerrcode.InsufficientPrivilege ||
		known.Code == pgerrcode.UndefinedFunction || known.Code == pgerrcode.FeatureNotSupported):
	default:
		return place{}, fmt.Errorf("ask which server this is: %w", err)
	}
	return p, nil
}

// compare holds here against the recorded home. known means that there is nothing to record; away, that the data lives
// elsewhere. What one side does not know is not compared.
func compare(ctx context.Context, q *db.Queries, here place) (known, away bool, err error) {
	homes, err := q.Home(ctx)
	if err != nil {
		return false, false, fmt.Errorf("read the home: %w", err)
	}
	if len(homes) == 0 {
		return false, false, nil // the first start
	}
	home := place(homes[0])
	away = here.DatabaseOid != home.DatabaseOid || here.TableOid != home.TableOid
	if !here.blind() && !home.blind() {
		away = away || *here.SystemIdentifier != *home.SystemIdentifier || *here.Timeline != *home.Timeline
	}
	return !away && (here.blind() || !home.blind()), away, nil
}
