package rehearsal

import (
	"fmt"
	"strings"

	"aftercall/conversation"
)

// Draft is a case for a file of tests, made from a call that was decided: what should come of it, by automation. An author pastes it
// and completes it.
type Draft struct {
	Name          string
	CallFile      string // where the call will lie, from the file of tests
	Fires, Unsure []string
}

// YAML writes a file of tests with this case alone.
func (d Draft) YAML() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "cases:\n  - name: %s\n    call: %s\n    expect:\n      fires: [%s]\n", yamlText(d.Name), yamlText(d.CallFile), yamlList(d.Fires))
	if len(d.Unsure) > 0 {
		fmt.Fprintf(&b, "      unsure: [%s]\n", yamlList(d.Unsure))
	}
	return []byte(b.String())
}

func yamlList(all []string) string {
	quoted := make([]string, len(all))
	for i, s := range all {
		quoted[i] = yamlText(s)
	}
	return strings.Join(quoted, ", ")
}

// EncodeCall writes a call as DecodeCall reads it.
func EncodeCall(c *conversation.Conversation) ([]byte, error) {
	body, err := jsonOf(c)
	if err != nil {
		return nil, fmt.Errorf("write call %s: %w", c.ID, err)
	}
	return append(body, '\n'), nil
}
