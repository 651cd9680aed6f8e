package worker

import (
	"context"

	"aftercall/automation"
	"aftercall/internal/store"
)

// Revisions hands out compiled revisions: any stored one by id, the active one of an account, and the account a source
// belongs to. It compiles once per id and keeps what it compiled.
type Revisions struct{}

// NewRevisions returns an empty cache. Start keeps it up to date.
func NewRevisions(s *store.Store) *Revisions { panic("contract") }

// Start loads the active revisions, then follows activations (LISTEN, and a poll every 30 s) until ctx ends.
func (r *Revisions) Start(ctx context.Context) error { panic("contract") }

// ByID gives a stored revision, compiled.
func (r *Revisions) ByID(ctx context.Context, id string) (*automation.Revision, error) {
	panic("contract")
}

// Active gives an account's active revision; ok is false if the account has none.
func (r *Revisions) Active(accountID string) (rev *automation.Revision, ok bool) { panic("contract") }

// Source gives the active revision that declares a source; ok is false if none does.
func (r *Revisions) Source(sourceID string) (rev *automation.Revision, src *automation.Source, ok bool) {
	panic("contract")
}
