package rehearsal_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"aftercall/internal/llm"
	"aftercall/internal/llm/openai"
	"aftercall/rehearsal"
)

// suiteIn reads the only file of tests in a folder.
func suiteIn(t *testing.T, dir string) *rehearsal.Suite {
	t.Helper()
	files, err := rehearsal.Find(dir)
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	suite, problems, err := rehearsal.Read(files[0])
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	return suite
}

func play(t *testing.T, s *rehearsal.Suite, o rehearsal.Options) rehearsal.Result {
	t.Helper()
	r, err := s.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func printed(results ...rehearsal.Result) string {
	var b bytes.Buffer
	rehearsal.Print(&b, results)
	return b.String()
}

// TestRun runs each archive's tests from answers written by hand, records these, runs the tests again from what was
// recorded, and compares what a reader is told.
func TestRun(t *testing.T) {
	t.Parallel()
	for _, path := range archives(t, "run", 3) {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			t.Parallel()
			ar := archive(t, path)
			dir := folder(t, ar)
			suite := suiteIn(t, dir)
			byHand := play(t, suite, rehearsal.Options{ByHand: true, Record: true})
			recorded := play(t, suiteIn(t, dir), rehearsal.Options{})
			if diff := cmp.Diff(printed(byHand), printed(recorded)); diff != "" {
				t.Errorf("what was recorded plays otherwise than what was written (-written +recorded):\n%s", diff)
			}
			wants(t, path, ar, strings.ReplaceAll(printed(recorded), dir+string(filepath.Separator), ""))
		})
	}
}

// office is a folder with one automation, one call and one test of it.
func office(t *testing.T, tests string) string {
	t.Helper()
	return folder(t, &txtar.Archive{Files: []txtar.File{
		{Name: "account.yaml", Data: []byte(`account: acme
name: Acme Clinic
timezone: Europe/London
automations:
  - id: callback
    when: { ask: Did the customer ask to be called back? }
    actions: [ { task: { title: Call back } } ]
`)},
		{Name: "calls/one.json", Data: []byte(`{
  "id": "one", "agent": {"id": "frontdesk"}, "channel": "phone", "status": "completed",
  "started_at": "2026-11-20T09:12:00Z", "ended_at": "2026-11-20T09:13:00Z",
  "turns": [{"role": "customer", "text": "Please call me back tomorrow."}]
}`)},
		{Name: "a.test.yaml", Data: []byte(tests)},
	}})
}

const oneTest = `cases:
  - name: a call back is asked for
    call: calls/one.json
    expect: { fires: [callback] }
`

const (
	yes   = `{"automations": {"callback": {"evidence": [{"turn": 1, "quote": "Please call me back"}], "verdict": "yes"}}}`
	no    = `{"automations": {"callback": {"evidence": [], "verdict": "no"}}}`
	wrong = `{"automations": {"callback": "perhaps <so>"}}`
	prose = "I cannot say."
)

// model is a server that gives its answers in turn, the last one again and again, and counts what it is asked.
type model struct {
	llm.Model
	asked atomic.Int64
}

func answering(t *testing.T, answers ...string) *model {
	t.Helper()
	m := &model{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := int(m.asked.Add(1)) - 1
		message := map[string]any{"role": "assistant", "content": answers[min(n, len(answers)-1)]}
		if message["content"] == "" {
			message["content"], message["refusal"] = nil, "No."
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{
			"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "tested-1",
			"choices": []any{map[string]any{"index": 0, "finish_reason": "stop", "message": message}},
			"usage":   map[string]any{"prompt_tokens": 900, "completion_tokens": 40, "total_tokens": 940},
		})
	}))
	t.Cleanup(server.Close)
	var err error
	if m.Model, err = openai.New(openai.Config{BaseURL: server.URL + "/v1", Model: "tested"}); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestWhatIsNotRecordedIsAnErrorAndNoCall(t *testing.T) {
	t.Parallel()
	r := play(t, suiteIn(t, office(t, oneTest)), rehearsal.Options{})
	if r.Failed() != 1 || r.Cases[0].Runs[0].Err == nil || !strings.Contains(r.Cases[0].Runs[0].Err.Error(), "aftercall test --record") {
		t.Errorf("without a recording: %+v", r)
	}
}

