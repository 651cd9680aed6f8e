package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"aftercall/automation"
	"aftercall/deliver/sms"
	"aftercall/ingest"
	"aftercall/internal/chaos/corpus"
)

// vector is a recorded signature, in the words of whichever vendor.
type vector struct {
	ID, Name, Secret, Key, Token, Body string
	AuthToken                          string `json:"auth_token"`
	Header, Signature                  string
	Headers                            map[string]string
	SignedContent                      string `json:"signed_content"`
	URL                                string
	Params                             map[string]string
	Now                                int64
	NowMS                              int64 `json:"now_ms"`
	Valid                              bool
	Note                               string
	PublicKey                          string `json:"public_key"`

	Algorithm, Encoding string
	PayloadFormat       string `json:"payload_format"`
	SignaturePrefix     string `json:"signature_prefix"`
}

// twilioSignatures are recorded posts of Twilio, which sign the address they went to.
func twilioSignatures() suite {
	return suite{
		name: "twilio-signature", try: tryTwilio,
		how: "Every recorded post is judged by the function that judges posts to a source of type `twilio`, and by the one that judges callbacks (`sms.Genuine`), with the address that is recorded: no server of ours is reached by it.",
	}
}

func tryTwilio(ctx context.Context, h *hall) (o outcome, err error) {
	rows, err := corpus.Read[vector](h.data.Data("twilio-signature", "vectors.json"))
	for _, v := range rows {
		r := row{id: v.ID}
		taken, err := v.verified(ctx, "twilio")
		if err != nil {
			return o, err
		}
		form := url.Values{}
		for name, value := range v.Params {
			form.Set(name, value)
		}
		genuine := sms.Genuine([]string{v.AuthToken}, v.URL, []byte(form.Encode()), v.Signature)
		if r.wrong = taken != v.Valid || genuine != v.Valid; r.wrong {
			r.detail = fmt.Sprintf("taken: %t; of a callback: %t", taken, genuine)
		}
		o.add(r)
	}
	return o, err
}

// judged has a source of a type judge each signature of a file. One of another kind of key is refused, and so is one of
// which the file says that a stricter receiver may.
func judged(platform string) door {
	return door{try: func(ctx context.Context, _ *hall, f fixture) (string, error) {
		var rows []vector
		if err := json.Unmarshal(f.body, &rows); err != nil {
			return "", fmt.Errorf("read the signatures: %w", err)
		}
		wrong, strict := "", 0
		for _, v := range rows {
			want := v.Valid
			if want && (v.PublicKey != "" || v.Note != "" && v.Now != 0) {
				want = false
				strict++
			}
			got, err := v.verified(ctx, platform)
			if err != nil {
				return "", err
			}
			if got != want {
				wrong += " " + v.Name
			}
		}
		if wrong != "" {
			return "judged otherwise:" + wrong, nil
		}
		return fmt.Sprintf("judged alike: %d signatures; more strictly: %d", len(rows)-strict, strict), nil
	}}
}

// verified posts a row as it was recorded, on paper.
func (v vector) verified(ctx context.Context, platform string) (bool, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, first(v.URL, "https://calls.example/hooks/vectors"), nil)
	if err != nil {
		return false, err
	}
	body, src := v.Body, &automation.Source{ID: "vectors", Type: platform, Settings: v.settings()}
	for name, value := range v.Headers {
		r.Header.Set(name, value)
	}
	if v.Signature != "" {
		name := map[string]string{"retell": "X-Retell-Signature", "synthflow": "Synthflow-Signature", "twilio": "X-Twilio-Signature"}[platform]
		r.Header.Set(first(v.Header, name), v.Signature)
	}
	if v.SignedContent != "" {
		body = fmt.Sprintf(`{"call":{"call_id":%q}}`, v.SignedContent)
	}
	if v.Params != nil {
		form := url.Values{}
		for name, value := range v.Params {
			form.Set(name, value)
		}
		body = form.Encode()
	}
	r.Header.Set("Content-Type", mediaType([]byte(body)))
	return ingest.Verify(r, src, []string{first(v.Secret, v.Key, v.Token, v.AuthToken)}, []byte(body), v.clock()), nil
}

func (v vector) settings() map[string]string {
	s := map[string]string{}
	for key, value := range map[string]string{
		automation.SettingAlgorithm: v.Algorithm, automation.SettingEncoding: v.Encoding, automation.SettingSigned: v.PayloadFormat, automation.SettingPrefix: v.SignaturePrefix,
	} {
		if value != "" {
			s[key] = value
		}
	}
	if v.Token != "" {
		s[automation.SettingSignature] = automation.Token
		if v.Headers["x-vapi-secret"] != "" {
			s[automation.SettingSignatureHeader] = "X-Vapi-Secret"
		}
	}
	return s
}

// clock is the receiver's; where none is recorded, the moment of signing.
func (v vector) clock() time.Time {
	switch stamp, err := strconv.ParseInt(v.Headers["x-timestamp"], 10, 64); {
	case v.NowMS != 0:
		return time.UnixMilli(v.NowMS)
	case v.Now != 0:
		return time.Unix(v.Now, 0)
	case err == nil:
		return time.Unix(stamp, 0)
	}
	return time.Now()
}

func first(texts ...string) string {
	for _, s := range texts {
		if s != "" {
			return s
		}
	}
	return ""
}
