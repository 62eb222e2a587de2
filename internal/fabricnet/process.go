package fabricnet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// process is one program of the network.
type process struct {
	name    string // as Names lists it
	id      string // as its command line has it: the name, and for a chaincode service the sequence that it serves
	program string // path of the executable
	args    []string
	env     []string
	dir     string // it runs there
	address string // it listens there
}

// running is a process of the network that was found on this machine.
type running struct {
	pid   int
	since time.Time
}

const (
	// A node answers some hundred milliseconds after its start; one that has much to replay, or a loaded machine, takes longer.
	readyTimeout = 2 * time.Minute
	poll         = 20 * time.Millisecond
	stopTimeout  = 20 * time.Second // after it, a process is killed
	// releaseTimeout is for the kernel to close what a process had open.
	releaseTimeout = 5 * time.Second
	logTail        = 3000 // bytes of a log that an error quotes
)

// titles is how the first argument of each process's command line begins; the process's ID follows. So a process is known by
// what it is: no file with a number in it can be stale or point to a stranger.
func (n *Network) titles() string {
	return "foodtrace-network:" + strings.ReplaceAll(n.dir, " ", "%20") + ":"
}

// find returns the network's processes that run, by ID.
func (n *Network) find() (map[string]running, error) {
	all, err := commandLines()
	if err != nil {
		return nil, fmt.Errorf("fabricnet: looking for processes: %w", err)
	}
	found := map[string]running{}
	for line, r := range all {
		if id, ours := strings.CutPrefix(line, n.titles()); ours {
			found[id] = r
		}
	}
	return found, nil
}

// Names returns the names of the network's processes, in the order in which they are started.
func (n *Network) Names() []string {
	var names []string
	for _, p := range n.processes() {
		names = append(names, p.name)
	}
	return names
}

// Start starts the named process, which must not run, and returns once it listens.
func (n *Network) Start(ctx context.Context, name string) error {
	p, err := n.process(name)
	if err != nil {
		return err
	}
	return n.start(ctx, p)
}

func (n *Network) process(name string) (process, error) {
	for _, p := range n.processes() {
		if p.name == name {
			return p, nil
		}
	}
	return process{}, fmt.Errorf("fabricnet: there is no process %q, only %s", name, strings.Join(n.Names(), ", "))
}

func (n *Network) start(ctx context.Context, p process) error {
	if err := p.awaitAddress(); err != nil {
		return err
	}
	ended, err := n.spawn(p)
	if err != nil {
		return err
	}
	return n.await(ctx, p, ended)
}

// awaitAddress waits until nobody listens where the process will: one that ended a moment before may still, although it is
// no longer found.
func (p process) awaitAddress() error {
	for end := time.Now().Add(releaseTimeout); ; time.Sleep(poll) {
		l, err := net.Listen("tcp", p.address)
		if err == nil {
			return l.Close()
		}
		if time.Now().After(end) {
			return fmt.Errorf("fabricnet: another program listens on %s, the address of %s: %w", p.address, p.name, err)
		}
	}
}

// spawn starts a process. What it returns is closed when the process has ended.
func (n *Network) spawn(p process) (ended <-chan struct{}, err error) {
	log, err := os.OpenFile(n.log(p.name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("fabricnet: %w", err)
	}
	cmd := exec.Command(p.program, p.args...)
	cmd.Args[0] = n.titles() + p.id
	cmd.Dir, cmd.Stdout, cmd.Stderr = p.dir, log, log
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "TMPDIR=" + n.path("tmp")}, p.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // Ctrl-C at the terminal is for the command, not for the network
	if !n.options.Detach {
		bind(cmd.SysProcAttr)
	}
	started, done := make(chan error), make(chan struct{})
	go func() {
		defer close(done)
		defer log.Close()
		runtime.LockOSThread() // what is bound to this process is bound to the thread that started it: that must last as long
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // it may end before this process does; how it ended is in its log
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("fabricnet: %s cannot be started: %w", p.name, err)
	}
	return done, nil
}

// await returns once a process that was spawned listens.
func (n *Network) await(ctx context.Context, p process, ended <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	for {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", p.address)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-ended:
			return fmt.Errorf("fabricnet: %s ended while it started; the end of %s:\n%s", p.name, n.log(p.name), n.tail(p.name))
		case <-ctx.Done():
			return fmt.Errorf("fabricnet: %s does not listen on %s: %w; the end of %s:\n%s", p.name, p.address, err, n.log(p.name), n.tail(p.name))
		case <-time.After(poll):
		}
	}
}

func (n *Network) log(name string) string { return n.path("log", name+".log") }

func (n *Network) tail(name string) []byte {
	data, err := os.ReadFile(n.log(name))
	if err != nil {
		return []byte(err.Error())
	}
	return data[max(0, len(data)-logTail):]
}

// Kill is kill -9 of a process. It returns once the process is gone; one that does not run is an error.
func (n *Network) Kill(name string) error {
	p, err := n.process(name)
	if err != nil {
		return err
	}
	found, err := n.find()
	if err != nil {
		return err
	}
	r, ok := found[p.id]
	if !ok {
		return fmt.Errorf("fabricnet: %s does not run", name)
	}
	if err := syscall.Kill(r.pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("fabricnet: %s: %w", name, err)
	}
	return n.gone(p.id)
}

// stop ends processes, by ID, in good order, or by force when they take too long; all of the network's when none is named.
func (n *Network) stop(ids ...string) error {
	if err := n.signal(syscall.SIGTERM, ids); err == nil {
		return nil
	}
	return n.signal(syscall.SIGKILL, ids)
}

func (n *Network) signal(sig syscall.Signal, ids []string) error {
	found, err := n.find()
	if err != nil {
		return err
	}
	for id, r := range found {
		if len(ids) == 0 || slices.Contains(ids, id) {
			_ = syscall.Kill(r.pid, sig) // gone already is what we want
		}
	}
	return n.gone(ids...)
}

// gone waits until none of the processes runs; none of all when none is named.
func (n *Network) gone(ids ...string) error {
	for end := time.Now().Add(stopTimeout); ; time.Sleep(poll) {
		found, err := n.find()
		if err != nil {
			return err
		}
		var left []string
		for id, r := range found {
			if len(ids) == 0 || slices.Contains(ids, id) {
				left = append(left, fmt.Sprintf("%s (%d)", id, r.pid))
			}
		}
		if len(left) == 0 {
			return nil
		}
		if time.Now().After(end) {
			slices.Sort(left)
			return fmt.Errorf("fabricnet: still there after %v: %s", stopTimeout, strings.Join(left, ", "))
		}
	}
}