// TestRecordedAnswersPlayWithoutTheModel: also a bad answer that was repaired, one that was no JSON, and a refusal.
func TestRecordedAnswersPlayWithoutTheModel(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		answers []string
		failed  int
	}{
		{"yes", []string{yes}, 0},
		{"no", []string{no}, 1},
		{"repaired", []string{wrong, yes}, 0},
		{"prose, then repaired", []string{prose, yes}, 0},
		{"never right", []string{wrong}, 1},
		{"refused", []string{""}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := office(t, oneTest)
			m := answering(t, c.answers...)
			first := play(t, suiteIn(t, dir), rehearsal.Options{Model: m, Record: true})
			asked := m.asked.Load()
			if first.Failed() != c.failed || asked == 0 {
				t.Errorf("%d failed after %d calls:\n%s", first.Failed(), asked, printed(first))
			}
			again := play(t, suiteIn(t, dir), rehearsal.Options{})
			if diff := cmp.Diff(printed(first), printed(again)); diff != "" {
				t.Errorf("-asked +recorded:\n%s", diff)
			}
			if m.asked.Load() != asked {
				t.Error("the model was asked again")
			}
		})
	}
}

// TestRecordingAgainChangesNothing: the file is the same to the byte, so that a difference in git is one of the answers.
func TestRecordingAgainChangesNothing(t *testing.T) {
	t.Parallel()
	dir := office(t, oneTest)
	suite := suiteIn(t, dir)
	play(t, suite, rehearsal.Options{Model: answering(t, wrong, yes), Record: true})
	before, err := os.ReadFile(suite.Recorded)
	if err != nil {
		t.Fatal(err)
	}
	play(t, suite, rehearsal.Options{Model: answering(t, wrong, yes), Record: true})
	after, err := os.ReadFile(suite.Recorded)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(before), string(after)); diff != "" {
		t.Error(diff)
	}
	for _, want := range []string{`"model": "tested-1"`, `"tokens_in": 900`, "perhaps <so>"} {
		if !strings.Contains(string(after), want) {
			t.Errorf("the recording lacks %s:\n%s", want, after)
		}
	}
}

// TestAnotherPromptIsNotAnswered: a recording counts for the question it answered, and for no other.
func TestAnotherPromptIsNotAnswered(t *testing.T) {
	t.Parallel()
	dir := office(t, oneTest)
	play(t, suiteIn(t, dir), rehearsal.Options{Model: answering(t, yes), Record: true})
	account := filepath.Join(dir, "account.yaml")
	b, err := os.ReadFile(account)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(account, bytes.Replace(b, []byte("called back?"), []byte("called back today?"), 1), 0o644); err != nil {
		t.Fatal(err)
	}
	r := play(t, suiteIn(t, dir), rehearsal.Options{})
	if r.Failed() != 1 {
		t.Error("an old answer was given to a new question")
	}
	if !strings.Contains(printed(r), "has changed since the answer was recorded") || !strings.Contains(printed(r), "run `aftercall test --record`") {
		t.Errorf("it is not said what happened, and what to do:\n%s", printed(r))
	}
}

// TestAnswersWrittenByHandAreRecordedByHand: a model's would take their place.
func TestAnswersWrittenByHandAreRecordedByHand(t *testing.T) {
	t.Parallel()
	r := play(t, suiteIn(t, folder(t, archive(t, "testdata/run/evidence.txtar"))), rehearsal.Options{})
	if r.Failed() != 2 || strings.Count(printed(r), "run `aftercall test --record --by-hand`") != 2 {
		t.Errorf("the remedy is another one:\n%s", printed(r))
	}
}

