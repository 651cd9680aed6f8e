package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"aftercall/internal/openapi"
	"aftercall/internal/store"
)

// The bounds of a request that posts no call. A rehearsal may have to ask a model; the listener cuts what takes a minute.
const (
	mostBody    = 64 << 10
	bodyTimeout = 10 * time.Second
	patience    = 45 * time.Second
)

// route is a row of the table: how it is described, who may, and what answers.
type route struct {
	openapi.Route
	scope  store.Scope
	serve  func(x *exchange) (any, error)
	looks  bool                                           // a POST that changes nothing
	stream func(w http.ResponseWriter, x *exchange) error // instead of serve: writes by itself
}

// writes reports whether it may have a body.
func (r route) writes() bool { return r.Method != http.MethodGet }

// changes reports whether it changes anything. Such an answer is kept for whoever asks again, so it has ids in it and nothing
// that was said.
func (r route) changes() bool { return r.writes() && !r.looks }

// exchange is one request on its way through.
type exchange struct {
	*http.Request
	api   *API
	key   store.Key
	by    store.Actor
	query url.Values
	body  []byte
}

// account is the one that the key belongs to; there is no other.
func (x *exchange) account() string { return x.key.AccountID }

// reader reads in that account and nowhere else.
func (x *exchange) reader() *store.Reader { return x.api.store.Within(store.Only(x.account())) }

// handle answers a route, and writes one line about each request.
func (a *API) handle(r route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		began := a.now()
		if r.stream == nil {
			ctx, cancel := context.WithTimeout(req.Context(), patience)
			defer cancel()
			req = req.WithContext(ctx)
		}
		x := &exchange{Request: req, api: a}
		err := a.answer(w, x, r)
		var p *problem
		if err != nil {
			p = judge(err)
			p.write(w)
		}
		a.report(x, r, p, a.now().Sub(began))
	})
}

// answer writes what was asked for, or gives back why not with nothing written yet.
func (a *API) answer(w http.ResponseWriter, x *exchange, r route) (err error) {
	defer func() {
		if p := recover(); p != nil {
			a.log.ErrorContext(x.Context(), "panic in a request", "route", r.ID, "type", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
			err = errors.New("it panicked") // its value may quote a call
		}
	}()
	if err := a.admit(x, r); err != nil {
		return err
	}
	if x.query, err = asked(x.Request, r); err != nil {
		return err
	}
	if r.stream != nil {
		return r.stream(w, x)
	}
	if r.writes() {
		if x.body, err = read(w, x.Request, r.Body != nil); err != nil {
			return err
		}
	}
	status, body, again, err := x.once(r)
	if err != nil {
		return err
	}
	if again {
		w.Header().Set(againHeader, "true")
	}
	write(w, status, "application/json", body)
	return nil
}

// admit finds out whose key it is, and whether it may.
func (a *API) admit(x *exchange, r route) error {
	key, err := a.keys.Bearer(x.Context(), x.Header.Get("Authorization"))
	switch {
	case errors.Is(err, store.ErrNotFound):
		return &problem{status: http.StatusUnauthorized, detail: "The API key is not known, or was revoked.", remedy: "Make one: aftercall keys add ACCOUNT NAME --scope " + string(r.scope) + "."}
	case err != nil:
		return err
	}
	x.key = key
	from, _, _ := net.SplitHostPort(x.RemoteAddr)
	x.by = store.Actor{PersonID: key.ID, Name: fmt.Sprintf("API key %s… (%s)", key.Prefix, key.Name), Address: from}
	switch {
	case !key.May(r.scope):
		return &problem{status: http.StatusForbidden, detail: "This API key has not the scope " + string(r.scope) + ".",
			remedy: "Make a key that has it: aftercall keys add ACCOUNT NAME --scope " + string(r.scope) + "."}
	case !a.limits.admit(key.ID):
		return &problem{status: http.StatusTooManyRequests, detail: fmt.Sprintf("This API key asks more than %d times a second.", requestsPerSecond),
			remedy: "Wait a second, and ask less often; alerts come by themselves over /v1/alerts/stream.", after: 1}
	}
	return nil
}

// asked reads the query, which may have what the table says and nothing else.
func asked(r *http.Request, of route) (url.Values, error) {
	in, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, invalid(fault{"?", "The query cannot be read."})
	}
	var faults []fault
	for name, values := range in {
		i := slices.IndexFunc(of.Params, func(p openapi.Param) bool { return p.In == "query" && p.Name == name })
		if i < 0 {
			faults = append(faults, fault{"?", "There is a parameter that is not known here."})
			continue
		}
		if says := wrong(of.Params[i], values); says != "" {
			faults = append(faults, fault{"?" + of.Params[i].Name, says})
		}
	}
	slices.SortFunc(faults, func(a, b fault) int { return strings.Compare(a.Pointer, b.Pointer) })
	return in, invalid(faults...)
}

