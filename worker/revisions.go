package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"aftercall/automation"
	"aftercall/internal/store"
)

// ErrNewerFormat is returned for a revision written by a newer version of Aftercall: a newer peer must take its work.
var ErrNewerFormat = errors.New("the revision has a newer format than this version knows")

// pollActivations makes up for a missed notification.
const pollActivations = 30 * time.Second

// Revisions hands out compiled revisions: any stored one by id, the active one of an account, and the account a source
// belongs to; and the mutes that hold over them. It compiles once per id and keeps what it compiled. It is safe for concurrent use.
type Revisions struct {
	store *store.Store
	log   *slog.Logger

	mu       sync.RWMutex
	compiled map[string]*automation.Revision // by revision id
	active   map[string]*automation.Revision // by account
	sources  map[string]string               // source id → account
	loaded   bool
	mutes    []store.Mute
}

// NewRevisions returns an empty cache; Start fills it and keeps it up to date.
func NewRevisions(s *store.Store, log *slog.Logger) *Revisions {
	return &Revisions{
		store: s, log: log,
		compiled: map[string]*automation.Revision{},
		active:   map[string]*automation.Revision{},
		sources:  map[string]string{},
	}
}

// Start loads the active revisions, then follows activations (LISTEN, and a poll) until ctx ends.
func (r *Revisions) Start(ctx context.Context) error {
	if err := r.Refresh(ctx); err != nil {
		return err
	}
	changed := make(chan struct{}, 1)
	go r.store.ListenActivations(ctx, func() {
		select {
		case changed <- struct{}{}:
		default: // a refresh is due already
		}
	})
	go r.follow(ctx, changed)
	return nil
}

func (r *Revisions) follow(ctx context.Context, changed <-chan struct{}) {
	tick := time.NewTicker(pollActivations)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-changed:
		case <-tick.C:
		}
		if err := r.Refresh(ctx); err != nil && ctx.Err() == nil {
			r.log.Error("refresh the active revisions", "error", err)
		}
	}
}

// Refresh reads which revisions are active now, and which automations are muted. An account whose active revision cannot be compiled here keeps the one
// it had.
func (r *Revisions) Refresh(ctx context.Context) error {
	rows, err := r.store.ActiveRevisions(ctx)
	if err != nil {
		return fmt.Errorf("list the active revisions: %w", err)
	}
	mutes, err := r.store.Mutes(ctx, "")
	if err != nil {
		return err
	}
	active, sources := map[string]*automation.Revision{}, map[string]string{}
	for _, a := range rows {
		rev, err := r.ByID(ctx, a.RevisionID)
		if err != nil {
			r.log.Error("load an active revision", "account", a.AccountID, "revision", a.RevisionID, "error", err)
			if rev, _ = r.Active(a.AccountID); rev == nil {
				continue
			}
		}
		active[a.AccountID] = rev
		for _, s := range rev.Sources {
			sources[s.ID] = a.AccountID
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.active, r.sources, r.mutes, r.loaded = active, sources, mutes, true
	return nil
}

// Loaded reports an error until it was read once which revisions are active.
func (r *Revisions) Loaded() error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if !r.loaded {
		return errors.New("the active revisions were not read yet")
	}
	return nil
}

// ByID gives a stored revision, compiled.
func (r *Revisions) ByID(ctx context.Context, id string) (*automation.Revision, error) {
	r.mu.RLock()
	rev := r.compiled[id]
	r.mu.RUnlock()
	if rev != nil {
		return rev, nil
	}
	stored, err := r.store.Revision(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("load revision %s: %w", id, err)
	}
	if stored.Format > automation.Format {
		return nil, fmt.Errorf("revision %s has format %d: %w", id, stored.Format, ErrNewerFormat)
	}
	rev, problems := automation.Restore(stored.Files)
	if rev == nil {
		return nil, fmt.Errorf("compile revision %s: %d problems", id, len(problems))
	}
	rev.ID = id
	r.mu.Lock()
	defer r.mu.Unlock()
	r.compiled[id] = rev
	return rev, nil
}

// Active gives an account's active revision; ok is false if the account has none.
func (r *Revisions) Active(accountID string) (rev *automation.Revision, ok bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	rev, ok = r.active[accountID]
	return rev, ok
}

// ActiveIDs gives the id of the revision that is active here, by account.
func (r *Revisions) ActiveIDs() map[string]string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	ids := make(map[string]string, len(r.active))
	for account, rev := range r.active {
		ids[account] = rev.ID
	}
	return ids
}

// Accounts gives the active revision of every account, in the order of their ids.
func (r *Revisions) Accounts() []*automation.Revision {
	r.mu.RLock()
	defer r.mu.RUnlock()
	all := make([]*automation.Revision, 0, len(r.active))
	for _, id := range slices.Sorted(maps.Keys(r.active)) {
		all = append(all, r.active[id])
	}
	return all
}

// Source gives the active revision that declares a source; ok is false if none does.
func (r *Revisions) Source(sourceID string) (rev *automation.Revision, src *automation.Source, ok bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	rev = r.active[r.sources[sourceID]]
	if rev == nil {
		return nil, nil, false
	}
	src = rev.Source(sourceID)
	return rev, src, src != nil
}

// Muted gives the automations of an account that are muted at a time, each with until when, by whom and why. A mute that
// has run out does not wait for a refresh.
func (r *Revisions) Muted(accountID string, now time.Time) (muted map[string]string) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, m := range r.mutes {
		if m.AccountID != accountID || !m.Until.After(now) {
			continue
		}
		if muted == nil {
			muted = map[string]string{}
		}
		muted[m.Automation] = fmt.Sprintf("Until %s, by %s: %s", m.Until.UTC().Format("2006-01-02 15:04 MST"), m.By, m.Reason)
	}
	return muted
}