// TestATryIsAnsweredByItsOwnRecording: one answer is not three, whatever the file asks for later.
func TestATryIsAnsweredByItsOwnRecording(t *testing.T) {
	t.Parallel()
	dir := office(t, oneTest)
	play(t, suiteIn(t, dir), rehearsal.Options{Model: answering(t, yes), Record: true})
	if err := os.WriteFile(filepath.Join(dir, "a.test.yaml"), []byte(oneTest+"    repeat: 3\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	r := play(t, suiteIn(t, dir), rehearsal.Options{})
	if r.Cases[0].Passed() != 1 || !strings.Contains(printed(r), "no answer is recorded for try 2 of this case") {
		t.Errorf("passed %d of 3 with one recording:\n%s", r.Cases[0].Passed(), printed(r))
	}
}

// interrupted is a model of which the second call is interrupted.
type interrupted struct {
	llm.Model
	calls atomic.Int64
	stop  context.CancelFunc
}

// Complete asks the first time only.
func (m *interrupted) Complete(ctx context.Context, q llm.Request) (llm.Reply, error) {
	if m.calls.Add(1) > 1 {
		m.stop()
		return llm.Reply{}, ctx.Err()
	}
	return m.Model.Complete(ctx, q)
}

// TestWhatWasAnsweredBeforeAnInterruptionIsRecorded: it may have cost money.
func TestWhatWasAnsweredBeforeAnInterruptionIsRecorded(t *testing.T) {
	t.Parallel()
	dir := office(t, oneTest+strings.Replace(strings.TrimPrefix(oneTest, "cases:\n"), "a call back is asked for", "again", 1))
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	if _, err := suiteIn(t, dir).Run(ctx, rehearsal.Options{Model: &interrupted{Model: answering(t, yes), stop: stop}, Record: true}); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted, it ends with %v", err)
	}
	if r := play(t, suiteIn(t, dir), rehearsal.Options{Only: regexp.MustCompile("^a call")}); len(r.Cases) != 1 || r.Failed() != 0 {
		t.Errorf("the first answer is lost:\n%s", printed(r))
	}
}

// TestACaseWithAnotherNameKeepsItsAnswer, and one that is no more loses it at the next recording.
func TestACaseWithAnotherNameKeepsItsAnswer(t *testing.T) {
	t.Parallel()
	dir := office(t, oneTest)
	play(t, suiteIn(t, dir), rehearsal.Options{Model: answering(t, yes), Record: true})
	renamed := strings.Replace(oneTest, "a call back is asked for", "the customer wants to hear from us", 1)
	if err := os.WriteFile(filepath.Join(dir, "a.test.yaml"), []byte(renamed), 0o644); err != nil {
		t.Fatal(err)
	}
	suite := suiteIn(t, dir)
	if r := play(t, suite, rehearsal.Options{}); r.Failed() != 0 {
		t.Error(printed(r))
	}
	play(t, suite, rehearsal.Options{Model: answering(t, no), Record: true})
	b, err := os.ReadFile(suite.Recorded)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b), "a call back is asked for") {
		t.Errorf("the recording of a case that is no more stays:\n%s", b)
	}
}

// TestTriesAreCountedAndNeverAveraged: two of three is shown as that, and is enough only where the author says so.
func TestTriesAreCountedAndNeverAveraged(t *testing.T) {
	t.Parallel()
	for pass, failed := range map[string]int{"2/3": 0, "3/3": 1, "3": 1} {
		t.Run(pass[:1], func(t *testing.T) {
			t.Parallel()
			dir := office(t, oneTest+fmt.Sprintf("    repeat: 3\n    pass: %s\n", pass))
			live := play(t, suiteIn(t, dir), rehearsal.Options{Model: answering(t, yes, no, yes), Record: true})
			recorded := play(t, suiteIn(t, dir), rehearsal.Options{})
			for _, r := range []rehearsal.Result{live, recorded} {
				if r.Failed() != failed || r.Cases[0].Passed() != 2 || !strings.Contains(printed(r), "2/3") {
					t.Errorf("passed %d, %d failed, want 2 and %d:\n%s", r.Cases[0].Passed(), r.Failed(), failed, printed(r))
				}
			}
		})
	}
}

