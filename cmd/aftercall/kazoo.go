package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
)

// kazooExport is what was found in a file of Kazoo's: callflows, and the users and templates they name.
type kazooExport struct {
	users     map[string]map[string]any
	templates map[string]map[string]any
	nodes     []kazooNode
	always    map[string]bool // notifications that each call through their callflow comes by
	warnings  []string
	written   int // automations
}

// kazooNode is one notification of a callflow.
type kazooNode struct {
	callflow string // its id; "" if the file does not say
	data     map[string]any
	way      kazooWay
}

// same is what Kazoo tells notifications by: equal ones are sent once, wherever in the flow they are.
func (n kazooNode) same() string { return fmt.Sprint(n.callflow, n.data) }

// kazooWay is how a call comes by a node: the modules before it, each with the branch taken, and whether every call goes there.
type kazooWay struct {
	modules []string
	some    bool // only some calls
}

// passes reports whether every call that comes by a module goes on to the node below it. What is not listed branches, or keeps a call
// that it connects.
func passes(module string) bool {
	return slices.Contains([]string{"flush_dtmf", "kvs_set", "language", "manual_presence", "missed_call_alert", "noop", "notification", "play", "prepend_cid",
		"record_call", "send_dtmf", "set_alert_info", "set_cid", "set_variable", "set_variables", "sleep", "tts", "webhook"}, module)
}

// past is the way on by a branch of a module.
func (w kazooWay) past(module, branch string, always bool) kazooWay {
	some := w.some || branch != "_" || !always
	if branch != "_" {
		module += " " + branch
	}
	return kazooWay{append(slices.Clone(w.modules), module), some}
}

// readKazoo takes a callflow, a single node or only its data; users and templates; a list of these; or an answer of Kazoo's
// API around one of them.
func readKazoo(text []byte) (*kazooExport, error) {
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		return nil, errors.New("is not JSON: export the callflow from Kazoo's API, or copy it from its editor")
	}
	k := &kazooExport{users: map[string]map[string]any{}, templates: map[string]map[string]any{}, always: map[string]bool{}}
	k.collect(v)
	if len(k.nodes) == 0 {
		return nil, errors.New("holds no notification: no node with module notification, and no recipients")
	}
	return k, nil
}

func (k *kazooExport) warn(format string, args ...any) {
	k.warnings = append(k.warnings, fmt.Sprintf(format, args...))
}

// collect sorts what a document is by what it holds.
func (k *kazooExport) collect(v any) {
	if list, ok := v.([]any); ok {
		for _, one := range list {
			k.collect(one)
		}
		return
	}
	m, ok := v.(map[string]any)
	switch {
	case !ok:
	case m["flow"] != nil:
		k.node(m["flow"], textOf(m["id"]), kazooWay{})
	case m["module"] != nil:
		k.node(m, "", kazooWay{})
	case m["recipients"] != nil:
		k.nodes = append(k.nodes, kazooNode{data: m})
	case m["data"] != nil:
		k.collect(m["data"])
	case m["subject"] != nil:
		k.templates[strings.TrimPrefix(textOf(m["id"]), "notification_")] = m
	case m["email"] != nil:
		k.users[textOf(m["id"])] = m
	default:
		for _, key := range slices.Sorted(maps.Keys(m)) {
			k.collect(m[key])
		}
	}
}

// node walks a callflow: a node and what follows it.
func (k *kazooExport) node(v any, callflow string, way kazooWay) {
	m, _ := v.(map[string]any)
	data, _ := m["data"].(map[string]any)
	module, skipped := textOf(m["module"]), data["skip_module"] == true
	if n := (kazooNode{callflow, data, way}); module == "notification" && !skipped {
		k.nodes = append(k.nodes, n)
		k.always[n.same()] = k.always[n.same()] || !way.some
	}
	children, _ := m["children"].(map[string]any)
	for _, key := range slices.Sorted(maps.Keys(children)) {
		k.node(children[key], callflow, way.past(module, key, skipped || passes(module)))
	}
}

// textOf is a text without what nobody can see in it, and YAML cannot hold.
func textOf(v any) string {
	s, _ := v.(string)
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && !strings.ContainsRune("\t\r\n", r) || unicode.Is(unicode.Noncharacter_Code_Point, r) || r == '\ufeff' {
			return -1
		}
		return r
	}, s))
}

// textsOf are the texts of one text or of a list.
func textsOf(v any) (out []string) {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	for _, one := range list {
		if s := textOf(one); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// quoted is a text as YAML takes it.
func quoted(s string) string {
	b, _ := json.Marshal(s) // a text is always right
	return strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(b))
}

// slug makes an id of a name; of one in another script, what is left of it, which may be nothing.
func slug(name string) string {
	s := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(name))
	return strings.Trim(s[:min(len(s), 50)], "-")
}
