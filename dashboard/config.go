package dashboard

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"aftercall/internal/store"
	"aftercall/people"
	"aftercall/worker"
)

// configPath is where the revisions of an account's config stand, and who has taken which.
const (
	configPath      = "/config"
	activationsPath = configPath + "/activations"
	configDiffPath  = configPath + "/diff"
)

func (d *Dashboard) configRoutes(rs *routes) {
	const back = configPath + "/{account}/rollback/{revision}"
	rs.add("GET "+configPath, people.Look, d.page(d.config))
	rs.add("GET "+activationsPath, people.Look, d.page(d.activations))
	rs.add("GET "+configDiffPath, people.Look, d.page(d.configDiff))
	rs.add("GET "+back, people.Manage, d.page(d.rollback))
	rs.add("POST "+back, people.Manage, d.form(d.rollBack))
}

func rollbackPath(account, revision string) string {
	return configPath + "/" + url.PathEscape(account) + "/rollback/" + url.PathEscape(revision)
}

// configPage is the view of config.html: an account's revisions.
type configPage struct {
	Account, AccountName string
	Accounts             []choice // to choose from; none if there is only one
	Tabs                 []tab
	Door                 string // by which the config may change
	Folder               *folderView
	Taken                []takenView // by the workers
	Workers              []workerView
	Revisions            []revisionView
	From, To             []choice // to compare
	Paged                bool
	Newest, Older        string
}

// folderView is the last look at the account's watched folder.
type folderView struct {
	Folder, Host, First string
	State               badge
	Says                string
	Since, At           moment
}

// takenView is how many workers know a revision as the active one.
type takenView struct {
	Revision string
	Active   bool
	Workers  string
}

// workerView is one worker, for those who run the installation.
type workerView struct {
	ID, Host, Version, Revision string
	Active                      bool
	Started, Heard              moment
}

// revisionView is one revision.
type revisionView struct {
	Digest, By, Message, Commit, Door string
	Made                              moment
	State                             badge
	Activated                         moment // the last time
	ActivatedBy, Why                  string
	Changed                           string // what it changed against the one before it; "" for the first of all
	Against                           string // it against the active one; "" for that
	Rollback                          string // "" where it cannot be asked for
}

// config is GET /config. The address holds the whole state: account and before.
func (d *Dashboard) config(r *http.Request) (answer, error) {
	before, err := cursorOf(r)
	if err != nil {
		return answer{}, err
	}
	account, accounts, err := d.chosenAccount(r)
	if err != nil {
		return answer{}, err
	}
	view := configPage{}
	if account != "" {
		if view, err = d.configOf(r, account, before); err != nil {
			return answer{}, err
		}
	}
	view.Accounts = accounts
	return answer{Template: "config", Title: "Config", Section: "config", View: view}, nil
}

// knownConfig is what the page of an account's config is made of.
type knownConfig struct {
	account  store.Account
	active   string // the id of the active revision
	list     []store.RevisionRow
	before   string
	next     string
	attempt  *store.Attempt
	workers  []store.Worker
	machines bool // whoever looks may see each worker
	may      bool // and make a revision active
}

func (d *Dashboard) configOf(r *http.Request, account, before string) (configPage, error) {
	ctx, reader, who := r.Context(), d.reader(r, people.Look), people.Of(r.Context())
	k := knownConfig{before: before, machines: !who.Accounts(people.Run).None(), may: who.May(people.Manage, account)}
	accounts, err := reader.Accounts(ctx, account)
	switch {
	case err != nil:
		return configPage{}, err
	case len(accounts) != 1:
		return configPage{}, fmt.Errorf("find account: %w", store.ErrNotFound)
	}
	k.account = accounts[0]
	if k.active, err = activeOf(ctx, reader, account); err != nil {
		return configPage{}, err
	}
	if k.list, k.next, err = reader.Revisions(ctx, account, before, listLimit); err != nil {
		return configPage{}, err
	}
	attempt, ok, err := reader.ConfigAttempt(ctx, account)
	if err != nil {
		return configPage{}, err
	}
	if ok {
		k.attempt = &attempt
	}
	if ok && !who.May(people.Addresses, account) {
		maskTexts(&k.attempt.FirstProblem)
	}
	if k.workers, err = d.store.Workers(ctx, worker.Lease); err != nil {
		return configPage{}, err
	}
	return configPageOf(k, d.accountNames(account)), nil
}

