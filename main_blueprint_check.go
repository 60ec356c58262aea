package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v3"

	"slipway/models/blueprint"
	"slipway/provisioners/blueprints"
)

func blueprintCommand() *cli.Command {
	return &cli.Command{
		Name: "blueprint", Usage: "work on blueprints",
		Commands: []*cli.Command{{
			Name: "check", Usage: "check the blueprint in a folder NAME/VERSION, or all below a directory; exit code 1 when one has errors", ArgsUsage: "DIR",
			Flags: []cli.Flag{
				&cli.StringFlag{Name: "guard", Value: ".cache/cfn-guard", Usage: "folder of cfn-guard and its rules, as scripts/guard installs them"},
				&cli.StringFlag{Name: "exceptions", Usage: "file of cfn-guard's hits that do not count, like provisioners/blueprints/guard-exceptions.yaml"},
				&cli.StringFlag{Name: "record", Usage: "file to write what cfn-guard and cfn-lint said to, like provisioners/blueprints/checked.json"},
			},
			Action: checkBlueprints,
		}},
	}
}

// errChecked is the end of a check that found something: what it found is printed already.
var errChecked = errors.New("the blueprints have errors")

func checkBlueprints(ctx context.Context, cmd *cli.Command) error {
	dir := cmd.Args().First()
	if dir == "" || cmd.Args().Len() > 1 {
		return errors.New("name one folder to check")
	}
	check, err := checkup(ctx, cmd.String("guard"), cmd.String("exceptions"))
	if err != nil {
		return err
	}
	check.Record = cmd.String("record")
	folders, err := check.Dir(ctx, dir)
	if err != nil {
		return err
	}
	failed, err := tell(os.Stdout, dir, folders)
	if err != nil {
		return err
	}
	var unused error
	if check.Guard != nil && check.Exceptions != nil {
		unused = check.Exceptions.Unused()
	}
	if failed {
		return errors.Join(errChecked, unused)
	}
	return unused
}

// checkup finds the tools that are there.
func checkup(ctx context.Context, guardDir, exceptions string) (c blueprints.Checkup, err error) {
	rules, err := checker()
	if err != nil {
		return c, err
	}
	c.Options = blueprints.Options{Checker: rules, Version: build()}
	if c.Guard, err = blueprints.OpenGuard(ctx, guardDir); err != nil {
		return c, err
	}
	if c.Lint, err = blueprints.OpenLint(ctx); err != nil {
		return c, err
	}
	if exceptions == "" {
		return c, nil
	}
	text, err := readFile(exceptions, 1<<20)
	if err != nil {
		return c, fmt.Errorf("read the exceptions: %w", err)
	}
	c.Exceptions, err = blueprints.ReadExceptions(text)
	return c, err
}

// tell prints every problem as compilers do, and per version what each tool said.
func tell(w io.Writer, dir string, folders []blueprint.Folder) (failed bool, err error) {
	for _, f := range folders {
		failed = failed || blueprints.Failed(f)
		place := filepath.Join(dir, f.Name, f.Version)
		if filepath.Base(dir) == f.Version {
			place = dir
		}
		var said []string
		for _, c := range f.Checks {
			for _, p := range c.Problems {
				p.File = filepath.Join(place, p.File)
				if _, err := fmt.Fprintf(w, "%s [%s]\n", p, c.Tool); err != nil {
					return failed, err
				}
			}
			said = append(said, words(c))
		}
		if _, err := fmt.Fprintf(w, "%s %s: %s\n", f.Name, f.Version, strings.Join(said, ", ")); err != nil {
			return failed, err
		}
	}
	return failed, nil
}

func words(c blueprint.Check) string {
	out := c.Tool
	if c.Version != "" {
		out += " " + c.Version
	}
	out += " " + c.State
	if n := len(c.Accepted); n > 0 {
		out += fmt.Sprintf(" (%d accepted)", n)
	}
	return out
}
