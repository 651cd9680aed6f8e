package email_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/google/go-cmp/cmp"

	"aftercall/deliver"
	"aftercall/deliver/delivertest"
	"aftercall/deliver/email"
)

// eximConf is a mail server that takes mail for one domain from whoever logs in over TLS, and puts each recipient's copy into a maildir.
const eximConf = `primary_hostname = mail.acme.example
spool_directory = DIR/spool
log_file_path = DIR/log-%s
pid_file_path = DIR/pid
process_log_path = DIR/process
keep_environment =
daemon_smtp_ports = STARTPORT : TLSPORT
tls_on_connect_ports = TLSPORT
local_interfaces = 127.0.0.1
exim_user = USER
exim_group = GROUP
never_users =
host_lookup =
rfc1413_query_timeout = 0s
message_size_limit = 100K
tls_advertise_hosts = *
tls_certificate = DIR/cert.pem
tls_privatekey = DIR/key.pem
auth_advertise_hosts = ${if eq {$tls_in_cipher}{} {}{*}}
acl_smtp_rcpt = rcpt
begin acl
rcpt:
  deny message = log in first
       !authenticated = *
  deny message = there is no mailbox of this name
       local_parts = gone
  accept domains = example.com
  deny message = relaying is not allowed
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_condition = ${if and {{eq {$auth2}{acme}}{eq {$auth3}{hunter2-hunter2}}}}
  server_set_id = $auth2
begin routers
here:
  driver = accept
  transport = maildir
begin transports
maildir:
  driver = appendfile
  directory = DIR/mail
  maildir_format
  envelope_to_add
  return_path_add
  user = USER
  group = GROUP
`

// exim is a real mail server on loopback.
type exim struct {
	dir           string
	plain, secure string // host:port, with STARTTLS and with TLS from the first byte
	roots         *x509.CertPool
	arrived       *fsnotify.Watcher
}

// startExim starts Exim in a folder of its own, as an ordinary user; it ends with the test.
func startExim(t *testing.T) *exim {
	t.Helper()
	path := eximPath(t)
	dir, err := os.MkdirTemp("", "exim") // not the test's own, which an ordinary user cannot enter
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	x := &exim{dir: dir}
	as, attr := ordinaryUser(t)
	x.certify(t)
	for _, d := range []string{"", "spool", "mail", "mail/new", "mail/cur", "mail/tmp", "key.pem"} {
		at := filepath.Join(dir, d)
		if d != "" && d != "key.pem" {
			must(t, os.Mkdir(at, 0o700))
		}
		if attr.Credential != nil {
			must(t, os.Chown(at, int(attr.Credential.Uid), int(attr.Credential.Gid)))
		}
	}
	if x.arrived, err = fsnotify.NewWatcher(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = x.arrived.Close() })
	must(t, x.arrived.Add(filepath.Join(dir, "mail", "new")))
	for range 5 { // a port that is free may be somebody else's before it is asked for
		if x.run(t, path, as, attr) {
			return x
		}
	}
	t.Fatalf("Exim did not start:\n%s", x.log())
	return nil
}

