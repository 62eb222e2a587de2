package services

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
)

// PostgresServer is a PostgreSQL server with a password that is new with each. Its databases order texts as people do
// (ICU, English), not by bytes: what relies on an order has to ask for it.
type PostgresServer struct {
	*Server
	port     int
	password string
}

// superuser of the servers here, and the account that runs them where this process is root, which PostgreSQL refuses.
const superuser = "postgres"

// Postgres returns the address (DSN) of an empty database on a server of the test's own.
func Postgres(t testing.TB) string {
	t.Helper()
	dsn, err := PostgresFor(t).Database(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return dsn
}

// PostgresFor starts a server for a test and its subtests.
func PostgresFor(t testing.TB) *PostgresServer {
	t.Helper()
	Enabled(t)
	dir, err := os.MkdirTemp("", "foodtrace-postgres-") // not t.TempDir, where only root would get in
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	s, err := StartPostgres(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// StartPostgres starts a server that keeps its data and its log in dir, which is empty. Where this process is root, dir is given to the
// account postgres, or nobody, which must be able to reach it (os.MkdirTemp, not testing's TempDir).
func StartPostgres(ctx context.Context, dir string) (*PostgresServer, error) {
	bin, err := postgresBin(ctx)
	if err != nil {
		return nil, err
	}
	as, err := account()
	if err != nil {
		return nil, err
	}
	s := &PostgresServer{password: rand.Text()}
	if s.port, err = freePort(); err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	if err := s.initialise(ctx, bin, data, as); err != nil {
		return nil, err
	}
	s.Server, err = start(ctx, program{
		name: "postgres",
		command: func() *exec.Cmd {
			cmd := exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-p", strconv.Itoa(s.port), "-c", "listen_addresses=127.0.0.1",
				"-c", "unix_socket_directories=", "-c", "shared_buffers=512MB",
				"-c", "dynamic_shared_memory_type=mmap") // in the data directory: a killed server leaves nothing elsewhere
			cmd.Dir = dir
			as.run(cmd)
			return cmd
		},
		ready: func(ctx context.Context) error { return s.exec(ctx, "SELECT 1") },
		log:   filepath.Join(dir, "postgres.log"),
		stop:  os.Interrupt, // "fast": ends sessions, then writes what is to be written
		// "immediate": a server that is killed outright would leave its sessions to work on.
		orphaned: syscall.SIGQUIT,
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// initialise makes the data directory.
func (s *PostgresServer) initialise(ctx context.Context, bin, data string, as *owner) error {
	dir := filepath.Dir(data)
	password := filepath.Join(dir, "password")
	if err := os.WriteFile(password, []byte(s.password), 0o600); err != nil {
		return fmt.Errorf("services: %w", err)
	}
	if err := as.take(dir, password); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "--pgdata="+data, "--username="+superuser, "--auth=scram-sha-256", "--pwfile="+password,
		"--encoding=UTF8", "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US", "--no-sync")
	cmd.Dir = dir
	as.run(cmd)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("services: initdb in %s: %w\n%s", dir, err, out)
	}
	return os.Remove(password)
}

// Database makes an empty database and returns its DSN.
func (s *PostgresServer) Database(ctx context.Context) (dsn string, err error) {
	name := "d" + strings.ToLower(rand.Text())
	return s.dsn(name), s.exec(ctx, "CREATE DATABASE "+name)
}

func (s *PostgresServer) dsn(database string) string {
	u := url.URL{Scheme: "postgres", User: url.UserPassword(superuser, s.password), Host: fmt.Sprintf("127.0.0.1:%d", s.port),
		Path: "/" + database, RawQuery: "sslmode=disable"}
	return u.String()
}

func (s *PostgresServer) exec(ctx context.Context, sql string) error {
	conn, err := pgx.Connect(ctx, s.dsn(superuser))
	if err != nil {
		return fmt.Errorf("services: %w", err)
	}
	_, err = conn.Exec(ctx, sql)
	return errors.Join(err, conn.Close(ctx))
}

// postgresBin is the folder with the programs of the newest PostgreSQL on the machine.
func postgresBin(ctx context.Context) (string, error) {
	dirs, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // Debian keeps several versions, none of them in the path
	slices.SortFunc(dirs, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(b, a)) })
	if out, err := exec.CommandContext(ctx, "pg_config", "--bindir").Output(); err == nil {
		dirs = append(dirs, strings.TrimSpace(string(out)))
	}
	for _, dir := range dirs {
		if _, err := os.Stat(filepath.Join(dir, "initdb")); err == nil {
			return dir, nil
		}
	}
	return "", errors.New("services: PostgreSQL is not on this machine: apt-get install postgresql (make test-all does it)")
}

// owner is the account that a server runs as, nil where that is ours.
type owner struct{ uid, gid uint32 }

// account chooses the owner.
func account() (*owner, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup(superuser)
	if err != nil {
		u, err = user.Lookup("nobody")
	}
	if err != nil {
		return nil, fmt.Errorf("services: PostgreSQL does not run as root, and there is no account to run it as: %w", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("services: account %s: %w", u.Username, err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("services: account %s: %w", u.Username, err)
	}
	return &owner{uint32(uid), uint32(gid)}, nil
}

func (o *owner) run(cmd *exec.Cmd) {
	if o != nil {
		runAs(cmd, o.uid, o.gid)
	}
}

func (o *owner) take(paths ...string) error {
	for _, path := range paths {
		if o == nil {
			return nil
		}
		if err := os.Chown(path, int(o.uid), int(o.gid)); err != nil {
			return fmt.Errorf("services: %w", err)
		}
	}
	return nil
}
