// Package services starts real servers that belong to this process, for tests and for trying things out on one machine: each
// listens on a free port of the loopback address, keeps its data in a directory it is given, and ends with this process.
package services

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	// readyTimeout bounds the start of a server: PostgreSQL and MinIO need a second, on a loaded machine ten.
	readyTimeout = 60 * time.Second
	readyPoll    = 50 * time.Millisecond // what waiting for a start costs at most
	// stopTimeout is the time to end in good order. After it the server is killed.
	stopTimeout = 20 * time.Second
	logTail     = 2048 // bytes of a server's log that an error quotes
)

// Enabled skips the test unless FOODTRACE_SERVICES=1: the tests of `make test` need no server.
func Enabled(t testing.TB) {
	t.Helper()
	if os.Getenv("FOODTRACE_SERVICES") != "1" {
		t.Skip("needs real servers: make test-all runs this")
	}
}

// Server is one server process. Its methods may be called from several goroutines.
type Server struct {
	program
	mu   sync.Mutex
	cmd  *exec.Cmd     // nil: not running
	done chan struct{} // closed when cmd has ended
}

// program says how a server is started and stopped.
type program struct {
	name    string
	command func() *exec.Cmd            // a new one for each start; the same address and data each time
	ready   func(context.Context) error // nil once it answers
	log     string                      // file that gets its output
	stop    os.Signal                   // ends it in good order
	// orphaned is what it gets when this process dies, SIGKILL unless set. Linux only.
	orphaned syscall.Signal
}

func start(ctx context.Context, p program) (*Server, error) {
	s := &Server{program: p}
	if err := s.Restart(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// Restart starts a server that was killed or stopped, on its old address and data, and returns once it answers.
func (s *Server) Restart(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd != nil {
		return fmt.Errorf("services: %s is running", s.name)
	}
	out, err := os.OpenFile(s.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("services: %w", err)
	}
	defer out.Close()
	cmd := s.command()
	cmd.Stdout, cmd.Stderr = out, out
	bind(cmd, cmp.Or(s.orphaned, syscall.SIGKILL))
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("services: %s cannot be started: %w", s.name, err)
	}
	s.cmd, s.done = cmd, make(chan struct{})
	go func(done chan struct{}) {
		_ = cmd.Wait() // how it ended is in its log
		close(done)
	}(s.done)
	if err := s.await(ctx); err != nil {
		return errors.Join(err, s.end(syscall.SIGKILL))
	}
	return nil
}

func (s *Server) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	for {
		err := s.ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-s.done:
			return fmt.Errorf("services: %s ended while it started:\n%s", s.name, s.tail())
		case <-ctx.Done():
			return fmt.Errorf("services: %s does not answer: %w (%w):\n%s", s.name, err, ctx.Err(), s.tail())
		case <-time.After(readyPoll):
		}
	}
}

// Kill is kill -9 of the server and all its processes. It returns once the server is gone.
func (s *Server) Kill() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.end(syscall.SIGKILL)
}

// Stop ends the server in good order, by force after twenty seconds. One that does not run is no error.
func (s *Server) Stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.end(s.stop)
}

func (s *Server) end(sig os.Signal) error {
	if s.cmd == nil {
		return nil
	}
	defer func() { s.cmd = nil }()
	if sig == syscall.SIGKILL {
		killAll(s.cmd)
		<-s.done
		return nil
	}
	if err := s.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("services: %s cannot be stopped: %w", s.name, err)
	}
	select {
	case <-s.done:
		return nil
	case <-time.After(stopTimeout):
		killAll(s.cmd)
		<-s.done
		return fmt.Errorf("services: %s did not stop within %s and was killed", s.name, stopTimeout)
	}
}

// tail is the end of the server's log: where it says what is wrong.
func (s *Server) tail() []byte {
	text, err := os.ReadFile(s.log)
	if err != nil {
		return []byte(err.Error())
	}
	return text[max(0, len(text)-logTail):]
}

// freePort asks the kernel for a port of the loopback address.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("services: %w", err)
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}
