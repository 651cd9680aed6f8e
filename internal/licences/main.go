// Command licences holds what is linked into the binary against the list of licences we accept, and writes the bill of
// materials (CycloneDX) that names each module with its licence and the licence's text:
//
//	go run ./internal/licences
//	go run ./internal/licences -binary bin/aftercall -release v1.2.3 -sbom bin/aftercall.cdx.json
//
// It owns the list (list.go) and the rules for finding a licence: every licence file between a linked package and the
// root of its module counts (modules.go), and so does every file under dashboard/assets that is not our own (assets.go).
//
// It promises one complaint for each module or file that is not in order, saying what to do, and as its last line
// `licences: N modules, all on the list` if and only if there is none. Modules that only tests use are not looked at:
// they reach nobody. It never asks the network, and never guesses: a text it does not know is a complaint.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	var bill bill
	flag.StringVar(&bill.path, "sbom", "", "write the bill of materials to this file")
	flag.StringVar(&bill.binary, "binary", "bin/aftercall", "the binary that the bill of materials is for")
	flag.StringVar(&bill.release, "release", "unknown", "the binary's release")
	flag.Parse()
	if err := run(os.Stdout, ".", "./cmd/aftercall", bill); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run checks the command main of the Go module in dir, writes the bill if one is wanted, and only then says that all is well.
func run(out io.Writer, dir, main string, bill bill) error {
	modules, err := linked(dir, main)
	if err != nil {
		return err
	}
	complaints, err := checkAssets(dir)
	if err != nil {
		return err
	}
	for _, m := range modules {
		complaints = append(complaints, m.check(accepted())...)
	}
	if len(complaints) > 0 {
		return errors.Join(complaints...)
	}
	if bill.path != "" {
		if err := bill.write(modules); err != nil {
			return err
		}
		fmt.Fprintln(out, "licences: wrote", bill.path)
	}
	fmt.Fprintf(out, "licences: %d modules, all on the list\n", len(modules))
	return nil
}
