// Package examples carries a complete example account and its sample calls, so that the demo runs from the binary alone.
//
// It owns acme/, the files of one account as an author would keep them in git (the ten starters, three worked
// examples and a confirmation that has to be complete), calls/, finished conversations in our own format, and ops/, what the demo
// shows to those on duty: calls that lead to work for people, and the files of a second revision. A README.md beside the calls says what each is there to show.
//
// It promises that the account passes the check and that the calls are accepted by the webhook; tests hold it to that.
// It never runs anything.
package examples

import (
	"embed"
	"io/fs"
)

//go:embed acme calls ops
var files embed.FS

// Files are the example account (acme/), the sample calls (calls/) and what the demo shows to ops (ops/).
func Files() fs.FS { return files }
