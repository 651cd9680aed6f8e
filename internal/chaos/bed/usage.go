package bed

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// What a process uses is read from /proc; where there is none, all of this says 0.

// Resident is the process's resident memory in bytes.
func (p *Process) Resident() int64 {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.PID()))
	if err != nil {
		return 0
	}
	var size, resident int64
	if _, err := fmt.Sscan(string(raw), &size, &resident); err != nil {
		return 0
	}
	return resident * int64(os.Getpagesize())
}

// Peak is the most resident memory the process ever had, in bytes.
func (p *Process) Peak() int64 {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID()))
	if err != nil {
		return 0
	}
	_, after, _ := strings.Cut(string(raw), "VmHWM:")
	var kb int64
	if _, err := fmt.Sscan(after, &kb); err != nil {
		return 0
	}
	return kb << 10
}

// Processor is the processor time the process has taken.
func (p *Process) Processor() time.Duration {
	_, own, _ := usage(p.PID())
	return own
}

// Processor is the processor time that the server and all its processes have taken, those that have ended among them.
func (d *Database) Processor() time.Duration {
	pid, err := d.PID()
	if err != nil {
		return 0
	}
	_, own, ended := usage(pid)
	total := own + ended
	all, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range all {
		child, err := strconv.Atoi(filepath.Base(dir))
		if err != nil {
			continue
		}
		if parent, own, _ := usage(child); parent == pid {
			total += own
		}
	}
	return total
}

// usage reads of a process: its parent, the processor time it has taken, and that of its children that have ended.
func usage(pid int) (parent int, own, ended time.Duration) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, 0
	}
	// The fields after the name, which stands in brackets, begin with the third: state, parent, … Times are the 14th to the
	// 17th, in hundredths of a second.
	text := string(raw)
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) < 15 {
		return 0, 0, 0
	}
	parent, _ = strconv.Atoi(fields[1])
	ticks := func(field string) time.Duration {
		n, _ := strconv.ParseInt(field, 10, 64)
		return time.Duration(n) * 10 * time.Millisecond
	}
	return parent, ticks(fields[11]) + ticks(fields[12]), ticks(fields[13]) + ticks(fields[14])
}
