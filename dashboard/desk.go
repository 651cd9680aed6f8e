package dashboard

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"aftercall/automation"
	"aftercall/people"
)

// deskRoutes are the pages where people work on what calls left behind.
func (d *Dashboard) deskRoutes(rs *routes) {
	rs.add("GET "+livePath, people.Look, d.live)
	rs.add("GET /tasks", people.Look, d.page(d.tasks))
	rs.add("GET /tasks/{id}", people.Look, d.page(d.task))
	rs.add("POST /tasks/{id}", people.Operate, d.page(d.changeTask))
	rs.add("GET /alerts", people.Look, d.page(d.alerts))
	rs.add("GET /alerts/latest", people.Look, d.page(d.latestAlerts))
	rs.add("GET "+softphonePath, people.Operate, d.page(d.softphone))
	rs.add("POST "+softphonePath, people.Operate, d.page(d.takePopUps))
	rs.add("POST /alerts/read", people.Look, d.page(d.readAlerts))
	rs.add("POST /alerts/{id}/read", people.Look, d.page(d.readAlert))
}

// mostForm bounds a form with a few fields.
const mostForm = 64 << 10

// posted reads a form with a few fields, however it was encoded.
func posted(r *http.Request) (url.Values, error) {
	r.Body = http.MaxBytesReader(nil, r.Body, mostForm)
	err := r.ParseForm()
	if err == nil {
		err = r.ParseMultipartForm(mostForm)
	}
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long):
		return nil, &postedError{http.StatusRequestEntityTooLarge, "The form is longer than any of ours.", "Go back and try again."}
	case err != nil && !errors.Is(err, http.ErrNotMultipart):
		return nil, &postedError{http.StatusBadRequest, "The form could not be read.", "Go back and try again."}
	}
	return r.PostForm, nil
}

// backTo is where a form leads when it is done: the page of ours that it stood on, or another.
func backTo(form url.Values, otherwise string) string { return or(local(form.Get("back")), otherwise) }

// counts are what the navigation of a whole page says that waits for its reader. A count that cannot be had costs the count, not
// the page.
func (d *Dashboard) counts(r *http.Request, a answer) (c counts) {
	who := people.Of(r.Context())
	if a.Template == "" || a.Location != "" || r.Method == http.MethodHead || !who.Known() || a.Bare {
		return c
	}
	var err error
	reader := d.reader(r, people.Look)
	c.Unread.N, err = reader.CountUnread(r.Context(), d.teammate(who))
	if err == nil {
		c.ToReview.N, err = reader.CountReviews(r.Context())
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		d.log.WarnContext(r.Context(), "page without a count in its navigation", "error", err)
	}
	return c
}

// counts are those in the navigation.
type counts struct {
	Unread   countView // team alerts
	ToReview countView
}

// countView is one of them.
type countView struct{ N int }

// Word is the count as it is shown: more than can be counted quickly is many.
func (u countView) Word() string {
	if u.N > 99 {
		return "99+"
	}
	return fmt.Sprint(u.N)
}

// span writes how long something is, in the largest unit that fits.
func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return "less than a minute"
	case d < time.Hour:
		return count(int(d/time.Minute), "minute", "minutes")
	case d < 48*time.Hour:
		return count(int(d/time.Hour), "hour", "hours")
	}
	return count(int(d/(24*time.Hour)), "day", "days")
}

// knownNames gives the words of each account once for a page.
func knownNames(of func(account string) names) func(account string) names {
	known := map[string]names{}
	return func(account string) names {
		n, ok := known[account]
		if !ok {
			n = of(account)
			known[account] = n
		}
		return n
	}
}

// assignee names whoever a task or an alert is for.
func (n names) assignee(key string) string {
	kind, id, _ := strings.Cut(key, ":")
	if n.rev != nil && kind == "person" {
		if p, ok := n.rev.Directory.People[id]; ok && p.Name != "" {
			return p.Name
		}
	}
	switch key {
	case "":
		return "nobody yet"
	case "all":
		return "everybody"
	}
	return recipientWord(key)
}

// keysOf are the keys in an account that stand for somebody who signs in: the people with their address, and the address.
func keysOf(rev *automation.Revision, email string) (keys []string) {
	if !strings.Contains(email, "@") {
		return nil
	}
	return append(personKeys(rev, email), "email:"+strings.ToLower(email))
}

// personKeys are those of the people in an account's config with an address.
func personKeys(rev *automation.Revision, email string) (keys []string) {
	if rev == nil || email == "" {
		return nil
	}
	for key, p := range rev.Directory.People {
		if strings.EqualFold(p.Email, email) {
			keys = append(keys, "person:"+key)
		}
	}
	return keys
}
