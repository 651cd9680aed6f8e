package dashboard

import (
	"errors"
	"fmt"
	"net/http"
	"unicode/utf8"

	"aftercall/automation"
	"aftercall/internal/store"
	"aftercall/people"
)

// rollbackPage is the view of config_rollback.html: an earlier revision, and what would differ with it.
type rollbackPage struct {
	differs           // from the active one to this one
	AccountName, Back string
	Action, Base      string // where the form is posted, and what was active when this was shown
	Shut              string // why it cannot be done; "" if it can
	First             bool   // no door has been used: this one would be the one that counts from then on
}

// goingBack is a revision that somebody wants to be active again.
type goingBack struct {
	account  store.Account
	from, to revisionName
	now, rev *automation.Revision
}

// toRollBack finds the revision, in an account whose config the reader may change.
func (d *Dashboard) toRollBack(r *http.Request) (g goingBack, err error) {
	reader, account := d.reader(r, people.Manage), r.PathValue("account")
	accounts, err := reader.Accounts(r.Context(), account)
	switch {
	case err != nil:
		return g, err
	case account == "" || len(accounts) != 1:
		return g, fmt.Errorf("find account: %w", store.ErrNotFound)
	}
	g.account = accounts[0]
	if g.to, g.rev, err = d.revisionCalled(r, reader, account, r.PathValue("revision")); err != nil {
		return g, err
	}
	active, err := activeOf(r.Context(), reader, account)
	if err != nil {
		return g, err
	}
	if g.from, g.now, err = d.revisionCalled(r, reader, account, active); errors.Is(err, store.ErrNotFound) {
		return g, &postedError{http.StatusConflict, "No revision of this account is active, so there is nothing to go back from.", "Apply its config first."}
	}
	return g, err
}

// rollback is GET /config/{account}/rollback/{revision}: what would differ, and a form that makes it so.
func (d *Dashboard) rollback(r *http.Request) (answer, error) {
	g, err := d.toRollBack(r)
	if err != nil {
		return answer{}, err
	}
	view := rollbackView(g, people.Of(r.Context()).May(people.Addresses, g.account.ID), d.accountNames(g.account.ID))
	return answer{Template: "config_rollback", Title: "Make a revision active", Section: "config", View: view, Draft: true}, nil
}

func rollbackView(g goingBack, open bool, n names) rollbackPage {
	p := rollbackPage{differs: differencesOf(g.from, g.to, g.now, g.rev, open), AccountName: n.account(g.account.ID),
		Back: address(configPath, "account", g.account.ID), Action: rollbackPath(g.account.ID, g.to.id), Base: g.from.id, First: g.account.Authority == ""}
	switch {
	case p.Same:
		p.Shut = "It is active already."
	case g.account.Authority == store.ByFiles:
		p.Shut = governedWords(&store.Governed{Account: g.account}, n)
	}
	return p
}

// governedWords say why a change by this door is not taken, and what to do.
func governedWords(g *store.Governed, n names) string {
	return fmt.Sprintf("The config comes from a watched folder (%s, since %s), which would undo this at its next change. "+
		"Change it there, or run aftercall authority %s cli first: then the folder is not read any more.", g.By, at(g.At, n.zone()).Local, g.ID)
}

// longestWhy bounds the word on an activation.
const longestWhy = 200

// rollBack is POST /config/{account}/rollback/{revision}: what aftercall rollback does, by the same door.
func (d *Dashboard) rollBack(r *http.Request) (answer, error) {
	g, err := d.toRollBack(r)
	if err != nil {
		return answer{}, err
	}
	base, why := field(r, "base"), field(r, "message")
	switch {
	case base == "":
		return answer{}, refused("Look at what would differ first.")
	case utf8.RuneCountInString(why) > longestWhy:
		return answer{}, refused(fmt.Sprintf("Say why in at most %d characters.", longestWhy))
	}
	sources := make([]string, len(g.rev.Sources))
	for i, s := range g.rev.Sources {
		sources[i] = s.ID
	}
	_, err = d.store.Rollback(r.Context(), people.Of(r.Context()).Actor(), store.Activation{AccountID: g.account.ID, RevisionID: g.to.id, Sources: sources,
		Message: why, Base: &base})
	return answer{Location: address(configPath, "account", g.account.ID)}, refusedRollback(err, d.accountNames(g.account.ID))
}

// refusedRollback says what to do about a change that was not taken.
func refusedRollback(err error, n names) error {
	var moved *store.Moved
	var governed *store.Governed
	switch {
	case errors.As(err, &moved):
		return &postedError{http.StatusConflict, fmt.Sprintf("Another revision is active by now: %s, made active by %s.", short(moved.Active.Digest), moved.Active.ActivatedBy),
			"Go back to the list of revisions and look at what would differ now."}
	case errors.As(err, &governed):
		return &postedError{http.StatusConflict, governedWords(governed, n), "Nothing has changed."}
	}
	return err
}
