// Command aftercall turns finished calls into the messages and tasks that should follow them.
//
// It owns the verbs (one file each), the settings read from the environment, and the assembly of the rooms below into a
// running process. It promises that a verb says what it will do before it does it where that sends something, that a
// setting that is wrong is named together with all others that are, and that a signal stops the process in order.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
)

// verb is one command of the CLI.
type verb struct {
	name, args, says string
	run              func(ctx context.Context, c *console, args []string) error
}

// console is where a verb reads its settings from and writes to.
type console struct {
	out, err io.Writer
	getenv   func(string) string
}

// errQuiet ends the process with exit code 1 after the verb itself has said what is wrong.
var errQuiet = errors.New("")

func verbs() []verb {
	return []verb{
		{"demo", "[--once]", "run everything on this machine with sample calls; nothing leaves it", demo},
		{"serve", "[--only web|worker]", "take calls in, decide, deliver, show", serve},
		{"migrate", "[up|down-one|status]", "bring the database's schema up to date", migrate},
		{"check", "[DIR]", "check an account's folder, or a root of several", check},
		{"send", "[flags] FILE", "post a call to a running server, signed", send},
		{"why", "[--account A] CONVERSATION [AUTOMATION]", "say why an automation fired, or did not", why},
		{"explain", "CODE", "say what a reason code means and what to do", explain},
		{"audit", "", "check that the ledger balances; exit 1 if it does not", audit},
		{"keys", "add ACCOUNT [NAME]", "make an API key for an account", keys},
		{"version", "", "print the version", version},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, &console{out: os.Stdout, err: os.Stderr, getenv: os.Getenv}, os.Args[1:]))
}

// run finds the verb and turns its error into an exit code: 0, 1 for a failure, 2 for a wrong command line.
func run(ctx context.Context, c *console, args []string) int {
	if len(args) == 0 || slices.Contains([]string{"help", "-h", "--help"}, args[0]) {
		usage(c.out)
		return 0
	}
	for _, v := range verbs() {
		if v.name != args[0] {
			continue
		}
		switch err := v.run(ctx, c, args[1:]); {
		case err == nil:
			return 0
		case errors.Is(err, errUsage):
			fmt.Fprintf(c.err, "%v\nusage: aftercall %s %s\n", err, v.name, v.args)
			return 2
		default:
			if !errors.Is(err, errQuiet) {
				fmt.Fprintf(c.err, "aftercall %s: %v\n", v.name, err)
			}
			return 1
		}
	}
	fmt.Fprintf(c.err, "aftercall has no command %q.\n\n", args[0])
	usage(c.err)
	return 2
}

// errUsage marks a wrong command line.
var errUsage = errors.New("the command line is not right")

func wrong(format string, a ...any) error {
	return fmt.Errorf("%w: %s", errUsage, fmt.Sprintf(format, a...))
}

func usage(w io.Writer) {
	fmt.Fprint(w, "aftercall: the right messages after a call, explained and exactly once.\n\n")
	for _, v := range verbs() {
		fmt.Fprintf(w, "  %-8s %-42s %s\n", v.name, v.args, v.says)
	}
	fmt.Fprint(w, "\nSettings come from the environment; see docs/operations/settings.md. `aftercall demo` needs none.\n")
}
