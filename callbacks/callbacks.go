// Package callbacks takes what providers say on their own account: what became of a message after they had it, and who wants
// no more of them.
//
// It owns the addresses below /callbacks/. Each provider is one file with a list of Doors: how its posts are known to be
// genuine, and what they say in our words (deliver.Report, deliver.Suppression). What that does to the ledger is the
// store's to decide.
//
// It promises that nothing of a post counts unless its signature is right over the raw body, that it answers 204 after
// what was said is committed, that the same post again changes nothing, and that posts in any other order lead to the same; but of
// two STOPs and STARTs that Twilio posts, which say nothing of when they were written, the one counts that is heard first later.
// It logs ids and words of closed lists, never a number or a text.
package callbacks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"aftercall/deliver"
	"aftercall/internal/openapi"
	"aftercall/internal/signals"
	"aftercall/internal/store"
)

// Prefix is where all addresses begin that providers post to.
const Prefix = "/callbacks/"

// Errors of a Door.
var (
	// ErrNotGenuine is the error of a post that the provider did not sign.
	ErrNotGenuine = errors.New("the signature does not fit")
	// ErrUnreadable is the error of a genuine post in another form than this version knows.
	ErrUnreadable = errors.New("the body is not in the provider's form")
)

// Door is one address to which a provider posts.
type Door struct {
	Path     string // below Prefix, with {account} where it names one
	ID       string // of the operation, for the description
	Summary  string
	Describe string
	Unsigned string // what to look at where its posts do not seem genuine
	// Read proves that the provider posted this, and says what it says. Its error is ErrNotGenuine or ErrUnreadable.
	Read func(Post) (Said, error)
}

// Post is one request to a door.
type Post struct {
	Address string // as the outside writes it, query included
	Account string // as it stands in the path; "" if it names none
	Header  http.Header
	Body    []byte
	At      time.Time
}

// Said is what one post says.
type Said struct {
	Word         string // what kind of post it was, for the log: a word of ours
	Reports      []deliver.Report
	Suppressions []deliver.Suppression // of the account in the path
}

// Config is what a Desk is built from.
type Config struct {
	Store     *store.Store
	Known     func(accountID string) bool // whether there is such an account
	PublicURL string                      // how the outside reaches these addresses; Twilio signs them, too
	Doors     []Door
	Logger    *slog.Logger
	Signals   *signals.Signals // what is measured; nil: nothing
	Now       func() time.Time // default time.Now
}

// Desk answers providers. It is safe for concurrent use.
type Desk struct{ c Config }

// New builds the desk.
func New(c Config) (*Desk, error) {
	if c.Store == nil || c.Known == nil || c.Logger == nil {
		return nil, errors.New("callbacks: store, accounts and logger are needed")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	c.PublicURL = strings.TrimRight(c.PublicURL, "/")
	return &Desk{c}, nil
}

// Routes are the doors as they are answered and described.
func (d *Desk) Routes() (all []openapi.Route) {
	for _, door := range d.c.Doors {
		all = append(all, openapi.Route{
			Method: http.MethodPost, Path: Prefix + door.Path, ID: door.ID, Tag: "callbacks", Summary: door.Summary, Description: door.Describe,
			Answer: openapi.Answer{Status: http.StatusNoContent, Says: "Committed, or of no interest."},
			Fails:  []int{400, 401, 404, 405, 408, 413, 500, 503}, Handler: d.serve(door),
		})
	}
	return all
}

// maxBody bounds a post: the largest that a provider sends is a batch of some 800 kB.
const maxBody = 1 << 20

// patience bounds how long a provider waits for the commit.
const patience = 10 * time.Second

// refusal is an answer that is not 204.
type refusal struct {
	status int
	detail string
	cause  error // for the log only
}

func (d *Desk) serve(door Door) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		said, news, no := d.take(w, r, door)
		status := http.StatusNoContent
		if no == nil {
			w.WriteHeader(status)
		} else {
			status = no.status
			no.write(w)
		}
		d.report(r, door, said, news, status, no)
	})
}

// take is one post's way: its bytes, its signature, what it says, the commit.
func (d *Desk) take(w http.ResponseWriter, r *http.Request, door Door) (said Said, news []store.Reported, no *refusal) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return said, nil, unread(err)
	}
	p := Post{Address: d.c.PublicURL + r.URL.RequestURI(), Account: r.PathValue("account"), Header: r.Header, Body: body, At: d.c.Now()}
	switch said, err = door.Read(p); {
	case errors.Is(err, ErrNotGenuine):
		return said, nil, &refusal{status: http.StatusUnauthorized, detail: "The signature does not fit. " + door.Unsigned}
	case err != nil:
		return said, nil, &refusal{status: http.StatusBadRequest, detail: "The body is not in the provider's form."}
	case p.Account != "" && !d.c.Known(p.Account):
		return said, nil, &refusal{status: http.StatusNotFound, detail: "There is no such account."}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), patience)
	defer cancel()
	if err = d.c.Store.Suppress(ctx, said.Suppressions...); err == nil {
		news, err = d.c.Store.Report(ctx, said.Reports...)
	}
	if err != nil {
		return said, nil, unstored(err)
	}
	for _, n := range news {
		d.c.Signals.Delivery(n.Channel, string(n.Is))
	}
	return said, news, nil
}

func unread(err error) *refusal {
	if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
		return &refusal{status: http.StatusRequestEntityTooLarge, detail: "The body is too large."}
	}
	return &refusal{status: http.StatusRequestTimeout, detail: "The body did not arrive."}
}

func unstored(err error) *refusal {
	if store.Away(err) {
		return &refusal{status: http.StatusServiceUnavailable, detail: "The database is away or slow; post this again.", cause: err}
	}
	return &refusal{status: http.StatusInternalServerError, detail: "Something went wrong here; nothing was stored.", cause: err}
}

func (n *refusal) write(w http.ResponseWriter) {
	if n.status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(n.status)
	_, _ = fmt.Fprintf(w, "{\"title\":%q,\"status\":%d,\"detail\":%q}\n", http.StatusText(n.status), n.status, n.detail)
}

// report writes one line for a post.
func (d *Desk) report(r *http.Request, door Door, said Said, news []store.Reported, status int, no *refusal) {
	level, attrs := slog.LevelInfo, []slog.Attr{slog.String("callback", door.ID), slog.Int("status", status), slog.String("word", said.Word),
		slog.Int("reports", len(said.Reports)), slog.Int("news", len(news))}
	if len(news) == 1 {
		n := news[0]
		attrs = append(attrs, slog.String("account_id", n.AccountID), slog.String("delivery_id", n.DeliveryID), slog.String("was", string(n.Was)), slog.String("state", string(n.Is)))
	}
	if no != nil {
		level = slog.LevelWarn
		attrs = append(attrs, slog.String("problem", no.detail))
		if no.cause != nil {
			level = slog.LevelError
			attrs = append(attrs, slog.String("error", no.cause.Error()))
		}
	}
	d.c.Logger.LogAttrs(r.Context(), level, "callback", attrs...)
}

// address is where a door is reached from outside.
func address(publicURL string, query url.Values, path ...string) string {
	for i, p := range path {
		path[i] = url.PathEscape(p)
	}
	to := strings.TrimRight(publicURL, "/") + Prefix + strings.Join(path, "/")
	if len(query) > 0 {
		to += "?" + query.Encode()
	}
	return to
}
