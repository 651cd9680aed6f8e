package ingest

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// These tests look inside the package because the schemes are not part of what it shows to others.

var signedAt = time.Unix(1_795_262_400, 0)

// verifies does what the handler does with a seal: read it, check its time, compare.
func verifies(s *scheme, secrets []string, h http.Header, settings map[string]string, body string, now time.Time) bool {
	seal, why := s.open(h, settings)
	if why != "" {
		return false
	}
	if off := now.Sub(seal.at); off > tolerance || off < -tolerance {
		return false
	}
	return s.matches(secrets, seal, []byte(body))
}

func TestSignatures(t *testing.T) {
	t.Parallel()
	const secret, other = "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0", "whsec_b3RoZXItb3RoZXItb3RoZXItb3RoZXItb3Ro"
	const body = `{"id":"call-1"}`
	for _, kind := range []string{"native", "itellico", "elevenlabs"} {
		tests := map[string]struct {
			change  func(h http.Header)
			secrets []string
			body    string
			after   time.Duration
			want    bool
		}{
			"genuine":                    {secrets: []string{secret}, body: body, want: true},
			"the second of two secrets":  {secrets: []string{other, secret}, body: body, want: true},
			"five minutes old":           {secrets: []string{secret}, body: body, after: 5 * time.Minute, want: true},
			"a second older than that":   {secrets: []string{secret}, body: body, after: 5*time.Minute + time.Second},
			"five minutes early":         {secrets: []string{secret}, body: body, after: -5 * time.Minute, want: true},
			"a second earlier than that": {secrets: []string{secret}, body: body, after: -5*time.Minute - time.Second},
			"another secret":             {secrets: []string{other}, body: body},
			"no secret":                  {body: body},
			"another body":               {secrets: []string{secret}, body: `{"id":"call-2"}`},
			"one byte more":              {secrets: []string{secret}, body: body + " "},
			"no headers":                 {secrets: []string{secret}, body: body, change: func(h http.Header) { clear(h) }},
			"one bit off": {secrets: []string{secret}, body: body, change: func(h http.Header) {
				for k, v := range h {
					if strings.Contains(k, "Signature") {
						last := v[0][len(v[0])-3]
						flipped := byte('a')
						if last == 'a' {
							flipped = 'b'
						}
						h.Set(k, v[0][:len(v[0])-3]+string(flipped)+v[0][len(v[0])-2:])
					}
				}
			}},
			"cut short": {secrets: []string{secret}, body: body, change: func(h http.Header) {
				for k, v := range h {
					if strings.Contains(k, "Signature") {
						h.Set(k, v[0][:len(v[0])-4])
					}
				}
			}},
		}
		for name, tt := range tests {
			t.Run(kind+"/"+name, func(t *testing.T) {
				t.Parallel()
				h, err := Sign(kind, secret, signedAt, []byte(body))
				if err != nil {
					t.Fatal(err)
				}
				if tt.change != nil {
					tt.change(h)
				}
				platform := adapters[kind]
				got := verifies(schemes[platform.scheme()], tt.secrets, h, nil, tt.body, signedAt.Add(tt.after))
				if got != tt.want {
					t.Errorf("verified: %t, want %t", got, tt.want)
				}
			})
		}
	}
}

// The expected values were computed with openssl, so that signing and verifying cannot be wrong in the same way.
func TestSignaturesAgreeWithAnIndependentTool(t *testing.T) {
	t.Parallel()
	const body = `{"id":"call-1"}`
	tests := map[string]struct {
		kind, secret, header, want string
	}{
		"native":     {"native", "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0", "webhook-signature", "v1,/kmva5zetqdJfPJH1CrbKH6/ypoVAHlEpPiozdhbwYk="},
		"itellico":   {"itellico", "plain secret", "X-Itellico-Signature", "7b51c56e78ec380f1ed242b644b110712fe88bfe96e7726ced5f2060ea1a33d0"},
		"elevenlabs": {"elevenlabs", "plain secret", "ElevenLabs-Signature", "t=1795262400,v0=395df4191c926c2ba143e12eff487ccda90b28fe20bc070536f562f0229c9b76"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, err := Sign(tt.kind, tt.secret, signedAt, []byte(body))
			if err != nil {
				t.Fatal(err)
			}
			if got := h.Get(tt.header); got != tt.want {
				t.Errorf("%s = %q, want %q", tt.header, got, tt.want)
			}
		})
	}
}

