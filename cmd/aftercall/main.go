// Command aftercall turns finished calls into the messages and tasks that should follow them.
//
// It owns the verbs (one file each), the settings read from the environment, and the assembly of the rooms below into a
// running process. It promises that a verb says what it will do before it does it where that sends something, that a
// setting that is wrong is named together with all others that are, and that a signal stops the process in order.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
)

// verb is one command of the CLI.
type verb struct {
	name, args, says string
	define           func(flags *flag.FlagSet) action // declares the verb's flags and gives what it does
}

// action is what a verb does, with the flags read and what is left of the command line.
type action func(ctx context.Context, c *console, args []string) error

// plainly defines a verb without flags.
func plainly(do action) func(*flag.FlagSet) action { return func(*flag.FlagSet) action { return do } }

// console is where a verb reads its settings and answers from and writes to.
type console struct {
	in       io.Reader // nil: nobody is there to answer
	out, err io.Writer
	getenv   func(string) string
}

// errQuiet ends the process with exit code 1 after the verb itself has said what is wrong.
var errQuiet = errors.New("")

// ending is an error with an exit code of its own.
type ending struct {
	code int
	error
}

// Unwrap gives what is wrong.
func (e ending) Unwrap() error { return e.error }

func verbs() []verb {
	return []verb{
		{"demo", "[--once]", "run everything on this machine with sample calls; nothing leaves it", demo},
		{"dev", "[--config DIR] [--model NAME]", "work on a folder: everything in one process, checked again on each save", dev},
		{"serve", "[--only web|worker] [--config DIR]", "take calls in, decide, deliver, show", serve},
		{"migrate", "[up|down-one|status]", "bring the database's schema up to date", plainly(migrate)},
		{"check", "[--format text|json|github] [--strict] [DIR...]", "check an account's folder, or a root of several", check},
		{"fmt", "[--check] [DIR...]", "lay an account's YAML files out in one way; comments stay", tidy},
		{"schema", "[--write [DIR...]]", "print the JSON Schema of the YAML files, or put it where editors find it", schema},
		{"new", "STARTER|account [DIR]", "write one of the starters into an account's folder, or a new account", newFiles},
		{"import", "kazoo FILE [DIR] | natterbox FILE", "write a Kazoo callflow's notifications as automations, or a Natterbox text in our names, and say what has no counterpart", importFiles},
		{"diff", "[flags] [DIR]", "say what a folder would change, field by field and on stored calls; exit 2 if anything", diff},
		{"apply", "[flags] [DIR|FILE]", "make a folder, or a diff that was kept, the active config; exit 3 on a conflict", apply},
		{"revisions", "[ACCOUNT]", "list the revisions of an account, or of all", revisions},
		{"rollback", "[flags] REV", "make an earlier revision active again", rollback},
		{"export", "[--force] REV|ACCOUNT [DIR]", "write a revision's files back, byte for byte", export},
		{"authority", "[ACCOUNT [files|cli]]", "say, or set, by which door an account's config may change", plainly(authority)},
		{"preview", "ID --call FILE [--answer FILE]", "show what an automation would send, without a model", preview},
		{"try", "--call FILE [ID...]", "ask the model once about a call and show what would happen; sends nothing", try},
		{"test", "[--record|--live] [DIR...]", "run the tests beside the config, from recorded answers", test},
		{"eval", "[--repeat N] [--model A,B] SET", "measure a model's decisions on labelled calls", eval},
		{"send", "[flags] FILE", "post a call to a running server, signed", send},
		{"why", "[--account A] CONVERSATION [AUTOMATION]", "say why an automation fired, or did not", why},
		{"replay", "[--active] [--sandbox] [--send] CONVERSATION", "decide a call anew; without --send, say what it would send", replay},
		{"resend", "DELIVERY", "send a message again, as a delivery of its own", plainly(resend)},
		{"settle", "DELIVERY sent|failed", "say what became of an unknown delivery", plainly(settle)},
		{"cancel", "[--account A] CONVERSATION", "call off everything that waits of a call and of its events", cancelCall},
		{"explain", "CODE|STATE", "say what a code of check or test, a reason code or a state means and what to do", plainly(explain)},
		{"audit", "", "check that the ledger balances; exit 1 if it does not", plainly(audit)},
		{"erase", "[flags] CONVERSATION... | --customer WHO", "erase calls, or a customer's, from every table; they stay erased", erase},
		{"restored", "[--nothing-lost]", "say that this data is a restored copy: what was not final is unknown", restored},
		{"people", "add|list|role|password|disable|enable …", "say who may sign in to the pages, and do what", peopleVerb},
		{"unsuppress", "ACCOUNT email|sms ADDRESS", "write to an address again that came back, or whose owner had opted out", plainly(unsuppress)},
		{"keys", "add ACCOUNT [NAME] [--scope LIST] | vapid", "make an API key for an account, or the key for pushes", keys},
		{"version", "", "print the version", plainly(version)},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, &console{in: os.Stdin, out: os.Stdout, err: os.Stderr, getenv: os.Getenv}, os.Args[1:]))
}

