// Package check reads the rules and the dashboard beside it as Prometheus will: every query with Prometheus's own parser.
//
// It owns nothing but its test and the list of modules that the parser needs. It is a module of its own, so that none of them
// becomes part of the program's: `make rules` runs it. Whether what a query asks for is measured at all is tested with the
// program, in cmd/aftercall.
package check
