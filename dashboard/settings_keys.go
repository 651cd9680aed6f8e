package dashboard

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"aftercall/internal/store"
	"aftercall/people"
)

const keysPath = settingsPath + "/keys"

// keysPage is the view of settings_keys.html.
type keysPage struct {
	Tabs     []tab
	Accounts []choice
	Made     string // a key that was just made; it is shown once
	Rows     []keyRow
}

// keyRow is one API key.
type keyRow struct {
	ID, Account, Name, Prefix string
	May                       string // what it may be used for
	Anchor                    string
	Revoke                    string // where to revoke it; "" if it is
	Made, Revoked             moment
}

// keys is GET /settings/keys.
func (d *Dashboard) keys(r *http.Request) (answer, error) { return d.keyList(r, "", "") }

func (d *Dashboard) keyList(r *http.Request, made, account string) (answer, error) {
	found, err := d.reader(r, people.Manage).Keys(r.Context())
	if err != nil {
		return answer{}, err
	}
	accounts, err := d.managed(r, account)
	if err != nil {
		return answer{}, err
	}
	view := keysPage{Tabs: settingsTabs(r.Context(), keysPath), Accounts: accounts, Made: made, Rows: keyRows(found, d.accountNames)}
	a := settingsPage("settings_keys", "API keys", view)
	a.Draft = made != ""
	return a, nil
}

func keyRows(found []store.Key, of func(account string) names) (rows []keyRow) {
	for _, k := range found {
		n := of(k.AccountID)
		row := keyRow{ID: k.ID, Account: n.account(k.AccountID), Name: k.Name, Prefix: k.Prefix, May: mayWords(k.Scopes), Anchor: anchor("key", k.ID),
			Made: at(k.CreatedAt, n.zone()), Revoked: at(k.RevokedAt, n.zone())}
		if k.RevokedAt.IsZero() {
			row.Revoke = keysPath + "/" + url.PathEscape(k.ID) + "/revoke"
		}
		rows = append(rows, row)
	}
	return rows
}

// keyScopes are those that the form ticks, one at least.
func keyScopes(r *http.Request) (scopes []store.Scope, err error) {
	for _, word := range r.PostForm["scope"] {
		s := store.Scope(word)
		if !slices.Contains(store.Scopes(), s) {
			return nil, refused("There is no such scope of a key.")
		}
		scopes = append(scopes, s)
	}
	if len(scopes) == 0 {
		return nil, refused("Tick what the key may be used for.")
	}
	return scopes, nil
}

// mayWords says what a key may be used for.
func mayWords(scopes []store.Scope) string {
	var all []string
	for _, s := range scopes {
		all = append(all, string(s))
	}
	return strings.Join(all, ", ")
}

// addKey is POST /settings/keys: the list with the new key in it, once. It has no address to come back to.
func (d *Dashboard) addKey(r *http.Request) (answer, error) {
	account, err := d.managedAccount(r)
	if err != nil {
		return answer{}, err
	}
	name := field(r, "name")
	if name == "" || len(name) > 100 {
		return answer{}, refused("A key needs a name of at most 100 characters, by which you know it again.")
	}
	scopes, err := keyScopes(r)
	if err != nil {
		return answer{}, err
	}
	key := people.NewKey()
	if err := d.store.AddKey(r.Context(), account, name, key.Prefix, key.Hash, people.Of(r.Context()).Actor(), scopes...); err != nil {
		return answer{}, err
	}
	return d.keyList(r, key.Text, account)
}

// revokeKey is POST /settings/keys/{id}/revoke.
func (d *Dashboard) revokeKey(r *http.Request) (answer, error) {
	found, err := d.reader(r, people.Manage).Keys(r.Context())
	if err != nil {
		return answer{}, err
	}
	for _, k := range found {
		if k.ID == r.PathValue("id") {
			return answer{Location: keysPath}, d.store.RevokeKey(r.Context(), k, people.Of(r.Context()).Actor())
		}
	}
	return answer{}, fmt.Errorf("revoke a key: %w", store.ErrNotFound)
}
