package dashboard

import (
	"net/http"
	"strings"

	"aftercall/people"
)

// What a route may ask for besides a right in at least one account.
const (
	anybody  people.Right = "anybody"  // the way in, and what it looks like
	signedIn people.Right = "signedIn" // anybody who is known
)

// route is one address of the pages with what it asks for. A page then shows, of what it is asked for, what is in the
// accounts where the person has that right.
type route struct {
	pattern string
	needs   people.Right
	handler http.Handler
}

// routes are all addresses there are. The mux is made of this table and of nothing else, so a page cannot be served without
// saying whom it is for, and the tests that walk every address cannot miss one.
type routes []route

func (rs *routes) add(pattern string, needs people.Right, h http.Handler) {
	*rs = append(*rs, route{pattern, needs, h})
}

// mux serves the table, each route behind its gate.
func (rs routes) mux(gate func(people.Right, http.Handler) http.Handler) *http.ServeMux {
	mux := http.NewServeMux()
	for _, r := range rs {
		mux.Handle(r.pattern, gate(r.needs, r.handler))
	}
	return mux
}

// Address is one row of the table, for whoever holds every address against something.
type Address struct{ Method, Path, Needs string } // Method: "" for any

// Addresses are the rows of the table that the mux is made of.
func (d *Dashboard) Addresses() (all []Address) {
	for _, r := range d.table {
		method, path, found := strings.Cut(r.pattern, " ")
		if !found {
			method, path = "", r.pattern
		}
		all = append(all, Address{method, path, string(r.needs)})
	}
	return all
}
