package dashboard

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"aftercall/people"
)

// Addresses of the way in and out.
const (
	signInPath   = "/sign-in"
	oidcPath     = "/sign-in/oidc"
	callbackPath = "/sign-in/callback"
	signOutPath  = "/sign-out"
)

// CallbackURL is where a provider of sign-in sends people back, if the pages are reached at base.
func CallbackURL(base string) string { return strings.TrimSuffix(base, "/") + callbackPath }

// door lets people in: it knows them by a cookie, and asks those whom it does not know to sign in.
type door struct {
	desk    *people.Desk // nil: nobody signs in, and whoever reaches the listener owns the machine
	proxies people.Proxies
	secure  bool          // reached over HTTPS: cookies travel nowhere else
	streams time.Duration // how long a stream lasts
	pages   *pages
	fail    func(w http.ResponseWriter, r *http.Request, err error)
}

// gate serves a route to those who have the right it needs somewhere.
func (d *door) gate(needs people.Right, next http.Handler) http.Handler {
	if needs == anybody {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		who, err := d.who(w, r)
		switch {
		case errors.Is(err, people.ErrSignedOut):
			d.ask(w, r)
			return
		case err != nil:
			d.fail(w, r, err)
			return
		}
		r = r.WithContext(people.With(r.Context(), who))
		if needs != signedIn && who.Accounts(needs).None() {
			d.pages.refuse(w, r, http.StatusForbidden, "Your role does not include this.", "Somebody who manages people here can change that.")
			return
		}
		if d.desk != nil && streams(r) {
			ctx, cancel := context.WithTimeout(r.Context(), d.streams)
			defer cancel()
			r = r.WithContext(ctx)
		}
		next.ServeHTTP(w, r)
	})
}

// streamTime is how long a page hears of news before it has to show again who it is. The browser comes back by itself, and
// whoever has lost a role or was signed out meanwhile hears no more.
const streamTime = time.Minute

// streams reports whether an open page asks to be told of news.
func streams(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Accept"), "text/event-stream")
}

// byHand reports whether a person made a request, and not a page that looks whether it is still the newest.
func byHand(r *http.Request) bool {
	return r.Method != http.MethodHead && !streams(r) && (r.Method != http.MethodGet || r.Header.Get("Sec-Fetch-Dest") != "empty")
}

// who finds out who asks, and hands the browser another token when it is time.
func (d *door) who(w http.ResponseWriter, r *http.Request) (people.Person, error) {
	if d.desk == nil {
		who := people.Machine()
		who.Address = d.proxies.Address(r)
		return who, nil
	}
	cookie, err := r.Cookie(d.cookie(sessionCookie))
	if err != nil {
		return people.Person{}, people.ErrSignedOut
	}
	ctx, cancel := context.WithTimeout(r.Context(), queryTime)
	defer cancel()
	who, renewed, err := d.desk.Who(ctx, people.Visit{Token: cookie.Value, Address: d.proxies.Address(r), Alive: byHand(r)})
	if err == nil && renewed != "" {
		d.hold(w, renewed)
	}
	return who, err
}

// ask sends a reader to the sign-in page, and tells everything else that it must sign in.
func (d *door) ask(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet || r.Header.Get("Sec-Fetch-Dest") == "empty" {
		d.pages.refuse(w, r, http.StatusUnauthorized, "You are not signed in any more.", "Sign in, then try again.")
		return
	}
	http.Redirect(w, r, address(signInPath, "next", local(r.URL.RequestURI())), http.StatusFound)
}

// local is an address of ours to go on to; whatever leads elsewhere, or in a circle, is not.
func local(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") ||
		strings.ContainsAny(next, "\\\r\n\t") || strings.HasPrefix(u.Path, "/sign-") || len(next) > 1024 {
		return ""
	}
	return next
}

// The cookies: who somebody is, and where somebody is going who is at the provider.
const (
	sessionCookie = "aftercall"
	journeyCookie = "aftercall-journey"
)

// cookie is the name of a cookie. Over HTTPS __Host- makes sure that no other name of the domain can set it.
func (d *door) cookie(name string) string {
	if d.secure {
		return "__Host-" + name
	}
	return name
}

