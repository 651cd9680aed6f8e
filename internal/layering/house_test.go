package layering_test

// What stands beside the code must fit it: an operator copies a setting's name from docker-compose.yml, a newcomer types
// a target from the README.

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"
)

// settingNames reads the names out of cmd/aftercall's table of settings.
func settingNames(t *testing.T) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, "cmd/aftercall/settings.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	ast.Inspect(f, func(n ast.Node) bool {
		row, ok := n.(*ast.CompositeLit)
		if !ok || row.Type != nil || len(row.Elts) == 0 {
			return true
		}
		if name, ok := row.Elts[0].(*ast.BasicLit); ok && name.Kind == token.STRING {
			text, err := strconv.Unquote(name.Value)
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, text)
		}
		return true
	})
	if len(names) < 10 {
		t.Fatalf("found only %d settings in settings.go: %v", len(names), names)
	}
	return names
}

// composeFile is as much of docker-compose.yml as we check.
type composeFile struct {
	Services map[string]struct {
		Environment map[string]string
		Ports       []string
		HealthCheck map[string]any `yaml:"healthcheck"`
		DependsOn   any            `yaml:"depends_on"`
	}
}

func compose(t *testing.T) composeFile {
	t.Helper()
	var c composeFile
	if err := yaml.Unmarshal([]byte(read(t, "docker-compose.yml")), &c); err != nil {
		t.Fatalf("docker-compose.yml: %v", err)
	}
	return c
}

func TestComposeUsesSettingsThatExist(t *testing.T) {
	t.Parallel()
	known, checked := settingNames(t), 0
	for name, service := range compose(t).Services {
		for env := range service.Environment {
			if name == "postgres" {
				continue // the image's own
			}
			checked++
			if !slices.Contains(known, strings.TrimSuffix(env, "_FILE")) {
				t.Errorf("service %s sets %s, which is no setting", name, env)
			}
		}
	}
	if checked == 0 {
		t.Error("no setting found in docker-compose.yml")
	}
}

func TestComposePublishesOnLoopbackOnly(t *testing.T) {
	t.Parallel()
	c := compose(t)
	for _, want := range []string{"postgres", "aftercall", "mailpit"} {
		if _, ok := c.Services[want]; !ok {
			t.Errorf("docker-compose.yml has no service %s", want)
		}
	}
	for name, service := range c.Services {
		for _, port := range service.Ports {
			if !strings.HasPrefix(port, "127.0.0.1:") {
				t.Errorf("service %s publishes %s beyond this machine", name, port)
			}
		}
	}
	if admin := c.Services["aftercall"].Environment["AFTERCALL_ADMIN_LISTEN"]; !strings.HasPrefix(admin, "127.0.0.1:") {
		t.Errorf("the pages listen on %q: without TLS before them", admin)
	}
}

func TestDockerfileIsSmallAndUnprivileged(t *testing.T) {
	t.Parallel()
	text := read(t, "Dockerfile")
	stages := regexp.MustCompile(`(?m)^FROM (\S+)`).FindAllStringSubmatch(text, -1)
	if len(stages) != 2 || !strings.HasPrefix(stages[0][1], "golang:1.26") {
		t.Errorf("want two stages, the first with the Go of go.mod: %v", stages)
	}
	for _, want := range []string{"CGO_ENABLED=0", "-trimpath", "\nUSER nonroot\n", "-X main.release=", "./cmd/aftercall"} {
		if !strings.Contains(text, want) {
			t.Errorf("the Dockerfile lacks %q", strings.TrimSpace(want))
		}
	}
}

func TestSettingsAreDocumented(t *testing.T) {
	t.Parallel()
	var documented []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([A-Z_]+)` ").FindAllStringSubmatch(read(t, "docs/operations/settings.md"), -1) {
		documented = append(documented, m[1])
	}
	if diff := cmp.Diff(settingNames(t), documented); diff != "" {
		t.Errorf("docs/operations/settings.md differs from cmd/aftercall/settings.go (-code +docs):\n%s", diff)
	}
}

func TestMakefileHasItsTargets(t *testing.T) {
	t.Parallel()
	text := read(t, "Makefile")
	for _, target := range []string{"help", "demo", "test", "check", "bench", "build", "generate", "postgres", "clean"} {
		if !regexp.MustCompile(`(?m)^` + target + `:.*## \S`).MatchString(text) {
			t.Errorf("the Makefile has no target %s that help can list", target)
		}
	}
	if !strings.Contains(text, ".DEFAULT_GOAL := help") {
		t.Error("make alone does not print the help")
	}
}

// A document may name any target, and the one who reads it types it.
func TestDocumentsNameTargetsThatExist(t *testing.T) {
	t.Parallel()
	targets := regexp.MustCompile(`(?m)^([a-z-]+):`).FindAllStringSubmatch(read(t, "Makefile"), -1)
	var known []string
	for _, m := range targets {
		known = append(known, m[1])
	}
	documents, err := filepath.Glob(filepath.Join(root, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	more, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("(?m)(?:`|^    )make ([a-z-]+)")
	for _, path := range slices.Concat(documents, more) {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range named.FindAllStringSubmatch(string(raw), -1) {
			if !slices.Contains(known, m[1]) {
				t.Errorf("%s names make %s, which does not exist", filepath.Base(path), m[1])
			}
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
