// Package crash ends the process at named points, so that a test can walk through every place where a crash matters.
package crash

import (
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
)

// At returns the engine's crash hook. At the first point that is not yet a line of the file it appends that line, syncs
// it, and kills the process as the kernel would: no deferred call runs. Each point is so hit once, over all restarts.
// Only work of the kinds is killed, of every kind when there are none: where two kinds go on side by side, a death of one
// takes the other with it between its commit and the point that follows, which then never comes again.
func At(file string, kinds []string, log *slog.Logger) func(kind, step, point string) {
	var mu sync.Mutex
	return func(kind, step, point string) {
		if len(kinds) > 0 && !slices.Contains(kinds, kind) {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		first, err := note(file, strings.Join([]string{kind, step, point}, " "))
		if err != nil {
			log.Error("crash log", "err", err)
		}
		if first {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // the signal is on its way; nothing may happen in between
		}
	}
}

// note adds the line unless it is there, and tells whether it did. The file's lock makes two replicas share one walk.
func note(file, line string) (first bool, err error) {
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return false, err
	}
	defer f.Close()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return false, fmt.Errorf("lock %s: %w", file, err)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return false, err
	}
	if slices.Contains(strings.Split(string(content), "\n"), line) {
		return false, nil
	}
	if _, err := fmt.Fprintln(f, line); err != nil {
		return false, err
	}
	return true, f.Sync()
}
