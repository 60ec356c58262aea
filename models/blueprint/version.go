package blueprint

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The files of a blueprint's folder. It has no others.
const (
	TemplateFile = "template.yaml"
	MetaFile     = "meta.yaml"
)

// Version is one version of a golden path. It never changes: Digest says so.
type Version struct {
	Name, Version string
	Digest        string // SHA-256 of the folder, in hex
	Meta          Meta
	Template      []byte
	Source        []byte // meta.yaml as it was written
}

// Ref names the version for people: "ecs-web-service@1.0.0".
func (v Version) Ref() string { return Ref(v.Name, v.Version) }

// Ref is a name and a version in one.
func Ref(name, version string) string { return name + "@" + version }

// Line is where a key stands in meta.yaml, 0 when it is not there.
func (v Version) Line(key string) int {
	m, _ := readMeta(v.Source) // what cannot be read has no lines
	if m == nil {
		return 0
	}
	return m.lines[key]
}

// Parse reads the version's template.
func (v Version) Parse() (*Template, error) { return Parse(v.Template) }

var (
	nameForm    = regexp.MustCompile(`^[a-z][a-z0-9-]{1,62}$`)
	versionForm = regexp.MustCompile(`^(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})$`)
)

// IsName says whether a text can be a blueprint's name.
func IsName(text string) bool { return nameForm.MatchString(text) }

// IsVersion says whether a text can be a version: three numbers, nothing after them.
func IsVersion(text string) bool { return versionForm.MatchString(text) }

// CompareVersions orders two versions, older first; a text that is none is older than all.
func CompareVersions(a, b string) int {
	if !IsVersion(a) || !IsVersion(b) {
		return cmp.Or(cmp.Compare(yes(IsVersion(a)), yes(IsVersion(b))), cmp.Compare(a, b))
	}
	left, right := strings.Split(a, "."), strings.Split(b, ".")
	for i := range left {
		x, _ := strconv.Atoi(left[i]) // the form says it is one
		y, _ := strconv.Atoi(right[i])
		if x != y {
			return cmp.Compare(x, y)
		}
	}
	return 0
}

func yes(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Digest is the identity of a folder: it hashes names and contents, each with its length before it, in the order of names.
func Digest(files map[string][]byte) string {
	h := sha256.New()
	put := func(b []byte) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(b)))
		h.Write(n[:])
		h.Write(b)
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		put([]byte(name))
		put(files[name])
	}
	return hex.EncodeToString(h.Sum(nil))
}
