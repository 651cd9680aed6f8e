package rehearsal_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aftercall/examples"
	"aftercall/rehearsal"
)

// TestADraftIsACase: what is written is read again as it was meant, the call and the odd names included.
func TestADraftIsACase(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.CopyFS(dir, examples.Files()); err != nil {
		t.Fatal(err)
	}
	body, err := os.ReadFile(filepath.Join(dir, "calls", "01-callback-requested.json"))
	if err != nil {
		t.Fatal(err)
	}
	call, err := rehearsal.DecodeCall(body)
	if err != nil {
		t.Fatal(err)
	}
	written, err := rehearsal.EncodeCall(call)
	if err != nil {
		t.Fatal(err)
	}
	again, err := rehearsal.DecodeCall(written)
	if d := cmp.Diff(call, again); d != "" || err != nil {
		t.Fatalf("the call is another: %v %s", err, d)
	}
	draft := rehearsal.Draft{Name: `a "call back", wanted: # now`, CallFile: "call.json", Fires: []string{"callback-requested"}, Unsure: []string{"customer-complaint"}}
	tests := filepath.Join(dir, "acme", "tests")
	for name, content := range map[string][]byte{"call.json": written, "draft.test.yaml": draft.YAML()} {
		if err := os.WriteFile(filepath.Join(tests, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	suite, problems, err := rehearsal.Read(filepath.Join(tests, "draft.test.yaml"))
	if err != nil || len(problems) > 0 {
		t.Fatalf("%v, %v: %s", err, problems, draft.YAML())
	}
	got := suite.Cases[0]
	if got.Name != draft.Name || len(suite.Cases) != 1 || !cmp.Equal(*got.Want.Fires, draft.Fires) || !cmp.Equal(*got.Want.Unsure, draft.Unsure) {
		t.Errorf("%+v", got)
	}
}
