package ingest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Sign puts onto a request what a platform of the given type would, posting body at the given time and knowing the secret
// of the source. It is what `aftercall send` and the demo use. A Standard Webhooks id is derived from the body, so that
// the same body sent twice is a repeat.
func Sign(r *http.Request, sourceType, secret string, at time.Time, body []byte) error {
	platform, ok := adapters[sourceType]
	if !ok {
		return fmt.Errorf("there is no source type %q; there are %s", sourceType, adapterNames())
	}
	scheme := schemes[platform.scheme()]
	if scheme.prepare != nil {
		scheme.prepare(r, body)
	}
	digest := sha256.Sum256(body)
	s := seal{
		envelope: envelope{header: r.Header, address: address(r, "")},
		id:       "msg_" + hex.EncodeToString(digest[:12]), at: at, stamp: strconv.FormatInt(at.Unix(), 10),
	}
	if scheme.stamp != nil {
		s.stamp = scheme.stamp(at)
	}
	signatures := scheme.sign(secret, s, body)
	if len(signatures) == 0 {
		return fmt.Errorf("nothing to sign as %s: the secret does not fit (native: whsec_ and base64), or the body names no call (synthflow)", sourceType)
	}
	scheme.write(r, s, signatures[0])
	return nil
}
