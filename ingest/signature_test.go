package ingest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// These tests look inside the package because the schemes are not part of what it shows to others.

var signedAt = time.Unix(1_795_262_400, 0)

// verifies does what the handler does with a seal: read it, check its time, compare.
func verifies(s *scheme, secrets []string, h http.Header, settings map[string]string, body string, now time.Time) bool {
	return fits(s, secrets, envelope{header: h, settings: settings}, body, now)
}

func fits(s *scheme, secrets []string, e envelope, body string, now time.Time) bool {
	seal, why := s.read(e)
	return why == "" && !seal.stale(now) && s.matches(secrets, seal, []byte(body))
}

// posted is what is known of a platform's post before its body is read.
func posted(kind, secret string, at time.Time, body string) (envelope, error) {
	r := http.Request{Header: http.Header{"Content-Type": {"application/json"}}, URL: &url.URL{Scheme: "https", Host: "calls.example", Path: "/hooks/s"}}
	err := Sign(&r, kind, secret, at, []byte(body))
	return envelopeOf(&r, nil, ""), err
}

// timeless are the platforms whose posts do not say when they were signed.
func timeless(kind string) bool {
	return slices.Contains([]string{"bland", "synthflow", "twilio"}, kind) || unbound(kind)
}

// loose are the platforms whose signatures do not cover the body.
func loose(kind string) bool {
	return kind == "synthflow" || unbound(kind)
}

// unbound are the platforms that send a secret and no signature.
func unbound(kind string) bool {
	return slices.Contains([]string{"kazoo", "dialpad", "aircall", "ringcentral"}, kind)
}

// inSignature changes a signature, wherever it stands.
func inSignature(change func(string) string) func(*envelope) {
	return func(e *envelope) {
		for k, v := range e.header {
			if strings.Contains(k, "Signature") {
				e.header.Set(k, change(v[0]))
			}
		}
		if e.token != "" {
			e.token = change(e.token)
		}
	}
}

func TestSignatures(t *testing.T) {
	t.Parallel()
	const secret, other = "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0", "whsec_b3RoZXItb3RoZXItb3RoZXItb3RoZXItb3Ro"
	const body = `{"id":"call-1","call_id":"call-1"}`
	for kind, platform := range adapters {
		tests := map[string]struct {
			change  func(e *envelope)
			secrets []string
			body    string
			after   time.Duration
			want    bool
		}{
			"genuine":                    {secrets: []string{secret}, body: body, want: true},
			"the second of two secrets":  {secrets: []string{other, secret}, body: body, want: true},
			"five minutes old":           {secrets: []string{secret}, body: body, after: 5 * time.Minute, want: true},
			"a second older than that":   {secrets: []string{secret}, body: body, after: 5*time.Minute + time.Second, want: timeless(kind)},
			"five minutes early":         {secrets: []string{secret}, body: body, after: -5 * time.Minute, want: true},
			"a second earlier than that": {secrets: []string{secret}, body: body, after: -5*time.Minute - time.Second, want: timeless(kind)},
			"another secret":             {secrets: []string{other}, body: body},
			"no secret":                  {body: body},
			"another body":               {secrets: []string{secret}, body: `{"id":"call-2","call_id":"call-2"}`, want: unbound(kind)},
			"one byte more":              {secrets: []string{secret}, body: body + " ", want: loose(kind)},
			"no headers":                 {secrets: []string{secret}, body: body, change: func(e *envelope) { clear(e.header); e.token = "" }},
			"one bit off": {secrets: []string{secret}, body: body, change: inSignature(func(s string) string {
				last := len(s) - 3
				if s[last] == 'a' {
					return s[:last] + "b" + s[last+1:]
				}
				return s[:last] + "a" + s[last+1:]
			})},
			"cut short": {secrets: []string{secret}, body: body, change: inSignature(func(s string) string { return s[:len(s)-4] })},
		}
		for name, tt := range tests {
			t.Run(kind+"/"+name, func(t *testing.T) {
				t.Parallel()
				e, err := posted(kind, secret, signedAt, body)
				if err != nil {
					t.Fatal(err)
				}
				if tt.change != nil {
					tt.change(&e)
				}
				got := fits(schemes[platform.scheme()], tt.secrets, e, tt.body, signedAt.Add(tt.after))
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
	tests := map[string]struct {
		kind, secret, header, want string
	}{
		"native":     {"native", "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0", "webhook-signature", "v1,/kmva5zetqdJfPJH1CrbKH6/ypoVAHlEpPiozdhbwYk="},
		"itellico":   {"itellico", "plain secret", "X-Itellico-Signature", "7b51c56e78ec380f1ed242b644b110712fe88bfe96e7726ced5f2060ea1a33d0"},
		"elevenlabs": {"elevenlabs", "plain secret", "ElevenLabs-Signature", "t=1795262400,v0=395df4191c926c2ba143e12eff487ccda90b28fe20bc070536f562f0229c9b76"},
		"bland":      {"bland", "plain secret", "X-Webhook-Signature", "37ca7fc73bc09d5fcbf604fbac6abd14ea0bb7b3ca74c738cf8890803be2e4b0"},
		"synthflow":  {"synthflow", "plain secret", "Synthflow-Signature", "MH2Y5TqtWmKJqAb+5WjVQ0bEmQzSSfxe2PCQwZwNMjk="},
		"vapi":       {"vapi", "plain secret", "X-Signature", "395df4191c926c2ba143e12eff487ccda90b28fe20bc070536f562f0229c9b76"},
		"retell":     {"retell", "plain secret", "X-Retell-Signature", "v=1795262400000,d=88962a7f36d765e5c96834073a9bcaad597cb4c73de361facc5d97d12c03c457"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := `{"id":"call-1"}`
			if tt.kind == "synthflow" {
				body = `{"call":{"call_id":"call-1"}}`
			}
			e, err := posted(tt.kind, tt.secret, signedAt, body)
			if err != nil {
				t.Fatal(err)
			}
			if got := e.header.Get(tt.header); got != tt.want {
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
			s, why := schemes[tt.scheme].read(envelope{header: h, settings: tt.settings})
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
	if _, err := posted("native", "not base64!", signedAt, ""); err == nil || strings.Contains(err.Error(), "not base64!") {
		t.Errorf("Sign: %v, want an error that does not repeat the secret", err)
	}
	if _, err := posted("fax", "x", signedAt, ""); err == nil {
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
