// Command fake plays the providers that chaos runs need: an OpenAI-compatible model, SendGrid's mail API and a mail server, in one
// process of its own, so that it outlives whatever is done to the product.
//
// It owns the history: one JSON line for each call, on disk (fsync) before the call is answered, and one more when the
// answer is out. The checker believes nothing but this file and the database. It also owns the faults, drawn from a seed
// and what the call is about, so that a run can be had again.
//
//	fake -history FILE -seed N
//	fake -tally                  keeps no history and only counts mails by call: for measuring speed, where an fsync a mail is too dear
//
// prints two lines, `smtp 127.0.0.1:PORT` and `listening http://127.0.0.1:PORT`, and serves until its standard input ends: it never outlives its
// owner. It imports nothing of the product but the simulated model, which it can put in place of its own answers.
package main

import (
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

func main() {
	history := flag.String("history", "", "file to which each call is appended")
	seed := flag.Uint64("seed", 1, "seed of the faults")
	tally := flag.Bool("tally", false, "keep no history, count the mails of each call")
	flag.Parse()
	if err := serve(*history, *tally, *seed); err != nil {
		fmt.Fprintln(os.Stderr, "fake:", err)
		os.Exit(1)
	}
}

func serve(path string, tally bool, seed uint64) error {
	h, err := openHistory(path, tally)
	if err != nil {
		return err
	}
	p := newProviders(h, seed)
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	smtp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen for SMTP: %w", err)
	}
	defer func() { _ = smtp.Close() }()
	go p.serveSMTP(smtp)
	l := &gate{Listener: inner, p: p}
	fmt.Printf("smtp %s\n", smtp.Addr())
	fmt.Printf("listening http://%s\n", inner.Addr())
	server := &http.Server{Handler: p.routes(), ReadHeaderTimeout: time.Minute}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = server.Close()
	}()
	<-ended
	return h.close()
}
