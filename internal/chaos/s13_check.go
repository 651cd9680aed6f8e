package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"

	"aftercall/internal/chaos/checker"
)

// place is the first line of a problem.
var place = regexp.MustCompile(`^(\S+\.hbs):(\d+):(\d+): error\[AC\d{3}\]: \S`)

// check gives the refused bodies to `aftercall check`, as the files of many accounts. (The test plan says "bad saves
// through HTTP"; authors of this product write files.)
func (f *feeding) check(ctx context.Context, t *trial) error {
	product, err := t.builder.Product(ctx)
	if err != nil {
		return err
	}
	files, err := f.writeBodies()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, product, "check", filepath.Join(f.dir, "accounts"))
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + f.dir}
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		return fmt.Errorf("run aftercall check: %w", err)
	}
	placed, outside := problems(out.Bytes(), files)
	var silent checker.Finding
	for name := range files {
		if !placed[name] {
			if silent.Count++; len(silent.IDs) < 10 {
				silent.IDs = append(silent.IDs, name)
			}
		}
	}
	t.exercised("bad files for aftercall check", len(files))
	t.equal("exit code of aftercall check", cmd.ProcessState.ExitCode(), 1)
	t.zero("bad files without a problem at line and column", silent)
	t.zero("problems at a line or column that is not there", outside)
	t.zero("crashes of aftercall check", found(bytes.Count(complaints.Bytes(), []byte("goroutine ")), ""))
	if use, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok && use.Maxrss < 1<<40 {
		mb := int(use.Maxrss >> 10) // kilobytes on Linux
		t.measured("memory of aftercall check, MB", mb, "at most 256", mb <= 256)
	}
	return nil
}

// writeBodies makes an account for each body, since check stops at three hundred problems of one, and returns the bodies'
// texts by path.
func (f *feeding) writeBodies() (map[string]string, error) {
	raw, err := os.Open(filepath.Join(f.dir, "refused"))
	if err != nil {
		return nil, fmt.Errorf("read the refused bodies: %w", err)
	}
	defer func() { _ = raw.Close() }()
	files := map[string]string{}
	lines := bufio.NewScanner(raw)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var body struct {
			Format string
			Source []byte
		}
		if err := json.Unmarshal(lines.Bytes(), &body); err != nil {
			return nil, fmt.Errorf("read the refused bodies: %w", err)
		}
		id := fmt.Sprintf("a%05d", len(files))
		dir, name := filepath.Join(f.dir, "accounts", id), "body."+map[string]string{"markdown": "md", "html": "html"}[body.Format]+".hbs"
		account := "account: " + id + "\nname: Chaos\ntimezone: Europe/London\nfrom: { email: calls@chaos.example }\nallow: { domains: [chaos.example] }\n" +
			"automations: [{ id: n, name: N, when: always, actions: [email: { to: [desk@chaos.example], subject: S, body_file: " + name + " }] }]\n"
		files[filepath.Join(dir, name)] = string(body.Source)
		err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, name), body.Source, 0o644),
			os.WriteFile(filepath.Join(dir, "account.yaml"), []byte(account), 0o644))
		if err != nil {
			return nil, fmt.Errorf("write the refused bodies: %w", err)
		}
	}
	return files, lines.Err()
}

// problems finds the files of which check's output names a problem, and the places that are not in their file.
func problems(out []byte, files map[string]string) (placed map[string]bool, outside checker.Finding) {
	placed = map[string]bool{}
	for l := range strings.Lines(string(out)) {
		m := place.FindStringSubmatch(l)
		if m == nil {
			continue
		}
		text, ok := files[m[1]]
		line, lerr := strconv.Atoi(m[2])
		col, cerr := strconv.Atoi(m[3])
		lines := strings.Split(strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n"), "\n")
		if !ok || lerr != nil || cerr != nil || line < 1 || line > len(lines) || col < 1 || col > len(lines[line-1])+1 {
			if outside.Count++; len(outside.IDs) < 10 {
				outside.IDs = append(outside.IDs, strings.TrimSpace(l))
			}
			continue
		}
		placed[m[1]] = true
	}
	return placed, outside
}
