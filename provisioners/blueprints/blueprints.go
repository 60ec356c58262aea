// Package blueprints holds the blueprints that Slipway ships, one folder per name and
// version, and reads them: template, description and digest.
package blueprints

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"

	"go.yaml.in/yaml/v3"
	"golang.org/x/mod/semver"

	"slipway/models/blueprint"
)

//go:embed all:tenant-baseline
var shipped embed.FS

// TenantBaseline is the blueprint every tenant account gets, in its newest version.
const (
	TenantBaseline        = "tenant-baseline"
	TenantBaselineVersion = "1.0.0"
)

// Blueprint is one version of a golden path. It never changes: Digest says so.
type Blueprint struct {
	Name, Version string
	Template      []byte
	Meta          Meta
	Digest        string // SHA-256 of the folder, in hex
}

// Meta is what meta.yaml says about a template.
type Meta struct {
	ID          string            `yaml:"id"`
	Version     string            `yaml:"version"`
	Kind        string            `yaml:"kind"`
	Title       string            `yaml:"title"`
	Description string            `yaml:"description"`
	UpgradeFrom []string          `yaml:"upgradeFrom"`
	Breaking    bool              `yaml:"breaking"`
	Inputs      map[string]any    `yaml:"inputs"` // JSON Schema; its properties are the template's parameters
	Outputs     map[string]string `yaml:"outputs"`
	Cost        struct {
		Fixed        []CostLine `yaml:"fixed"`
		NotEstimated []CostLine `yaml:"notEstimated"`
	} `yaml:"cost"`
	Controls []Control `yaml:"controls"`
}

// CostLine is one thing a blueprint costs. Price is a key of the price file and Quantity a
// decimal number; both are empty where nothing is estimated.
type CostLine struct {
	Resource string `yaml:"resource"`
	Price    string `yaml:"price"`
	Quantity string `yaml:"quantity"`
	Note     string `yaml:"note"`
}

// Control is a published best practice that a resource of the template meets.
type Control struct {
	ID       string `yaml:"id"`
	Resource string `yaml:"resource"`
	Title    string `yaml:"title"`
}

var (
	nameForm    = regexp.MustCompile(`^[a-z][a-z0-9-]{1,62}$`)
	versionForm = regexp.MustCompile(`^\d{1,6}\.\d{1,6}\.\d{1,6}$`)
)

const (
	maxFiles = 50
	maxBytes = blueprint.MaxBytes
)

// Load reads a shipped blueprint.
func Load(name, version string) (Blueprint, error) { return LoadFrom(shipped, name, version) }

// LoadFrom reads a blueprint from NAME/VERSION under root, and refuses one whose template or
// description is wrong.
func LoadFrom(root fs.FS, name, version string) (Blueprint, error) {
	b := Blueprint{Name: name, Version: version}
	if !nameForm.MatchString(name) || !versionForm.MatchString(version) {
		return b, fmt.Errorf("blueprint %q %q: a name is like tenant-baseline and a version like 1.0.0", name, version)
	}
	files, err := readFolder(root, path.Join(name, version))
	if err != nil {
		return b, fmt.Errorf("blueprint %s %s: %w", name, version, err)
	}
	b.Template, b.Digest = files["template.yaml"], digest(files)
	dec := yaml.NewDecoder(bytes.NewReader(files["meta.yaml"]))
	dec.KnownFields(true)
	if err := dec.Decode(&b.Meta); err != nil {
		return b, fmt.Errorf("blueprint %s %s: read meta.yaml: %w", name, version, err)
	}
	if err := b.check(); err != nil {
		return b, fmt.Errorf("blueprint %s %s: %w", name, version, err)
	}
	return b, nil
}

