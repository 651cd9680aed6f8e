package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"aftercall/internal/store/db"
)

// Origin is the door by which config comes in. An account has one that counts, its authority: two doors would undo each
// other's work.
type Origin string

// The doors.
const (
	ByFiles Origin = "files" // a folder that a process watches
	ByCLI   Origin = "cli"   // aftercall apply and rollback
)

// Activation asks for a revision to become its account's active one.
type Activation struct {
	AccountID, RevisionID string
	Sources               []string // ids of its sources
	By                    string   // who asks
	Message               string   // why
	Origin                Origin   // the door; the first that is used takes the authority over the account
	Base                  *string  // the revision that must be active now, "" for none; nil: whichever is
}

// Governed refuses config that came in by another door than the one that counts.
type Governed struct{ Account }

// Error says so; whoever knows the verbs says what to do.
func (g *Governed) Error() string {
	return fmt.Sprintf("the config of account %s is changed by %s only", g.ID, g.Authority)
}

// Moved refuses a change that was made against another revision than the active one.
type Moved struct {
	Base   string // the revision it was made against; "" for none
	Active Active // the zero Active if none is
}

// Error says so.
func (*Moved) Error() string {
	return "another revision is active than the one this change was made against"
}

// Apply stores a revision, unless the account has it, and makes it active, in one transaction: what is refused leaves
// nothing behind. changed is false if it is active already.
func (s *Store) Apply(ctx context.Context, r RevisionFiles, a Activation) (id string, changed bool, err error) {
	r.Message, r.Origin, a.AccountID = a.Message, a.Origin, r.AccountID
	err = inTx(ctx, s.pool, func(_ pgx.Tx, q *db.Queries) error {
		if err := q.EnsureAccount(ctx, a.AccountID); err != nil {
			return err
		}
		if err := admit(ctx, q, a); err != nil { // before the files are written: a folder that does not count tries again and again
			return err
		}
		if id, err = saveRevision(ctx, q, r, a.By); err != nil {
			return err
		}
		a.RevisionID = id
		changed, err = activate(ctx, q, a)
		return err
	})
	if err != nil {
		return "", false, fmt.Errorf("apply config to account %s: %w", r.AccountID, err)
	}
	s.tellConfig(a, changed)
	return id, changed, nil
}

