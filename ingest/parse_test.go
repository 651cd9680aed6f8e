package ingest

import (
	"bytes"
	"encoding/json"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aftercall/conversation"
)

func TestParse(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100)
	tests := map[string]struct {
		body            string
		strict, lenient []string // pointers of faults
	}{
		"sound":                    {`{"a":[1,"x",null,true,{"b":1.5}]}`, nil, nil},
		"empty":                    {``, []string{""}, []string{""}},
		"two documents":            {`{}{}`, []string{""}, []string{""}},
		"a byte order mark":        {"\ufeff{}", []string{""}, []string{""}},
		"a list":                   {`[]`, []string{""}, []string{""}},
		"a string":                 {`"x"`, []string{""}, []string{""}},
		"cut short":                {`{"a":`, []string{""}, []string{""}},
		"a comma too many":         {`{"a":1,}`, []string{""}, []string{""}},
		"a comment":                {`{"a":1} // x`, []string{""}, []string{""}},
		"not UTF-8":                {"{\"a\":\"\xff\"}", []string{""}, []string{""}},
		"NaN":                      {`{"a":NaN}`, []string{""}, []string{""}},
		"a name twice":             {`{"id":"1","id":"2"}`, []string{"/id"}, nil},
		"a name twice, escaped":    {`{"id":"1","\u0069d":"2"}`, []string{"/id"}, nil},
		"a name twice, deep down":  {`{"x":[{"a/b":1,"a/b":2}]}`, []string{"/x/0/a~1b"}, nil},
		"NUL in a text":            {`{"x":["a\u0000b"]}`, []string{"/x/0"}, nil},
		"an escaped backslash u":   {`{"x":"a\\u0000b"}`, nil, nil},
		"nested too deep":          {deep, []string{strings.Repeat("/a", 64)}, []string{strings.Repeat("/a", 64)}},
		"as many values as go":     {`{"x":[1` + strings.Repeat(",1", 199_997) + `]}`, nil, nil},
		"a value too many":         {`{"x":[1` + strings.Repeat(",1", 199_998) + `]}`, []string{"/x/199998"}, []string{"/x/199998"}},
		"a number beyond all ends": {`{"x":1e99999}`, nil, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for m, want := range map[mode][]string{strict: tt.strict, lenient: tt.lenient} {
				doc, faults := parse([]byte(tt.body), m)
				var got []string
				for _, f := range faults {
					got = append(got, f.Pointer)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("strict %t: faults (-want +got):\n%s", m, diff)
				}
				if (doc == nil) != (len(faults) > 0) {
					t.Errorf("strict %t: document %v beside faults %v", m, doc, faults)
				}
			}
		})
	}
}

// longKey is a call whose metadata has a key of 40 KB above a list of n values.
func longKey(n int) []byte {
	list := `"` + strings.Repeat("k", 40_000) + `":[1` + strings.Repeat(",1", n-1) + `]`
	return []byte(strings.Replace(nativeBody, `"metadata":{`, `"metadata":{`+list+",", 1))
}

// Memory goes with the length of the body, not with the length of a key times what is below it. It must run alone: it
// counts what the whole process allocates.
func TestALongKeyCostsNoMoreThanItsLength(t *testing.T) {
	body := longKey(100_000)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	doc, faults := parse(body, strict)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	_, faults = native{}.decode(doc, nil, arrivedAt)
	runtime.ReadMemStats(&after)
	if got, most := after.TotalAlloc-before.TotalAlloc, uint64(200*len(body)); got > most {
		t.Errorf("a body of %d bytes took %d bytes of memory, want at most %d", len(body), got, most)
	}
	want := []conversation.Fault{{Pointer: "/metadata/" + strings.Repeat("k", 200) + "…", Message: "is under a key of 40000 bytes; at most 200 are accepted"}}
	if diff := cmp.Diff(want, faults); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
}

