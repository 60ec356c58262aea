package blueprints

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"

	"slipway/models/blueprint"
)

// Lint runs the cfn-lint that is on the PATH.
type Lint struct{ binary, version string }

// OpenLint looks for cfn-lint; nil when it is not there.
func OpenLint(ctx context.Context) (*Lint, error) {
	binary, err := exec.LookPath("cfn-lint")
	if err != nil {
		return nil, nil // it is an extra, and "not run" is what the page says
	}
	said, err := run(ctx, nil, binary, "--version")
	if err != nil {
		return nil, err
	}
	return &Lint{binary: binary, version: strings.TrimSpace(strings.TrimPrefix(string(said), "cfn-lint"))}, nil
}

// lintFindings are cfn-lint's exit codes that say which levels it found, a bit each: 2 errors, 4 warnings, 8 hints.
var lintFindings = []int{2, 4, 6, 8, 10, 12, 14}

// Check lints a version's template. Errors fail it; the rest is shown.
func (l *Lint) Check(ctx context.Context, v blueprint.Version) (blueprint.Check, error) {
	c := blueprint.Check{Tool: ToolLint, Version: l.version, State: blueprint.CheckPassed}
	file, remove, err := temporary(v.Template)
	if err != nil {
		return c, err
	}
	defer remove()
	out, err := run(ctx, lintFindings, l.binary, "--format", "json", "--", file)
	if err != nil {
		return c, err
	}
	c.Problems, err = readLint(out)
	if len(blueprint.Errors(c.Problems)) > 0 {
		c.State = blueprint.CheckFailed
	}
	return c, err
}

func readLint(out []byte) ([]blueprint.Problem, error) {
	var said []struct {
		Level, Message string
		Rule           struct{ ID string }
		Location       struct {
			Path  []any
			Start struct{ LineNumber int }
		}
	}
	if err := json.Unmarshal(out, &said); err != nil {
		return nil, fmt.Errorf("read what cfn-lint said: %w", err)
	}
	var problems []blueprint.Problem
	for _, s := range said {
		p := blueprint.Problem{File: blueprint.TemplateFile, Level: blueprint.LevelWarning, Rule: s.Rule.ID, Line: s.Location.Start.LineNumber, Message: s.Message}
		if s.Level == "Error" {
			p.Level = blueprint.LevelError
		}
		for _, step := range s.Location.Path {
			p.Path += fmt.Sprintf(".%v", step)
		}
		p.Path = strings.TrimPrefix(p.Path, ".")
		problems = append(problems, p)
	}
	return problems, nil
}
