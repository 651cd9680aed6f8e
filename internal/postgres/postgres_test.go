package postgres_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"aftercall/internal/postgres"
)

// holdIn makes the test binary start a server in the folder it names ("-": a temporary one), print its URL and wait to
// be killed: an owner that a test can do away with.
const holdIn = "HOLD_A_SERVER_IN"

func TestMain(m *testing.M) {
	if dir := os.Getenv(holdIn); dir != "" {
		hold(strings.TrimPrefix(dir, "-"))
	}
	os.Exit(m.Run())
}

func hold(dir string) {
	s, err := postgres.Start(context.Background(), postgres.Options{Dir: dir})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(s.URL("postgres"))
	select {}
}

func TestTemporaryServer(t *testing.T) {
	t.Parallel()
	s, err := postgres.Start(t.Context(), postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	conn := connect(t, s.URL("postgres"))

	for _, c := range []struct{ name, query, want string }{
		{"no TCP", "SHOW listen_addresses", ""},
		{"fast, as nothing is kept", "SHOW fsync", "off"},
		{"room for parallel tests", "SHOW max_connections", "200"},
		{"text is UTF-8", "SHOW server_encoding", "UTF8"},
		{"text sorts by code point", "SELECT ('B' < 'a')::text", "true"},
		{"letters beyond ASCII fold", "SELECT lower('Ä')", "ä"},
		{"times are UTC", "SHOW timezone", "UTC"},
	} {
		var got string
		if err := conn.QueryRow(t.Context(), c.query).Scan(&got); err != nil || got != c.want {
			t.Errorf("%s: %s = %q (%v), want %q", c.name, c.query, got, err, c.want)
		}
	}

	folder := socketFolder(t, s.URL("x"))
	info, err := os.Stat(folder)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o700 || info.Sys().(*syscall.Stat_t).Uid == 0 {
		t.Errorf("the socket's folder has mode %v and owner %d: somebody else can enter, or the server runs as root",
			info.Mode(), info.Sys().(*syscall.Stat_t).Uid)
	}
	if socket := filepath.Join(folder, ".s.PGSQL.5432"); len(socket) > 100 {
		t.Errorf("the socket's path has %d bytes, macOS takes 103: %s", len(socket), socket)
	}

	s.Stop()
	s.Stop() // twice does no harm
	<-s.Done()
	if _, err := os.Stat(folder); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the temporary server left its folder behind: %v", err)
	}
}

