package fabricnet

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// bind makes a process end with this one, however that ends.
func bind(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGKILL }

// commandLines returns the first argument of each process of the machine, and who has it.
func commandLines() (map[string]running, error) {
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	boot := bootTime()
	all := make(map[string]running, len(dirs))
	for _, dir := range dirs {
		line, err := os.ReadFile(filepath.Join(dir, "cmdline"))
		if err != nil || len(line) == 0 { // ended meanwhile, or of the kernel
			continue
		}
		first, _, _ := bytes.Cut(line, []byte{0})
		pid, _ := strconv.Atoi(filepath.Base(dir))
		all[string(first)] = running{pid: pid, since: boot.Add(sinceBoot(dir))}
	}
	return all, nil
}

// sinceBoot is when the process was started: field 22 of its stat, in time after boot.
func sinceBoot(dir string) time.Duration { return statTime(dir, 22) }

// processorTime is what the process has used, in its own code and in the kernel: fields 14 and 15 of its stat.
func processorTime(pid int) time.Duration {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	return statTime(dir, 14) + statTime(dir, 15)
}

// statTime is a field of a process's stat (proc(5)) that counts hundredths of a second, 0 when the process has ended.
func statTime(dir string, field int) time.Duration {
	stat, _ := os.ReadFile(filepath.Join(dir, "stat"))
	_, rest, _ := strings.Cut(string(stat), ") ") // field 2, a name in parentheses, may hold blanks
	fields := strings.Fields(rest)
	if len(fields) <= field-3 {
		return 0
	}
	ticks, _ := strconv.ParseInt(fields[field-3], 10, 64)
	return time.Duration(ticks) * 10 * time.Millisecond
}

func bootTime() time.Time {
	stat, _ := os.ReadFile("/proc/stat")
	_, rest, _ := strings.Cut(string(stat), "\nbtime ")
	seconds, _, _ := strings.Cut(rest, "\n")
	s, _ := strconv.ParseInt(seconds, 10, 64)
	return time.Unix(s, 0)
}

// localPorts returns the local TCP ports (IPv4) of a process's connections.
func localPorts(pid int) (map[int]bool, error) {
	proc := filepath.Join("/proc", strconv.Itoa(pid))
	files, err := os.ReadDir(filepath.Join(proc, "fd"))
	if err != nil {
		return nil, err
	}
	sockets := map[string]bool{}
	for _, f := range files {
		link, _ := os.Readlink(filepath.Join(proc, "fd", f.Name()))
		if inode, ok := strings.CutPrefix(link, "socket:["); ok {
			sockets[strings.TrimSuffix(inode, "]")] = true
		}
	}
	table, err := os.ReadFile(filepath.Join(proc, "net", "tcp"))
	if err != nil {
		return nil, err
	}
	ports := map[int]bool{}
	for line := range strings.Lines(string(table)) {
		f := strings.Fields(line) // slot, local address, remote address, …, inode (proc_net_tcp)
		if len(f) < 10 || !sockets[f[9]] {
			continue
		}
		_, hex, _ := strings.Cut(f[1], ":")
		port, err := strconv.ParseInt(hex, 16, 32)
		if err != nil {
			return nil, err
		}
		ports[int(port)] = true
	}
	return ports, nil
}
