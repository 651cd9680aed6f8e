package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"aftercall/automation"
	"aftercall/conversation"
	"aftercall/internal/llm"
	"aftercall/internal/llm/openai"
	"aftercall/internal/llm/simulated"
	"aftercall/rehearsal"
)

// This file has what the authors' verbs share: the account in a folder, a call in a file, and the model.

// accountIn reads and checks the one account in a folder. What is wrong with it is printed.
func accountIn(c *console, dir string) (*automation.Revision, error) {
	folders, err := automation.Read(dir)
	if err != nil {
		return nil, err
	}
	if len(folders) > 1 {
		return nil, fmt.Errorf("%s holds %d accounts: name one with --dir", dir, len(folders))
	}
	rev, problems := automation.Compile(folders[0].Files)
	if rev == nil {
		printProblems(c.out, folders[0].Path, problems)
		return nil, errQuiet
	}
	return rev, nil
}

// printProblems prints what is wrong, with the files' paths from where the command was called.
func printProblems(w io.Writer, dir string, problems []automation.Problem) {
	for _, p := range problems {
		p.File = filepath.Join(dir, p.File)
		fmt.Fprintln(w, p.String())
	}
}

// callIn reads a call from a file.
func callIn(file string) (*conversation.Conversation, error) {
	if file == "" {
		return nil, wrong("name a call with --call FILE: a JSON file with the body of POST /v1/conversations")
	}
	body, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	call, err := rehearsal.DecodeCall(body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return call, nil
}

// answerer is a model as an author's verb asks it.
type answerer struct {
	llm.Model
	name      string
	simulated bool
	stop      func()
}

// says names the model for a reader.
func (a answerer) says() string {
	if a.simulated {
		return "the SIMULATED model (plain lexical rules, no language model)"
	}
	return a.name
}

// modelFor gives the model of the settings, or the one named, and no other in its place: who is measured, or recorded, is who
// was named. Without a key, and without a server of one's own, it is the simulated model, on this machine; "simulated" names
// it, too.
func modelFor(c *console, name string) (answerer, error) {
	s, err := checkedSettings(c, needs{})
	if err != nil {
		return answerer{}, err
	}
	a := answerer{name: s.Model, stop: func() {}}
	if name != "" {
		a.name = name
	}
	if name == "simulated" || s.OpenAIKey == "" && s.OpenAIBaseURL == openai.DefaultBaseURL {
		if name != "" && name != "simulated" {
			return a, fmt.Errorf("the model %s cannot be asked: OPENAI_API_KEY is not set", name)
		}
		server, base, err := simulate()
		if err != nil {
			return a, err
		}
		s.OpenAIKey, s.OpenAIBaseURL = "", base
		a.name, a.simulated, a.stop = simulated.ModelName, true, func() { _ = server.Close() } // nobody asks any more
	}
	s.Model, s.FallbackModel = a.name, ""
	if a.Model, err = buildModel(s, true, nil); err != nil {
		a.stop()
		return a, err
	}
	return a, nil
}

// simulate starts the simulated model on a loopback port and gives its base URL.
func simulate() (*http.Server, string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", fmt.Errorf("listen for the simulated model: %w", err)
	}
	server := &http.Server{Handler: simulated.New(simulated.Options{}), ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(l) }() // ends with Close
	return server, "http://" + l.Addr().String() + "/v1", nil
}

// knownIn reports an automation that the account does not have, with the one that was probably meant.
func knownIn(account *automation.Revision, id string) error {
	if account.Automation(id) != nil {
		return nil
	}
	var all []string
	for _, a := range account.Automations {
		all = append(all, a.ID)
	}
	if near := automation.Nearest(id, all); near != "" {
		return fmt.Errorf("the account has no automation %q; did you mean %s?", id, near)
	}
	return fmt.Errorf("the account has no automation %q; it has: %s", id, strings.Join(all, ", "))
}
