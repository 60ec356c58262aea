package blueprints

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"slipway/models/blueprint"
)

// Checkup checks blueprints with every tool there is; nil tools are not run.
type Checkup struct {
	Options    Options
	Guard      *Guard
	Lint       *Lint
	Exceptions *Exceptions
	Record     string // file like checked.json that is read before and written afterwards; empty: none

	recorded map[string]Checked
}

// Dir checks the one version in a folder NAME/VERSION, or every version below a directory of blueprints.
func (c Checkup) Dir(ctx context.Context, dir string) ([]blueprint.Folder, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("check blueprints: %w", err)
	}
	if err := c.readRecord(); err != nil {
		return nil, err
	}
	one := false
	for _, file := range []string{blueprint.TemplateFile, blueprint.MetaFile} {
		if _, err := os.Lstat(filepath.Join(dir, file)); err == nil {
			one = true
		}
	}
	top := dir
	if one {
		top = filepath.Dir(filepath.Dir(dir))
	}
	root, err := os.OpenRoot(top)
	if err != nil {
		return nil, fmt.Errorf("check blueprints: %w", err)
	}
	defer root.Close()
	found, err := c.find(root.FS(), dir, one)
	if err != nil {
		return nil, err
	}
	judge := Catalogue{opt: c.Options}
	out := make([]blueprint.Folder, len(found))
	for i, r := range found {
		out[i] = judge.judge(r, nil)
	}
	if err := c.tools(ctx, out); err != nil {
		return nil, err
	}
	return out, c.writeRecord(out)
}

func (c Checkup) find(root fs.FS, dir string, one bool) ([]raw, error) {
	if one {
		return []raw{read(root, filepath.Base(filepath.Dir(dir)), filepath.Base(dir))}, nil
	}
	found, hidden, err := readAll(root)
	if err != nil {
		return nil, fmt.Errorf("check blueprints: %w", err)
	}
	if len(hidden) > 0 {
		if _, problems := readHidden(hidden); len(problems) > 0 {
			found = append(found, raw{name: hiddenFile, problems: problems})
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("check blueprints: %s holds none", dir)
	}
	return found, nil
}

// tools adds what cfn-guard and cfn-lint say. A template that cannot be parsed is for none of them: the folder's own problems say it.
func (c Checkup) tools(ctx context.Context, folders []blueprint.Folder) error {
	var at []int
	var versions []blueprint.Version
	for i, f := range folders {
		if f.Content.Digest == "" {
			continue
		}
		if _, err := f.Content.Parse(); err == nil {
			at, versions = append(at, i), append(versions, f.Content)
		}
	}
	said := make([]Checked, len(at))
	if c.Guard != nil {
		checks, err := c.Guard.Check(ctx, versions)
		if err != nil {
			return err
		}
		for i, check := range checks {
			if c.Exceptions != nil {
				check = c.Exceptions.Apply(folders[at[i]].Name, folders[at[i]].Version, check)
			}
			said[i].Guard = &check
		}
	}
	for i, v := range versions {
		said[i].Lint = c.recorded[v.Digest].Lint
		if said[i].Lint == nil && c.Lint != nil {
			check, err := c.Lint.Check(ctx, v)
			if err != nil {
				return fmt.Errorf("%s: %w", v.Ref(), err)
			}
			said[i].Lint = &check
		}
		f := &folders[at[i]]
		f.Checks = append(f.Checks[:1:1], said[i].orNotRun()...)
	}
	return nil
}

// readRecord reads what was said before. What cfn-lint said of the very same content is kept: it takes seconds, it is not on
// every machine, and its version would change the file from one to the next.
func (c *Checkup) readRecord() error {
	c.recorded = map[string]Checked{}
	if c.Record == "" {
		return nil
	}
	text, err := os.ReadFile(c.Record)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(text, &c.recorded)
	}
	if err != nil {
		return fmt.Errorf("read the last record: %w", err)
	}
	return nil
}

// writeRecord writes what the tools said of sound folders.
func (c *Checkup) writeRecord(folders []blueprint.Folder) error {
	if c.Record == "" {
		return nil
	}
	if c.Guard == nil {
		return errors.New("there is no cfn-guard to record: run scripts/guard first")
	}
	now := map[string]Checked{}
	for _, f := range folders {
		if !f.Sound() {
			continue
		}
		r := Checked{Blueprint: f.Content.Ref()}
		for _, check := range f.Checks {
			switch {
			case check.State == blueprint.CheckNotRun:
			case check.Tool == ToolGuard:
				r.Guard = &check
			case check.Tool == ToolLint:
				r.Lint = &check
			}
		}
		now[f.Content.Digest] = r
	}
	text, err := json.MarshalIndent(now, "", "  ")
	if err == nil {
		err = os.WriteFile(c.Record, append(text, '\n'), 0o644)
	}
	if err != nil {
		return fmt.Errorf("write the record: %w", err)
	}
	return nil
}

// Failed says whether any tool found an error.
func Failed(f blueprint.Folder) bool {
	return !f.Sound() || slices.ContainsFunc(f.Checks, func(c blueprint.Check) bool { return c.State == blueprint.CheckFailed })
}
