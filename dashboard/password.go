package dashboard

import (
	"errors"
	"fmt"
	"net/http"

	"aftercall/people"
)

// passwordPath is where somebody who is signed in changes their own password.
const passwordPath = "/password"

// passwordPage is the view of password.html.
type passwordPage struct {
	Email     string
	Said      string // why the last try came to nothing
	Changed   bool
	Elsewhere bool // they sign in elsewhere: there is no password here
	Shortest  int
}

func passwordAnswer(view passwordPage, status int) answer {
	view.Shortest = people.ShortestPassword
	return answer{Template: "password", Title: "Your password", View: view, Status: status, Draft: true}
}

// password is GET /password.
func (d *door) password(r *http.Request) (answer, error) {
	who := people.Of(r.Context())
	has, err := d.desk.HasPassword(r.Context(), who)
	return passwordAnswer(passwordPage{Email: who.Name, Changed: r.URL.Query().Get("changed") != "", Elsewhere: !has}, 0), err
}

// changePassword is POST /password: the browser it came from stays signed in, every other does not.
func (d *door) changePassword(w http.ResponseWriter, r *http.Request) error {
	who := people.Of(r.Context())
	again := func(status int, said string) error {
		return d.pages.write(w, r, passwordAnswer(passwordPage{Email: who.Name, Said: said}, status))
	}
	next := r.PostFormValue("new")
	if next == "" || next != r.PostFormValue("again") {
		return again(http.StatusBadRequest, "Type the new password twice, the same each time.")
	}
	token, err := d.desk.Change(r.Context(), who, r.PostFormValue("current"), next)
	switch {
	case errors.Is(err, people.ErrTooMany):
		w.Header().Set("Retry-After", "60")
		return again(http.StatusTooManyRequests, "This was tried too often. Wait a minute.")
	case errors.Is(err, people.ErrRefused):
		return again(http.StatusBadRequest, "That is not the password you have now.")
	case errors.Is(err, people.ErrWeak):
		return again(http.StatusBadRequest, fmt.Sprintf("Choose a password of at least %d characters.", people.ShortestPassword))
	case err != nil:
		return err
	}
	d.hold(w, token)
	http.Redirect(w, r, address(passwordPath, "changed", "1"), http.StatusSeeOther)
	return nil
}
