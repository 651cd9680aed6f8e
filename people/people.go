// Package people decides who may see and do what, and finds out who asks: people on the pages, programs by their API keys.
//
// It owns roles and the rights they give, signing in by password and by OIDC, sessions with their expiry and renewal, and
// how often signing in may be tried. People, sessions and tries are rows in the store, so that all of it holds over processes
// and restarts.
//
// It promises that nobody has a right that no role of theirs gives, in an account that the role is not in; that a password is
// kept only as a slow hash, and a session only as the hash of what the browser holds; that a name nobody has and a wrong
// password look the same from outside; and that what is taken away counts from the next request on. It never
// writes to a browser: cookies and pages are the dashboard's.
package people

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"aftercall/internal/store"
)

// Right is something that a person may do in an account.
type Right string

// The rights. Each page and each action asks for one.
const (
	Look      Right = "look"      // see calls, what was decided and what became of it; phone numbers and addresses masked
	Addresses Right = "addresses" // see phone numbers and addresses in full
	Operate   Right = "operate"   // put right what happened: resend, release, settle, mute, complete
	Try       Right = "try"       // the workbench, which asks the model at the account's expense
	Manage    Right = "manage"    // the account's keys, channels and retention, and which of its revisions is active
	Run       Right = "run"       // the installation: people, the queue. Only a role in every account gives it
)

// Role is what a person is in an account.
type Role string

// The roles.
const (
	Viewer   Role = "viewer"
	Operator Role = "operator"
	Author   Role = "author"
	Admin    Role = "admin"
)

// Roles lists them.
func Roles() []Role { return []Role{Viewer, Operator, Author, Admin} }

// ParseRole reads a role.
func ParseRole(s string) (Role, error) {
	if r := Role(s); slices.Contains(Roles(), r) {
		return r, nil
	}
	return "", fmt.Errorf("want one of %v, not %q", Roles(), s)
}

// rights are what a role gives where it is held. Operators put calls right and authors write automations: neither can do all
// that the other can.
func (r Role) rights() []Right {
	switch r {
	case Viewer:
		return []Right{Look}
	case Operator:
		return []Right{Look, Addresses, Operate}
	case Author:
		return []Right{Look, Addresses, Try}
	case Admin:
		return []Right{Look, Addresses, Operate, Try, Manage, Run}
	}
	return nil
}

// Person is who asks. The zero Person is nobody, and may do nothing.
type Person struct {
	ID      string // "" for a machine that signs in by itself
	Name    string // as they are shown and logged
	Address string // where the request came from
	Session string // the id of their session; "" for a machine that signs in by itself

	roles map[string]Role // by account
}

// Machine is whoever reaches a demo or a dev process on its own machine: they own the database, too.
func Machine() Person {
	return Person{Name: "this machine", roles: map[string]Role{store.EveryAccount: Admin}}
}

// Known reports whether it is anybody.
func (p Person) Known() bool { return p.Name != "" }

// May reports whether the person has a right in an account.
func (p Person) May(r Right, account string) bool { return p.Accounts(r).Has(account) }

// Accounts are those in which the person has a right. A role in every account and one in a single account add up.
func (p Person) Accounts(r Right) store.Accounts {
	if slices.Contains(p.roles[store.EveryAccount].rights(), r) {
		return store.Every()
	}
	if r == Run {
		return store.Accounts{}
	}
	var ids []string
	for _, account := range slices.Sorted(maps.Keys(p.roles)) {
		if account != store.EveryAccount && slices.Contains(p.roles[account].rights(), r) {
			ids = append(ids, account)
		}
	}
	return store.Only(ids...)
}

// WaysIn says how somebody signs in.
func WaysIn(p store.Person) string {
	switch {
	case p.Password != "" && p.Subject != "":
		return "password or OIDC"
	case p.Password != "":
		return "password"
	case p.Subject != "":
		return "OIDC"
	}
	return "OIDC, not seen yet"
}

// Actor is the person as the audit log names them.
func (p Person) Actor() store.Actor {
	return store.Actor{PersonID: p.ID, Name: p.Name, Address: p.Address}
}

func personOf(s store.Session, address string) Person {
	roles := make(map[string]Role, len(s.Person.Roles))
	for account, role := range s.Person.Roles {
		roles[account] = Role(role)
	}
	return Person{ID: s.Person.ID, Name: s.Person.Email, Address: address, Session: s.ID, roles: roles}
}

type contextKey struct{}

// With notes in a request's context who asks.
func With(ctx context.Context, p Person) context.Context {
	return context.WithValue(ctx, contextKey{}, p)
}

// Of gives who asks: nobody, unless With was told.
func Of(ctx context.Context) Person {
	p, _ := ctx.Value(contextKey{}).(Person)
	return p
}
