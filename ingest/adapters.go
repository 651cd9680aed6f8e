package ingest

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"time"

	"aftercall/automation"
	"aftercall/conversation"
)

// adapter is one call platform: how it signs, and how its payload becomes a conversation.
type adapter interface {
	// scheme is how the platform signs, unless the source says otherwise.
	scheme() string
	// decode reads a body that arrived at a time, for what says none itself. src holds the source's settings; it is nil for
	// our own API. Faults are what keeps the event from being stored; a type of event that nobody asked for is no fault, but
	// ignored.
	decode(doc map[string]any, src *automation.Source, arrived time.Time) (decoded, []conversation.Fault)
}

// decoded is what a platform's event says.
type decoded struct {
	identity     string // the event's id, else the call's id and the type
	kind         string // the platform's type of event
	conversation *conversation.Conversation
	about        string                            // the call that an event is about which carries no conversation
	begun        func() *conversation.Conversation // the call as far as such an event tells of it; nil: nobody knows its members
	ignored      bool                              // nobody asked for this type
	second       bool                              // of a leg that is not the call: the first leg's event says the same, and is what automations wait for
	awaits       bool                              // the platform may send an analysis later
	partial      bool                              // only fills in what another event of the same conversation will bring
}

// adapters has one for each of automation.SourceTypes, which is where types and their settings are listed. A new platform
// is one line there, one line here and one file.
var adapters = map[string]adapter{
	"native": native{}, "itellico": itellico{}, "elevenlabs": elevenLabs{}, "vapi": vapi{},
	"retell": retell{}, "bland": bland{}, "synthflow": synthflow{},
	"twilio": twilio{}, "kazoo": kazoo{},
	"dialpad": dialpad(), "aircall": aircall(), "ringcentral": ringCentral(),
}

func adapterNames() string { return strings.Join(slices.Sorted(maps.Keys(adapters)), ", ") }

// schemeOf is the scheme by which a source's posts are signed.
func schemeOf(platform adapter, src *automation.Source) string {
	if name := src.Settings[automation.SettingSignature]; name != "" {
		return name
	}
	return platform.scheme()
}

// identityOf builds the identity of an event that has no id of its own.
func identityOf(call, kind string) string { return call + "/" + kind }

// identityOfBody is the identity of an event that says of no matter that it is about it: two may come in the same second, so only
// what is the same to the byte is a repeat.
func identityOfBody(identity string, body []byte) string {
	digest := sha256.Sum256(body)
	return identity + "/" + hex.EncodeToString(digest[:])
}

// checked adds what Check finds to what decoding found; a place that has a fault already is not named again.
func checked(found []conversation.Fault, c *conversation.Conversation) []conversation.Fault {
	named := map[string]bool{}
	for _, f := range found {
		named[f.Pointer] = true
	}
	for _, f := range c.Check() {
		if !named[f.Pointer] {
			found = append(found, f)
		}
	}
	return found
}

// asked reports whether the source asks for a type of event beside the adapter's own.
func asked(src *automation.Source, kind string) bool {
	if src == nil {
		return false
	}
	for _, k := range src.Events {
		if k == kind {
			return true
		}
	}
	return false
}

// clip shortens what a machine wrote (never what somebody said) to n bytes, at a character's edge.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + " […]"
}

// maxTool bounds what is kept of a tool's call or result.
const maxTool = 10 << 10
