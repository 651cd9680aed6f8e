package dashboard

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"time"

	"aftercall/deliver"
	"aftercall/deliver/push"
	"aftercall/internal/store"
	"aftercall/people"
)

// pushWorkerPath is where browsers fetch the script that shows alerts while no page is open. It stands at the root, since it may only
// look after what is below it, and keeps its name, by which browsers look for a newer one.
const pushWorkerPath = "/push-worker.js"

// pushView is the part of the page of alerts where somebody asks for them on a screen.
type pushView struct {
	Key      string // under which a browser subscribes; "" where pushes are captured
	Worker   string
	Browsers int // that show them already
	Textless bool
}

func (d *Dashboard) pushRoutes(rs *routes) {
	rs.add("GET "+pushWorkerPath, anybody, http.HandlerFunc(servePushWorker))
	rs.add("POST /alerts/push", people.Look, d.page(d.pushOn))
	rs.add("POST /alerts/push/off", people.Look, d.page(d.pushOff))
}

func servePushWorker(w http.ResponseWriter, r *http.Request) {
	content, err := assetFiles.ReadFile("assets" + pushWorkerPath)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Cache-Control", "no-cache")
	http.ServeContent(w, r, pushWorkerPath, time.Time{}, bytes.NewReader(content))
}

// pushKey is what browsers subscribe under; "" where pushes are captured.
func (d *Dashboard) pushKey() string {
	if c, ok := d.channels[deliver.Push].(interface{ PublicKey() string }); ok {
		return c.PublicKey()
	}
	return ""
}

func (d *Dashboard) pushView(r *http.Request) (pushView, error) {
	who := people.Of(r.Context())
	n, err := d.store.PushBrowsers(r.Context(), who.Actor())
	return pushView{Key: d.pushKey(), Worker: pushWorkerPath, Browsers: n, Textless: who.Accounts(people.Addresses).None()}, err
}

// pushOn is POST /alerts/push: a browser subscribes with what it was told by its push service. Where there is no key, nothing is
// told and what would be pushed is captured.
func (d *Dashboard) pushOn(r *http.Request) (answer, error) {
	form, err := posted(r)
	if err != nil {
		return answer{}, err
	}
	var s store.PushSubscription
	if d.pushKey() != "" {
		// Browsers leave padding out, as RFC 7515 does; one that does not means the same.
		s = store.PushSubscription{Endpoint: form.Get("endpoint"), P256dh: strings.TrimRight(form.Get("p256dh"), "="), Auth: strings.TrimRight(form.Get("auth"), "=")}
		if err := push.Subscription(s).Check(); err != nil {
			return answer{}, &postedError{http.StatusBadRequest, "Nothing can be pushed there: " + err.Error() + ".", "Go back and try again, in a browser with scripts on."}
		}
	}
	if err := d.store.SubscribePush(r.Context(), people.Of(r.Context()).Actor(), s); err != nil {
		return answer{}, fmt.Errorf("ask for pushes: %w", err)
	}
	return answer{Location: "/alerts#push"}, nil
}

// pushOff is POST /alerts/push/off: no browser of theirs shows alerts any more.
func (d *Dashboard) pushOff(r *http.Request) (answer, error) {
	if err := d.store.UnsubscribePush(r.Context(), people.Of(r.Context()).Actor()); err != nil {
		return answer{}, fmt.Errorf("end pushes: %w", err)
	}
	return answer{Location: "/alerts#push"}, nil
}