// TestOnlySomeAreRecorded: the answers of cases that were not run stay.
func TestOnlySomeAreRecorded(t *testing.T) {
	t.Parallel()
	dir := office(t, oneTest+strings.Replace(strings.TrimPrefix(oneTest, "cases:\n"), "a call back is asked for", "again", 1))
	suite := suiteIn(t, dir)
	play(t, suite, rehearsal.Options{Model: answering(t, yes), Record: true})
	r := play(t, suite, rehearsal.Options{Model: answering(t, no), Record: true, Only: regexp.MustCompile("^again$")})
	if len(r.Cases) != 1 || r.Failed() != 1 {
		t.Errorf("ran %d cases", len(r.Cases))
	}
	r = play(t, suite, rehearsal.Options{})
	if !r.Cases[0].OK() || r.Cases[1].OK() {
		t.Errorf("want the first case's yes and the second case's no:\n%s", printed(r))
	}
}

// TestAModelThatIsAwayRecordsNothing: what was recorded before stays.
func TestAModelThatIsAwayRecordsNothing(t *testing.T) {
	t.Parallel()
	dir := office(t, oneTest)
	suite := suiteIn(t, dir)
	play(t, suite, rehearsal.Options{Model: answering(t, yes), Record: true})
	away, err := openai.New(openai.Config{BaseURL: "http://127.0.0.1:1/v1", Model: "tested"})
	if err != nil {
		t.Fatal(err)
	}
	if r := play(t, suite, rehearsal.Options{Model: away, Record: true}); r.Failed() != 1 {
		t.Error("a model that is away passes")
	}
	if r := play(t, suite, rehearsal.Options{}); r.Failed() != 0 {
		t.Errorf("the earlier recording is lost:\n%s", printed(r))
	}
}

func TestACallWithoutAWrittenAnswerIsAnError(t *testing.T) {
	t.Parallel()
	r := play(t, suiteIn(t, office(t, oneTest)), rehearsal.Options{ByHand: true, Record: true})
	if r.Failed() != 1 || !strings.Contains(printed(r), "no answer is written") {
		t.Error(printed(r))
	}
}

func TestJUnit(t *testing.T) {
	t.Parallel()
	dir := office(t, oneTest+strings.Replace(strings.TrimPrefix(oneTest, "cases:\n"), "a call back is asked for", "<again> & again", 1))
	r := play(t, suiteIn(t, dir), rehearsal.Options{Model: answering(t, yes, no)})
	var b bytes.Buffer
	if err := rehearsal.WriteJUnit(&b, []rehearsal.Result{r}); err != nil {
		t.Fatal(err)
	}
	var read struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Suites   []struct {
			Errors     string `xml:"errors,attr"`
			Properties []struct {
				Name  string `xml:"name,attr"`
				Value string `xml:"value,attr"`
			} `xml:"properties>property"`
			Cases []struct {
				Name    string  `xml:"name,attr"`
				Failure *string `xml:"failure"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(b.Bytes(), &read); err != nil {
		t.Fatal(err)
	}
	if read.Tests != 2 || read.Failures != 1 || len(read.Suites) != 1 {
		t.Fatalf("read %+v from\n%s", read, b.String())
	}
	if s := read.Suites[0]; s.Errors != "0" || len(s.Properties) != 1 || s.Properties[0].Value != "answered by tested-1" {
		t.Errorf("a build server is not told who answered: %+v", s)
	}
	first, second := read.Suites[0].Cases[0], read.Suites[0].Cases[1]
	if first.Failure != nil || second.Failure == nil || second.Name != "<again> & again" || !strings.Contains(*second.Failure, "got  []") {
		t.Errorf("read %+v", read)
	}
}
