package main

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aftercall/automation"
)

func TestSettingsReportsEveryProblem(t *testing.T) {
	t.Parallel()
	_, err := readSettings(env(map[string]string{
		"DATABASE_URL": "mysql://x", "AFTERCALL_LISTEN": "8080", "OPENAI_BASE_URL": "ftp://x", "SMTP_URL": "http://x",
		"AFTERCALL_CONFIG": "/does/not/exist", "SENDGRID_API_KEY": "SG.x",
	}))
	if err == nil {
		t.Fatal("wrong settings were taken")
	}
	for _, name := range []string{"DATABASE_URL", "AFTERCALL_LISTEN", "OPENAI_BASE_URL", "SMTP_URL", "AFTERCALL_CONFIG", "both set"} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("the error does not mention %s:\n%v", name, err)
		}
	}
}

func TestSecretsComeFromFilesAndAreNotPrinted(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte("sk-from-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	e := env(map[string]string{"OPENAI_API_KEY_FILE": file, "DATABASE_URL": "postgres://u:hunter2@db/x", "OPENAI_BASE_URL": "http://u:hunter2@model/v1"})
	s, err := readSettings(e)
	if err != nil {
		t.Fatal(err)
	}
	if s.OpenAIKey != "sk-from-file" {
		t.Errorf("key = %q", string(s.OpenAIKey))
	}
	var out bytes.Buffer
	s.print(slog.New(slog.NewJSONHandler(&out, nil)), e)
	for _, leak := range []string{"hunter2", "sk-from-file"} {
		if strings.Contains(out.String(), leak) {
			t.Errorf("the printed settings show %q: %s", leak, out.String())
		}
	}
	if !strings.Contains(out.String(), `"openai_api_key":"[redacted]"`) {
		t.Errorf("a set secret is not shown as set: %s", out.String())
	}
}

func TestSecretFromTwoPlacesIsRefused(t *testing.T) {
	t.Parallel()
	_, err := readSettings(env(map[string]string{"OPENAI_API_KEY": "a", "OPENAI_API_KEY_FILE": "b"}))
	if err == nil || !strings.Contains(err.Error(), "not both") {
		t.Errorf("err = %v", err)
	}
}

func env(m map[string]string) func(string) string { return func(k string) string { return m[k] } }

// TestNoSettingIsASourceSecret: an author must not be able to use the process's own secrets as a source's.
func TestNoSettingIsASourceSecret(t *testing.T) {
	t.Parallel()
	for _, s := range table() {
		text := strings.Replace(waitingConfig, "ITELLICO_SECRET", s.name, 1)
		rev, problems := automation.Compile(automation.Files{"account.yaml": []byte(text)})
		if rev != nil || len(problems) != 1 || !strings.Contains(problems[0].Message, s.name) {
			t.Errorf("%s as the secret of a source: %v", s.name, problems)
		}
	}
}
