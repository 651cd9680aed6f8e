package ingest

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aftercall/automation"
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

// A setting that a source of a type may have changes something here, and one that it may not have changes nothing.
func TestTypesAndSettingsAgree(t *testing.T) {
	t.Parallel()
	values := map[string]string{
		automation.SettingSignature:        automation.StandardWebhooks,
		automation.SettingSignatureHeader:  "X-Other-Signature",
		automation.SettingTimestampHeader:  "X-Other-Time",
		automation.SettingURL:              "https://calls.example/{id}",
		automation.SettingContactVariables: "true",
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
	header := http.Header{}
	for key, value := range map[string]string{
		itellicoSignature: strings.Repeat("ab", 32), itellicoTimestamp: "1772443800", elevenLabsSignature: "t=1772443800,v0=aa",
		headerID: "msg_1", headerTimestamp: "1772443800", headerSignature: "v1,aa",
		"X-Other-Signature": "t=1772443801,v0=bb", "X-Other-Time": "1772443801",
	} {
		header.Set(key, value)
	}
	s, why := schemes[name].open(header, settings)
	body := map[string]string{"native": nativeBody, "itellico": itellicoCall, "elevenlabs": elevenLabsCall}[kind]
	d, faults := decodeBody(t, kind, body, src)
	if d.conversation == nil || len(faults) > 0 {
		t.Fatalf("the sample of %s does not decode: %v", kind, faults)
	}
	return fmt.Sprintf("%s %+v %s %+v", name, s, why, *d.conversation)
}
