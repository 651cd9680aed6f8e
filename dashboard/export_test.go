package dashboard

import (
	"strings"
	"time"

	"golang.org/x/net/html"
)

// EndStreamsAfter sets how long a stream lasts, before any is opened.
func (d *Dashboard) EndStreamsAfter(lasts time.Duration) { d.door.streams = lasts }

// Address is one row of the table that the mux is made of.
type Address struct{ Method, Path, Needs string } // Method: "" for any

// Payloads, Shape and Leaks are what the tests in the package know of hostile texts.
func Payloads() []string { return payloads() }

// Shape is a page without its words.
func Shape(n *html.Node) string { return shape(n) }

// Leaks lists what could run, load or lead somewhere it must not.
func Leaks(n *html.Node) []string { return leaks(n) }

// Addresses lists them.
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
