package main

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aftercall/automation"
)

func TestSettingsReportsEveryProblem(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		set   map[string]string
		needs needs
		want  []string // what each line of the error begins with, in order
	}{
		{"everything wrong", map[string]string{
			"DATABASE_URL": "mysql://x", "AFTERCALL_LISTEN": "8080", "AFTERCALL_ADMIN_LISTEN": "0.0.0.0:8081", "OPENAI_BASE_URL": "ftp://x",
			"SMTP_URL": "smtp://host:99999", "AFTERCALL_CONFIG": "/does/not/exist", "SENDGRID_API_KEY": "SG.x\n", "SENDGRID_BASE_URL": "https://x/?y=z",
			"TWILIO_ACCOUNT_SID": "SK0123456789abcdef0123456789abcdef", "TWILIO_AUTH_TOKEN": "x\ny", "TWILIO_MESSAGING_SERVICE": "+15005550006", "TWILIO_BASE_URL": "api.twilio.com",
		}, needs{database: true, model: true}, []string{"DATABASE_URL: ", "AFTERCALL_LISTEN: ",
			"AFTERCALL_CONFIG: ", "OPENAI_BASE_URL: ", "SENDGRID_API_KEY: ", "SENDGRID_BASE_URL: ", "SMTP_URL: ",
			"TWILIO_ACCOUNT_SID: ", "TWILIO_AUTH_TOKEN: ", "TWILIO_MESSAGING_SERVICE: ", "TWILIO_BASE_URL: ",
			"AFTERCALL_ADMIN_LISTEN: admin address 0.0.0.0 is not loopback", "SENDGRID_API_KEY and SMTP_URL are both set"}},
		{"nothing set, everything needed", nil, needs{database: true, model: true}, []string{"DATABASE_URL is not set", "OPENAI_API_KEY is not set"}},
		{"secrets that cannot be read are not missing besides", map[string]string{"DATABASE_URL_FILE": "/does/not/exist", "OPENAI_API_KEY_FILE": "/does/not/exist"},
			needs{database: true, model: true}, []string{"DATABASE_URL: read", "OPENAI_API_KEY: read"}},
		{"nothing set, a database needed", nil, needs{database: true}, []string{"DATABASE_URL is not set"}},
		{"nothing set, nothing needed", nil, needs{}, nil},
		{"pages beyond this machine", map[string]string{"AFTERCALL_ADMIN_LISTEN": "0.0.0.0:8081", "AFTERCALL_ADMIN_URL": "https://calls.acme.example"}, needs{}, nil},
		{"only this machine knows where", map[string]string{"AFTERCALL_ADMIN_LISTEN": "0.0.0.0:8081", "AFTERCALL_ADMIN_URL": "http://127.0.0.1:8081"}, needs{},
			[]string{"AFTERCALL_ADMIN_LISTEN: "}},
		{"sessions in the clear", map[string]string{"AFTERCALL_ADMIN_URL": "http://calls.acme.example"}, needs{}, []string{"AFTERCALL_ADMIN_URL: want https://"}},
		{"pages below a path", map[string]string{"AFTERCALL_ADMIN_URL": "https://acme.example/calls"}, needs{}, []string{"AFTERCALL_ADMIN_URL: want a URL without a path"}},
		{"a proxy by name", map[string]string{"AFTERCALL_PROXIES": "10.0.0.0/8, proxy"}, needs{}, []string{"AFTERCALL_PROXIES: "}},
		{"half of OIDC", map[string]string{"AFTERCALL_OIDC_ISSUER": "https://id.acme.example", "AFTERCALL_ADMIN_URL": "https://calls.acme.example"}, needs{},
			[]string{"signing in by OIDC needs "}},
		{"OIDC that nobody comes back from", map[string]string{"AFTERCALL_OIDC_ISSUER": "https://id.acme.example", "AFTERCALL_OIDC_CLIENT_ID": "a",
			"AFTERCALL_OIDC_CLIENT_SECRET": "b"}, needs{}, []string{"signing in by OIDC needs "}},
		{"half of Twilio", map[string]string{"TWILIO_AUTH_TOKEN": "x"}, needs{}, []string{"texts need both "}},
		{"Salesforce without a way to log in", map[string]string{"SALESFORCE_CLIENT_ID": "3MVG9"}, needs{}, []string{"SALESFORCE_CLIENT_ID and what belongs to it: "}},
		{"Salesforce's token in the clear", map[string]string{"SALESFORCE_CLIENT_ID": "3MVG9", "SALESFORCE_CLIENT_SECRET": "x", "SALESFORCE_LOGIN_URL": "http://acme.my.salesforce.com"},
			needs{}, []string{"SALESFORCE_LOGIN_URL: salesforce: want https://"}},
		{"Salesforce by a secret", map[string]string{"SALESFORCE_CLIENT_ID": "3MVG9", "SALESFORCE_CLIENT_SECRET": "x", "SALESFORCE_LOGIN_URL": "https://acme.my.salesforce.com"}, needs{}, nil},
		{"a model without a key", map[string]string{"OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}, needs{model: true}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var lines []string
			if _, err := readSettings(env(c.set), c.needs); err != nil {
				lines = strings.Split(err.Error(), "\n")
			}
			if !slices.EqualFunc(lines, c.want, strings.HasPrefix) {
				t.Errorf("got\n%s\nwant lines that begin with\n%s", strings.Join(lines, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

func TestSecretsComeFromFilesAndAreNotPrinted(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte("sk-from-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	e := env(map[string]string{"OPENAI_API_KEY_FILE": file, "DATABASE_URL": "postgres://u:hunter2@db/x", "OPENAI_BASE_URL": "http://u:hunter2@model/v1"})
	s, err := readSettings(e, needs{})
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
	_, err := readSettings(env(map[string]string{"OPENAI_API_KEY": "a", "OPENAI_API_KEY_FILE": "b"}), needs{})
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
