package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"

	"aftercall/dashboard"
	"aftercall/deliver/chatter"
	"aftercall/deliver/email"
	"aftercall/deliver/push"
	"aftercall/deliver/sms"
	"aftercall/internal/llm/openai"
	"aftercall/internal/webaddress"
	"aftercall/people"
)

// secret is a setting that must not be printed.
type secret string

// String hides the value.
func (s secret) String() string {
	if s == "" {
		return ""
	}
	return "[redacted]"
}

// LogValue hides the value in logs.
func (s secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// settings are what an operator sets in the environment. Author's automations are files and never mix with them.
type settings struct {
	DatabaseURL     secret // Postgres 14 or newer
	Pool            int    // connections of this process, beside those of the webhooks
	Listen          string // webhooks and API
	AdminListen     string // pages; loopback only, unless AdminURL says how people reach them
	AdminURL        string // how people reach the pages; "" for loopback only
	Proxies         people.Proxies
	OIDCIssuer      string // "" and people sign in by password only
	OIDCClientID    string
	OIDCSecret      secret
	MetricsListen   string // metrics and readiness; "" for none
	PublicURL       string // how the outside reaches Listen
	Config          string // folder of one account, or of several; "" keeps what the database has
	OpenAIKey       secret
	OpenAIBaseURL   string // any OpenAI-compatible server
	Model           string
	FallbackModel   string // asked when the first refuses or is away; "" for none
	TokensPerDay    int    // of the model, per account and day; 0 for no limit
	Prices          dashboard.Prices
	SendGridKey     secret // "" and no SMTPURL: e-mail is captured
	SendGridBaseURL string
	WebhookKey      email.Key // SendGrid signs its events for it; nil and nobody listens to them
	WebhookSecond   email.Key // or for this one
	SMTPURL         secret    // smtp://user:password@host:port
	PushKey         secret    // "": pushes are captured
	PushSubject     string    // whom a push service asks about them
	TwilioAccount   string    // "" and texts are captured
	TwilioToken     secret
	TwilioSecond    secret // signatures are checked against it, too
	TwilioService   string // MG…: chooses the numbers that texts come from
	TwilioBaseURL   string
	Salesforce      salesforce
	Softphone       bool // pop-ups go to softphones that listen; else they are captured
}

// salesforce is how Chatter posts go out; without a client, they are captured.
type salesforce struct {
	ClientID, Username    string
	Secret, Key           secret
	LoginURL, InstanceURL string
}

func (s salesforce) channel() (*chatter.Channel, error) {
	return chatter.New(chatter.Config{
		ClientID: s.ClientID, ClientSecret: string(s.Secret), Username: s.Username, PrivateKey: string(s.Key), LoginURL: s.LoginURL, InstanceURL: s.InstanceURL,
	})
}

// problems says what is wrong with these settings together.
func (s salesforce) problems(bad map[string]bool) []error {
	for _, name := range []string{"CLIENT_SECRET", "PRIVATE_KEY", "LOGIN_URL", "INSTANCE_URL"} {
		if bad["SALESFORCE_"+name] {
			return nil
		}
	}
	if s.ClientID+s.Username == "" && s.Secret+s.Key == "" {
		return nil
	}
	if _, err := s.channel(); err != nil {
		return []error{fmt.Errorf("SALESFORCE_CLIENT_ID and what belongs to it: %w", err)}
	}
	return nil
}

// setting is one row of the table that reads, checks and prints the settings.
type setting struct {
	name, fallback string
	secret         bool // may come from NAME_FILE; printed redacted
	says           string
	put            func(*settings, string)
	check          func(string) error
}

// table lists every setting once: reading, checking and printing all follow it.
func table() []setting {
	return []setting{
		{"DATABASE_URL", "", true, "Postgres 14 or newer", func(s *settings, v string) { s.DatabaseURL = secret(v) }, isPostgres},
		{"AFTERCALL_POOL", "20", false, "database connections of one process, beside the few of the webhooks", func(s *settings, v string) { s.Pool, _ = strconv.Atoi(v) }, isPool},
		{"AFTERCALL_LISTEN", "127.0.0.1:8080", false, "address for webhooks and the API", func(s *settings, v string) { s.Listen = v }, isAddress},
		{"AFTERCALL_ADMIN_LISTEN", "127.0.0.1:8081", false, "address for the pages; loopback only without AFTERCALL_ADMIN_URL", func(s *settings, v string) { s.AdminListen = v }, isAddress},
		{"AFTERCALL_ADMIN_URL", "", false, "how people reach the pages: https://…", func(s *settings, v string) { s.AdminURL = v }, isAdminURL},
		{"AFTERCALL_PROXIES", "", false, "networks of the proxies before the pages, whose X-Forwarded-For counts", func(s *settings, v string) { s.Proxies, _ = people.ParseProxies(v) }, isProxies},
		{"AFTERCALL_OIDC_ISSUER", "", false, "who else says that people are who they are: https://…", func(s *settings, v string) { s.OIDCIssuer = v }, isHTTP},
		{"AFTERCALL_OIDC_CLIENT_ID", "", false, "as what the issuer knows these pages", func(s *settings, v string) { s.OIDCClientID = v }, nil},
		{"AFTERCALL_OIDC_CLIENT_SECRET", "", true, "and how they prove it", func(s *settings, v string) { s.OIDCSecret = secret(v) }, nil},
		{"AFTERCALL_METRICS_LISTEN", "", false, "address for /metrics, /healthz and /readyz; empty: nobody listens", func(s *settings, v string) { s.MetricsListen = v }, isAddress},
		{"AFTERCALL_PUBLIC_URL", "", false, "how the outside reaches AFTERCALL_LISTEN", func(s *settings, v string) { s.PublicURL = v }, isHTTP},
		{"AFTERCALL_CONFIG", "", false, "folder of automations, watched; SIGHUP reads it again", func(s *settings, v string) { s.Config = v }, isFolder},
		{"OPENAI_API_KEY", "", true, "key for the model", func(s *settings, v string) { s.OpenAIKey = secret(v) }, nil},
		{"OPENAI_BASE_URL", openai.DefaultBaseURL, false, "any OpenAI-compatible server", func(s *settings, v string) { s.OpenAIBaseURL = v }, isHTTP},
		{"AFTERCALL_MODEL", "gpt-4.1-mini", false, "the model that fills in the interview", func(s *settings, v string) { s.Model = v }, nil},
		{"AFTERCALL_FALLBACK_MODEL", "", false, "asked when the first refuses or is away", func(s *settings, v string) { s.FallbackModel = v }, nil},
		{"AFTERCALL_TOKENS_PER_DAY", "", false, "what an account may spend on the model in a day; empty or 0: no limit", func(s *settings, v string) { s.TokensPerDay, _ = strconv.Atoi(v) }, isCount},
		{"AFTERCALL_PRICES", "", false, "what a million tokens of each model cost: USD gpt-4.1-mini=0.40/0.10/1.60", func(s *settings, v string) { s.Prices, _ = dashboard.ParsePrices(v) }, arePrices},
		{"SENDGRID_API_KEY", "", true, "without it and without SMTP_URL, e-mail is captured", func(s *settings, v string) { s.SendGridKey = secret(v) }, isSendGridKey},
		{"SENDGRID_BASE_URL", "https://api.sendgrid.com", false, "SendGrid's API (EU: https://api.eu.sendgrid.com)", func(s *settings, v string) { s.SendGridBaseURL = v }, isSendGrid},
		{"SENDGRID_WEBHOOK_KEY", "", true, "public key with which SendGrid's event webhook is verified; without it, nobody listens to it", func(s *settings, v string) { s.WebhookKey, _ = email.ParseKey(v) }, email.CheckKey},
		{"SENDGRID_SECONDARY_WEBHOOK_KEY", "", true, "its events may be verified with it, too, while keys are exchanged", func(s *settings, v string) { s.WebhookSecond, _ = email.ParseKey(v) }, email.CheckKey},
		{"SMTP_URL", "", true, "smtp://user:password@host:port or smtps://…", func(s *settings, v string) { s.SMTPURL = secret(v) }, isSMTP},
		{"AFTERCALL_VAPID_KEY", "", true, "VAPID private key, as aftercall keys vapid prints it; without it, pushes are captured", func(s *settings, v string) { s.PushKey = secret(v) }, push.CheckKey},
		{"AFTERCALL_VAPID_SUBJECT", "", false, "whom push services ask about our pushes: mailto:ops@acme.example", func(s *settings, v string) { s.PushSubject = v }, push.CheckSubject},
		{"TWILIO_ACCOUNT_SID", "", false, "AC…; without it and TWILIO_AUTH_TOKEN, texts are captured", func(s *settings, v string) { s.TwilioAccount = v }, sms.CheckAccount},
		{"TWILIO_AUTH_TOKEN", "", true, "the account's auth token: texts are sent with it, and what Twilio reports is signed with it", func(s *settings, v string) { s.TwilioToken = secret(v) }, sms.CheckToken},
		{"TWILIO_SECONDARY_AUTH_TOKEN", "", true, "what Twilio reports may be signed with it, too, while tokens are exchanged", func(s *settings, v string) { s.TwilioSecond = secret(v) }, sms.CheckToken},
		{"TWILIO_MESSAGING_SERVICE", "", false, "MG…: chooses the numbers that texts come from", func(s *settings, v string) { s.TwilioService = v }, sms.CheckService},
		{"TWILIO_BASE_URL", sms.DefaultBaseURL, false, "Twilio's API (Ireland: https://api.dublin.ie1.twilio.com)", func(s *settings, v string) { s.TwilioBaseURL = v }, sms.CheckBaseURL},
		{"AFTERCALL_SOFTPHONE", "", false, "yes: pop-ups go to softphones that listen; otherwise they are captured", func(s *settings, v string) { s.Softphone = v == "yes" }, isYes},
		{"SALESFORCE_CLIENT_ID", "", false, "the connected app's consumer key; without it, Chatter posts are captured", func(s *settings, v string) { s.Salesforce.ClientID = v }, nil},
		{"SALESFORCE_CLIENT_SECRET", "", true, "its secret, to post as the user it runs as", func(s *settings, v string) { s.Salesforce.Secret = secret(v) }, nil},
		{"SALESFORCE_USERNAME", "", false, "instead of a secret: the user who posts", func(s *settings, v string) { s.Salesforce.Username = v }, nil},
		{"SALESFORCE_PRIVATE_KEY", "", true, "and the key that says so (RSA, PEM)", func(s *settings, v string) { s.Salesforce.Key = secret(v) }, nil},
		{"SALESFORCE_LOGIN_URL", chatter.DefaultLogin, false, "where the app logs in; with a secret, the organization's own address", func(s *settings, v string) { s.Salesforce.LoginURL = v }, isSalesforce},
		{"SALESFORCE_INSTANCE_URL", "", false, "where the API is, if it is not where Salesforce says", func(s *settings, v string) { s.Salesforce.InstanceURL = v }, isSalesforce},
	}
}

// needs are what a verb cannot do without, besides settings that are right.
type needs struct{ database, model bool }

// checkedSettings reads the settings for a verb that runs on this machine, and says so if they will not do.
func checkedSettings(c *console, n needs) (settings, error) {
	s, err := readSettings(c.getenv, n)
	if err != nil {
		return s, fmt.Errorf("the settings are not right:\n%w", err)
	}
	return s, nil
}

// readSettings reads and checks the environment; every problem is reported, not only the first, and without connecting
// to anything.
func readSettings(getenv func(string) string, n needs) (settings, error) {
	var s settings
	var problems []error
	bad := map[string]bool{}
	for _, t := range table() {
		v, err := lookUp(t, getenv)
		if err == nil && v != "" && t.check != nil {
			err = t.check(v)
		}
		if err != nil {
			bad[t.name] = true
			problems = append(problems, fmt.Errorf("%s: %w", t.name, err))
		}
		t.put(&s, v)
	}
	problems = append(problems, s.pagesProblems(bad)...)
	if s.SendGridKey != "" && s.SMTPURL != "" {
		problems = append(problems, errors.New("SENDGRID_API_KEY and SMTP_URL are both set: e-mail goes out by one of them; unset the other"))
	}
	if (s.PushKey == "") != (s.PushSubject == "") && !bad["AFTERCALL_VAPID_KEY"] && !bad["AFTERCALL_VAPID_SUBJECT"] {
		problems = append(problems, errors.New("AFTERCALL_VAPID_KEY and AFTERCALL_VAPID_SUBJECT go together: set both, or neither"))
	}
	if (s.TwilioAccount == "") != (s.TwilioToken == "") && !bad["TWILIO_ACCOUNT_SID"] && !bad["TWILIO_AUTH_TOKEN"] {
		problems = append(problems, errors.New("texts need both TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN; unset the one that is set, or set the other"))
	}
	problems = append(problems, s.Salesforce.problems(bad)...)
	if n.database && s.DatabaseURL == "" && !bad["DATABASE_URL"] {
		problems = append(problems, errors.New("DATABASE_URL is not set: want postgres://user:password@host:port/database (`aftercall demo` brings its own)"))
	}
	if n.model && s.OpenAIKey == "" && !bad["OPENAI_API_KEY"] && s.OpenAIBaseURL == openai.DefaultBaseURL {
		problems = append(problems, errors.New("OPENAI_API_KEY is not set: set it, or OPENAI_BASE_URL to an OpenAI-compatible server (`aftercall demo` needs neither)"))
	}
	return s, errors.Join(problems...)
}

// pagesProblems says what is wrong with the settings of the pages together.
func (s settings) pagesProblems(bad map[string]bool) (problems []error) {
	if !strings.HasPrefix(s.AdminURL, "https://") && !bad["AFTERCALL_ADMIN_LISTEN"] && !bad["AFTERCALL_ADMIN_URL"] {
		if err := dashboard.RefuseUnlessLoopback(s.AdminListen); err != nil {
			problems = append(problems, fmt.Errorf("AFTERCALL_ADMIN_LISTEN: %w, or set AFTERCALL_ADMIN_URL to https://…", err))
		}
	}
	set := 0
	for _, v := range []string{s.OIDCIssuer, s.OIDCClientID, string(s.OIDCSecret)} {
		if v != "" {
			set++
		}
	}
	unread := bad["AFTERCALL_OIDC_ISSUER"] || bad["AFTERCALL_OIDC_CLIENT_SECRET"] || bad["AFTERCALL_ADMIN_URL"]
	if set > 0 && !unread && (set < 3 || s.AdminURL == "") {
		problems = append(problems, errors.New("signing in by OIDC needs AFTERCALL_OIDC_ISSUER, AFTERCALL_OIDC_CLIENT_ID, AFTERCALL_OIDC_CLIENT_SECRET and AFTERCALL_ADMIN_URL"))
	}
	return problems
}

// lookUp reads one setting: NAME, or for a secret the file named by NAME_FILE, or its fallback.
func lookUp(t setting, getenv func(string) string) (string, error) {
	v := getenv(t.name)
	file := ""
	if t.secret {
		file = getenv(t.name + "_FILE")
	}
	switch {
	case v != "" && file != "":
		return "", fmt.Errorf("set either %s or %s_FILE, not both", t.name, t.name)
	case file != "":
		b, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("read %s_FILE: %w", t.name, err)
		}
		return strings.TrimSpace(string(b)), nil
	case v == "":
		return t.fallback, nil
	}
	return v, nil
}

