// Package postgres supervises a private PostgreSQL for development and tests: no TCP port, one unix socket in a folder
// that nobody else may enter, and no server left behind when its parent is killed.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// maxSocketPath is what macOS allows in sockaddr_un; Linux allows four more.
const maxSocketPath = 103

// Options say where a server lives and how it differs from PostgreSQL's defaults.
type Options struct {
	Dir      string   // the server's own folder: data, socket, log
	Bin      string   // folder of initdb and postgres; empty: Find
	Settings []string // name=value, as for postgres -c
}

// Server is a running PostgreSQL.
type Server struct {
	Guest bool // another live process owns the server; Stop leaves it alone
	dir   string
	owner *os.File // held by flock as long as this process owns the server; the kernel frees it on kill -9
	pid   int
	done  chan error
}

// Start runs the server in o.Dir, making its data at first. When another live process owns that folder it is used as a
// guest. A server whose owner was killed is stopped first: on Linux it is on its way out anyway.
func Start(ctx context.Context, o Options) (*Server, error) {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	who, err := account()
	if err != nil {
		return nil, err
	}
	if err := prepareFolder(dir, who); err != nil {
		return nil, err
	}
	s := &Server{dir: dir}
	if err := s.claim(ctx); err != nil || s.Guest {
		return s, err
	}
	if err := s.start(ctx, o, who); err != nil {
		_ = s.owner.Close()
		return nil, err
	}
	return s, nil
}

// start makes the data if there is none, then runs the server and waits until it takes connections.
func (s *Server) start(ctx context.Context, o Options, who *syscall.Credential) error {
	if err := s.stopOrphan(ctx); err != nil {
		return err
	}
	bin := o.Bin
	if bin == "" {
		var err error
		if bin, err = find(madeBy(s.data())); err != nil {
			return err
		}
	}
	if err := s.initialise(ctx, bin, who); err != nil {
		return err
	}
	return s.run(ctx, bin, who, o.Settings)
}

// URL is the connection string of a role and a database on this server.
func (s *Server) URL(role, database string) string { return SocketURL(s.dir, role, database) }

// SocketURL is a connection string through the socket in dir.
func SocketURL(dir, role, database string) string {
	u := url.URL{Scheme: "postgres", User: url.User(role), Path: "/" + database, RawQuery: url.Values{"host": {dir}, "sslmode": {"disable"}}.Encode()}
	return u.String()
}

// Stop shuts the server down: politely for 15 s, then at once. Connections are cut, data is safe either way.
func (s *Server) Stop() error {
	if s.Guest {
		return nil
	}
	defer s.owner.Close()
	_ = syscall.Kill(s.pid, syscall.SIGINT)
	select {
	case err := <-s.done:
		return exitError(err)
	case <-time.After(15 * time.Second):
		_ = syscall.Kill(s.pid, syscall.SIGQUIT)
		return exitError(<-s.done)
	}
}

func exitError(err error) error {
	if err != nil {
		return fmt.Errorf("stop PostgreSQL: %w", err)
	}
	return nil
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// environment is what PostgreSQL's programs see: nothing of ours, above all no secrets and no PG* variables.
func environment() []string { return []string{"LC_ALL=C", "TZ=UTC", "PATH=" + os.Getenv("PATH")} }

func (s *Server) initialise(ctx context.Context, bin string, who *syscall.Credential) error {
	if madeBy(s.data()) != 0 {
		return matching(bin, s.data())
	}
	unfinished := s.data() + ".tmp" // a killed initdb never becomes data
	if err := os.RemoveAll(unfinished); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", unfinished, "-U", superuser, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions")
	cmd.SysProcAttr, cmd.Env, cmd.Dir = &syscall.SysProcAttr{Setsid: true, Credential: who}, environment(), s.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("make the database files in %s: %w\n%s", s.dir, err, out)
	}
	return os.Rename(unfinished, s.data())
}

func (s *Server) run(ctx context.Context, bin string, who *syscall.Credential, settings []string) error {
	log, err := os.Create(filepath.Join(s.dir, "postgres.log"))
	if err != nil {
		return err
	}
	defer log.Close()
	args := []string{"-D", s.data(), "-k", s.dir, "-c", "listen_addresses=", "-c", "unix_socket_permissions=0700"}
	for _, setting := range settings {
		args = append(args, "-c", setting)
	}
	cmd := exec.Command(filepath.Join(bin, "postgres"), args...)
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = environment(), s.dir, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: who} // own session: Ctrl-C must not reach it before we drained
	dieWithParent(cmd.SysProcAttr)
	if err := s.launch(cmd); err != nil {
		return fmt.Errorf("start PostgreSQL: %w", err)
	}
	tick := time.NewTicker(3 * time.Millisecond)
	defer tick.Stop()
	for {
		if pid, ready := s.pidFile(); ready && pid == s.pid {
			return nil
		}
		select {
		case err := <-s.done:
			said, _ := os.ReadFile(log.Name())
			return fmt.Errorf("PostgreSQL ended at once (%v): %s", err, strings.TrimSpace(string(said)))
		case <-ctx.Done():
			_ = syscall.Kill(s.pid, syscall.SIGINT)
			return errors.Join(ctx.Err(), <-s.done)
		case <-tick.C:
		}
	}
}

// launch forks from a thread that lives as long as the child: the kernel sends the death signal when that thread ends.
func (s *Server) launch(cmd *exec.Cmd) error {
	started := make(chan error, 1)
	s.done = make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			s.done <- cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return err
	}
	s.pid = cmd.Process.Pid
	return nil
}
