package store

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
)

// hashes makes what is kept of an identity after it was erased: a webhook that comes again is known by it, and nobody reads
// from it whose call that was.
type hashes struct{ key []byte }

// arrival gives the hashes of all whose erasure keeps a webhook out. Of a call that is the call. Of an event it is the event, whether it
// was decided or only stored before, and the call that it is about.
func (h hashes) arrival(a *arrival) [][]byte {
	if a.Conversation != nil && a.Conversation.Event == nil {
		return [][]byte{h.call(a.callKey)}
	}
	decided := a.callKey
	if a.Conversation == nil {
		decided = callKey{"event:" + a.identity, a.account, a.source}
	}
	all := [][]byte{h.event(a.eventKey), h.call(decided)}
	if about := a.about(); about != "" {
		// The second is how it was kept at first; what was erased then stays so.
		all = append(all, h.about(a.account, about), h.of("about", a.account, a.source, about))
	}
	return all
}

func (h hashes) call(k callKey) []byte { return h.of("call", k.account, k.source, k.external) }

// event is the hash of an event that was stored without a conversation.
func (h hashes) event(k eventKey) []byte { return h.of("event", k.account, k.source, k.identity) }

// about is the hash of a call for the events about it, whichever source they come by: they are erased with it likewise.
func (h hashes) about(account, call string) []byte { return h.of("about", account, call) }

// of hashes words with their lengths, so that no other words give the same bytes.
func (h hashes) of(words ...string) []byte {
	sum := hmac.New(sha256.New, h.key)
	for _, w := range words {
		sum.Write(binary.BigEndian.AppendUint64(nil, uint64(len(w))))
		sum.Write([]byte(w))
	}
	return sum.Sum(nil)
}
