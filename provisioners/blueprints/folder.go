package blueprints

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"slipway/models/blueprint"
)

// Limits of a directory. What is beyond them is reported and not read.
const (
	maxEntries  = 200 // in one folder
	maxVersions = 500
	maxBytes    = 32 << 20 // of all files together
	hiddenFile  = "hidden.yaml"
	// exceptionsFile may stand beside the folders, for `slipway blueprint check --exceptions`.
	exceptionsFile = "guard-exceptions.yaml"
)

// raw is a folder's files before anybody judged them.
type raw struct {
	name, version string
	files         map[string][]byte
	problems      []blueprint.Problem
}

func (r *raw) tell(file, format string, args ...any) {
	r.problems = append(r.problems, blueprint.Problem{File: file, Level: blueprint.LevelError, Rule: "folder", Message: fmt.Sprintf(format, args...)})
}

// sum says what the folder holds, for a later look to see that nothing changed.
func (r raw) sum() [32]byte {
	h := sha256.New()
	put := func(text string) { _, _ = fmt.Fprintf(h, "%d %s", len(text), text) } // a hash takes everything
	put(r.name)
	put(r.version)
	put(blueprint.Digest(r.files))
	for _, p := range r.problems {
		put(p.String())
	}
	return [32]byte(h.Sum(nil))
}

// readAll reads every folder of a directory and its hidden.yaml, whatever is in it. A link is followed where it stays inside;
// os.Root refuses the others. An error says that the directory itself cannot be read.
func readAll(root fs.FS) (folders []raw, hidden []byte, err error) {
	top, err := list(root, ".")
	if err != nil {
		return nil, nil, err
	}
	left := maxBytes
	for _, name := range top {
		switch isDir, err := isFolder(root, name); {
		case name == hiddenFile:
			f := raw{name: hiddenFile}
			hidden = f.read(root, hiddenFile, hiddenFile)
			if len(f.problems) > 0 {
				folders, hidden = append(folders, f), []byte{}
			}
		case err != nil:
			f := raw{name: name}
			f.tell("", "%s", outside(err))
			folders = append(folders, f)
		case isDir && blueprint.IsName(name):
			folders = append(folders, versionsOf(root, name, &left)...)
		case isDir:
			f := raw{name: name}
			f.tell("", "%q is no name of a blueprint: it has small letters, digits and dashes, like ecs-web-service", name)
			folders = append(folders, f)
		case looksMeant(name):
			f := raw{name: name}
			f.tell("", "is not known here; the directory holds folders of blueprints and %s", hiddenFile)
			folders = append(folders, f)
		}
		if len(folders) > maxVersions {
			f := raw{name: name}
			f.tell("", "the directory has more than %d versions; this and what follows is not read", maxVersions)
			return append(folders[:maxVersions], f), hidden, nil
		}
	}
	return folders, hidden, nil
}

// looksMeant says whether a file beside the folders was probably meant to be read, and is not: hidden.yml, say.
func looksMeant(file string) bool {
	return file != exceptionsFile && (strings.HasSuffix(file, ".yaml") || strings.HasSuffix(file, ".yml"))
}

func versionsOf(root fs.FS, name string, left *int) []raw {
	versions, err := list(root, name)
	if err != nil {
		f := raw{name: name}
		f.tell("", "%s", outside(err))
		return []raw{f}
	}
	var out []raw
	for _, version := range versions {
		f := raw{name: name, version: version}
		switch isDir, err := isFolder(root, path.Join(name, version)); {
		case err != nil:
			f.tell("", "%s", outside(err))
		case !isDir && strings.HasSuffix(version, ".md"):
			continue
		case !isDir || !blueprint.IsVersion(version):
			f.tell("", "%q is no folder of a version: it is three numbers, like 1.0.0", version)
		case *left <= 0:
			f.tell("", "the directory has more than %d bytes; this and what follows is not read", maxBytes)
		default:
			f = read(root, name, version)
			for _, text := range f.files {
				*left -= len(text)
			}
		}
		out = append(out, f)
	}
	return out
}

// read reads the files of one version.
func read(root fs.FS, name, version string) raw {
	f := raw{name: name, version: version, files: map[string][]byte{}}
	dir := name + "/" + version
	if strings.Count(dir, "/") != 1 || !fs.ValidPath(dir) {
		return f // the checker says what is wrong with them
	}
	files, err := list(root, dir)
	if err != nil {
		f.tell("", "%s", outside(err))
		return f
	}
	for _, file := range files {
		if file != blueprint.TemplateFile && file != blueprint.MetaFile {
			f.files[file] = []byte{}
			continue
		}
		if text := f.read(root, path.Join(dir, file), file); text != nil {
			f.files[file] = text
		}
	}
	return f
}

// read reads one file, or says why not. It opens nothing that could keep it waiting.
func (r *raw) read(root fs.FS, name, file string) []byte {
	info, err := fs.Stat(root, name)
	switch {
	case err != nil:
		r.tell(file, "%s", outside(err))
		return nil
	case !info.Mode().IsRegular():
		r.tell(file, "is not a plain file")
		return nil
	case info.Size() > blueprint.MaxBytes:
		r.tell(file, "has %d bytes, more than %d", info.Size(), blueprint.MaxBytes)
		return nil
	}
	f, err := root.Open(name)
	if err != nil {
		r.tell(file, "%s", outside(err))
		return nil
	}
	defer f.Close() // read only: nothing is lost
	text, err := io.ReadAll(io.LimitReader(f, blueprint.MaxBytes+1))
	if err != nil {
		r.tell(file, "%s", outside(err))
		return nil
	}
	return text
}

// list gives the names in a folder, sorted, without those that begin with a dot: what editors and mounts keep there.
func list(root fs.FS, dir string) ([]string, error) {
	f, err := root.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close() // read only: nothing is lost
	d, ok := f.(fs.ReadDirFile)
	if !ok {
		return nil, fmt.Errorf("%s is no folder", dir)
	}
	entries, err := d.ReadDir(maxEntries + 1)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if len(entries) > maxEntries {
		return nil, fmt.Errorf("%s has more than %d entries", dir, maxEntries)
	}
	var names []string
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

func isFolder(root fs.FS, name string) (bool, error) {
	info, err := fs.Stat(root, name)
	if err != nil {
		return false, err
	}
	return info.IsDir(), nil
}

// outside says why a path cannot be read, without the operating system's own words for a link that leads away.
func outside(err error) string {
	if strings.Contains(err.Error(), "escapes") {
		return "is a link that points outside of the directory"
	}
	var p *fs.PathError
	if errors.As(err, &p) {
		return "cannot be read: " + p.Err.Error()
	}
	return "cannot be read: " + err.Error()
}
