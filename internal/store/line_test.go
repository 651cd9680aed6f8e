package store_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"aftercall/internal/postgres/pgtest"
	"aftercall/internal/store"
)

// line is a telephone line to the database that can be cut: all of it, or just before the answer to a commit. It can also
// go silent, as one does whose other end has lost its power.
type line struct {
	network, address string
	direct           string // the database's URL without the line
	mu               sync.Mutex
	down             bool
	swallow          bool // the answer to the next commit is lost, with its connection
	silent           bool // what is said is not heard
	open             map[net.Conn]bool
}

// openBehind opens a house whose store speaks with the database through a line.
func openBehind(t *testing.T) (*house, *line) {
	t.Helper()
	direct := pgtest.New(t)
	c, err := pgx.ParseConfig(direct)
	if err != nil {
		t.Fatal(err)
	}
	l := &line{network: "tcp", direct: direct, address: net.JoinHostPort(c.Host, fmt.Sprint(c.Port)), open: map[net.Conn]bool{}}
	if filepath.IsAbs(c.Host) {
		l.network, l.address = "unix", filepath.Join(c.Host, fmt.Sprintf(".s.PGSQL.%d", c.Port))
	}
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close(); l.cut() })
	go func() {
		for {
			conn, err := socket.Accept()
			if err != nil {
				return
			}
			go l.carry(conn)
		}
	}()
	u := url.URL{Scheme: "postgres", User: url.UserPassword(c.User, c.Password), Host: socket.Addr().String(), Path: c.Database,
		RawQuery: "sslmode=disable"}
	return openAt(t, u.String(), store.Options{Ingest: 1}), l
}

func (l *line) carry(client net.Conn) {
	defer func() { _ = client.Close() }()
	server, err := net.Dial(l.network, l.address)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	l.mu.Lock()
	if l.down {
		l.mu.Unlock()
		return
	}
	l.open[client], l.open[server] = true, true
	l.mu.Unlock()
	go func() {
		_, _ = io.Copy(client, server)
		_ = client.Close()
	}()
	buffer := make([]byte, 1<<16)
	for {
		n, err := client.Read(buffer)
		if err != nil {
			return
		}
		l.mu.Lock()
		lose := l.swallow && bytes.Contains(buffer[:n], []byte("commit\x00"))
		if lose {
			l.swallow = false
		}
		silent := l.silent
		l.mu.Unlock()
		if silent {
			continue
		}
		if lose {
			_ = client.Close() // before the server can answer
		}
		if _, err := server.Write(buffer[:n]); err != nil {
			return
		}
		if lose {
			_, _ = io.Copy(io.Discard, server) // until the server has done it and seen the end
			return
		}
	}
}

func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = true
	for c := range l.open {
		_ = c.Close()
	}
	clear(l.open)
}

func (l *line) mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = false
}

func (l *line) silence(is bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.silent = is
}

func (l *line) loseNextCommit() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.swallow = true
}
