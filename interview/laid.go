package interview

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// laid is a sheet laid out: what is asked and what is checked by it alone, whatever was said. Thousands of conversations
// are asked the same few sheets, so it is worked out once.
type laid struct {
	sheet  Sheet
	stable string // the beginning of the prompt
	schema json.RawMessage
	hash   string // of the schema
	form   func() (*jsonschema.Schema, error)
	told   func() map[string]bool // the runs of words in the instructions
}

func lay(s Sheet) *laid {
	l := &laid{sheet: s, stable: s.stable(), schema: s.Schema()}
	l.hash = sha(l.schema)
	l.form = sync.OnceValues(func() (*jsonschema.Schema, error) { return compile(l.schema) })
	l.told = sync.OnceValue(func() map[string]bool { return runs(l.stable) })
	return l
}

// Hashes name what a sheet asks: the beginning of its prompt, and the schema of its answer.
func (s Sheet) Hashes() (prompt, schema string) {
	l := lay(s)
	return sha(json.RawMessage(l.stable)), l.hash
}

func compile(raw json.RawMessage) (*jsonschema.Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("read answer schema: %w", err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("mem:answer", doc); err != nil {
		return nil, fmt.Errorf("add answer schema: %w", err)
	}
	s, err := compiler.Compile("mem:answer")
	if err != nil {
		return nil, fmt.Errorf("compile answer schema: %w", err)
	}
	return s, nil
}

// table keeps sheets laid out. Revisions come and go, so it is bounded; whichever goes is laid out again when needed.
type table struct {
	mu   sync.Mutex
	laid map[place]*laid
}

// place is where a sheet lies. What lies there is compared before it is used: the sheet of a repair holds what was wrong.
type place struct{ revision, key string }

const mostLaid = 256

// sheet gives s laid out.
func (t *table) sheet(revision string, s Sheet) *laid {
	at := place{revision, s.Key}
	t.mu.Lock()
	l := t.laid[at]
	t.mu.Unlock()
	if l != nil && reflect.DeepEqual(l.sheet, s) {
		return l
	}
	l = lay(s)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.laid == nil {
		t.laid = map[place]*laid{}
	}
	for k := range t.laid {
		if len(t.laid) < mostLaid {
			break
		}
		delete(t.laid, k)
	}
	t.laid[at] = l
	return l
}