// activeOf gives the id of an account's active revision, "" if none is.
func activeOf(ctx context.Context, reader *store.Reader, account string) (string, error) {
	all, err := reader.ActiveRevisions(ctx)
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(all, func(a store.Active) bool { return a.AccountID == account })
	if i < 0 {
		return "", nil
	}
	return all[i].RevisionID, nil
}

func configPageOf(k knownConfig, n names) configPage {
	id := k.account.ID
	p := configPage{Account: id, AccountName: n.account(id), Tabs: configTabs(id, configPath), Door: doorWords(k.account, n), Paged: k.before != "",
		Newest: address(configPath, "account", id)}
	if k.next != "" {
		p.Older = address(configPath, "account", id, "before", k.next)
	}
	if k.attempt != nil {
		p.Folder = folderOf(*k.attempt, k.account.Authority, n)
	}
	for i, row := range k.list {
		v := revisionOf(k, row, n)
		if i+1 < len(k.list) {
			v.Changed = diffPath(id, k.list[i+1].ID, row.ID)
		}
		p.Revisions = append(p.Revisions, v)
		label := short(row.Digest) + ", " + shortly(row.CreatedAt, n.zone()).Local
		p.From = append(p.From, choice{row.ID, label, i == min(1, len(k.list)-1)})
		p.To = append(p.To, choice{row.ID, label, i == 0})
	}
	p.taken(k, n)
	return p
}

func configTabs(account, here string) []tab {
	return []tab{{"Revisions", address(configPath, "account", account), here == configPath},
		{"Activations", address(activationsPath, "account", account), here == activationsPath}}
}

func diffPath(account, from, to string) string {
	return address(configDiffPath, "account", account, "from", from, "to", to)
}

// doorWords say by which door the config may change.
func doorWords(a store.Account, n names) string {
	since := ", since " + at(a.At, n.zone()).Local + ", by " + a.By
	switch a.Authority {
	case store.ByFiles:
		return "It comes from a watched folder" + since + "."
	case store.ByCLI:
		return "It comes by aftercall apply" + since + "."
	}
	return "No door has been used yet. The first that is, a watched folder or aftercall apply, becomes the one that counts."
}

// originWord is the door by which something came.
func originWord(o store.Origin) string {
	switch o {
	case store.ByFiles:
		return "from the folder"
	case store.ByCLI:
		return "by apply or rollback"
	}
	return ""
}

func folderOf(a store.Attempt, authority store.Origin, n names) *folderView {
	v := &folderView{Folder: a.Folder, Host: a.Host, First: a.FirstProblem, Since: at(a.Since, n.zone()), At: at(a.At, n.zone())}
	switch {
	case authority == store.ByCLI:
		v.State, v.Says = badge{"not read", "dash", "quiet"}, "Another door counts, so what is in it is not taken."
	case a.State == store.AttemptApplied:
		v.State, v.Says = badge{"applied", "check", "good"}, "What is in it is active."
	case a.State == store.AttemptInvalid:
		v.State, v.Says = badge{"has errors", "cross", "bad"}, count(a.Problems, "error", "errors")+" in it: the last good revision stays active."
	default:
		v.State, v.Says = badge{words(string(a.State)), "cross", "bad"}, "It could not be applied, and is tried again by itself."
	}
	return v
}

