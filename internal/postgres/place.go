package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// place is where a server lives on disk.
type place struct {
	bin     installation
	data    string   // the cluster
	scratch string   // the socket's folder; removed when the server ends. A temporary server has everything in it
	logs    string   // the server's log
	lock    *os.File // held by the server's own processes; nil for a temporary server
}

// patience is how long a start waits for a server whose owner has just died to finish its shutdown.
const patience = 10 * time.Second

// prepare makes the folders and, the first time, the cluster.
func prepare(ctx context.Context, o Options, who *account) (p *place, err error) {
	p = &place{}
	defer func() {
		if err != nil {
			p.abandon()
		}
	}()
	if p.scratch, err = scratch(roomy(o), who); err != nil {
		return p, err
	}
	p.data, p.logs = filepath.Join(p.scratch, "data"), filepath.Join(p.scratch, "server.log")
	if o.Dir != "" {
		if err := p.settle(ctx, o.Dir, who); err != nil {
			return p, err
		}
	}
	major, err := majorOf(p.data)
	if err != nil {
		return p, err
	}
	if p.bin, err = find(ctx, os.Getenv("PATH"), usual(), major); err != nil {
		return p, err
	}
	if major == 0 {
		err = p.initdb(ctx, who, o.hasty())
	}
	return p, err
}

// What a hasty server keeps in memory, it keeps here; macOS has no such folder, and in a container it is small.
const (
	memory = "/dev/shm"
	room   = 2 << 30 // bytes: hundreds of small databases beside each other, and the log of what was written
)

// roomy chooses where the scratch folder is made. A socket's path has about a hundred bytes on macOS, so it is not TMPDIR, which
// is long there. What needs no care is held in memory, if that has room: making and removing a database's 600 files costs a
// file system ten times as much.
func roomy(o Options) (parent string) {
	if o.hasty() && free(memory) >= room {
		return memory
	}
	return "/tmp"
}

// free says how many bytes a folder's file system has room for; 0 if there is no such folder.
func free(dir string) uint64 {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil {
		return 0
	}
	return fs.Bavail * uint64(fs.Bsize)
}

// scratch makes the folder of the socket, and of all that a temporary server has.
func scratch(parent string, who *account) (string, error) {
	dir, err := os.MkdirTemp(parent, "aftercall-pg-")
	if err != nil {
		return "", fmt.Errorf("make the socket's folder: %w", err)
	}
	if err := who.own(dir); err != nil {
		_ = os.RemoveAll(dir)
		return "", err
	}
	return dir, nil
}

// abandon takes back what was made for a server that never ran.
func (p *place) abandon() {
	if p.lock != nil {
		_ = p.lock.Close()
	}
	if p.scratch != "" {
		_ = os.RemoveAll(p.scratch)
	}
}

// settle takes a lasting folder for ourselves. The folder stays its owner's; only the cluster inside it belongs to the
// server's user.
func (p *place) settle(ctx context.Context, dir string, who *account) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("find the data folder: %w", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	if err := who.reaches(dir); err != nil {
		return err
	}
	p.data, p.logs = filepath.Join(dir, "data"), filepath.Join(dir, "server.log")
	if p.lock, err = lock(ctx, filepath.Join(dir, "lock")); err != nil {
		return fmt.Errorf("%w: %s", err, dir)
	}
	return clearStale(filepath.Join(p.data, "postmaster.pid"))
}

// lock takes the folder's lock. The server's processes inherit it, so it is free exactly when all of them are gone,
// whoever started them and whatever became of that.
func lock(ctx context.Context, path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the data folder's lock: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			_ = f.Close()
			return nil, fmt.Errorf("lock the data folder: %w", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			_ = f.Close()
			return nil, ErrInUse
		}
	}
}

// clearStale removes the pid file of a server that is gone. PostgreSQL does so itself unless another process has got
// the number meanwhile, which is usual in containers. We hold the lock, so no server of ours is alive; one started by
// hand would answer on its socket.
func clearStale(pidFile string) error {
	raw, err := os.ReadFile(pidFile)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the server's pid file: %w", err)
	}
	// pid, data folder, start time, port, socket folder, …
	if lines := strings.Split(string(raw), "\n"); len(lines) > 4 {
		conn, err := net.DialTimeout("unix", filepath.Join(lines[4], ".s.PGSQL."+lines[3]), time.Second)
		if err == nil {
			_ = conn.Close()
			return fmt.Errorf("%w: pid %s", ErrInUse, lines[0])
		}
	}
	if err := os.Remove(pidFile); err != nil {
		return fmt.Errorf("remove a stale pid file: %w", err)
	}
	return nil
}

// majorOf reads which major version made the cluster; 0 if there is none yet.
func majorOf(data string) (int, error) {
	raw, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read the data folder's version: %w", err)
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(raw)))
	if err != nil {
		return 0, fmt.Errorf("read the data folder's version: %w", err)
	}
	return major, nil
}

// initdb makes the cluster beside its place and moves it there when it is whole, so that a start that was cut short
// leaves no half of one. Text sorts by code point, so that it sorts the same on every system.
func (p *place) initdb(ctx context.Context, who *account, hasty bool) error {
	ctype := "C.UTF-8"
	if runtime.GOOS == "darwin" {
		ctype = "UTF-8"
	}
	fresh := p.data + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return fmt.Errorf("remove an unfinished data folder: %w", err)
	}
	if err := os.Mkdir(fresh, 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	if err := who.own(fresh); err != nil {
		return err
	}
	args := []string{
		"-D", fresh, "-U", superuser, "-A", "trust", "-E", "UTF8",
		"--locale=C", "--lc-ctype=" + ctype, "--no-instructions",
	}
	if hasty {
		args = append(args, "--no-sync")
	}
	cmd := exec.CommandContext(ctx, p.bin.tool("initdb"), args...)
	cmd.Dir, cmd.Env, cmd.SysProcAttr = p.scratch, environment(p.scratch), who.attr()
	if out, err := cmd.CombinedOutput(); err != nil {
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		return fmt.Errorf("make the data folder: initdb: %w: %s", err, lines[len(lines)-1])
	}
	if err := os.Rename(fresh, p.data); err != nil {
		return fmt.Errorf("put the data folder in place: %w", err)
	}
	return nil
}

// environment is what the server's programs see of ours: no PG* variable and no locale of the person who types.
func environment(home string) []string {
	env := []string{"LC_ALL=C", "HOME=" + home}
	for _, name := range []string{"PATH", "LD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}
