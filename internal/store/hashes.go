package store

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
)

// hashes makes what is kept of an identity after it was erased: a webhook that comes again is known by it, and nobody reads
// from it whose call that was.
type hashes struct{ key []byte }

// arrival is the hash of what a webhook is about: its conversation; or, if it carries none, what event does. An event that is
// decided itself has two: either it was erased, or the call that it is about.
func (h hashes) arrival(a *arrival) (hash, about []byte) {
	if a.Conversation == nil {
		return h.event(a.eventKey, a.about()), nil
	}
	if a.about() != "" {
		about = h.event(a.eventKey, a.about())
	}
	return h.call(a.callKey), about
}

func (h hashes) call(k callKey) []byte { return h.of("call", k.account, k.source, k.external) }

// event is the hash of an event without a conversation: all from one source that are about one call have the same.
func (h hashes) event(k eventKey, about string) []byte {
	if about != "" {
		return h.of("about", k.account, k.source, about)
	}
	return h.of("event", k.account, k.source, k.identity)
}

// of hashes words with their lengths, so that no other words give the same bytes.
func (h hashes) of(words ...string) []byte {
	sum := hmac.New(sha256.New, h.key)
	for _, w := range words {
		sum.Write(binary.BigEndian.AppendUint64(nil, uint64(len(w))))
		sum.Write([]byte(w))
	}
	return sum.Sum(nil)
}