// run finds the verb and turns its error into an exit code: 0, 1 for a failure, 2 for a wrong command line (of diff 1), or
// what the verb itself ends with.
func run(ctx context.Context, c *console, args []string) int {
	if len(args) > 1 && args[0] == "help" {
		args = []string{args[1], "help"}
	}
	if len(args) == 0 || asksForHelp(args[:1]) {
		usage(c.out)
		return 0
	}
	for _, v := range verbs() {
		if v.name == args[0] {
			return v.run(ctx, c, args[1:])
		}
	}
	fmt.Fprintf(c.err, "aftercall has no command %q.\n\n", args[0])
	usage(c.err)
	return 2
}

// run reads the verb's flags and does what it is there for.
func (v verb) run(ctx context.Context, c *console, args []string) int {
	flags := flag.NewFlagSet(v.name, flag.ContinueOnError)
	flags.SetOutput(io.Discard) // errors are printed here, the flags by help
	do := v.define(flags)
	if asksForHelp(args) {
		v.help(c.out, flags)
		return 0
	}
	rest, err := parse(flags, args)
	if err != nil {
		err = wrong("%v", err)
	} else {
		err = do(ctx, c, rest)
	}
	code := 1
	if e := (ending{}); errors.As(err, &e) {
		code = e.code
	}
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errUsage):
		fmt.Fprintf(c.err, "%v\nusage: aftercall %s %s\n", err, v.name, v.args)
		return v.misused()
	case !errors.Is(err, errQuiet):
		fmt.Fprintf(c.err, "aftercall %s: %v\n", v.name, err)
	}
	return code
}

// misused is the exit code of a wrong command line. The 2 of diff says that there are changes: a build server that goes on
// with those must not go on with a slip of the pen.
func (v verb) misused() int {
	if v.name == "diff" {
		return 1
	}
	return 2
}

// parse reads the flags wherever they stand, before and after what else is on the command line. What follows -- is no flag.
func parse(flags *flag.FlagSet, args []string) (rest []string, err error) {
	for {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		left := flags.Args()
		if len(left) == 0 {
			return rest, nil
		}
		if read := len(args) - len(left); read > 0 && args[read-1] == "--" {
			return append(rest, left...), nil
		}
		rest, args = append(rest, left[0]), left[1:]
	}
}

// asksForHelp reports whether a command line asks for an explanation. The bare word counts only where it stands alone:
// it may be the name of something.
func asksForHelp(args []string) bool {
	return len(args) == 1 && args[0] == "help" ||
		slices.ContainsFunc(args, func(a string) bool { return a == "-h" || a == "-help" || a == "--help" })
}

// help prints one verb's usage, what it is there for, and its flags.
func (v verb) help(w io.Writer, flags *flag.FlagSet) {
	fmt.Fprintf(w, "usage: %s\n\n%s\n", strings.TrimSpace("aftercall "+v.name+" "+v.args), v.says)
	var defaults strings.Builder
	flags.SetOutput(&defaults)
	flags.PrintDefaults()
	if defaults.Len() > 0 {
		fmt.Fprintf(w, "\n%s", defaults.String())
	}
}

// errUsage marks a wrong command line.
var errUsage = errors.New("the command line is not right")

func wrong(format string, a ...any) error {
	return fmt.Errorf("%w: %s", errUsage, fmt.Sprintf(format, a...))
}

func usage(w io.Writer) {
	fmt.Fprint(w, "aftercall: the right messages after a call, explained and exactly once.\n\n")
	for _, v := range verbs() {
		fmt.Fprintf(w, "  %-9s %-42s %s\n", v.name, v.args, v.says)
	}
	fmt.Fprint(w, "\nSettings come from the environment; see docs/operations/settings.md. `aftercall demo` needs none.\n"+
		"`aftercall help COMMAND` lists a command's flags.\n")
}