// print lists the settings as they are used, secrets redacted.
func (s settings) print(log *slog.Logger, getenv func(string) string) {
	attrs := make([]any, 0, len(table()))
	for _, t := range table() {
		v, _ := lookUp(t, getenv) // checked when it was read
		if t.secret {
			v = secret(v).String()
		} else if u, err := url.Parse(v); err == nil {
			v = u.Redacted() // a URL may carry a password where nobody expects one
		}
		if v != "" {
			attrs = append(attrs, slog.String(strings.ToLower(t.name), v))
		}
	}
	log.Info("settings", attrs...)
}

func isPostgres(v string) error {
	u, err := url.Parse(v)
	if err != nil || (u.Scheme != "postgres" && u.Scheme != "postgresql") {
		return errors.New("want postgres://user:password@host:port/database")
	}
	return nil
}

func isHTTP(v string) error {
	if _, ok := webaddress.Parse(v); !ok {
		return errors.New("want an http:// or https:// URL")
	}
	return nil
}

// These ask the channel itself, which does not connect yet.

func isSendGridKey(v string) error {
	_, err := email.NewSendGrid(email.SendGridConfig{Key: v})
	return err
}

func isSendGrid(v string) error {
	_, err := email.NewSendGrid(email.SendGridConfig{Key: "any", BaseURL: v})
	return err
}

