// Package rehearsal shows authors what a change will do before a customer does: their own tests, run from recorded answers
// by the very steps of the line (worker.Rehearse), previews without a model, and the figures of a set of labelled calls.
//
// It owns the test file (*.test.yaml), the recordings beside it, answers written by hand, the comparison of what came with
// what was wanted, and the reports: for a reader, for a build server (JUnit), for a program (JSON).
//
// It promises that nothing is sent and nothing is kept but a recording somebody asked for; that a test file that is wrong is
// told with file, line and column like the config; that a missing recording is an error and never a call; and that every
// report says who answered: which model, the simulated one, or a person by hand.
package rehearsal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"aftercall/conversation"
)

// DecodeCall reads a call in the native body of POST /v1/conversations. The platform's id is also ours here.
func DecodeCall(body []byte) (*conversation.Conversation, error) {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	var c conversation.Conversation
	if err := dec.Decode(&c); err != nil {
		return nil, fmt.Errorf("this is no call as POST /v1/conversations takes it: %w", err)
	}
	var faults []error
	for _, f := range c.Check() {
		faults = append(faults, fmt.Errorf("%s %s", f.Pointer, f.Message))
	}
	if len(faults) > 0 {
		return nil, fmt.Errorf("the call would not be taken: %w", errors.Join(faults...))
	}
	c.ID = c.ExternalID
	return &c, nil
}

// jsonOf writes JSON as we keep and print it: on one line, without escapes that only HTML needs.
func jsonOf(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}
