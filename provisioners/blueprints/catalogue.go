package blueprints

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"slipway/models/blueprint"
)

// Options is what a catalogue is told by main.
type Options struct {
	Dir     string            // SLIPWAY_BLUEPRINTS_DIR; empty: only what is shipped
	Checker blueprint.Checker // what a folder is held against
	Version string            // of Slipway, for the page that says who checked what
}

// Catalogue reads the shipped blueprints and the platform team's directory. It keeps what it saw, so that a look at a
// directory that did not change costs its bytes and no check. It is for one goroutine.
type Catalogue struct {
	opt     Options
	checked map[string]Checked
	seen    map[[32]byte]blueprint.Folder
	last    [32]byte // what the directory held at the last look

	shipped func() (blueprint.Report, error) // reads and judges once: a build ships the same for ever
}

// New makes a catalogue. It reads nothing of the directory yet.
func New(opt Options) (*Catalogue, error) {
	checked, err := readChecked()
	if err != nil {
		return nil, err
	}
	c := &Catalogue{opt: opt, checked: checked, seen: map[[32]byte]blueprint.Folder{}}
	c.shipped = sync.OnceValues(c.readShipped)
	return c, nil
}

// Shipped reports what this build ships. Nobody may change what it returns: the next caller gets the same.
func (c *Catalogue) Shipped() (blueprint.Report, error) { return c.shipped() }

func (c *Catalogue) readShipped() (blueprint.Report, error) {
	folders, _, err := readAll(shipped)
	if err != nil {
		return blueprint.Report{}, fmt.Errorf("read the shipped blueprints: %w", err)
	}
	r := blueprint.Report{Origin: blueprint.Shipped, KeepHidden: true} // the directory decides what is hidden
	for _, f := range folders {
		r.Folders = append(r.Folders, c.judge(f, c.checked))
	}
	return r, nil
}

// Directory reports what the platform team's directory holds; changed says whether it is something else than at the last
// look. Without a directory the report is empty, so that what an earlier one held is withdrawn.
func (c *Catalogue) Directory() (r blueprint.Report, changed bool, err error) {
	r.Origin = blueprint.Directory
	if c.opt.Dir == "" {
		return r, c.sees(sha256.Sum256(nil)), nil
	}
	root, err := os.OpenRoot(c.opt.Dir)
	if err != nil {
		return r, false, fmt.Errorf("read the directory of blueprints: %w", err)
	}
	defer root.Close()
	folders, hidden, err := readAll(root.FS())
	if err != nil {
		return r, false, fmt.Errorf("read the directory of blueprints: %w", err)
	}
	h := sha256.New()
	h.Write(hidden)
	for _, f := range folders {
		sum := f.sum()
		h.Write(sum[:])
	}
	if !c.sees([32]byte(h.Sum(nil))) {
		return r, false, nil
	}
	fresh := map[[32]byte]blueprint.Folder{}
	for _, f := range folders {
		sum := f.sum()
		judged, known := c.seen[sum]
		if !known {
			judged = c.judge(f, nil)
		}
		fresh[sum] = judged
		r.Folders = append(r.Folders, judged)
	}
	c.seen = fresh
	if hidden != nil {
		c.hide(&r, hidden)
	}
	r.Folders = oncePerName(r.Folders)
	return r, true, nil
}

// Forget lets the next look report again what did not change: nobody could keep the last report.
func (c *Catalogue) Forget() { c.last = [32]byte{} }

func (c *Catalogue) sees(sum [32]byte) bool {
	changed := sum != c.last
	c.last = sum
	return changed
}

// hide reads hidden.yaml into the report. A file that cannot be read hides what was hidden before.
func (c *Catalogue) hide(r *blueprint.Report, text []byte) {
	if slices.ContainsFunc(r.Folders, func(f blueprint.Folder) bool { return f.Name == hiddenFile }) {
		r.KeepHidden = true
		return
	}
	entries, problems := readHidden(text)
	if len(problems) > 0 {
		r.KeepHidden = true
		r.Folders = append(r.Folders, blueprint.Folder{Name: hiddenFile, Problems: problems})
		return
	}
	r.Hidden = entries
}

const maxHidden = 500

// readHidden reads a list of {blueprint: name or name@version, reason: words}.
func readHidden(text []byte) ([]blueprint.HiddenEntry, []blueprint.Problem) {
	bad := func(line int, format string, args ...any) []blueprint.Problem {
		return []blueprint.Problem{{File: hiddenFile, Line: line, Level: blueprint.LevelError, Rule: "hidden", Message: fmt.Sprintf(format, args...)}}
	}
	var list []struct {
		Blueprint string `yaml:"blueprint"`
		Reason    string `yaml:"reason"`
	}
	if len(text) > 64<<10 {
		return nil, bad(0, "has %d bytes, more than %d", len(text), 64<<10)
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&list); err != nil && !errors.Is(err, io.EOF) {
		return nil, blueprint.ProblemsOf(hiddenFile, "hidden", err)
	}
	if len(list) > maxHidden {
		return nil, bad(0, "has %d entries, more than %d", len(list), maxHidden)
	}
	var out []blueprint.HiddenEntry
	for i, e := range list {
		name, version, one := strings.Cut(e.Blueprint, "@")
		switch {
		case !blueprint.IsName(name) || one && !blueprint.IsVersion(version):
			return nil, bad(0, "entry %d: %q is neither a name nor a name@version", i+1, e.Blueprint)
		case strings.TrimSpace(e.Reason) == "":
			return nil, bad(0, "entry %d: %s is hidden without a reason", i+1, e.Blueprint)
		}
		out = append(out, blueprint.HiddenEntry{Name: name, Version: version, Reason: strings.TrimSpace(e.Reason)})
	}
	return out, nil
}

// judge checks what was read of one folder and adds what other tools said of that very content.
func (c *Catalogue) judge(r raw, checked map[string]Checked) blueprint.Folder {
	f := check(c.opt.Checker, r)
	own := blueprint.Check{Tool: ToolSlipway, Version: c.opt.Version, State: blueprint.CheckPassed, Problems: f.Problems}
	if len(blueprint.Errors(f.Problems)) > 0 {
		own.State = blueprint.CheckFailed
	}
	f.Checks = append([]blueprint.Check{own}, checked[f.Content.Digest].orNotRun()...)
	for _, k := range f.Checks[1:] {
		if k.State == blueprint.CheckFailed {
			f.Problems = append(f.Problems, k.Problems...)
		}
	}
	return f
}

func check(c blueprint.Checker, r raw) blueprint.Folder {
	f := blueprint.Folder{Name: printable(r.name), Version: printable(r.version), Problems: r.problems}
	if len(r.problems) > 0 || r.files == nil {
		return f
	}
	f.Content, f.Problems = c.Check(r.name, r.version, r.files)
	return f
}

const maxShown = 80 // bytes of a name that is shown; what is longer is no name of a blueprint

// printable is a file's name as a page and a database can hold it.
func printable(name string) string {
	name = strings.ToValidUTF8(name, "?")
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, name)
	if len(name) > maxShown {
		name = strings.ToValidUTF8(name[:maxShown], "") + "…"
	}
	return name
}

// oncePerName joins folders whose names look the same once they are printable.
func oncePerName(folders []blueprint.Folder) []blueprint.Folder {
	var out []blueprint.Folder
	for _, f := range folders {
		i := slices.IndexFunc(out, func(o blueprint.Folder) bool { return o.Name == f.Name && o.Version == f.Version })
		if i < 0 {
			out = append(out, f)
			continue
		}
		out[i].Problems = append(slices.Clone(out[i].Problems), f.Problems...)
	}
	return out
}
