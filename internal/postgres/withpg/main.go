// Command withpg runs a command beside a private PostgreSQL server, so that all test processes of a `go test ./...`
// share one server instead of starting one each:
//
//	go run ./internal/postgres/withpg go test -race ./...
//
// The command finds the server in AFTERCALL_TEST_DATABASE_URL. withpg hands it the signals it gets itself, ends with its
// exit code, and stops the server afterwards. If the variable is set already, that server is used and none started.
// With -durable the server works as carefully as one in production (fsync, autovacuum), which measurements need.
// With -installed it only says which PostgreSQL it would use, or what to type where there is none.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"aftercall/internal/postgres"
)

// variable is what package pgtest reads; it is not imported, because it belongs to tests.
const variable = "AFTERCALL_TEST_DATABASE_URL"

func main() {
	durable := flag.Bool("durable", false, "work as carefully as in production: fsync, autovacuum")
	installed := flag.Bool("installed", false, "only say which PostgreSQL would be used")
	flag.Parse()
	if *installed {
		version, err := postgres.Installed(context.Background())
		if err != nil {
			fmt.Fprintln(os.Stderr, "withpg:", err)
			os.Exit(1)
		}
		fmt.Println("PostgreSQL", version)
		return
	}
	if flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "usage: withpg [-durable] command [argument ...]")
		os.Exit(2)
	}
	code, err := run(*durable, flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "withpg:", err)
	}
	os.Exit(code)
}

// run returns the exit code to end with: the command's, 128 and the number of the signal that ended it, or 1 if it
// could not be run.
func run(durable bool, command []string) (int, error) {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)

	env := os.Environ()
	if os.Getenv(variable) == "" {
		server, err := postgres.Start(context.Background(), postgres.Options{
			Durable: durable,
			Logger:  slog.New(slog.NewTextHandler(os.Stderr, nil)),
		})
		if err != nil {
			return 1, err
		}
		defer server.Stop()
		env = append(env, variable+"="+server.URL("postgres"))
	}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = env
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		return 1, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case s := <-signals:
			_ = cmd.Process.Signal(s) // it may have ended meanwhile
		case err := <-ended:
			return exitCode(err)
		}
	}
}

func exitCode(err error) (int, error) {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0, nil
	case !errors.As(err, &exit):
		return 1, err
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return exit.ExitCode(), nil
}