// run starts the server on two free ports, and reports whether it answers there.
func (x *exim) run(t *testing.T, path string, as *user.User, attr *syscall.SysProcAttr) bool {
	t.Helper()
	x.plain, x.secure = freeAddress(t), freeAddress(t)
	group, err := user.LookupGroupId(as.Gid)
	must(t, err)
	conf := strings.NewReplacer("DIR", x.dir, "STARTPORT", port(x.plain), "TLSPORT", port(x.secure), "USER", as.Username, "GROUP", group.Name).Replace(eximConf)
	file := filepath.Join(x.dir, "exim.conf")
	must(t, os.WriteFile(file, []byte(conf), 0o644))
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, path, "-C", file, "-bdf") // in the foreground, so that it ends with us
	words, err := os.Create(filepath.Join(x.dir, "log-words"))
	must(t, err)
	cmd.SysProcAttr, cmd.Dir, cmd.Stderr = attr, x.dir, words
	must(t, cmd.Start())
	must(t, words.Close())
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	stop := func() {
		cancel()
		<-ended
	}
	for {
		if conn, err := (&net.Dialer{Timeout: time.Minute}).DialContext(t.Context(), "tcp", x.plain); err == nil {
			_ = conn.Close()
			t.Cleanup(stop)
			return true
		}
		select {
		case <-ended:
			stop()
			return false
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// log is what the server wrote, for a test that fails.
func (x *exim) log() (all string) {
	files, _ := filepath.Glob(filepath.Join(x.dir, "log-*")) // the pattern is ours
	for _, f := range files {
		b, _ := os.ReadFile(f) // which may be empty
		all += string(b)
	}
	return all
}

// mails waits until so many copies have arrived, and gives them by who they were for.
func (x *exim) mails(t *testing.T, n int) map[string]delivertest.Mail {
	t.Helper()
	late := time.After(time.Minute)
	for {
		files, err := filepath.Glob(filepath.Join(x.dir, "mail", "new", "*"))
		must(t, err)
		if len(files) == n {
			return read(t, files)
		}
		select {
		case <-x.arrived.Events:
		case <-late:
			t.Fatalf("%d copies arrived, want %d:\n%s", len(files), n, x.log())
		}
	}
}

func read(t *testing.T, files []string) map[string]delivertest.Mail {
	t.Helper()
	all := map[string]delivertest.Mail{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		must(t, err)
		m, err := delivertest.ReadMail(b)
		must(t, err)
		all[mail.Header(m.Header).Get("Envelope-To")] = m
	}
	return all
}

// certify makes a certificate that the test trusts.
func (x *exim) certify(t *testing.T) {
	t.Helper()
	var cert tls.Certificate
	cert, x.roots = certificate(t)
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey.(*ecdsa.PrivateKey))
	must(t, err)
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: cert.Certificate[0]}, "key.pem": {Type: "PRIVATE KEY", Bytes: key}} {
		must(t, os.WriteFile(filepath.Join(x.dir, name), pem.EncodeToMemory(block), map[string]os.FileMode{"cert.pem": 0o644, "key.pem": 0o600}[name]))
	}
}

// ordinaryUser is who the server runs as: ourselves, or nobody where we are root.
func ordinaryUser(t *testing.T) (*user.User, *syscall.SysProcAttr) {
	t.Helper()
	u, err := user.Current()
	must(t, err)
	if u.Uid != "0" {
		return u, &syscall.SysProcAttr{}
	}
	u, err = user.Lookup("nobody")
	must(t, err)
	uid, err := strconv.ParseInt(u.Uid, 10, 64) // macOS writes nobody as -2
	must(t, err)
	gid, err := strconv.ParseInt(u.Gid, 10, 64)
	must(t, err)
	return u, &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
}

