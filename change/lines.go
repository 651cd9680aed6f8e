package change

import "strings"

// Lines are the lines in which two texts differ: those that both begin with and both end with are left out.
func Lines(before, after string) (gone, came []string) {
	if before != "" {
		gone = strings.Split(strings.TrimRight(before, "\n"), "\n")
	}
	if after != "" {
		came = strings.Split(strings.TrimRight(after, "\n"), "\n")
	}
	for len(gone) > 0 && len(came) > 0 && gone[0] == came[0] {
		gone, came = gone[1:], came[1:]
	}
	for len(gone) > 0 && len(came) > 0 && gone[len(gone)-1] == came[len(came)-1] {
		gone, came = gone[:len(gone)-1], came[:len(came)-1]
	}
	return gone, came
}
