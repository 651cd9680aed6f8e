package dashboard

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/mail"
	"net/url"
	"slices"
	"time"

	"aftercall/internal/store"
	"aftercall/people"
)

const peoplePath = settingsPath + "/people"

// peoplePage is the view of settings_people.html.
type peoplePage struct {
	Tabs     []tab
	Accounts []choice
	Roles    []string
	Password string // one that was just made, for Whose; it is shown once
	Whose    string
	OIDC     bool // people may sign in elsewhere
	Rows     []personRow
}

// personRow is somebody who may sign in.
type personRow struct {
	Email, Name string
	Ways        string
	Disabled    bool
	Roles       []roleRow
	Anchor      string
	Path        string // of what can be done about them; "" for whoever looks
	Added       moment
}

// roleRow is a role in one account, or in every one.
type roleRow struct{ Role, Where, Account string }

// people is GET /settings/people.
func (d *Dashboard) people(r *http.Request) (answer, error) { return d.peopleList(r, "", "") }

func (d *Dashboard) peopleList(r *http.Request, password, whose string) (answer, error) {
	everybody, err := d.store.People(r.Context())
	if err != nil {
		return answer{}, err
	}
	accounts, err := d.managed(r, "")
	if err != nil {
		return answer{}, err
	}
	view := peoplePage{Tabs: settingsTabs(r.Context(), peoplePath), Accounts: accounts, Password: password, Whose: whose,
		OIDC: d.door.desk != nil && d.door.desk.Elsewhere(), Rows: personRows(everybody, people.Of(r.Context()).ID, d.accountNames)}
	for _, role := range people.Roles() {
		view.Roles = append(view.Roles, string(role))
	}
	a := settingsPage("settings_people", "People", view)
	a.Draft = password != ""
	return a, nil
}

func personRows(everybody []store.Person, myself string, of func(account string) names) (rows []personRow) {
	for _, p := range everybody {
		row := personRow{Email: p.Email, Name: p.Name, Ways: people.WaysIn(p), Disabled: p.Disabled, Anchor: anchor("person", p.ID), Added: at(p.CreatedAt, time.UTC)}
		if p.ID != myself {
			row.Path = peoplePath + "/" + url.PathEscape(p.ID)
		}
		for _, account := range slices.Sorted(maps.Keys(p.Roles)) {
			where := "every account"
			if account != store.EveryAccount {
				where = of(account).account(account)
			}
			row.Roles = append(row.Roles, roleRow{p.Roles[account], where, account})
		}
		rows = append(rows, row)
	}
	return rows
}

// addPerson is POST /settings/people: the list with the new person in it and, once, their password.
func (d *Dashboard) addPerson(r *http.Request) (answer, error) {
	email := field(r, "email")
	if a, err := mail.ParseAddress(email); err != nil || a.Address != email || len(email) > 320 {
		return answer{}, refused("That is not an e-mail address.")
	}
	account, role, err := d.roleOf(r)
	if err != nil {
		return answer{}, err
	}
	p := store.Person{Email: email, Name: field(r, "name"), Roles: map[string]string{account: string(role)}}
	password := ""
	if field(r, "way") != "oidc" {
		password = people.NewPassword()
		if p.Password, err = people.HashPassword(password); err != nil {
			return answer{}, err
		}
	}
	_, err = d.store.AddPerson(r.Context(), p, people.Of(r.Context()).Actor())
	switch {
	case errors.Is(err, store.ErrTaken):
		return answer{}, refused("Somebody has this address already.")
	case err != nil:
		return answer{}, err
	case password == "":
		return answer{Location: peoplePath}, nil
	}
	return d.peopleList(r, password, email)
}

// roleOf reads the role and the account of a form. The account is one that is there, or every one.
func (d *Dashboard) roleOf(r *http.Request) (account string, role people.Role, err error) {
	if role, err = people.ParseRole(field(r, "role")); err != nil {
		return "", "", refused("Choose a role.")
	}
	if field(r, "account") == store.EveryAccount {
		return store.EveryAccount, role, nil
	}
	account, err = d.managedAccount(r)
	return account, role, err
}

// other finds the person that a form is about, who is somebody else than whoever asks: so there is always one left who may
// do all this.
func (d *Dashboard) other(r *http.Request) (store.Person, error) {
	p, err := d.store.PersonByID(r.Context(), r.PathValue("id"))
	if err != nil {
		return p, err
	}
	if p.ID == people.Of(r.Context()).ID {
		return p, refused("Nobody changes this of themselves: somebody else has to.")
	}
	return p, nil
}

// setRole is POST /settings/people/{id}/role: gives a role, or with "none" takes it away.
func (d *Dashboard) setRole(r *http.Request) (answer, error) {
	p, err := d.other(r)
	if err != nil {
		return answer{}, err
	}
	by := people.Of(r.Context()).Actor()
	if account := field(r, "account"); field(r, "role") == "none" {
		if _, ok := p.Roles[account]; !ok {
			return answer{}, fmt.Errorf("take a role away: %w", store.ErrNotFound)
		}
		return answer{Location: peoplePath}, d.store.SetRole(r.Context(), p.ID, account, "", by)
	}
	account, role, err := d.roleOf(r)
	if err != nil {
		return answer{}, err
	}
	return answer{Location: peoplePath}, d.store.SetRole(r.Context(), p.ID, account, string(role), by)
}

// resetPassword is POST /settings/people/{id}/password: the list with their new password in it, once.
func (d *Dashboard) resetPassword(r *http.Request) (answer, error) {
	p, err := d.other(r)
	if err != nil {
		return answer{}, err
	}
	password := people.NewPassword()
	hashed, err := people.HashPassword(password)
	if err != nil {
		return answer{}, err
	}
	if err := d.store.SetPassword(r.Context(), p.ID, hashed, people.Of(r.Context()).Actor()); err != nil {
		return answer{}, err
	}
	return d.peopleList(r, password, p.Email)
}

// disable is POST /settings/people/{id}/disable.
func (d *Dashboard) disable(r *http.Request) (answer, error) { return d.setDisabled(r, true) }

// enable is POST /settings/people/{id}/enable.
func (d *Dashboard) enable(r *http.Request) (answer, error) { return d.setDisabled(r, false) }

func (d *Dashboard) setDisabled(r *http.Request, disabled bool) (answer, error) {
	p, err := d.other(r)
	if err != nil {
		return answer{}, err
	}
	return answer{Location: peoplePath}, d.store.SetDisabled(r.Context(), p.ID, disabled, people.Of(r.Context()).Actor())
}