// Activate points the account at a stored revision, in one transaction with its sources; a source id that another account
// has is an error naming it. It is a no-op (changed false) if the revision is active already. Listeners are notified.
func (s *Store) Activate(ctx context.Context, a Activation) (changed bool, err error) {
	err = inTx(ctx, s.pool, func(_ pgx.Tx, q *db.Queries) error {
		if err := admit(ctx, q, a); err != nil {
			return err
		}
		changed, err = activate(ctx, q, a)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("activate revision %s of account %s: %w", a.RevisionID, a.AccountID, err)
	}
	s.tellConfig(a, changed)
	return changed, nil
}

// tellConfig tells open pages. Processes that decide hear of it from the transaction itself.
func (s *Store) tellConfig(a Activation, changed bool) {
	if changed {
		s.teller.tell(TopicConfig, a.AccountID, a.RevisionID)
	}
}

// activate compares and sets under the account's lock, which admit took. What is active already needs no comparison:
// whoever applies the same change twice has nothing to lose.
func activate(ctx context.Context, q *db.Queries, a Activation) (changed bool, err error) {
	rows, err := q.ActiveRevision(ctx, a.AccountID)
	if err != nil {
		return false, err
	}
	var now Active
	for _, r := range rows {
		now = Active{AccountID: a.AccountID, RevisionID: r.RevisionID, Digest: r.Digest, ActivatedAt: r.ActivatedAt, ActivatedBy: r.ActivatedBy}
	}
	switch {
	case now.RevisionID == a.RevisionID:
		return false, nil
	case a.Base != nil && *a.Base != now.RevisionID:
		return false, &Moved{Base: *a.Base, Active: now}
	}
	if err := claimSources(ctx, q, a.AccountID, append([]string{}, a.Sources...)); err != nil {
		return false, err
	}
	return true, errors.Join(
		q.SetActiveRevision(ctx, db.SetActiveRevisionParams{AccountID: a.AccountID, RevisionID: a.RevisionID, ActivatedBy: clean(a.By)}),
		q.LogActivation(ctx, db.LogActivationParams{AccountID: a.AccountID, RevisionID: a.RevisionID, ActivatedBy: clean(a.By),
			Message: clean(a.Message), Origin: string(a.Origin)}),
		q.AnnounceActivation(ctx, a.AccountID))
}

// admit locks the account and refuses a door that does not count. The first door takes the authority.
func admit(ctx context.Context, q *db.Queries, a Activation) error {
	r, err := q.LockAccount(ctx, a.AccountID)
	if err != nil {
		return found(err)
	}
	at := Account{ID: r.ID, Authority: Origin(r.Authority), By: r.AuthorityBy, At: zeroOr(r.AuthorityAt)}
	switch {
	case a.Origin == "" || a.Origin == at.Authority:
		return nil
	case at.Authority != "":
		return &Governed{at}
	}
	_, err = q.SetAuthority(ctx, db.SetAuthorityParams{AccountID: a.AccountID, Authority: string(a.Origin), AuthorityBy: clean(a.By)})
	return err
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

// Account is who may change an account's config.
type Account struct {
	ID        string
	Authority Origin // "" until a first door was used
	By        string // who made it so
	At        time.Time
}

// Accounts lists the accounts; one, or, for "", all that may be seen.
func (r *Reader) Accounts(ctx context.Context, accountID string) (accounts []Account, err error) {
	within := r.within.Narrow(accountID)
	err = r.read(ctx, func(q *db.Queries) error {
		rows, err := q.ListAccounts(ctx, db.ListAccountsParams{Every: within.every, AccountIds: within.list()})
		for _, row := range rows {
			accounts = append(accounts, Account{ID: row.ID, Authority: Origin(row.Authority), By: row.AuthorityBy, At: zeroOr(row.AuthorityAt)})
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list accounts: %w", err)
	}
	return accounts, nil
}

// SetAuthority says which door counts for an account from now on; ErrNotFound if there is no such account.
func (s *Store) SetAuthority(ctx context.Context, accountID string, o Origin, by string) error {
	n, err := s.q.SetAuthority(ctx, db.SetAuthorityParams{AccountID: accountID, Authority: string(o), AuthorityBy: clean(by)})
	if err == nil && n == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("set the authority over account %s: %w", accountID, err)
	}
	return nil
}

// RevisionRow is one line of an account's revisions.
type RevisionRow struct {
	ID, Digest, Message, GitSHA, CreatedBy string
	Format                                 int
	Origin                                 Origin
	CreatedAt                              time.Time
	Active                                 bool
	ActivatedAt                            time.Time // the last time; zero if it never was
	ActivatedBy, ActivationMessage         string
}

// Revisions lists an account's revisions, the newest first, by cursor: 50 unless limit says otherwise, at most 200.
func (r *Reader) Revisions(ctx context.Context, accountID, before string, limit int) (list []RevisionRow, next string, err error) {
	if !r.within.Has(accountID) {
		return nil, "", fmt.Errorf("list revisions of account %s: %w", accountID, ErrNotFound)
	}
	if before, err = cursor(before); err != nil {
		return nil, "", fmt.Errorf("list revisions of account %s: %w", accountID, err)
	}
	limit = pageSize(limit)
	err = r.read(ctx, func(q *db.Queries) error {
		rows, err := q.ListRevisions(ctx, db.ListRevisionsParams{AccountID: accountID, Before: before, Most: int32(limit + 1)})
		for _, row := range rows {
			list = append(list, RevisionRow{ID: row.ID, Digest: row.Digest, Message: row.Message, GitSHA: row.GitSha, CreatedBy: row.CreatedBy,
				Format: int(row.Format), Origin: Origin(row.Origin), CreatedAt: row.CreatedAt, Active: row.Active, ActivatedAt: row.ActivatedAt,
				ActivatedBy: row.ActivatedBy, ActivationMessage: row.ActivationMessage})
		}
		return err
	})
	if err != nil {
		return nil, "", fmt.Errorf("list revisions of account %s: %w", accountID, err)
	}
	if len(list) > limit {
		list, next = list[:limit], list[limit-1].ID
	}
	return list, next, nil
}

// shortestRef is how much of a digest names a revision.
const shortestRef = 6

// FindRevision finds a revision by its id or the beginning of its digest, at least six characters of it, in one account,
// or in any that may be seen if accountID is "".
func (r *Reader) FindRevision(ctx context.Context, accountID, ref string) (account, revisionID string, err error) {
	within := r.within.Narrow(accountID)
	p := db.FindRevisionsParams{Every: within.every, AccountIds: within.list(), Ref: clean(ref)}
	if len(ref) >= shortestRef {
		p.Prefix = clean(ref)
	}
	var rows []db.FindRevisionsRow
	err = r.read(ctx, func(q *db.Queries) error {
		rows, err = q.FindRevisions(ctx, p)
		return err
	})
	switch {
	case err == nil && len(rows) == 0:
		err = ErrNotFound
	case err == nil && len(rows) > 1:
		err = ErrAmbiguous
	}
	if err != nil {
		return "", "", fmt.Errorf("find the revision: %w", err)
	}
	return rows[0].AccountID, rows[0].ID, nil
}
