package dashboard

import (
	"time"

	"golang.org/x/net/html"
)

// EndStreamsAfter sets how long a stream lasts, before any is opened.
func (d *Dashboard) EndStreamsAfter(lasts time.Duration) { d.door.streams = lasts }

// Payloads, Shape and Leaks are what the tests in the package know of hostile texts.
func Payloads() []string { return payloads() }

// Shape is a page without its words.
func Shape(n *html.Node) string { return shape(n) }

// Leaks lists what could run, load or lead somewhere it must not.
func Leaks(n *html.Node) []string { return leaks(n) }