// wrong says what is wrong with a parameter's values; "" for nothing.
func wrong(p openapi.Param, values []string) string {
	if len(values) != 1 || len(values[0]) > 500 {
		return "It may stand there once, with at most 500 bytes."
	}
	value := values[0]
	switch {
	case p.Words != nil && !slices.Contains(p.Words, value):
		return "It is one of " + strings.Join(p.Words, ", ") + "."
	case p.Number:
		if n, err := strconv.Atoi(value); err != nil || n < 1 {
			return "It is a whole number from 1."
		}
	case p.Time:
		if _, err := time.Parse(time.RFC3339, value); err != nil {
			return "It is a time such as 2026-11-20T14:03:00Z."
		}
	}
	return ""
}

// number and moment give a parameter that asked has looked at; zero for one that is not there.
func (x *exchange) number(name string) int {
	n, _ := strconv.Atoi(x.query.Get(name))
	return n
}

func (x *exchange) moment(name string) time.Time {
	at, _ := time.Parse(time.RFC3339, x.query.Get(name))
	return at
}

// read takes a body, within size and time. One that nobody asked for must be empty.
func read(w http.ResponseWriter, r *http.Request, wanted bool) ([]byte, error) {
	c := http.NewResponseController(w)
	_ = c.SetReadDeadline(time.Now().Add(bodyTimeout)) // a recorder in a test has no connection to set it on
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostBody))
	_ = c.SetReadDeadline(time.Time{}) // left there, it would end the request
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, &problem{status: http.StatusRequestEntityTooLarge, detail: fmt.Sprintf("The body is larger than %d bytes.", mostBody), remedy: "Send less; calls are posted to /v1/conversations."}
	case err != nil:
		return nil, &problem{status: http.StatusBadRequest, detail: "The body ended early, or did not come in time.", remedy: "Send it again, whole."}
	case !wanted && len(bytes.TrimSpace(body)) > 0:
		return nil, invalid(fault{"", "Nothing is to be said in the body of this request."})
	case !wanted:
		return nil, nil
	}
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset := strings.ToLower(params["charset"])
	if err != nil || kind != "application/json" || charset != "" && charset != "utf-8" || r.Header.Get("Content-Encoding") != "" {
		return nil, &problem{status: http.StatusUnsupportedMediaType, detail: "The body must be application/json in UTF-8, and not compressed.", remedy: "Say so in Content-Type."}
	}
	return body, nil
}

// decode reads the body into what is wanted, and takes no member that is not known.
func (x *exchange) decode(into any) error {
	d := json.NewDecoder(bytes.NewReader(x.body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return invalid(unread(err))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return invalid(fault{"", "There is something after the JSON object."})
	}
	return nil
}

// unread says where a body cannot be read, without a word of it.
func unread(err error) fault {
	var kind *json.UnmarshalTypeError
	var broken *json.SyntaxError
	switch {
	case errors.As(err, &kind) && kind.Field != "":
		return fault{"/" + strings.ReplaceAll(kind.Field, ".", "/"), "It is a " + kind.Value + ", and that is not what stands here."}
	case strings.HasPrefix(err.Error(), "json: unknown field"):
		return fault{"", "There is a member that is not known here."}
	case kind != nil || errors.As(err, &broken) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return fault{"", "It is not JSON, or no object."}
	}
	return fault{"", "A time in it is not such as 2026-11-20T14:03:00Z."} // nothing else in a body reads itself
}

// report writes the one line: ids, what was asked for and what became of it.
func (a *API) report(x *exchange, r route, p *problem, took time.Duration) {
	level, status := slog.LevelInfo, r.status()
	attrs := []slog.Attr{slog.String("route", r.ID), slog.String("account_id", x.account()), slog.String("key_id", x.key.ID), slog.Duration("took", took)}
	if p != nil {
		status = p.status
		attrs = append(attrs, slog.String("problem", p.detail))
		if p.cause != nil {
			attrs = append(attrs, slog.String("error", p.cause.Error()))
		}
		if status >= http.StatusInternalServerError {
			level = slog.LevelError
		}
	}
	if r.stream != nil && p == nil {
		took = -1 // it has no end that could be timed
	}
	a.signals.Request(r.ID, status, took)
	a.log.LogAttrs(x.Context(), level, "api", append(attrs, slog.Int("status", status))...)
}

// status is how the route answers when all is well.
func (r route) status() int {
	if r.Answer.Status == 0 {
		return http.StatusOK
	}
	return r.Answer.Status
}
