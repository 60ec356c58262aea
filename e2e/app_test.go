// Package e2e drives the built program in a real browser, as a person would.
package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// app is one running `slipway dev` on ports and data of its own.
type app struct {
	url  string // public address
	sim  string // the simulator's own listener
	data string
	// blueprints is the platform team's folder of golden paths; empty at first.
	blueprints string
	env        []string
	cmd        *exec.Cmd
	log        *syncBuffer
	done       chan error
}

// syncBuffer keeps what the program logs; the program writes while a test reads.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

var shared struct {
	once sync.Once
	app  *app
	err  error
}

// sharedApp is the one program that tests which break nothing share; TestMain ends it.
func sharedApp(t *testing.T) *app {
	t.Helper()
	shared.once.Do(func() { shared.app, shared.err = launch("") })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.app
}

// ownApp starts a program for one test alone, on data of its own.
func ownApp(t *testing.T, env ...string) *app {
	t.Helper()
	a, err := launch("", env...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		a.stop()
		if t.Failed() {
			t.Logf("log of the program:\n%s", tail(a.log.String(), 60))
		}
	})
	return a
}

// launch starts the program and waits until it is ready. An empty data folder is made and removed with the app.
func launch(data string, env ...string) (*app, error) {
	bin, err := binary()
	if err != nil {
		return nil, err
	}
	if data == "" {
		if data, err = os.MkdirTemp("", "sw"); err != nil {
			return nil, err
		}
		if err := os.Chmod(data, 0o755); err != nil {
			return nil, err
		}
	}
	ports, err := freePorts(3)
	if err != nil {
		return nil, err
	}
	a := &app{url: "http://localhost:" + ports[0], sim: "http://127.0.0.1:" + ports[1], data: data, blueprints: filepath.Join(data, "blueprints"), log: &syncBuffer{}}
	if err := os.MkdirAll(a.blueprints, 0o755); err != nil {
		return nil, err
	}
	a.env = append(append(os.Environ(), "SLIPWAY_ADDR=127.0.0.1:"+ports[0], "SLIPWAY_PUBLIC_URL="+a.url, "SLIPWAY_SIM_ADDR=127.0.0.1:"+ports[1],
		"SLIPWAY_OPS_ADDR=127.0.0.1:"+ports[2], "SLIPWAY_DATA_DIR="+filepath.Join(data, "d"), "SLIPWAY_BLUEPRINTS_DIR="+a.blueprints,
		"SLIPWAY_SIM_SPEED=200", "SLIPWAY_PACE=0.02"), env...)
	if err := a.start(bin); err != nil {
		return nil, err
	}
	return a, nil
}

func (a *app) start(bin string) error {
	a.cmd = exec.Command(bin, "dev")
	a.cmd.Env, a.cmd.Stdout, a.cmd.Stderr = a.env, a.log, a.log
	a.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := a.cmd.Start(); err != nil {
		return fmt.Errorf("start slipway dev: %w", err)
	}
	a.done = make(chan error, 1)
	go func() { a.done <- a.cmd.Wait() }()
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if ready(ctx, a.url) {
			return nil
		}
		select {
		case err := <-a.done:
			return fmt.Errorf("slipway dev ended before it was ready: %v\n%s", err, tail(a.log.String(), 40))
		case <-ctx.Done():
			a.stop()
			return fmt.Errorf("slipway dev was not ready in time\n%s", tail(a.log.String(), 40))
		case <-tick.C:
		}
	}
}

// stop asks for an orderly end and waits for it; the data folder goes with it.
func (a *app) stop() {
	if a.cmd.ProcessState == nil {
		_ = a.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-a.done:
		case <-time.After(45 * time.Second):
			_ = a.cmd.Process.Kill()
			<-a.done
		}
	}
	_ = os.RemoveAll(a.data)
}

// kill ends the program as a power cut would.
func (a *app) kill() {
	_ = a.cmd.Process.Kill()
	<-a.done
}

func ready(ctx context.Context, url string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/readyz", nil)
	if err != nil {
		return false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_, _ = io.Copy(io.Discard, res.Body)
	return res.Body.Close() == nil && res.StatusCode == http.StatusOK
}

var built struct {
	once sync.Once
	path string
	err  error
}

// binary builds the program once, with the tag dev, or takes the one that SLIPWAY_TEST_BINARY names.
func binary() (string, error) {
	built.once.Do(func() {
		if built.path = os.Getenv("SLIPWAY_TEST_BINARY"); built.path != "" {
			return
		}
		dir, err := os.MkdirTemp("", "slipway-bin")
		if err != nil {
			built.err = err
			return
		}
		built.path = filepath.Join(dir, "slipway")
		out, err := exec.Command("go", "build", "-tags", "dev", "-o", built.path, "slipway").CombinedOutput()
		if err != nil {
			built.err = fmt.Errorf("build slipway: %w\n%s", err, out)
		}
	})
	return built.path, built.err
}

func freePorts(n int) ([]string, error) {
	var ports []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		ports = append(ports, fmt.Sprint(l.Addr().(*net.TCPAddr).Port))
	}
	return ports, nil
}

func tail(s string, lines int) string {
	l := strings.Split(strings.TrimRight(s, "\n"), "\n")
	if len(l) > lines {
		l = l[len(l)-lines:]
	}
	return strings.Join(l, "\n")
}
