package postgres

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is the unprivileged user that a server runs as when we are root. Nil: it runs as we do.
type account struct {
	name     string
	uid, gid uint32
}

// runAs chooses the server's user: ourselves, unless we are root; then whoever owns the cluster in dir already, else
// postgres or nobody.
func runAs(dir string) (*account, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	if dir != "" {
		info, err := os.Stat(filepath.Join(dir, "data"))
		if st, ok := statOf(info, err); ok && st.Uid != 0 {
			return &account{name: "uid " + strconv.Itoa(int(st.Uid)), uid: st.Uid, gid: st.Gid}, nil
		}
	}
	for _, name := range []string{"postgres", "_postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errU := strconv.ParseInt(u.Uid, 10, 64) // macOS writes nobody as -2
		gid, errG := strconv.ParseInt(u.Gid, 10, 64)
		if err := errors.Join(errU, errG); err != nil {
			return nil, fmt.Errorf("look up user %s: %w", name, err)
		}
		return &account{name: name, uid: uint32(uid), gid: uint32(gid)}, nil
	}
	return nil, errors.New("PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody to run it as")
}

func statOf(info fs.FileInfo, err error) (*syscall.Stat_t, bool) {
	if err != nil {
		return nil, false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return st, ok
}

// attr makes a command run as the account, in a process group of its own: a Ctrl-C in the terminal is for us, and we
// stop the server in order.
func (a *account) attr() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if a != nil {
		attr.Credential = &syscall.Credential{Uid: a.uid, Gid: a.gid}
	}
	return attr
}

// own hands a file or folder that we made to the account.
func (a *account) own(path string) error {
	if a == nil {
		return nil
	}
	if err := os.Chown(path, int(a.uid), int(a.gid)); err != nil {
		return fmt.Errorf("hand the server's folder to user %s: %w", a.name, err)
	}
	return nil
}

// reaches checks that the account can enter dir: a folder inside root's home, for one, it cannot.
func (a *account) reaches(dir string) error {
	if a == nil {
		return nil
	}
	for at := dir; ; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		st, ok := statOf(info, err)
		if !ok {
			return fmt.Errorf("check the data folder: %w", err)
		}
		if !enters(a, st.Uid, st.Gid, info.Mode()) {
			return fmt.Errorf("the data folder %s cannot be reached by user %s, which the server runs as because PostgreSQL refuses root: "+
				"choose a folder that everybody can enter (%s is closed)", dir, a.name, at)
		}
		if at == filepath.Dir(at) {
			return nil
		}
	}
}

// enters says whether a folder's mode lets the account pass.
func enters(a *account, uid, gid uint32, mode fs.FileMode) bool {
	switch {
	case uid == a.uid:
		return mode&0o100 != 0
	case gid == a.gid:
		return mode&0o010 != 0
	}
	return mode&0o001 != 0
}
