package postgres

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// A server must end when its owner ends, and an owner that dies of kill -9 can do nothing about it. So a small shell
// starts the server and waits at a pipe whose other end only the owner holds. The kernel closes that end when the owner
// is gone, for whatever reason; the shell then ends the server and removes the scratch folder. This works alike on Linux
// and macOS. Linux's own parent-death signal does not: it is tied to the thread that started the child, not the process.
//
// A second pipe goes the other way: the server's processes hold one end for as long as any of them lives, so its end
// tells the owner that the server is gone. Descriptor 4, if there, is the lock of the data folder; nobody uses it, it
// only has to stay open.
const script = `
signal=$1 scratch=$2
shift 2
"$@" &
server=$!
exec 3>&-
read -r _
kill -s "$signal" "$server"
wait "$server"
rm -rf -- "$scratch"
`

// stopTimeout is how long an orderly end may take before the server is killed.
const stopTimeout = 30 * time.Second

// keeper is the shell that holds a server, seen from the owner.
type keeper struct {
	cmd     *exec.Cmd
	scratch string
	leash   *os.File      // closing it ends the server
	ended   chan struct{} // closed when the server has ended
	reaped  chan struct{} // closed when the shell has ended and the scratch folder is gone
	stopped sync.Once
	err     error
}

// keep starts the server's keeper.
func keep(p *place, who *account, args []string) (*keeper, error) {
	logs, err := os.OpenFile(p.logs, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the server's log: %w", err)
	}
	defer func() { _ = logs.Close() }()
	heldHere, leash, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("make a pipe: %w", err)
	}
	defer func() { _ = heldHere.Close() }()
	life, lifeThere, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make a pipe: %w", err), leash.Close())
	}
	defer func() { _ = lifeThere.Close() }()

	signal := "QUIT" // at once: what is removed needs no checkpoint
	if p.lock != nil {
		signal = "INT" // in order
	}
	cmd := exec.Command("/bin/sh", append([]string{"-c", script, "sh", signal, p.scratch, p.bin.tool("postgres")}, args...)...)
	cmd.Dir, cmd.Env, cmd.SysProcAttr = p.scratch, environment(p.scratch), who.attr()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = heldHere, logs, logs
	cmd.ExtraFiles = []*os.File{lifeThere}
	if p.lock != nil {
		cmd.ExtraFiles = append(cmd.ExtraFiles, p.lock)
	}
	if err := cmd.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start its keeper: %w", err), leash.Close(), life.Close())
	}
	if p.lock != nil {
		_ = p.lock.Close() // the server has it now
	}
	k := &keeper{cmd: cmd, scratch: p.scratch, leash: leash, ended: make(chan struct{}), reaped: make(chan struct{})}
	go k.watch(life)
	go k.reap()
	return k, nil
}

// watch waits for the end of the server. It also keeps the leash from being collected as garbage, which would end the
// server of an owner who only kept its URL.
func (k *keeper) watch(life *os.File) {
	_, _ = life.Read(make([]byte, 1)) // nothing is ever written: it returns at the end
	_ = life.Close()
	close(k.ended)
}

// reap waits for the shell. It goes after the server; if it went before, somebody killed it, and we end the server in
// its place: the shell leads a process group in which the server is.
func (k *keeper) reap() {
	defer close(k.reaped)
	_ = k.cmd.Wait() // its exit status is the server's; the log says more
	select {
	case <-k.ended:
	case <-time.After(time.Second):
		_ = syscall.Kill(-k.cmd.Process.Pid, syscall.SIGQUIT)
	}
	_ = os.RemoveAll(k.scratch) // gone already, unless the shell was killed
}

// stop ends the server and waits until it is gone and its scratch folder with it.
func (k *keeper) stop() error {
	k.stopped.Do(func() {
		_ = k.leash.Close()
		select {
		case <-k.ended:
		case <-time.After(stopTimeout):
			k.err = fmt.Errorf("it did not end within %s and was killed", stopTimeout)
			_ = syscall.Kill(-k.cmd.Process.Pid, syscall.SIGKILL)
		}
		<-k.reaped
	})
	return k.err
}
