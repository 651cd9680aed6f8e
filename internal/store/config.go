package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"aftercall/internal/store/db"
)

// RevisionFiles is a stored revision.
type RevisionFiles struct {
	ID, AccountID, Digest string
	Format                int
	Files                 map[string][]byte
	CreatedAt             time.Time
}

// Active is an account's active revision.
type Active struct {
	AccountID, RevisionID, Digest string
	ActivatedAt                   time.Time
	ActivatedBy                   string
}

// SaveRevision stores a revision unless the account has one with this digest already, and returns its id.
func (s *Store) SaveRevision(ctx context.Context, r RevisionFiles, by string) (id string, err error) {
	files, err := json.Marshal(r.Files)
	if err != nil {
		return "", fmt.Errorf("save revision of account %s: %w", r.AccountID, err)
	}
	err = inTx(ctx, s.pool, func(_ pgx.Tx, q *db.Queries) error {
		if err := q.EnsureAccount(ctx, r.AccountID); err != nil {
			return err
		}
		inserted, err := q.InsertRevision(ctx, db.InsertRevisionParams{ID: newID(), AccountID: r.AccountID,
			Digest: r.Digest, Format: int32(r.Format), Files: files, CreatedBy: by})
		if err != nil {
			return err
		}
		if len(inserted) == 1 {
			id = inserted[0]
			return nil
		}
		id, err = q.RevisionByDigest(ctx, db.RevisionByDigestParams{AccountID: r.AccountID, Digest: r.Digest})
		return err
	})
	if err != nil {
		return "", fmt.Errorf("save revision of account %s: %w", r.AccountID, err)
	}
	return id, nil
}

// Activate points the account at a revision, in one transaction with its sources; a source id that another account has
// is an error naming it. It is a no-op (changed false) if the revision is active already. Listeners are notified.
func (s *Store) Activate(ctx context.Context, accountID, revisionID, by string, sources []string) (changed bool, err error) {
	err = inTx(ctx, s.pool, func(_ pgx.Tx, q *db.Queries) error {
		if _, err := q.LockAccount(ctx, accountID); err != nil {
			return found(err)
		}
		active, err := q.ActiveRevision(ctx, accountID)
		if err != nil {
			return err
		}
		if len(active) == 1 && active[0] == revisionID {
			return nil
		}
		changed = true
		if err := claimSources(ctx, q, accountID, append([]string{}, sources...)); err != nil {
			return err
		}
		p := db.SetActiveRevisionParams{AccountID: accountID, RevisionID: revisionID, ActivatedBy: by}
		return errors.Join(q.SetActiveRevision(ctx, p), q.LogActivation(ctx, db.LogActivationParams(p)),
			q.AnnounceActivation(ctx, accountID))
	})
	if err != nil {
		return false, fmt.Errorf("activate revision %s of account %s: %w", revisionID, accountID, err)
	}
	return changed, nil
}

// claimSources makes exactly these sources the account's. Another account that adds one of them at the same moment is
// waited for, so looking afterwards finds it.
func claimSources(ctx context.Context, q *db.Queries, accountID string, sources []string) error {
	if err := q.DropSources(ctx, db.DropSourcesParams{AccountID: accountID, SourceIds: sources}); err != nil {
		return err
	}
	if err := q.AddSources(ctx, db.AddSourcesParams{AccountID: accountID, SourceIds: sources}); err != nil {
		return err
	}
	foreign, err := q.ForeignSources(ctx, db.ForeignSourcesParams{AccountID: accountID, SourceIds: sources})
	if err != nil {
		return err
	}
	if len(foreign) > 0 {
		return fmt.Errorf("another account has a source with the id %q; choose another", foreign[0])
	}
	return nil
}

// ActiveRevisions lists every account's active revision.
func (s *Store) ActiveRevisions(ctx context.Context) ([]Active, error) {
	rows, err := s.q.ActiveRevisions(ctx)
	if err != nil {
		return nil, fmt.Errorf("list active revisions: %w", err)
	}
	active := make([]Active, len(rows))
	for n, r := range rows {
		active[n] = Active{AccountID: r.AccountID, RevisionID: r.RevisionID, Digest: r.Digest, ActivatedAt: r.ActivatedAt,
			ActivatedBy: r.ActivatedBy}
	}
	return active, nil
}

// Revision loads a stored revision.
func (s *Store) Revision(ctx context.Context, id string) (RevisionFiles, error) {
	r, err := s.q.Revision(ctx, id)
	if err != nil {
		return RevisionFiles{}, fmt.Errorf("load revision %s: %w", id, found(err))
	}
	files := RevisionFiles{ID: r.ID, AccountID: r.AccountID, Digest: r.Digest, Format: int(r.Format), CreatedAt: r.CreatedAt}
	if err := json.Unmarshal(r.Files, &files.Files); err != nil {
		return RevisionFiles{}, fmt.Errorf("decode revision %s: %w", id, err)
	}
	return files, nil
}

// ListenActivations calls changed after every activation anywhere, until ctx ends. It reconnects by itself; a missed
// notification is made up for by the caller's poll.
func (s *Store) ListenActivations(ctx context.Context, changed func()) {
	for wait := time.Duration(0); ; wait = min(2*wait+50*time.Millisecond, 5*time.Second) {
		if !pause(ctx, nil, wait) {
			return
		}
		if s.listen(ctx, changed) {
			wait = 0
		}
	}
}

// listen hears notifications on a connection of its own until something breaks. It reports whether it heard any.
func (s *Store) listen(ctx context.Context, changed func()) (heard bool) {
	conn, err := pgx.ConnectConfig(ctx, s.pool.Config().ConnConfig)
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, "LISTEN aftercall_activations"); err != nil {
		return false
	}
	changed() // whatever was announced while nobody listened
	for {
		if _, err := conn.WaitForNotification(ctx); err != nil {
			return heard
		}
		heard = true
		changed()
	}
}

// pause waits; it reports false if ctx ended or stop closed meanwhile.
func pause(ctx context.Context, stop <-chan struct{}, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
	case <-stop:
	}
	return false
}

// AddKey stores an API key's hash for an account.
func (s *Store) AddKey(ctx context.Context, accountID, name, prefix string, hash []byte) error {
	err := inTx(ctx, s.pool, func(_ pgx.Tx, q *db.Queries) error {
		if err := q.EnsureAccount(ctx, accountID); err != nil {
			return err
		}
		return q.InsertKey(ctx, db.InsertKeyParams{ID: newID(), AccountID: accountID, Name: clean(name),
			Prefix: clean(prefix), Hash: hash})
	})
	if err != nil {
		return fmt.Errorf("add a key to account %s: %w", accountID, err)
	}
	return nil
}

// KeyAccount finds the account of an API key by its hash; ErrNotFound for an unknown or revoked one. It asks on ingest's
// connections, because it stands in a webhook's way.
func (s *Store) KeyAccount(ctx context.Context, hash []byte) (accountID string, err error) {
	accountID, err = db.New(s.ingest).KeyAccount(ctx, hash)
	if err != nil {
		return "", fmt.Errorf("find the key's account: %w", found(err))
	}
	return accountID, nil
}