func TestLastingServerKeepsItsDataAndOneOwner(t *testing.T) {
	t.Parallel()
	dir := openFolder(t)
	s, err := postgres.Start(t.Context(), postgres.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	for range 2 { // the second finds it there
		if err := s.CreateDatabase(t.Context(), "demo"); err != nil {
			t.Fatal(err)
		}
	}
	conn := connect(t, s.URL("demo"))
	var fsync string
	if err := conn.QueryRow(t.Context(), "SHOW fsync").Scan(&fsync); err != nil || fsync != "on" {
		t.Errorf("fsync is %q (%v): a lasting server would lose data", fsync, err)
	}
	if _, err := conn.Exec(t.Context(), "CREATE TABLE kept AS SELECT 42 AS n"); err != nil {
		t.Fatal(err)
	}

	soon, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := postgres.Start(soon, postgres.Options{Dir: dir}); !errors.Is(err, postgres.ErrInUse) {
		t.Errorf("a second server on the folder: %v, want ErrInUse", err)
	}

	s.Stop()
	again, err := postgres.Start(t.Context(), postgres.Options{Dir: dir})
	if err != nil {
		t.Fatalf("start again: %v", err)
	}
	t.Cleanup(again.Stop)
	var n int
	if err := connect(t, again.URL("demo")).QueryRow(t.Context(), "SELECT n FROM kept").Scan(&n); err != nil || n != 42 {
		t.Errorf("after a restart n = %d (%v), want 42", n, err)
	}
}

// The owner is killed in the hardest way; nothing of ours runs in it any more.
func TestServerEndsWithItsOwner(t *testing.T) {
	t.Parallel()
	t.Run("temporary", func(t *testing.T) {
		t.Parallel()
		u, kill := owner(t, "-")
		conn := connect(t, u)
		kill()
		cutOff(t, conn)
		waitUntilGone(t, socketFolder(t, u))
	})
	t.Run("lasting", func(t *testing.T) {
		t.Parallel()
		dir := openFolder(t)
		u, kill := owner(t, dir)
		conn := connect(t, u)
		if _, err := conn.Exec(t.Context(), "CREATE TABLE kept ()"); err != nil {
			t.Fatal(err)
		}
		kill()
		// At once, while the first one still ends: the new one waits for the folder.
		s, err := postgres.Start(t.Context(), postgres.Options{Dir: dir})
		if err != nil {
			t.Fatalf("start after the owner's death: %v", err)
		}
		t.Cleanup(s.Stop)
		cutOff(t, conn)
		if _, err := connect(t, s.URL("postgres")).Exec(t.Context(), "SELECT FROM kept"); err != nil {
			t.Errorf("the data did not survive: %v", err)
		}
		waitUntilGone(t, socketFolder(t, u))
	})
}

// A folder whose server died with its machine has a pid file, and the number in it may belong to anybody by now.
func TestStalePidFile(t *testing.T) {
	t.Parallel()
	dir := openFolder(t)
	s, err := postgres.Start(t.Context(), postgres.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	s.Stop()
	stale := fmt.Sprintf("%d\n%s\n1700000000\n5432\n/tmp/no-such-folder\n\n  1 1\nready\n", os.Getppid(), filepath.Join(dir, "data"))
	if err := os.WriteFile(filepath.Join(dir, "data", "postmaster.pid"), []byte(stale), 0o600); err != nil {
		t.Fatal(err)
	}
	again, err := postgres.Start(t.Context(), postgres.Options{Dir: dir})
	if err != nil {
		t.Fatalf("start over a stale pid file: %v", err)
	}
	again.Stop()
}

func TestFolderOfAnotherVersionIsRefused(t *testing.T) {
	t.Parallel()
	dir := openFolder(t)
	if err := os.MkdirAll(filepath.Join(dir, "data"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "data", "PG_VERSION"), []byte("9\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := postgres.Start(t.Context(), postgres.Options{Dir: dir})
	if !errors.Is(err, postgres.ErrVersion) || !strings.Contains(err.Error(), "made by PostgreSQL 9") {
		t.Errorf("got %v, want ErrVersion naming version 9", err)
	}
}

// What fails in a statement may be somebody's words or number; the log is not the place for it.
func TestLogHoldsNoData(t *testing.T) {
	t.Parallel()
	dir := openFolder(t)
	s, err := postgres.Start(t.Context(), postgres.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	conn := connect(t, s.URL("postgres"))
	if _, err := conn.Exec(t.Context(), "CREATE TABLE people (number text UNIQUE)"); err != nil {
		t.Fatal(err)
	}
	const secret = "+447700900123"
	for range 2 { // the second violates the constraint
		_, err = conn.Exec(t.Context(), "INSERT INTO people VALUES ('"+secret+"')")
	}
	if err == nil {
		t.Fatal("the duplicate was accepted")
	}
	s.Stop()
	raw, err := os.ReadFile(filepath.Join(dir, "server.log"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(raw), "people_number_key") || strings.Contains(string(raw), secret) {
		t.Errorf("the log lacks the violation or shows the value:\n%s", raw)
	}
}

// ---- helpers ----

// openFolder is a temporary folder that an unprivileged user can reach.
func openFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// owner starts a process that holds a server, and returns the server's URL and how to kill -9 the process.
func owner(t *testing.T, dir string) (u string, kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), holdIn+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	u, err = bufio.NewReader(out).ReadString('\n')
	if err != nil || !strings.HasPrefix(u, "postgres://") {
		t.Fatalf("the owner started no server: %s (%v)", u, err)
	}
	return strings.TrimSpace(u), func() {
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
	}
}

func connect(t *testing.T, u string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), u)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// cutOff waits until the server has closed the connection.
func cutOff(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := conn.WaitForNotification(ctx); err == nil || ctx.Err() != nil {
		t.Errorf("the server outlived its owner: %v", err)
	}
}

// waitUntilGone waits until a folder that another process removes is not there.
func waitUntilGone(t *testing.T, dir string) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(time.Minute)
	for {
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			return
		}
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("%s was left behind", dir)
		}
	}
}

func socketFolder(t *testing.T, u string) string {
	t.Helper()
	parsed, err := url.Parse(u)
	if err != nil {
		t.Fatal(err)
	}
	return parsed.Query().Get("host")
}

// BenchmarkStart is what the demo and a test run pay before anything else happens.
func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		s, err := postgres.Start(b.Context(), postgres.Options{})
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		s.Stop()
		b.StartTimer()
	}
}
