package bed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Process is a running program of the bed: the product, or the fake providers.
type Process struct {
	Name    string
	LogPath string // what it writes to standard output and error
	Started time.Time
	// WorkerID is the id under which it holds claims, once it works.
	WorkerID string
	cmd      *exec.Cmd
	leash    io.Closer // standard input; the fake ends when it closes
	ended    chan struct{}
	once     sync.Once
	state    *os.ProcessState
}

// start runs a program. Its output goes to a file, which outlives it.
func start(name, logPath string, env []string, binary string, args ...string) (*Process, error) {
	log, err := os.OpenFile(logPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the log of %s: %w", name, err)
	}
	defer func() { _ = log.Close() }()
	cmd := exec.Command(binary, args...)
	cmd.Env, cmd.Stdout, cmd.Stderr = env, log, log
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p := &Process{Name: name, LogPath: logPath, Started: time.Now(), cmd: cmd, leash: in, ended: make(chan struct{})}
	go func() {
		_ = cmd.Wait()
		p.state = cmd.ProcessState
		close(p.ended)
	}()
	return p, nil
}

// PID is the process's number.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Ended is closed when the process is gone.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Alive reports whether the process still runs (or is frozen).
func (p *Process) Alive() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// Kill is kill -9, and waits for the end.
func (p *Process) Kill() {
	_ = p.cmd.Process.Signal(syscall.SIGKILL)
	<-p.ended
}

// Dump ends the process by SIGQUIT: the runtime prints the stacks of all goroutines into the log, as a crash does.
func (p *Process) Dump() {
	_ = p.cmd.Process.Signal(syscall.SIGQUIT)
	<-p.ended
}

// Pages waits until the process serves pages, and returns their base URL.
func (p *Process) Pages(ctx context.Context) (string, error) {
	rest, err := p.await(ctx, `"msg":"listening","for":"pages","address":"`, time.Minute)
	addr, _, _ := strings.Cut(rest, `"`)
	return "http://" + addr, err
}

// Metrics waits until the process can be watched, and returns the base URL at which it can be: it needs
// AFTERCALL_METRICS_LISTEN in its environment.
func (p *Process) Metrics(ctx context.Context) (string, error) {
	rest, err := p.await(ctx, `"msg":"listening","for":"metrics","address":"`, time.Minute)
	addr, _, _ := strings.Cut(rest, `"`)
	return "http://" + addr, err
}

// Serving are the processes of the product that run now.
func (b *Bed) Serving() (alive []*Process) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.processes {
		if strings.HasPrefix(p.Name, "serve-") && p.Alive() {
			alive = append(alive, p)
		}
	}
	return alive
}

// Freeze is SIGSTOP, Thaw is SIGCONT.
func (p *Process) Freeze() { _ = p.cmd.Process.Signal(syscall.SIGSTOP) }

// Thaw lets a frozen process go on.
func (p *Process) Thaw() { _ = p.cmd.Process.Signal(syscall.SIGCONT) }

// Terminate sends SIGTERM and returns the exit code and how long it took; killed and -1 after most.
func (p *Process) Terminate(most time.Duration) (code int, took time.Duration) {
	began := time.Now()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
		return p.ExitCode(), time.Since(began)
	case <-time.After(most):
		p.Kill()
		return -1, time.Since(began)
	}
}

// ExitCode is the exit code of an ended process; -1 if a signal ended it.
func (p *Process) ExitCode() int {
	<-p.ended
	return p.state.ExitCode()
}

// await returns the rest of the first log line that contains mark.
func (p *Process) await(ctx context.Context, mark string, most time.Duration) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		raw, err := os.ReadFile(p.LogPath)
		if err != nil {
			return "", fmt.Errorf("read the log of %s: %w", p.Name, err)
		}
		if _, after, ok := bytes.Cut(raw, []byte(mark)); ok {
			if rest, _, whole := strings.Cut(string(after), "\n"); whole {
				return rest, nil
			}
		}
		select {
		case <-tick.C:
		case <-p.ended:
			return "", fmt.Errorf("%s ended at once: %s", p.Name, lastLines(raw))
		case <-ctx.Done():
			return "", fmt.Errorf("%s did not say %q in %s: %s", p.Name, mark, most, lastLines(raw))
		}
	}
}

func lastLines(raw []byte) string {
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], "\n")
}

// stop ends the process if it still runs: in order if it listens to that, else by force.
func (p *Process) stop() {
	p.once.Do(func() {
		p.Thaw()
		_ = p.leash.Close()
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-p.ended:
		case <-time.After(5 * time.Second):
			p.Kill()
		}
	})
}

// Run runs the product's binary to its end and returns what it printed and its exit code.
func (b *Bed) Run(ctx context.Context, args ...string) (out string, code int, err error) {
	return b.RunWith(ctx, nil, args...)
}

// RunWith does so with more in its environment.
func (b *Bed) RunWith(ctx context.Context, env []string, args ...string) (out string, code int, err error) {
	cmd := exec.CommandContext(ctx, b.Binary, args...)
	cmd.Env = append(b.Environment(), env...)
	raw, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return string(raw), exit.ExitCode(), nil
	}
	if err != nil {
		return string(raw), -1, fmt.Errorf("run aftercall %s: %w", strings.Join(args, " "), err)
	}
	return string(raw), 0, nil
}

// StopServing ends every process of the product in order, at once. The fake providers go on.
func (b *Bed) StopServing() {
	b.mu.Lock()
	all := slices.Clone(b.processes)
	b.mu.Unlock()
	var done sync.WaitGroup
	for _, p := range all {
		if strings.HasPrefix(p.Name, "serve-") {
			done.Go(p.stop)
		}
	}
	done.Wait()
}