func TestSealsAreReadStrictly(t *testing.T) {
	t.Parallel()
	hex := strings.Repeat("ab", 32)
	tests := map[string]struct {
		scheme   string
		settings map[string]string
		header   map[string]string
		want     bool
	}{
		"standard":                       {schemeStandard, nil, map[string]string{headerID: "msg_1", headerTimestamp: "1795262400", headerSignature: "v1,x"}, true},
		"standard: several versions":     {schemeStandard, nil, map[string]string{headerID: "msg_1", headerTimestamp: "1795262400", headerSignature: "v2,y v1a,z v1,x"}, true},
		"standard: plus sign":            {schemeStandard, nil, map[string]string{headerID: "msg_1", headerTimestamp: "+1795262400", headerSignature: "v1,x"}, false},
		"standard: milliseconds":         {schemeStandard, nil, map[string]string{headerID: "msg_1", headerTimestamp: "1795262400000", headerSignature: "v1,x"}, false},
		"standard: letters":              {schemeStandard, nil, map[string]string{headerID: "msg_1", headerTimestamp: "1795262400abc", headerSignature: "v1,x"}, false},
		"standard: space":                {schemeStandard, nil, map[string]string{headerID: "msg_1", headerTimestamp: "1795262400 ", headerSignature: "v1,x"}, false},
		"standard: exponent":             {schemeStandard, nil, map[string]string{headerID: "msg_1", headerTimestamp: "1.7e9", headerSignature: "v1,x"}, false},
		"standard: full stop in the id":  {schemeStandard, nil, map[string]string{headerID: "msg.1", headerTimestamp: "1795262400", headerSignature: "v1,x"}, false},
		"standard: no id":                {schemeStandard, nil, map[string]string{headerTimestamp: "1795262400", headerSignature: "v1,x"}, false},
		"itellico":                       {schemeItellico, nil, map[string]string{itellicoTimestamp: "1795262400", itellicoSignature: hex}, true},
		"itellico: prefix, milliseconds": {schemeItellico, nil, map[string]string{itellicoTimestamp: "1795262400123", itellicoSignature: "sha256=" + strings.ToUpper(hex)}, true},
		"itellico: other headers":        {schemeItellico, map[string]string{"signature_header": "X-Sig", "timestamp_header": "X-Ts"}, map[string]string{"X-Ts": "1795262400", "X-Sig": hex}, true},
		"itellico: short":                {schemeItellico, nil, map[string]string{itellicoTimestamp: "1795262400", itellicoSignature: "abcd"}, false},
		"itellico: negative":             {schemeItellico, nil, map[string]string{itellicoTimestamp: "-1795262400", itellicoSignature: hex}, false},
		"elevenlabs":                     {schemeElevenLabs, nil, map[string]string{elevenLabsSignature: "t=1795262400,v0=" + hex}, true},
		"elevenlabs: other order":        {schemeElevenLabs, nil, map[string]string{elevenLabsSignature: "v0=" + hex + ", v1=future, t=1795262400"}, true},
		"elevenlabs: milliseconds":       {schemeElevenLabs, nil, map[string]string{elevenLabsSignature: "t=1795262400000,v0=" + hex}, false},
		"elevenlabs: two times":          {schemeElevenLabs, nil, map[string]string{elevenLabsSignature: "t=1795262400,t=1,v0=" + hex}, false},
		"elevenlabs: no time":            {schemeElevenLabs, nil, map[string]string{elevenLabsSignature: "v0=" + hex}, false},
		"elevenlabs: no signature":       {schemeElevenLabs, nil, map[string]string{elevenLabsSignature: "t=1795262400"}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := http.Header{}
			for k, v := range tt.header {
				h.Set(k, v)
			}
			s, why := schemes[tt.scheme].open(h, tt.settings)
			if got := why == ""; got != tt.want {
				t.Fatalf("read: %t (%s), want %t", got, why, tt.want)
			}
			if tt.want && s.at.Unix() != 1795262400 {
				t.Errorf("time = %v", s.at)
			}
		})
	}
}

func TestSignRefusesASecretThatDoesNotFit(t *testing.T) {
	t.Parallel()
	if _, err := Sign("native", "not base64!", signedAt, nil); err == nil || strings.Contains(err.Error(), "not base64!") {
		t.Errorf("Sign: %v, want an error that does not repeat the secret", err)
	}
	if _, err := Sign("fax", "x", signedAt, nil); err == nil {
		t.Error("Sign signed as a platform that does not exist")
	}
}

func FuzzSignatures(f *testing.F) {
	f.Add("msg_1", "1795262400", "v1,abc v1,def", `{"id":1}`)
	f.Add("", "t=1,v0=2", "t=1795262400,v0=ab", "")
	f.Fuzz(func(t *testing.T, id, stamp, signature, body string) {
		for name, s := range schemes {
			h := http.Header{
				http.CanonicalHeaderKey(headerID): {id}, http.CanonicalHeaderKey(headerTimestamp): {stamp}, http.CanonicalHeaderKey(headerSignature): {signature},
				itellicoTimestamp: {stamp}, itellicoSignature: {signature}, http.CanonicalHeaderKey(elevenLabsSignature): {signature},
			}
			if verifies(s, []string{"whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"}, h, nil, body, signedAt) {
				t.Errorf("%s took a forged signature", name)
			}
		}
	})
}
