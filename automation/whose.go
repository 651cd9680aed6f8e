package automation

import "regexp"

// accountLine is the line of account.yaml that names the account.
var accountLine = regexp.MustCompile(`(?m)^account:[ \t]*["']?([a-z0-9][a-z0-9_-]{0,63})["']?[ \t]*(?:#.*)?\r?$`)

// AccountOf gives the id that an account's files name, also where they have errors and make no revision; "" if it cannot
// be told. It is for saying whose folder is wrong: what is active goes by the revision.
func AccountOf(f Files) string {
	if m := accountLine.FindSubmatch(f[accountFile]); m != nil {
		return string(m[1])
	}
	return ""
}
