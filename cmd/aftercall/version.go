package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
)

// release is set by the linker in a release build: -X main.release=v1.2.3.
var release string

// versionName is the release, else the commit the binary was built from.
func versionName() string {
	if release != "" {
		return release
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && len(s.Value) > 12 {
				return "dev-" + s.Value[:12]
			}
		}
	}
	return "dev"
}

// version prints the version and what it was built with.
func version(_ context.Context, c *console, _ []string) error {
	fmt.Fprintf(c.out, "aftercall %s (%s %s/%s)\n", versionName(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return nil
}