func isSMTP(v string) error {
	_, err := email.NewSMTP(email.SMTPConfig{URL: v})
	return err
}

func isYes(v string) error {
	if v != "yes" && v != "no" {
		return errors.New("want yes or no")
	}
	return nil
}

func isSalesforce(v string) error {
	_, err := chatter.Address(v)
	return err
}

// isAdminURL wants an address at whose root the pages stand, and no sessions in the clear beyond this machine.
func isAdminURL(v string) error {
	u, ok := webaddress.Parse(v)
	if !ok || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
		return errors.New("want a URL without a path, such as https://calls.acme.example")
	}
	if u.Scheme != "https" && dashboard.RefuseUnlessLoopback(net.JoinHostPort(u.Hostname(), "80")) != nil {
		return errors.New("want https://: whoever sees a session on the way has it")
	}
	return nil
}

func isProxies(v string) error {
	_, err := people.ParseProxies(v)
	return err
}

func isCount(v string) error {
	if n, err := strconv.Atoi(v); err != nil || n < 0 {
		return errors.New("want a whole number, such as 2000000; 0 for no limit")
	}
	return nil
}

func arePrices(v string) error {
	_, err := dashboard.ParsePrices(v)
	return err
}

func isPool(v string) error {
	if n, err := strconv.Atoi(v); err != nil || n < 4 || n > 1000 {
		return errors.New("want a whole number from 4 to 1000: the queue alone keeps one connection for itself")
	}
	return nil
}

func isAddress(v string) error {
	if _, _, err := net.SplitHostPort(v); err != nil {
		return errors.New("want host:port, such as 127.0.0.1:8080")
	}
	return nil
}

func isFolder(v string) error {
	if i, err := os.Stat(v); err != nil || !i.IsDir() {
		return errors.New("want a folder that exists")
	}
	return nil
}
