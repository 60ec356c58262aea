package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// patience is how long another process's server may take to start or to stop.
const patience = 30 * time.Second

// claim makes this process the owner of the folder, or a guest of the live process that is.
func (s *Server) claim(ctx context.Context) error {
	file, err := os.OpenFile(filepath.Join(s.dir, "owner.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	err = eventually(ctx, func() (bool, error) {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			s.owner = file
			return true, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return false, fmt.Errorf("lock %s: %w", file.Name(), err)
		}
		pid, ready := s.pidFile()
		if ready && s.alive(pid) {
			s.pid, s.Guest = pid, true
		}
		return s.Guest, nil
	})
	if s.owner == nil {
		_ = file.Close()
	}
	if err != nil {
		return fmt.Errorf("wait for the owner of %s: %w", s.dir, err)
	}
	return nil
}

// stopOrphan ends a server whose owner is gone, and removes what a crashed one left.
func (s *Server) stopOrphan(ctx context.Context) error {
	asked := false
	err := eventually(ctx, func() (bool, error) {
		pid, _ := s.pidFile()
		if pid == 0 {
			return true, nil
		}
		if !s.alive(pid) { // crashed, a recycled pid, or a zombie that nobody reaps (containers without init)
			return true, os.Remove(filepath.Join(s.data(), "postmaster.pid"))
		}
		if !asked {
			asked = true
			_ = syscall.Kill(pid, syscall.SIGINT)
		}
		return false, nil
	})
	if err != nil {
		return fmt.Errorf("stop the PostgreSQL that was left in %s: %w", s.dir, err)
	}
	return nil
}

// pidFile reads postmaster.pid: the pid in line 1, the state in line 8.
func (s *Server) pidFile() (pid int, ready bool) {
	content, err := os.ReadFile(filepath.Join(s.data(), "postmaster.pid"))
	if err != nil {
		return 0, false
	}
	lines := strings.Split(string(content), "\n")
	pid, err = strconv.Atoi(strings.TrimSpace(lines[0]))
	if err != nil || pid <= 1 {
		return 0, false
	}
	return pid, len(lines) >= 8 && strings.TrimSpace(lines[7]) == "ready"
}

// alive tells whether pid is a PostgreSQL on our data, not a zombie and not somebody else's process by now.
func (s *Server) alive(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return false
	}
	if runtime.GOOS != "linux" {
		return true
	}
	command, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)) // empty for a zombie
	return err == nil && strings.Contains(string(command), s.data())
}

// eventually asks until done, the context's end, or the end of our patience.
func eventually(ctx context.Context, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}
