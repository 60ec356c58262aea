// Package static holds the files that pages load, each known by the hash of its content.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"crypto/sha512"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"path"
	"strings"
	"sync"
)

//go:embed *.css *.js *.svg *.woff2
var files embed.FS

// File is one embedded file, ready to be served.
type File struct {
	Body      []byte
	Gzip      func() []byte // packs when first asked; gives nil where that does not help: fonts
	Type      string        // Content-Type
	ETag      string        // strong, quoted
	Integrity string        // value of an integrity attribute
	Hash      string        // first 10 hex digits of the SHA-256; the v parameter of its address
}

var types = map[string]string{
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml", ".woff2": "font/woff2",
}

var loaded = sync.OnceValue(load)

func load() map[string]*File {
	all := map[string]*File{}
	entries, err := files.ReadDir(".")
	if err != nil {
		return all // an embedded root cannot be missing; an empty map shows as unstyled pages and a failing test
	}
	for _, e := range entries {
		body, err := files.ReadFile(e.Name())
		if err != nil {
			continue
		}
		sum, long := sha256.Sum256(body), sha512.Sum384(body)
		hash := hex.EncodeToString(sum[:])
		f := &File{Body: body, Type: types[path.Ext(e.Name())], Hash: hash[:10], ETag: `"` + hash[:20] + `"`}
		f.Integrity = "sha384-" + base64.StdEncoding.EncodeToString(long[:])
		f.Gzip = sync.OnceValue(func() []byte { return pack(f.Type, body) })
		all[e.Name()] = f
	}
	return all
}

func pack(kind string, body []byte) []byte {
	if kind == types[".woff2"] {
		return nil
	}
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil
	}
	if _, err := w.Write(body); err != nil {
		return nil
	}
	if err := w.Close(); err != nil {
		return nil
	}
	return b.Bytes()
}

// Lookup finds a file by its plain name; nil when there is none.
func Lookup(name string) *File { return loaded()[name] }

// Immutable tells whether an answer for name asked with ?v=version may be kept for ever:
// its address changes with its content, or its name carries a version.
func Immutable(name, version string) bool {
	f := Lookup(name)
	return f != nil && (version == f.Hash || versioned(name))
}

// URL is the address of a file. It changes with the content, so it can be cached for ever.
func URL(name string) string {
	f := Lookup(name)
	switch {
	case f == nil:
		return "/static/" + name
	case versioned(name):
		return "/static/" + name
	}
	return fmt.Sprintf("/static/%s?v=%s", name, f.Hash)
}

// Integrity is the value of a script's integrity attribute.
func Integrity(name string) string {
	if f := Lookup(name); f != nil {
		return f.Integrity
	}
	return ""
}

// versioned tells whether a name carries the version of what it was copied from, as in htmx-2.0.11.min.js.
func versioned(name string) bool {
	stem, _, _ := strings.Cut(name, ".")
	i := strings.LastIndexByte(stem, '-')
	return i > 0 && i+1 < len(stem) && stem[i+1] >= '0' && stem[i+1] <= '9'
}