func eximPath(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"exim4", "exim", "/usr/sbin/exim4", "/usr/sbin/exim", "/opt/homebrew/sbin/exim", "/opt/homebrew/bin/exim", "/usr/local/sbin/exim", "/usr/local/bin/exim"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("no Exim; make mailserver installs it, or: sudo apt-get install exim4-daemon-light (macOS: brew install exim)")
	return ""
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func port(address string) string { return address[strings.LastIndexByte(address, ':')+1:] }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestARealServerTakesOurMail: Exim, over STARTTLS and over TLS from the first byte, with a log-in. What it has put into the mailboxes is what was written.
func TestARealServerTakesOurMail(t *testing.T) {
	t.Parallel()
	x := startExim(t)
	m := delivertest.Message("0190-real")
	m.Subject = "Rückruf für 李 雷, and a subject that is long enough to be folded over several lines of the header, twice"
	m.Text = "First line\n.\n.. dots, and a long line: " + strings.Repeat("wörd ", 400) + "\nFrom here on\nlast"
	m.HTML = "<p>Größe: <b>42</b></p>"
	m.To = []deliver.Address{{Name: "Pat Canary", Address: "pat@example.com"}}
	m.CC = []deliver.Address{{Name: `Front "Desk"`, Address: "desk@example.com"}}
	m.ReplyTo = deliver.Address{Name: "Maria López", Address: "maria@acme.example"}
	urls := []string{"smtp://acme:" + smtpPass + "@" + x.plain + "?tls=required", "smtps://acme:" + smtpPass + "@" + x.secure}
	for n, url := range urls {
		m.DeliveryID = fmt.Sprintf("0190-real-%d", n)
		m.To[0].Address, m.CC[0].Address = fmt.Sprintf("pat%d@example.com", n), fmt.Sprintf("desk%d@example.com", n)
		if receipt, err := smtpTo(t, url, x.roots).Send(t.Context(), m); err != nil || receipt.ProviderID != m.DeliveryID+"@acme.example" {
			t.Fatalf("%s: %+v, %v\n%s", strings.SplitN(url, ":", 2)[0], receipt, err, x.log())
		}
	}
	got := x.mails(t, 2*len(urls))
	for n := range urls {
		copies := []delivertest.Mail{got[fmt.Sprintf("pat%d@example.com", n)], got[fmt.Sprintf("desk%d@example.com", n)]}
		want := map[string]string{
			"From": `"Acme Clinic" <calls@acme.example>`, "To": fmt.Sprintf(`"Pat Canary" <pat%d@example.com>`, n), "Cc": fmt.Sprintf(`"Front \"Desk\"" <desk%d@example.com>`, n),
			"Reply-To": `=?utf-8?q?Maria_L=C3=B3pez?= <maria@acme.example>`, "Return-Path": "<calls@acme.example>", "Bcc": "",
			"Message-Id": fmt.Sprintf("<0190-real-%d@acme.example>", n), email.HeaderDelivery: fmt.Sprintf("0190-real-%d", n), "Auto-Submitted": "auto-generated",
		}
		for _, c := range copies {
			header := mail.Header(c.Header)
			for name, value := range want {
				if h := header.Get(name); h != value {
					t.Errorf("%s = %q, want %q", name, h, value)
				}
			}
			if with := header.Get("Received"); !strings.Contains(with, "esmtpsa ") {
				t.Errorf("not over TLS with a log-in: %q", with)
			}
			lines := strings.NewReplacer("\r\n", "\n")
			if diff := cmp.Diff([]string{m.Subject, m.Text, m.HTML}, []string{c.Subject, lines.Replace(c.Text), lines.Replace(c.HTML)}); diff != "" {
				t.Errorf("what arrived (-want +got):\n%s", diff)
			}
		}
	}
}

// TestWhatARealServerRefuses is told apart: a mailbox that is not there, a domain that is not its own, a mail that is too large, a wrong password, and TLS that
// nobody trusts. Nothing of it arrives.
func TestWhatARealServerRefuses(t *testing.T) {
	t.Parallel()
	x := startExim(t)
	in, url := "acme:"+smtpPass+"@", "smtp://acme:"+smtpPass+"@"+x.plain+"?tls=required"
	for name, c := range map[string]struct {
		url     string
		spoil   func(*deliver.Message)
		roots   *x509.CertPool
		verdict deliver.Verdict
		class   string
		status  int
	}{
		"no such mailbox":     {url, func(m *deliver.Message) { m.To[0].Address = "gone@example.com" }, x.roots, deliver.Refused, "bad_request", 550},
		"no such mailbox, cc": {url, func(m *deliver.Message) { m.CC = []deliver.Address{{Address: "gone@example.com"}} }, x.roots, deliver.Refused, "bad_request", 550},
		"another's domain":    {url, func(m *deliver.Message) { m.To[0].Address = "ann@elsewhere.example" }, x.roots, deliver.Refused, "bad_request", 550},
		"too large":           {url, func(m *deliver.Message) { m.Text = strings.Repeat("Too large. ", 20_000) }, x.roots, deliver.Refused, "too_large", 552},
		"a wrong password":    {"smtp://acme:wrong@" + x.plain, nil, x.roots, deliver.Retry, "auth", 535},
		"no log-in":           {"smtp://" + x.plain, nil, x.roots, deliver.Refused, "bad_request", 550},
		"in the clear":        {"smtp://" + in + x.plain + "?tls=none", nil, x.roots, deliver.Retry, "auth", 0},
		"not to be trusted":   {"smtps://" + in + x.secure, nil, nil, deliver.Retry, "tls", 0},
		"nor where it offers": {"smtp://" + in + x.plain, nil, nil, deliver.Retry, "tls", 0},
	} {
		m := delivertest.Message("0190-refused")
		if c.spoil != nil {
			c.spoil(&m)
		}
		_, err := smtpTo(t, c.url, c.roots).Send(t.Context(), m)
		var e *deliver.Error
		if !errors.As(err, &e) || e.Verdict != c.verdict || e.Class != c.class || e.Status != c.status {
			t.Errorf("%s: %v, want %s (%s %d)", name, err, c.verdict, c.class, c.status)
		}
	}
	m := delivertest.Message("0190-last") // whatever was taken before it has arrived before it
	if _, err := smtpTo(t, url, x.roots).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if got := x.mails(t, 1)[m.To[0].Address]; mail.Header(got.Header).Get(email.HeaderDelivery) != "0190-last" {
		t.Errorf("another mail arrived: %+v", got)
	}
}
