package dashboard

import "aftercall/internal/store"

// configView is one account whose watched folder is not what is active.
type configView struct {
	Account, Folder, Host string
	Problems              int
	First                 string
	Invalid               bool // the folder has errors; else it could not be applied for another reason
	Since                 moment
}

// configTroubles are the folders that could not be applied when they were last looked at.
func configTroubles(troubles []store.Attempt, of func(account string) names) (views []configView) {
	for _, t := range troubles {
		n := of(t.AccountID)
		views = append(views, configView{
			Account: n.account(t.AccountID), Folder: t.Folder, Host: t.Host, Problems: t.Problems, First: t.FirstProblem,
			Invalid: t.State == store.AttemptInvalid, Since: shortly(t.Since, n.zone()),
		})
	}
	return views
}
