package store

import (
	"context"
	"encoding/json"
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
	Message               string // the author's word on it
	GitSHA                string // the commit it came from, if that is known
	Origin                Origin // the door it came in by first
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
	err = inTx(ctx, s.pool, func(_ pgx.Tx, q *db.Queries) error {
		if err := q.EnsureAccount(ctx, r.AccountID); err != nil {
			return err
		}
		id, err = saveRevision(ctx, q, r, by)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("save revision of account %s: %w", r.AccountID, err)
	}
	return id, nil
}

func saveRevision(ctx context.Context, q *db.Queries, r RevisionFiles, by string) (id string, err error) {
	files, err := json.Marshal(r.Files)
	if err != nil {
		return "", err
	}
	inserted, err := q.InsertRevision(ctx, db.InsertRevisionParams{ID: newID(), AccountID: r.AccountID,
		Digest: r.Digest, Format: int32(r.Format), Files: files, CreatedBy: clean(by), Message: clean(r.Message),
		GitSha: clean(r.GitSHA), Origin: string(r.Origin)})
	if err != nil {
		return "", err
	}
	if len(inserted) == 1 {
		return inserted[0], nil
	}
	return q.RevisionByDigest(ctx, db.RevisionByDigestParams{AccountID: r.AccountID, Digest: r.Digest})
}

// ActiveRevisions lists the active revision of every account that may be seen.
func (r *Reader) ActiveRevisions(ctx context.Context) (active []Active, err error) {
	err = r.read(ctx, func(q *db.Queries) error {
		rows, err := q.ActiveRevisions(ctx, db.ActiveRevisionsParams{Every: r.within.every, AccountIds: r.within.list()})
		for _, row := range rows {
			active = append(active, Active{AccountID: row.AccountID, RevisionID: row.RevisionID, Digest: row.Digest,
				ActivatedAt: row.ActivatedAt, ActivatedBy: row.ActivatedBy})
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list active revisions: %w", err)
	}
	return active, nil
}

// Revision loads a stored revision.
func (r *Reader) Revision(ctx context.Context, id string) (RevisionFiles, error) {
	var row db.RevisionRow
	err := r.read(ctx, func(q *db.Queries) (err error) {
		row, err = q.Revision(ctx, db.RevisionParams{ID: id, Every: r.within.every, AccountIds: r.within.list()})
		return found(err)
	})
	if err != nil {
		return RevisionFiles{}, fmt.Errorf("load revision %s: %w", id, err)
	}
	files := RevisionFiles{ID: row.ID, AccountID: row.AccountID, Digest: row.Digest, Format: int(row.Format), CreatedAt: row.CreatedAt,
		Message: row.Message, GitSHA: row.GitSha, Origin: Origin(row.Origin)}
	if err := json.Unmarshal(row.Files, &files.Files); err != nil {
		return RevisionFiles{}, fmt.Errorf("decode revision %s: %w", id, err)
	}
	return files, nil
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
