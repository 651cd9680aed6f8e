package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"aftercall/internal/chaos/bed"
	"aftercall/internal/chaos/corpus"
)

// Every suite is tried on a few rows of our own; the corpora are for `make conformance`. A row whose corpus is wrong about
// it must not hold.
func TestSuitesTellWhatHoldsFromWhatDoesNot(t *testing.T) {
	t.Parallel()
	h := ownHall(t)
	deviate := map[string]map[string]string{
		"conversations":     {"unknown-role": "wrong"},
		"json-test-suite":   {"half an object, said to be one": "unreadable alone", "an object, said to be none": "wrong", "a name twice": "refused inside"},
		"standard-webhooks": {"late, said to be valid": "wrong", "lenient": "wrong"},
		"isemail":           {"3": "wrong", "4": "refused"},
		"phone-numbers":     {"GB +44 mobile": "wrong", "US +1 too_long": "wrong"},
		"wpt-url": {"number": "refused: model, mail, call, link", "said to lead elsewhere": "wrong",
			"said to be none": "wrong"},
		"handlebars-spec":  {"partial": "refused AC204", "said to be another": "otherwise"},
		"mustache-spec":    {"own: partial": "refused AC204"},
		"blns":             {"3": "other in messages", "4": "refused in fields of one line; other in messages"},
		"xss-payloads":     {},
		"webpush-ece":      {"said to be another": "wrong", "said to be unreadable": "wrong"},
		"twilio-signature": {"said to be valid": "wrong"},
		"sendgrid-webhook": {"said to be valid": "wrong"},
		"sms-segments":     {"1 said to take two": "wrong"},
		"fixtures": {"twilio_messages/status_callback_sent.said.txt": "wrong", "bland/said_to_be_a_call.json": "wrong", "nobody/knows.json": "wrong",
			"webpush/subscription.reconstructed.json": "wrong", "salesforce/error_403_request_limit.reconstructed.json": "wrong", "salesforce/error_418_teapot.json": "wrong",
			"sendgrid/events_custom_args_said.json": "wrong"},
	}
	rows := map[string]int{"conversations": 2, "json-test-suite": 6, "standard-webhooks": 4, "isemail": 4, "phone-numbers": 4, "wpt-url": 5,
		"handlebars-spec": 4, "mustache-spec": 3, "blns": 5, "xss-payloads": 3, "twilio-signature": 2, "sendgrid-webhook": 3, "sms-segments": 2, "fixtures": 13, "webpush-ece": 5}
	for _, s := range suites() {
		if s.absent != "" {
			continue
		}
		o, err := s.try(t.Context(), h)
		if err != nil {
			t.Errorf("%s broke off: %v", s.name, err)
			continue
		}
		got := map[string]string{}
		for _, r := range o.rows {
			if r.wrong {
				r.kind = "wrong"
			}
			if r.kind != "" {
				got[r.id] = r.kind
			}
		}
		if diff := cmp.Diff(deviate[s.name], got); diff != "" || len(o.rows) != rows[s.name] {
			t.Errorf("%s: %d rows, want %d, and what deviates (-want +got):\n%s", s.name, len(o.rows), rows[s.name], diff)
		}
	}
	if !h.server.Alive() {
		t.Error("the server ended")
	}
}

