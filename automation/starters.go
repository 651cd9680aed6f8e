package automation

import (
	"embed"
	"io/fs"
)

//go:embed starters/*/*
var starters embed.FS

// Starters are the ten ready automations, one folder each: automation.yaml and the body of its e-mail. A folder copied
// into an account's works where the account has the groups its first lines name.
func Starters() fs.FS {
	sub, err := fs.Sub(starters, "starters")
	if err != nil {
		panic(err) // the name above is a valid path
	}
	return sub
}
