package ingest

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aftercall/automation"
	"aftercall/deliver/sms"
)

// The types that a config may name are those there is an adapter for, and each platform signs by a scheme that is there.
func TestTypesAndAdaptersAgree(t *testing.T) {
	t.Parallel()
	var configured []string
	for _, kind := range automation.SourceTypes() {
		configured = append(configured, kind.Name)
		platform := adapters[kind.Name]
		if platform == nil || schemes[platform.scheme()] == nil {
			t.Errorf("type %s has no adapter, or signs by a scheme that is not there", kind.Name)
			continue
		}
		if own := platform.scheme(); slices.Contains(kind.Settings, automation.SettingSignature) && own != kind.Name {
			t.Errorf("a source of type %s may say signature: %s, but its scheme is called %s", kind.Name, kind.Name, own)
		}
	}
	slices.Sort(configured)
	if diff := cmp.Diff(configured, slices.Sorted(maps.Keys(adapters))); diff != "" {
		t.Errorf("types and adapters (-automation +ingest):\n%s", diff)
	}
}

// Each platform has a page that says what to put into the config.
func TestEachPlatformHasAPage(t *testing.T) {
	t.Parallel()
	for _, kind := range automation.SourceTypes() {
		if kind.Name == "native" {
			continue
		}
		page, err := os.ReadFile(filepath.Join("..", "docs", "platforms", kind.Name+".md"))
		for _, want := range []string{"**There:**", "**Here:**", "type: " + kind.Name, "**Lost:**"} {
			if err != nil || !strings.Contains(string(page), want) {
				t.Errorf("docs/platforms/%s.md does not say %s: %v", kind.Name, want, err)
			}
		}
	}
}

// A setting that a source of a type may have changes something here, and one that it may not have changes nothing.
func TestTypesAndSettingsAgree(t *testing.T) {
	t.Parallel()
	values := map[string]string{
		automation.SettingSignature:        automation.StandardWebhooks,
		automation.SettingSignatureHeader:  "X-Other-Signature",
		automation.SettingTimestampHeader:  "X-Other-Time",
		automation.SettingURL:              "https://calls.example/{id}",
		automation.SettingContactVariables: "true",
		automation.SettingAlgorithm:        "sha512",
		automation.SettingEncoding:         "base64",
		automation.SettingSigned:           "{body}",
		automation.SettingPrefix:           "hmac=",
	}
	for _, kind := range automation.SourceTypes() {
		for _, key := range kind.Settings {
			if values[key] == "" {
				t.Errorf("%s: no value to try setting %s with", kind.Name, key)
			}
		}
		for key, value := range values {
			t.Run(kind.Name+"/"+key, func(t *testing.T) {
				t.Parallel()
				changes := outcome(t, kind.Name, map[string]string{key: value}) != outcome(t, kind.Name, nil)
				if may := slices.Contains(kind.Settings, key); may != changes {
					t.Errorf("may be set: %t, changes something: %t", may, changes)
				}
			})
		}
	}
}

// outcome is all that a source's settings can change: how it signs, what is read of the header, what is made of the body.
func outcome(t *testing.T, kind string, settings map[string]string) string {
	t.Helper()
	src := &automation.Source{ID: "s", Type: kind, Settings: settings}
	name := schemeOf(adapters[kind], src)
	header, other := http.Header{}, strings.Repeat("cd", 32)
	switch kind {
	case "elevenlabs":
		other = "t=1772443801,v0=bb"
	case "retell":
		other = "v=1772443801000,d=" + other
	}
	for key, value := range map[string]string{
		itellicoSignature: strings.Repeat("ab", 32), itellicoTimestamp: "1772443800", elevenLabsSignature: "t=1772443800,v0=aa",
		headerID: "msg_1", headerTimestamp: "1772443800", headerSignature: "v1,aa",
		vapiSignature: "aa", vapiTimestamp: "1772443800",
		synthflowSignature:  "aa",
		sms.SignatureHeader: "aa",
		blandSignature:      strings.Repeat("ab", 32),
		retellSignature:     "v=1772443800000,d=" + strings.Repeat("ab", 32),
		"X-Other-Signature": other, "X-Other-Time": "1772443801",
	} {
		header.Set(key, value)
	}
	const signed = `{"call_id":"c"}`
	s, why := schemes[name].read(envelope{header: header, settings: settings, token: "t", address: "https://calls.example/hooks/s?bodySHA256=" + digestOf(signed)})
	right := schemes[name].sign("whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0", s, []byte(signed))
	body := samples[kind]
	d, faults := decodeBody(t, kind, body, src)
	if (d.conversation == nil) != d.ignored || len(faults) > 0 {
		t.Fatalf("the sample of %s does not decode: %v", kind, faults)
	}
	said := ""
	if d.conversation != nil {
		said = fmt.Sprintf("%+v", *d.conversation)
	}
	return fmt.Sprintf("%s %s %s %s %s %s %s %s", name, s.id, s.stamp, s.at, s.signatures, why, right, said)
}
