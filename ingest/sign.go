package ingest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Sign gives the header with which a platform of the given type would post body at the given time, signed with its
// secret. It is what `aftercall send` and the demo use. A Standard Webhooks id is derived from the body, so that the same
// body sent twice is a repeat.
func Sign(sourceType, secret string, at time.Time, body []byte) (http.Header, error) {
	platform, ok := adapters[sourceType]
	if !ok {
		return nil, fmt.Errorf("there is no source type %q; there are %s", sourceType, adapterNames())
	}
	digest := sha256.Sum256(body)
	s := seal{id: "msg_" + hex.EncodeToString(digest[:12]), at: at, stamp: strconv.FormatInt(at.Unix(), 10)}
	scheme := schemes[platform.scheme()]
	signature, ok := scheme.sign(secret, s, body)
	if !ok {
		return nil, fmt.Errorf("the secret does not fit a source of type %s: whsec_ and base64 is wanted", sourceType)
	}
	h := http.Header{}
	scheme.write(h, s, signature)
	return h, nil
}