// A hundred faults below a huge key must not make an answer that repeats it a hundred times.
func TestFaultsBelowALongKeyStayShort(t *testing.T) {
	t.Parallel()
	_, faults := parse([]byte(`{"`+strings.Repeat("k", 1<<20)+`":["\u0000"`+strings.Repeat(`,"\u0000"`, 200)+`]}`), strict)
	if len(faults) != maxFaults {
		t.Fatalf("%d faults, want %d", len(faults), maxFaults)
	}
	for _, f := range faults {
		if len(f.Pointer) > 300 {
			t.Fatalf("a pointer of %d bytes", len(f.Pointer))
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, bench := range []struct {
		name string
		body []byte
	}{{"call", []byte(nativeBody)}, {"long key", longKey(100_000)}} {
		b.Run(bench.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(bench.body)))
			for b.Loop() {
				doc, faults := parse(bench.body, strict)
				if len(faults) > 0 {
					b.Fatal(faults)
				}
				_, _ = native{}.decode(doc, nil, arrivedAt)
			}
		})
	}
}

// asDecoded is what encoding/json makes of a body; nil where it holds U+0000, which it leaves in.
func asDecoded(t *testing.T, body []byte) map[string]any {
	t.Helper()
	if strings.Contains(string(body), `\u0000`) {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var doc map[string]any
	if err := d.Decode(&doc); err != nil {
		t.Fatalf("took %q, which encoding/json does not: %v", body, err)
	}
	return doc
}

func TestParseReadsAsEncodingJSON(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		nativeBody, " \n\t\r{ \"a\" : [ ] , \"b\" : { } , \"c\" : [ 1 , -2.5e+7 , true , false , null ] } \n", `{"":"","a":[[],[{}],[[0]]]}`,
		`{"a":"\\","b":"\"","c":"\\\"\\","d":"\u00e9\ud83d\ude00\ud800x","e\n":"\/\b\f\n\r\t"}`, `{"a":0,"b":1e5,"c":true,"d":false,"e":null}`,
		"{\"a\":\"日本 \u202e\u007f\",\"é\":[\"é\"]}", `{"a":1,"a":{"b":2},"a":[3]}`, `{"n":123456789012345678901234567890.5E-7}`,
	} {
		doc, faults := parse([]byte(body), lenient)
		if diff := cmp.Diff(asDecoded(t, []byte(body)), doc); diff != "" || len(faults) > 0 {
			t.Errorf("%s: %v (-json +got):\n%s", body, faults, diff)
		}
	}
}

func TestLenientParsingKeepsWhatItCan(t *testing.T) {
	t.Parallel()
	doc, faults := parse([]byte(`{"id":"1","id":"2","text":"a\u0000b"}`), lenient)
	if diff := cmp.Diff(map[string]any{"id": "2", "text": "a\uFFFDb"}, doc); diff != "" || len(faults) > 0 {
		t.Errorf("faults %v, document (-want +got):\n%s", faults, diff)
	}
}

func TestPlainNumbers(t *testing.T) {
	t.Parallel()
	doc, _ := parse([]byte(`{"n":[1,-2,9007199254740993,1.5,1e3,12345678901234567890123,1e999]}`), lenient)
	got := plain(doc["n"])
	want := []any{int64(1), int64(-2), int64(9007199254740993), 1.5, 1000.0, "12345678901234567890123", "1e999"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("numbers (-want +got):\n%s", diff)
	}
}

// Whatever is posted, parsing ends, agrees with encoding/json on what is JSON, and gives a tree that the database takes.
func FuzzParse(f *testing.F) {
	for _, s := range []string{`{"id":"1"}`, `{"a":[{"b":"\u0000"}]}`, `{"a":1,"a":2}`, `[[[[`, "\xff", `{"a":1e999}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, m := range []mode{strict, lenient} {
			doc, faults := parse(body, m)
			if len(faults) == 0 && !json.Valid(body) {
				t.Fatalf("took what is no JSON: %q", body)
			}
			if doc == nil {
				continue
			}
			if want := asDecoded(t, body); want != nil {
				if diff := cmp.Diff(want, doc); diff != "" {
					t.Fatalf("encoding/json reads %q otherwise (-json +got):\n%s", body, diff)
				}
			}
			out, err := json.Marshal(plain(doc))
			if err != nil {
				t.Fatalf("cannot be stored: %v", err)
			}
			if strings.Contains(strings.ReplaceAll(string(out), `\\`, ""), `\u0000`) {
				t.Fatalf("a NUL came through: %s", out)
			}
		}
	})
}
