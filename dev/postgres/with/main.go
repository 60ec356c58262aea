// Command with runs another command beside a throw-away PostgreSQL, named by SLIPWAY_TEST_DATABASE_URL:
//
//	go run ./dev/postgres/with go test ./...
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"slipway/dev/postgres"
)

func main() {
	code, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

// run answers the command's own exit code; what goes wrong around it is 1.
func run(command []string) (int, error) {
	if len(command) == 0 {
		return 1, errors.New("usage: with COMMAND [ARGUMENT...]")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	dir, err := postgres.Scratch("slipway-with-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	server, err := postgres.Start(ctx, postgres.Options{Dir: filepath.Join(dir, "pg"), Settings: postgres.Forgetful})
	if err != nil {
		return 1, err
	}
	defer server.Stop()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env = append(os.Environ(), postgres.TestServer+"="+server.URL("postgres", "postgres"))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() > 0 {
		return exit.ExitCode(), nil
	}
	if err != nil {
		return 1, err
	}
	return 0, nil
}
