// Package crash kills the process at named points, each once: the crash walk's way to hit every point of a run.
package crash

import (
	"bufio"
	"fmt"
	"os"
	"sync"
	"syscall"
)

// At gives the hook for the engine. The first point that is not yet a line of the file is appended and synced, then the process kills
// itself with SIGKILL; a point that is in the file does nothing.
func At(path string) (func(kind, step, point string), error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open crash log: %w", err)
	}
	seen := map[string]bool{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		seen[lines.Text()] = true
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read crash log: %w", err)
	}
	var mu sync.Mutex
	return func(kind, step, point string) {
		mu.Lock()
		defer mu.Unlock()
		name := kind + " " + step + " " + point
		if seen[name] {
			return
		}
		if _, err := file.WriteString(name + "\n"); err != nil {
			die("write crash log", err)
		}
		if err := file.Sync(); err != nil {
			die("sync crash log", err)
		}
		if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
			die("kill", err)
		}
		select {} // the signal arrives before anything else is done
	}, nil
}

// die ends the process: a walk that cannot count its points would never end.
func die(doing string, err error) {
	fmt.Fprintf(os.Stderr, "crash log: %s: %v\n", doing, err)
	os.Exit(3)
}
