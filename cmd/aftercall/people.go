package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/mail"
	"slices"
	"strings"
	"text/tabwriter"

	"aftercall/internal/store"
	"aftercall/people"
)

// peopleVerb manages who may sign in. The first admin comes from here: whoever has the database's URL could write the row
// anyway.
func peopleVerb(flags *flag.FlagSet) action {
	var o peopleFlags
	flags.StringVar(&o.name, "name", "", "what the `person` is called")
	flags.StringVar(&o.role, "role", "", "viewer, operator, author or admin, with add")
	flags.StringVar(&o.account, "account", store.EveryAccount, "the `account` in which the role counts; without it in every one")
	flags.BoolVar(&o.oidc, "oidc", false, "with add: no password, the person signs in by OIDC")
	flags.StringVar(&o.subject, "subject", "", "with add --oidc: who they are there, for a provider that verifies no addresses")
	return func(ctx context.Context, c *console, args []string) error {
		if len(args) == 0 {
			return wrong("people add, list, role, password, disable or enable")
		}
		return o.run(ctx, c, args[0], args[1:])
	}
}

type peopleFlags struct {
	name, role, account, subject string
	oidc                         bool
}

func (o peopleFlags) run(ctx context.Context, c *console, what string, args []string) error {
	takes := map[string]int{"add": 1, "list": 0, "role": 2, "password": 1, "disable": 1, "enable": 1}
	n, ok := takes[what]
	switch {
	case !ok:
		return wrong("people add, list, role, password, disable or enable, not %q", what)
	case len(args) != n && what == "role":
		return wrong("people role EMAIL viewer|operator|author|admin|none [--account A]")
	case len(args) != n:
		return wrong("people %s takes %d arguments", what, n)
	}
	db, err := openStore(ctx, c)
	if err != nil {
		return err
	}
	defer db.Close()
	by := store.Actor{Name: whoIsIt()}
	switch what {
	case "add":
		return o.add(ctx, c, db, args[0], by)
	case "list":
		return listPeople(ctx, c.out, db)
	}
	p, err := personByEmail(ctx, db, args[0])
	if err != nil {
		return err
	}
	switch what {
	case "role":
		return o.setRole(ctx, db, p, args[1], by)
	case "password":
		return newPassword(ctx, c, db, p, by)
	}
	return db.SetDisabled(ctx, p.ID, what == "disable", by)
}

// add makes a person and prints their password, once.
func (o peopleFlags) add(ctx context.Context, c *console, db *store.Store, email string, by store.Actor) error {
	role, err := people.ParseRole(o.role)
	if err != nil {
		return wrong("--role: %v", err)
	}
	if a, err := mail.ParseAddress(email); err != nil || a.Address != email {
		return wrong("%q is not an e-mail address", email)
	}
	p := store.Person{Email: email, Name: o.name, Roles: map[string]string{o.account: string(role)}}
	password := ""
	switch {
	case o.oidc:
		if p.Issuer, p.Subject, err = o.elsewhere(c); err != nil {
			return err
		}
	case o.subject != "":
		return wrong("--subject goes with --oidc")
	default:
		password = people.NewPassword()
		if p.Password, err = people.HashPassword(password); err != nil {
			return err
		}
	}
	if err := o.warn(ctx, c.err, db); err != nil {
		return err
	}
	if _, err := db.AddPerson(ctx, p, by); err != nil {
		return err
	}
	if password != "" {
		fmt.Fprintln(c.out, password)
		fmt.Fprintf(c.err, "This is the only time %s's password is shown.\n", email)
	}
	return nil
}

// elsewhere gives who somebody is at the issuer, if that is known before they sign in there.
func (o peopleFlags) elsewhere(c *console) (issuer, subject string, err error) {
	if o.subject == "" {
		return "", "", nil
	}
	s, err := checkedSettings(c, needs{})
	if err == nil && s.OIDCIssuer == "" {
		err = errors.New("--subject: AFTERCALL_OIDC_ISSUER says at whom, and is not set")
	}
	return s.OIDCIssuer, o.subject, err
}

func (o peopleFlags) warn(ctx context.Context, w io.Writer, db *store.Store) error {
	if o.account == store.EveryAccount {
		return nil
	}
	return warnUnconfigured(ctx, db, w, o.account)
}

func (o peopleFlags) setRole(ctx context.Context, db *store.Store, p store.Person, name string, by store.Actor) error {
	if name == "none" {
		return db.SetRole(ctx, p.ID, o.account, "", by)
	}
	role, err := people.ParseRole(name)
	if err != nil {
		return wrong("%v, or none", err)
	}
	return db.SetRole(ctx, p.ID, o.account, string(role), by)
}

func newPassword(ctx context.Context, c *console, db *store.Store, p store.Person, by store.Actor) error {
	password := people.NewPassword()
	hashed, err := people.HashPassword(password)
	if err != nil {
		return err
	}
	if err := db.SetPassword(ctx, p.ID, hashed, by); err != nil {
		return err
	}
	fmt.Fprintln(c.out, password)
	fmt.Fprintf(c.err, "This is the only time %s's password is shown. Their sessions have ended.\n", p.Email)
	return nil
}

func personByEmail(ctx context.Context, db *store.Store, email string) (store.Person, error) {
	p, err := db.PersonByEmail(ctx, email)
	if errors.Is(err, store.ErrNotFound) {
		return p, fmt.Errorf("nobody has the address %s; aftercall people list shows everybody", email)
	}
	return p, err
}

func listPeople(ctx context.Context, w io.Writer, db *store.Store) error {
	all, err := db.People(ctx)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		fmt.Fprintln(w, "nobody may sign in yet: aftercall people add EMAIL --role admin")
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, p := range all {
		ways := people.WaysIn(p)
		if p.Disabled {
			ways = "disabled"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", p.Email, p.Name, ways, rolesIn(p.Roles))
	}
	return t.Flush()
}

func rolesIn(roles map[string]string) string {
	var words []string
	for _, account := range slices.Sorted(maps.Keys(roles)) {
		where := account
		if account == store.EveryAccount {
			where = "every account"
		}
		words = append(words, roles[account]+" in "+where)
	}
	if len(words) == 0 {
		return "no role"
	}
	return strings.Join(words, ", ")
}