func revisionOf(k knownConfig, row store.RevisionRow, n names) revisionView {
	v := revisionView{Digest: short(row.Digest), By: row.CreatedBy, Message: row.Message, Commit: shortDigest(row.GitSHA), Door: originWord(row.Origin),
		Made: at(row.CreatedAt, n.zone()), Activated: at(row.ActivatedAt, n.zone()), ActivatedBy: row.ActivatedBy, Why: row.ActivationMessage}
	switch {
	case row.ID == k.active:
		v.State = badge{"active", "check", "good"}
	case row.ActivatedAt.IsZero():
		v.State = badge{"never active", "dash", "quiet"}
	default:
		v.State = badge{"was active", "dash", "quiet"}
	}
	if row.ID != k.active && k.active != "" {
		v.Against = diffPath(k.account.ID, k.active, row.ID)
		if k.may {
			v.Rollback = rollbackPath(k.account.ID, row.ID)
		}
	}
	return v
}

// taken says which revision the workers know as the active one. A call is decided by the revision under which it was accepted,
// whichever worker takes it.
func (p *configPage) taken(k knownConfig, n names) {
	digests, of := map[string]string{}, map[string]int{}
	for _, row := range k.list {
		digests[row.ID] = short(row.Digest)
	}
	for _, w := range k.workers {
		id := w.Revisions[k.account.ID]
		of[id]++
		if k.machines {
			p.Workers = append(p.Workers, workerView{ID: w.ID, Host: w.Host, Version: w.Version, Revision: takenWord(id, digests), Active: id != "" && id == k.active,
				Started: at(w.StartedAt, n.zone()), Heard: at(w.BeatAt, n.zone())})
		}
	}
	for id, workers := range of {
		p.Taken = append(p.Taken, takenView{takenWord(id, digests), id != "" && id == k.active, count(workers, "worker", "workers")})
	}
	slices.SortFunc(p.Taken, func(a, b takenView) int {
		switch {
		case a.Active != b.Active && a.Active:
			return -1
		case a.Active != b.Active:
			return 1
		case a.Revision < b.Revision:
			return -1
		}
		return 1
	})
}

func takenWord(id string, digests map[string]string) string {
	switch {
	case id == "":
		return "none they tell of"
	case digests[id] == "":
		return "one that is not on this page"
	}
	return digests[id]
}

// activationsPage is the view of config_activations.html.
type activationsPage struct {
	AccountName   string
	Account       string
	Accounts      []choice
	Tabs          []tab
	Rows          []activatedView
	Paged         bool
	Newest, Older string
}

// activatedView is one activation.
type activatedView struct {
	Digest, By, Why, Door string
	At                    moment
	Changed               string // against what was active before
}

// activations is GET /config/activations: what was made active when, by whom and why.
func (d *Dashboard) activations(r *http.Request) (answer, error) {
	account, accounts, err := d.chosenAccount(r)
	if err != nil {
		return answer{}, err
	}
	view := activationsPage{}
	if account != "" {
		before := r.URL.Query().Get("before")
		list, next, err := d.reader(r, people.Look).Activations(r.Context(), account, before, listLimit)
		if err != nil {
			return answer{}, err
		}
		view = activationList(account, before, list, next, d.accountNames(account))
	}
	view.Accounts = accounts
	return answer{Template: "config_activations", Title: "Activations", Section: "config", View: view}, nil
}

func activationList(account, before string, list []store.ActivationRow, next string, n names) activationsPage {
	p := activationsPage{Account: account, AccountName: n.account(account), Tabs: configTabs(account, activationsPath), Paged: before != "",
		Newest: address(activationsPath, "account", account)}
	if next != "" {
		p.Older = address(activationsPath, "account", account, "before", next)
	}
	for i, row := range list {
		v := activatedView{Digest: short(row.Digest), By: row.By, Why: row.Message, Door: originWord(row.Origin), At: at(row.At, n.zone())}
		if i+1 < len(list) && list[i+1].RevisionID != row.RevisionID {
			v.Changed = diffPath(account, list[i+1].RevisionID, row.RevisionID)
		}
		p.Rows = append(p.Rows, v)
	}
	return p
}