// ownHall is a hall with the rows of testdata/own.txtar.
func ownHall(t *testing.T) *hall {
	t.Helper()
	own, err := txtar.ParseFile(filepath.Join("testdata", "own.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	data := t.TempDir()
	for _, f := range own.Files {
		path := filepath.Join(data, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	dir, err := bed.Scratch("", "conformance-") // the database's user must reach it, too
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	builder, err := bed.NewTestBuilder(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	h, err := openHall(t.Context(), corpus.Folder(data), builder, dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.close)
	return h
}

func TestChoices(t *testing.T) {
	t.Parallel()
	const text = "refused | too long\n    a\n    b c\n\naccepted | as meant\n    d\n"
	got, err := readChoices(text)
	want := map[string]choice{"a": {"refused", "too long"}, "b c": {"refused", "too long"}, "d": {"accepted", "as meant"}}
	if err != nil || !cmp.Equal(want, got, cmp.AllowUnexported(choice{})) {
		t.Errorf("readChoices = %v, %v", got, err)
	}
	for name, bad := range map[string]string{
		"a row before any reason": "    a\n",
		"a row twice":             "refused | too long\n    a\naccepted | as meant\n    a\n",
		"no reason":               "refused\n    a\n",
		"an empty reason":         "refused | \n    a\n",
		"no kind":                 " | too long\n    a\n",
	} {
		if all, err := readChoices(bad); err == nil {
			t.Errorf("%s: readChoices = %v, want an error", name, all)
		}
	}
}

func TestChoicesBelongToSuites(t *testing.T) {
	t.Parallel()
	files, err := fs.Glob(choices, "choices/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".txt")
		if !slices.ContainsFunc(suites(), func(s suite) bool { return s.name == name && s.absent == "" }) {
			t.Errorf("%s belongs to no suite", f)
		}
		if all, err := choicesOf(name); err != nil || len(all) == 0 {
			t.Errorf("%s: %d rows, %v", f, len(all), err)
		}
	}
}

// A list of deviations must not rot: what no longer deviates, or does so in another way, is a failure.
func TestListsHoldTheirRows(t *testing.T) {
	t.Parallel()
	listed, err := readChoices("refused | on purpose\n    listed\n")
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		row          row
		held, chosen int
	}{
		"holds":                         {row{id: "other"}, 1, 0},
		"deviates as listed":            {row{id: "listed", kind: "refused"}, 0, 1},
		"deviates in another way":       {row{id: "listed", kind: "accepted"}, 0, 0},
		"listed, and holds":             {row{id: "listed"}, 0, 0},
		"listed, and wrong":             {row{id: "listed", kind: "refused", wrong: true}, 0, 0},
		"deviates, and is not listed":   {row{id: "other", kind: "refused"}, 0, 0},
		"wrong without a kind":          {row{id: "other", wrong: true}, 0, 0},
		"holds, and the listed is gone": {row{id: "third"}, 1, 0},
	} {
		r := result{outcome: outcome{rows: []row{tt.row}}}
		r.sort(listed)
		failed := 1 - tt.held - tt.chosen
		if tt.row.id != "listed" {
			failed++ // there is no row for what is listed
		}
		if r.held != tt.held || len(r.chosen) != tt.chosen || len(r.failed) != failed || r.good() != (failed == 0) {
			t.Errorf("%s: held %d, by choice %d, failed %q", name, r.held, len(r.chosen), r.failed)
		}
	}
	if (&result{}).good() {
		t.Error("a suite without rows is good")
	}
}

func TestPagesAreAlikeOnlyIfNothingCameOfTheText(t *testing.T) {
	t.Parallel()
	const plain = `<p>A text <a href="#t1">1</a></p>`
	for name, tt := range map[string]struct {
		page  string
		alike bool
	}{
		"text":             {`<p>&lt;b&gt; <a href="#t2">1</a></p>`, true},
		"element":          {`<p>A <b>text</b> <a href="#t1">1</a></p>`, false},
		"attribute":        {`<p onclick="x">A text <a href="#t1">1</a></p>`, false},
		"link elsewhere":   {`<p>A text <a href="https://evil.example/">1</a></p>`, false},
		"link to a script": {`<p>A text <a href="javascript:x">1</a></p>`, false},
		"image":            {`<p>A text <a href="#t1">1</a></p><img src=x>`, false},
	} {
		var o outcome
		if err := o.alike("page", tt.page, plain); err != nil {
			t.Fatal(err)
		}
		if (len(o.rows) == 0) != tt.alike {
			t.Errorf("%s: %v", name, o.rows)
		}
	}
}

func TestWithoutDataItSaysWhatToDo(t *testing.T) {
	t.Parallel()
	for _, data := range []string{"", t.TempDir()} {
		if err := run(t.Context(), options{data: data}); err == nil || !strings.Contains(err.Error(), "make conformance DATA=") {
			t.Errorf("with %q: %v", data, err)
		}
	}
}

func TestFoldersNobodyReadsAreNamed(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	for _, name := range []string{"blns", "surprise"} {
		if err := os.MkdirAll(filepath.Join(data, "data", name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if got := forgotten(data); !slices.Equal(got, []string{"surprise"}) {
		t.Errorf("forgotten = %q", got)
	}
	if (report{forgotten: []string{"surprise"}}).held() {
		t.Error("a run that read not every folder held")
	}
}
