package blueprints

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"slipway/models/blueprint"
)

const (
	toolTime   = 2 * time.Minute
	toolOutput = 16 << 20 // bytes
)

// Guard runs cfn-guard with AWS's Control Tower rules, from a folder as scripts/guard installs it.
type Guard struct{ binary, rules, version string }

// OpenGuard looks for cfn-guard and its rules in a folder; nil when they are not there.
func OpenGuard(ctx context.Context, dir string) (*Guard, error) {
	found, err := filepath.Glob(filepath.Join(dir, "bin", "*", "*", "cfn-guard"))
	if err != nil {
		return nil, fmt.Errorf("look for cfn-guard: %w", err)
	}
	g := &Guard{rules: filepath.Join(dir, "rules")}
	if len(found) == 0 {
		return nil, nil
	}
	g.binary = found[0]
	count := 0
	err = filepath.WalkDir(g.rules, func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".guard") {
			count++
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look for the rules of cfn-guard: %w", err)
	}
	said, err := run(ctx, nil, g.binary, "--version")
	if err != nil {
		return nil, err
	}
	g.version = fmt.Sprintf("%s with %d Control Tower rules", strings.TrimSpace(strings.TrimPrefix(string(said), "cfn-guard")), count)
	return g, nil
}

// guardFailed is cfn-guard's exit code when a rule is not met.
const guardFailed = 19

// guardAtOnce is how many templates one run takes: reading the rules takes it five times as long as holding a template against them.
const guardAtOnce = 20

// Check holds each version's template against the rules; the answers come in the order of the versions. Every hit is a problem; exceptions
// sort out what is accepted.
func (g *Guard) Check(ctx context.Context, versions []blueprint.Version) ([]blueprint.Check, error) {
	var all []blueprint.Check
	for some := range slices.Chunk(versions, guardAtOnce) {
		checks, err := g.some(ctx, some)
		if err != nil {
			return nil, err
		}
		all = append(all, checks...)
	}
	return all, nil
}

func (g *Guard) some(ctx context.Context, versions []blueprint.Version) (all []blueprint.Check, err error) {
	dir, err := os.MkdirTemp("", "slipway-guard-")
	if err != nil {
		return nil, fmt.Errorf("write templates for cfn-guard: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	for i, v := range versions {
		if err := os.WriteFile(filepath.Join(dir, guardFile(i)), v.Template, 0o600); err != nil {
			return nil, fmt.Errorf("write templates for cfn-guard: %w", err)
		}
	}
	out, err := run(ctx, []int{guardFailed}, g.binary, "validate", "--rules", g.rules, "--data", dir, "--output-format", "json", "--structured", "--show-summary", "none")
	if err != nil {
		return nil, err
	}
	said, err := readGuard(out)
	if err != nil {
		return nil, err
	}
	for i, v := range versions {
		failed, there := said[guardFile(i)]
		if !there {
			return nil, fmt.Errorf("cfn-guard said nothing of %s", v.Ref())
		}
		t, err := v.Parse()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", v.Ref(), err)
		}
		c := blueprint.Check{Tool: ToolGuard, Version: g.version, State: blueprint.CheckPassed, Problems: problemsOf(failed, t)}
		if len(c.Problems) > 0 {
			c.State = blueprint.CheckFailed
		}
		all = append(all, c)
	}
	return all, nil
}

func guardFile(i int) string { return strconv.Itoa(i) + ".yaml" }

// readGuard reads cfn-guard's structured report: by file, the rules that are not met.
func readGuard(out []byte) (map[string][]any, error) {
	var reports []struct {
		Name         string `json:"name"`
		NotCompliant []any  `json:"not_compliant"`
	}
	if err := json.Unmarshal(out, &reports); err != nil {
		return nil, fmt.Errorf("read what cfn-guard said: %w", err)
	}
	said := map[string][]any{}
	for _, r := range reports {
		name := filepath.Base(r.Name)
		said[name] = append(said[name], r.NotCompliant...)
	}
	return said, nil
}

// problemsOf are one problem per rule and resource.
func problemsOf(failed []any, t *blueprint.Template) []blueprint.Problem {
	var problems []blueprint.Problem
	for _, failure := range failed {
		problems = append(problems, hits(failure, t)...)
	}
	slices.SortStableFunc(problems, func(a, b blueprint.Problem) int {
		return strings.Compare(a.Rule+" "+a.Path, b.Rule+" "+b.Path)
	})
	return problems
}

var controlID = regexp.MustCompile(`\[(CT\.[A-Z0-9.]+)\]:\s*([^\n]+)`)

// hits are the resources one failed rule names.
func hits(tree any, t *blueprint.Template) []blueprint.Problem {
	rule, words := "", ""
	var paths []string
	var walk func(key string, v any)
	walk = func(key string, v any) {
		switch x := v.(type) {
		case map[string]any:
			for k, child := range x {
				if k != "to" { // what was compared with
					walk(k, child)
				}
			}
		case []any:
			for _, child := range x {
				walk(key, child)
			}
		case string:
			if m := controlID.FindStringSubmatch(x); m != nil && rule == "" {
				rule, words = m[1], strings.TrimSpace(m[2])
			}
			if rest, ok := strings.CutPrefix(x, "/Resources/"); ok && key == "path" {
				id, _, _ := strings.Cut(rest, "/")
				paths = append(paths, "Resources."+id)
			}
		}
	}
	walk("", tree)
	slices.Sort(paths)
	var out []blueprint.Problem
	for _, path := range slices.Compact(paths) {
		out = append(out, blueprint.Problem{File: blueprint.TemplateFile, Level: blueprint.LevelError, Rule: rule, Path: path, Line: t.Line(path), Message: words})
	}
	return out
}

// temporary writes a template where a tool can read it.
func temporary(text []byte) (name string, remove func(), err error) {
	f, err := os.CreateTemp("", "slipway-*.yaml")
	if err != nil {
		return "", nil, fmt.Errorf("write the template for a tool: %w", err)
	}
	remove = func() { _ = os.Remove(f.Name()) } // a temporary file that stays harms nobody
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		remove()
		return "", nil, fmt.Errorf("write the template for a tool: %w", err)
	}
	return f.Name(), remove, nil
}

// run gives a tool's output. Exit codes named in findings say that it found something, not that it went wrong.
func run(ctx context.Context, findings []int, name string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, toolTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	var out, said bounded
	cmd.Stdout, cmd.Stderr = &out, &said
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && slices.Contains(findings, exit.ExitCode()) {
		err = nil
	}
	if err == nil && out.cut {
		err = errors.New("it said more than " + strconv.Itoa(toolOutput) + " bytes")
	}
	if err != nil {
		return nil, fmt.Errorf("run %s: %w: %.500s", filepath.Base(name), err, said.Bytes())
	}
	return out.Bytes(), nil
}

// bounded keeps what a tool says, up to a limit.
type bounded struct {
	bytes.Buffer
	cut bool
}

// Write takes everything and keeps what fits.
func (b *bounded) Write(p []byte) (int, error) {
	if room := toolOutput - b.Len(); len(p) > room {
		b.cut = true
		b.Buffer.Write(p[:room])
		return len(p), nil
	}
	return b.Buffer.Write(p)
}
