// Slipway is a self-service internal developer platform for an AWS organization. This file is its command line; what
// each command wires together is in the other main_*.go files.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/urfave/cli/v3"

	"slipway/web/config"
)

// version is stamped by the Makefile.
var version = ""

// more are the commands that only a build with the tag dev has.
var more []*cli.Command

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second signal ends the process at once
	if err := root().Run(ctx, os.Args); err != nil {
		fmt.Fprintln(os.Stderr, "slipway:", err)
		os.Exit(1)
	}
}

func root() *cli.Command {
	return &cli.Command{
		Name: "slipway", Usage: "self-service internal developer platform for AWS", Version: build(), HideVersion: true,
		Suggest: true,
		Commands: append([]*cli.Command{
			serveCommand(), migrateCommand(), auditCommand(), keysCommand(), blueprintCommand(),
			{Name: "config", Usage: "print the effective configuration, secrets masked", Action: showConfig},
			{Name: "healthcheck", Usage: "ask the server on SLIPWAY_ADDR whether it lives", Action: healthcheck,
				Flags: []cli.Flag{&cli.BoolFlag{Name: "ready", Usage: "ask whether it is ready to serve instead"}}},
			{Name: "version", Usage: "print the version", Action: func(context.Context, *cli.Command) error {
				_, err := fmt.Println(build())
				return err
			}},
		}, more...),
	}
}

func environ() map[string]string { return config.Environ(os.Environ()) }

// build is the stamped version, or what the Go toolchain knows about the checkout.
func build() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}

// showConfig prints what it could read even when something is wrong: that is when one looks.
func showConfig(context.Context, *cli.Command) error {
	c, err := config.Load(environ())
	for _, name := range config.Unknown(environ()) {
		fmt.Fprintf(os.Stderr, "%s is set, but nothing reads it.\n", name)
	}
	return errors.Join(c.Show(os.Stdout), err)
}

// healthcheck is what the image's HEALTHCHECK runs: there is no shell and no curl in it.
func healthcheck(ctx context.Context, cmd *cli.Command) error {
	c, err := config.Load(environ())
	if err != nil {
		return err
	}
	host, port, err := net.SplitHostPort(c.Server.Addr)
	if err != nil {
		return err
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	path := "/healthz"
	if cmd.Bool("ready") {
		path = "/readyz"
	}
	ctx, cancel := context.WithTimeout(ctx, 4*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+path, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", path, res.Status)
	}
	return nil
}
