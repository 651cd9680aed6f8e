package dashboard

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"aftercall/automation"
	"aftercall/change"
	"aftercall/internal/store"
	"aftercall/people"
)

// revisionName is a revision as a page names it.
type revisionName struct {
	Digest, By, Message string
	Made                moment
	id                  string
}

// differs is what differs between two revisions, as a page shows it.
type differs struct {
	From, To revisionName
	Same     bool
	Items    []itemView
	Asked    []string // of which calls the model is asked something else
}

// itemView is one thing that differs.
type itemView struct {
	What   badge
	Name   string
	Fields []fieldView
}

// fieldView is one field: the lines of it in which the two differ.
type fieldView struct{ Name, Before, After string }

// configDiffPageView is the view of config_diff.html.
type configDiffPageView struct {
	differs
	AccountName, Back string
	Swapped           string // the same the other way round
}

// configDiff is GET /config/diff: what differs between any two revisions of an account, in its author's words. The address
// holds the whole state: account, from and to.
func (d *Dashboard) configDiff(r *http.Request) (answer, error) {
	in := r.URL.Query()
	account := in.Get("account")
	reader := d.reader(r, people.Look)
	from, before, err := d.revisionCalled(r, reader, account, in.Get("from"))
	if err != nil {
		return answer{}, err
	}
	to, after, err := d.revisionCalled(r, reader, account, in.Get("to"))
	if err != nil {
		return answer{}, err
	}
	n := d.accountNames(account)
	view := configDiffPageView{differs: differencesOf(from, to, before, after, people.Of(r.Context()).May(people.Addresses, account)),
		AccountName: n.account(account), Back: address(configPath, "account", account), Swapped: diffPath(account, to.id, from.id)}
	return answer{Template: "config_diff", Title: "What differs", Section: "config", View: view}, nil
}

// revisionCalled finds a revision of an account by its id or the beginning of its digest, and compiles it.
func (d *Dashboard) revisionCalled(r *http.Request, reader *store.Reader, account, ref string) (revisionName, *automation.Revision, error) {
	if account == "" || ref == "" {
		return revisionName{}, nil, fmt.Errorf("find a revision: %w", store.ErrNotFound)
	}
	_, id, err := reader.FindRevision(r.Context(), account, ref)
	switch {
	case errors.Is(err, store.ErrAmbiguous):
		return revisionName{}, nil, &postedError{http.StatusConflict, "Several revisions are called this.", "Write more of the name, or choose one in the list of revisions."}
	case err != nil:
		return revisionName{}, nil, err
	}
	stored, err := reader.Revision(r.Context(), id)
	if err != nil {
		return revisionName{}, nil, err
	}
	rev, err := d.revisions.ByID(r.Context(), id)
	if err != nil {
		d.log.WarnContext(r.Context(), "a revision that cannot be read here", "revision_id", id, "error", err)
		return revisionName{}, nil, &postedError{http.StatusConflict, "This version cannot read revision " + short(stored.Digest) + ".",
			"A newer version took it, or an older one under rules that do not hold any more. Use the version that took it, or write its files out with aftercall export."}
	}
	n := d.accountNames(account)
	return revisionName{Digest: short(stored.Digest), Message: stored.Message, Made: at(stored.CreatedAt, n.zone()), id: id}, rev, nil
}

// differencesOf compares two revisions for somebody who may, or may not, see numbers and addresses.
func differencesOf(from, to revisionName, before, after *automation.Revision, open bool) differs {
	v := differs{From: from, To: to, Same: from.id == to.id}
	for _, i := range change.Compare(before, after) {
		v.Items = append(v.Items, itemOf(i, open))
	}
	for _, f := range change.Forms(before, after) {
		v.Asked = append(v.Asked, f.About())
	}
	return v
}

func itemOf(i change.Item, open bool) itemView {
	v := itemView{What: changeBadge(i.Change), Name: strings.TrimSpace(i.Kind + " " + i.ID)}
	if i.Change == change.Removed {
		return v
	}
	for _, f := range i.Fields {
		if !open {
			maskTexts(&f.Before, &f.After)
		}
		gone, came := change.Lines(f.Before, f.After)
		v.Fields = append(v.Fields, fieldView{f.Name, strings.Join(gone, "\n"), strings.Join(came, "\n")})
	}
	return v
}

func changeBadge(what string) badge {
	switch what {
	case change.Added:
		return badge{"added", "check", "good"}
	case change.Removed:
		return badge{"removed", "cross", "bad"}
	}
	return badge{"changed", "again", "info"}
}