func readFolder(root fs.FS, dir string) (map[string][]byte, error) {
	files := map[string][]byte{}
	err := fs.WalkDir(root, dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if !d.Type().IsRegular() {
			return fmt.Errorf("%s is not a plain file", p)
		}
		if len(files) == maxFiles {
			return fmt.Errorf("has more than %d files", maxFiles)
		}
		f, err := root.Open(p)
		if err != nil {
			return err
		}
		defer f.Close()
		text, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
		if err != nil {
			return err
		}
		if len(text) > maxBytes {
			return fmt.Errorf("%s has more than %d bytes", p, maxBytes)
		}
		files[p[len(dir)+1:]] = text
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, need := range []string{"template.yaml", "meta.yaml"} {
		if files[need] == nil {
			return nil, fmt.Errorf("has no %s", need)
		}
	}
	return files, nil
}

// digest hashes names and contents, each with its length before it, in the order of names.
func digest(files map[string][]byte) string {
	var names []string
	for name := range files {
		names = append(names, name)
	}
	slices.Sort(names)
	h := sha256.New()
	put := func(b []byte) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(b)))
		h.Write(n[:])
		h.Write(b)
	}
	for _, name := range names {
		put([]byte(name))
		put(files[name])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// check holds the description against the template: inputs are parameters, outputs are
// outputs, and costs and controls name resources.
func (b Blueprint) check() error {
	if b.Meta.ID != b.Name || b.Meta.Version != b.Version {
		return fmt.Errorf("meta.yaml calls itself %s %s", b.Meta.ID, b.Meta.Version)
	}
	t, err := blueprint.Parse(b.Template)
	if err != nil {
		return fmt.Errorf("template.yaml: %w", err)
	}
	var errs []error
	for _, p := range blueprint.Errors(t.Check()) {
		errs = append(errs, fmt.Errorf("template.yaml: %s", p))
	}
	properties, _ := b.Meta.Inputs["properties"].(map[string]any)
	for name := range properties {
		if _, ok := t.Parameter(name); !ok {
			errs = append(errs, fmt.Errorf("input %s is no parameter", name))
		}
	}
	for _, p := range t.Parameters {
		if properties[p.Name] == nil {
			errs = append(errs, fmt.Errorf("parameter %s is no input", p.Name))
		}
	}
	for _, o := range t.Outputs {
		if b.Meta.Outputs[o.Name] == "" {
			errs = append(errs, fmt.Errorf("output %s is not described", o.Name))
		}
	}
	if len(b.Meta.Outputs) > len(t.Outputs) {
		errs = append(errs, errors.New("meta.yaml describes outputs the template does not have"))
	}
	var named []string
	for _, l := range slices.Concat(b.Meta.Cost.Fixed, b.Meta.Cost.NotEstimated) {
		named = append(named, l.Resource)
	}
	for _, c := range b.Meta.Controls {
		named = append(named, c.Resource)
	}
	for _, id := range named {
		if _, ok := t.Resource(id); !ok {
			errs = append(errs, fmt.Errorf("meta.yaml names resource %q, which the template does not have", id))
		}
	}
	return errors.Join(errs...)
}

// InputsSchema is the JSON Schema of the inputs.
func (b Blueprint) InputsSchema() (json.RawMessage, error) {
	text, err := json.Marshal(b.Meta.Inputs)
	if err != nil {
		return nil, fmt.Errorf("blueprint %s %s: inputs: %w", b.Name, b.Version, err)
	}
	return text, nil
}

// Versions lists the shipped versions of a blueprint, oldest first.
func Versions(name string) ([]string, error) {
	if !nameForm.MatchString(name) {
		return nil, fmt.Errorf("blueprint %q: no such name", name)
	}
	entries, err := fs.ReadDir(shipped, name)
	if err != nil {
		return nil, fmt.Errorf("list versions of blueprint %s: %w", name, err)
	}
	var out []string
	for _, e := range entries {
		if e.IsDir() && versionForm.MatchString(e.Name()) {
			out = append(out, e.Name())
		}
	}
	slices.SortFunc(out, func(a, b string) int { return semver.Compare("v"+a, "v"+b) })
	return out, nil
}
