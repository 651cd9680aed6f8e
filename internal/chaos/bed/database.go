package bed

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"aftercall/internal/postgres"
)

// databaseName is the bed's database on its own server.
const databaseName = "chaos"

// Database is the bed's PostgreSQL. It keeps its data over crashes and is reached through a proxy, so that its address
// stays the same and its round trips can be made slow.
type Database struct {
	dir    string
	set    []string // further settings of the server
	user   string
	server *postgres.Server
	proxy  *proxy
}

func startDatabase(ctx context.Context, dir string, settings []string) (*Database, error) {
	d := &Database{dir: dir, set: settings, proxy: &proxy{}}
	if err := d.Start(ctx); err != nil {
		return nil, err
	}
	if err := d.server.CreateDatabase(ctx, databaseName); err != nil {
		d.stop()
		return nil, err
	}
	return d, nil
}

// Start starts the server (again) on its data, and opens the proxy.
func (d *Database) Start(ctx context.Context) (err error) {
	if d.server, err = postgres.Start(ctx, postgres.Options{Dir: d.dir, Settings: d.set}); err != nil {
		return fmt.Errorf("start the bed's database: %w", err)
	}
	u, err := url.Parse(d.server.URL(databaseName))
	if err != nil {
		return fmt.Errorf("read the database's URL: %w", err)
	}
	d.user = u.User.Username()
	d.proxy.to(filepath.Join(u.Query().Get("host"), ".s.PGSQL.5432"))
	return d.proxy.open()
}

// PID is the number of the server's first process, of which all its others are children.
func (d *Database) PID() (int, error) {
	raw, err := os.ReadFile(d.PIDFile())
	if err != nil {
		return 0, fmt.Errorf("find the server: %w", err)
	}
	first, _, _ := strings.Cut(string(raw), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		return 0, fmt.Errorf("find the server: %w", err)
	}
	return pid, nil
}

// PIDFile is the file whose first line is that number.
func (d *Database) PIDFile() string { return filepath.Join(d.dir, "data", "postmaster.pid") }

// LogPath is what the server writes to its log.
func (d *Database) LogPath() string { return filepath.Join(d.dir, "server.log") }

// Crash ends the server as `pg_ctl stop -m immediate` does: no checkpoint, clients cut off, recovery at the next start.
// From then on connections are refused.
func (d *Database) Crash() error {
	pid, err := d.PID()
	if err != nil {
		return err
	}
	d.proxy.close()
	if err := syscall.Kill(pid, syscall.SIGQUIT); err != nil {
		return fmt.Errorf("crash the server: %w", err)
	}
	<-d.server.Done()
	d.server.Stop() // clears away what the crash left
	return nil
}

// Slow delays what clients send by d, so that every round trip takes that much longer; 0 ends it.
func (d *Database) Slow(by time.Duration) { d.proxy.slow(by) }

// URL is the address of a database, through the proxy.
func (d *Database) URL(name string) string {
	return (&url.URL{
		Scheme: "postgres", User: url.User(d.user), Host: d.proxy.address(), Path: "/" + name, RawQuery: "sslmode=disable",
	}).String()
}

// Direct is the address of a database past the proxy; it changes with every start. The checker uses it.
func (d *Database) Direct(name string) string { return d.server.URL(name) }

// Create makes sure that a database exists.
func (d *Database) Create(ctx context.Context, name string) error {
	return d.server.CreateDatabase(ctx, name)
}

func (d *Database) stop() {
	d.proxy.close()
	d.server.Stop()
}

// proxy forwards TCP connections to a Unix socket.
type proxy struct {
	mu       sync.Mutex
	addr     string
	socket   string
	delay    time.Duration
	listener net.Listener
	conns    map[net.Conn]bool
}

func (p *proxy) to(socket string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.socket = socket
}

func (p *proxy) slow(by time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = by
}

func (p *proxy) address() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.addr
}

// open listens, at the same address as before if there was one.
func (p *proxy) open() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	addr := p.addr
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("listen for the database: %w", err)
	}
	p.listener, p.addr, p.conns = l, l.Addr().String(), map[net.Conn]bool{}
	go p.serve(l)
	return nil
}

// close stops listening and cuts every connection.
func (p *proxy) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listener != nil {
		_ = p.listener.Close()
		p.listener = nil
	}
	for c := range p.conns {
		_ = c.Close()
	}
}

func (p *proxy) serve(l net.Listener) {
	for {
		in, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		p.mu.Lock()
		socket := p.socket
		p.mu.Unlock()
		out, err := net.Dial("unix", socket)
		if err != nil {
			_ = in.Close()
			continue
		}
		p.track(in, out)
		go p.pump(out, in, true)
		go p.pump(in, out, false)
	}
}

func (p *proxy) track(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		p.conns[c] = true
	}
}

// pump copies one way. What clients send waits for the delay, as on a long line: pieces that come together wait together.
func (p *proxy) pump(to, from net.Conn, delayed bool) {
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if delayed {
				p.wait()
			}
			if _, werr := to.Write(buf[:n]); werr != nil {
				break
			}
		}
		if err != nil {
			break
		}
	}
	_ = to.Close()
	_ = from.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, to)
	delete(p.conns, from)
}

func (p *proxy) wait() {
	p.mu.Lock()
	d := p.delay
	p.mu.Unlock()
	if d > 0 {
		<-time.After(d)
	}
}
