package dashboard

import (
	"strings"
	"time"
)

// EndStreamsAfter sets how long a stream lasts, before any is opened.
func (d *Dashboard) EndStreamsAfter(lasts time.Duration) { d.door.streams = lasts }

// Address is one row of the table that the mux is made of.
type Address struct{ Method, Path, Needs string } // Method: "" for any

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