// keep hands the browser a cookie, or with "" takes it away. Lax lets a link in a message open a page; nothing is ever
// changed by following a link.
func (d *door) keep(w http.ResponseWriter, name, value string, lasts time.Duration) {
	c := &http.Cookie{Name: d.cookie(name), Value: value, Path: "/", HttpOnly: true, Secure: d.secure, SameSite: http.SameSiteLaxMode,
		MaxAge: int(lasts.Seconds())}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// hold keeps a session for as long as the browser is open, at most.
func (d *door) hold(w http.ResponseWriter, token string) { d.keep(w, sessionCookie, token, 0) }

func (d *door) keepJourney(w http.ResponseWriter, encoded string) {
	d.keep(w, journeyCookie, encoded, 10*time.Minute)
}

// signInPage is the view of sign_in.html.
type signInPage struct {
	Next, Email string
	Said        string // why the last try came to nothing
	OIDC        string // where to go to sign in elsewhere; "" if nobody can
}

func (d *door) page(next, email, said string, status int) answer {
	view := signInPage{Next: local(next), Email: email, Said: said}
	if d.desk.Elsewhere() {
		view.OIDC = address(oidcPath, "next", view.Next)
	}
	return answer{Template: "sign_in", Title: "Sign in", View: view, Status: status, Draft: true}
}

func (d *door) routes(rs *routes, page func(computes) http.Handler) {
	if d.desk == nil {
		return
	}
	rs.add("GET "+signInPath, anybody, page(func(r *http.Request) (answer, error) {
		return d.page(r.URL.Query().Get("next"), "", "", 0), nil
	}))
	rs.add("POST "+signInPath, anybody, d.within(d.enter))
	rs.add("POST "+signOutPath, signedIn, d.within(d.leave))
	rs.add("GET "+passwordPath, signedIn, page(d.password))
	rs.add("POST "+passwordPath, signedIn, d.within(d.changePassword))
	if d.desk.Elsewhere() {
		rs.add("GET "+oidcPath, anybody, d.within(d.depart))
		rs.add("GET "+callbackPath, anybody, d.within(d.arrive))
	}
}

// signInTime bounds one sign-in, the provider's answers included.
const signInTime = 20 * time.Second

// within bounds a handler that sets cookies, and answers for it if it fails.
func (d *door) within(do func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), signInTime)
		defer cancel()
		r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
		if err := do(w, r.WithContext(ctx)); err != nil {
			d.fail(w, r, err)
		}
	})
}

// enter is POST /sign-in.
func (d *door) enter(w http.ResponseWriter, r *http.Request) error {
	email, next := strings.TrimSpace(r.PostFormValue("email")), r.PostFormValue("next")
	token, err := d.desk.Enter(r.Context(), email, r.PostFormValue("password"), d.proxies.Address(r))
	return d.settle(w, r, token, next, email, err)
}

// settle lets somebody in, or says why not.
func (d *door) settle(w http.ResponseWriter, r *http.Request, token, next, email string, err error) error {
	switch {
	case errors.Is(err, people.ErrTooMany):
		w.Header().Set("Retry-After", "60")
		return d.pages.write(w, r, d.page(next, email, "Signing in was tried too often. Wait a minute.", http.StatusTooManyRequests))
	case errors.Is(err, people.ErrRefused):
		return d.pages.write(w, r, d.page(next, email, "That did not let you in. Check the address and the password; a sign-in elsewhere must be "+
			"of somebody who was added here.", http.StatusUnauthorized))
	case err != nil:
		return err
	}
	d.hold(w, token)
	http.Redirect(w, r, or(local(next), "/conversations"), http.StatusSeeOther)
	return nil
}

// leave is POST /sign-out.
func (d *door) leave(w http.ResponseWriter, r *http.Request) error {
	if err := d.desk.Leave(r.Context(), people.Of(r.Context())); err != nil {
		return err
	}
	d.hold(w, "")
	http.Redirect(w, r, signInPath, http.StatusSeeOther)
	return nil
}

// depart is GET /sign-in/oidc: to the provider. It is a link, because a form may not lead to another site.
func (d *door) depart(w http.ResponseWriter, r *http.Request) error {
	to, journey, err := d.desk.Depart(r.Context(), local(r.URL.Query().Get("next")))
	if err != nil {
		return err
	}
	d.keepJourney(w, journey.Encode())
	http.Redirect(w, r, to, http.StatusFound)
	return nil
}

// arrive is GET /sign-in/callback: back from the provider.
func (d *door) arrive(w http.ResponseWriter, r *http.Request) error {
	var journey people.Journey
	if cookie, err := r.Cookie(d.cookie(journeyCookie)); err == nil {
		journey = people.DecodeJourney(cookie.Value)
	}
	d.keepJourney(w, "") // a journey ends once
	token, err := d.desk.Arrive(r.Context(), journey, r.URL.Query(), d.proxies.Address(r))
	return d.settle(w, r, token, journey.Next, "", err)
}
