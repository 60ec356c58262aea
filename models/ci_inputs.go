package models

import (
	"fmt"
	"mime"
	"net/url"
	"path"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

var (
	digestForm = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
	whichForm  = regexp.MustCompile(`^([a-z][a-z0-9-]{2,19}/)?[a-z][a-z0-9-]{1,19}$`)
)

// ValidDigest tells whether s names an image by its content.
func ValidDigest(s string) bool { return digestForm.MatchString(s) }

// How long what CI sends may be, in bytes.
const (
	maxCIText     = 1000
	maxCILink     = 2000
	maxCIFileName = 200
)

// CIResult is what CI says of a build or at a gate.
type CIResult string

// The results.
const (
	CIPass CIResult = "pass"
	CIFail CIResult = "fail"
)

// BuildReport is the body of POST /api/v1/ci/builds. Commit, branch and run are the token's.
type BuildReport struct {
	Pipeline    string    `json:"pipeline"` // name, or tenant/name; may be left out when the repository has one
	Digest      string    `json:"digest"`
	Tag         string    `json:"tag"`
	Result      CIResult  `json:"result"`       // empty: pass
	Message     string    `json:"message"`      // of the commit
	Author      string    `json:"author"`       // of the commit
	CommittedAt time.Time `json:"committed_at"` // zero: lead times leave it out
}

// EvidenceReport is the body of POST /api/v1/ci/evidence.
type EvidenceReport struct {
	Pipeline string        `json:"pipeline"`
	Digest   string        `json:"digest"`
	Gate     Gate          `json:"gate"`
	Result   CIResult      `json:"result"`
	Words    string        `json:"words"`
	URL      string        `json:"url"`
	File     *EvidenceFile `json:"file"`
}

// EvidenceFile is the file of evidence; JSON carries its content in base64.
type EvidenceFile struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	Content []byte `json:"content"`
}

// PromotionReport is the body of POST /api/v1/ci/promotions.
type PromotionReport struct {
	Pipeline    string `json:"pipeline"`
	Digest      string `json:"digest"`
	Environment string `json:"environment"` // name
}

type wrongFields map[string]string

func (w wrongFields) put(field, msg string) {
	if msg != "" && w[field] == "" {
		w[field] = msg
	}
}

func (w wrongFields) plain(field, s string, most int) {
	if len(s) > most || !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' && r != '\r' }) {
		w.put(field, fmt.Sprintf("Send plain text of at most %d bytes.", most))
	}
}

func (w wrongFields) image(which, digest string) {
	if which != "" && !whichForm.MatchString(which) {
		w.put("pipeline", "Name the pipeline as its page does: tenant/name.")
	}
	w.put("digest", matching(digestForm, digest, "Name the image by its digest: sha256: and 64 hexadecimal digits. Tags can move, digests cannot."))
}

// Validate says what is wrong, by field of the body.
func (b BuildReport) Validate() error {
	bad := wrongFields{}
	bad.image(b.Pipeline, b.Digest)
	if b.Tag != "" {
		bad.put("tag", matching(tagForm, b.Tag, "This is not the tag of an image."))
	}
	if b.Result != "" && b.Result != CIPass && b.Result != CIFail {
		bad.put("result", "Say pass or fail.")
	}
	bad.plain("message", b.Message, 64<<10)
	bad.plain("author", b.Author, maxCIText)
	return InvalidFields(bad)
}

// Validate says what is wrong, by field of the body.
func (e EvidenceReport) Validate() error {
	bad := wrongFields{}
	bad.image(e.Pipeline, e.Digest)
	switch info, ok := GateOf(e.Gate); {
	case !ok:
		bad.put("gate", "There is no such gate. CI posts for: "+strings.Join(postedGates(), ", ")+".")
	case info.Own:
		bad.put("gate", fmt.Sprintf("Slipway checks %q itself. CI posts for: %s.", e.Gate, strings.Join(postedGates(), ", ")))
	}
	if e.Result != CIPass && e.Result != CIFail {
		bad.put("result", "Say pass or fail.")
	}
	bad.plain("words", e.Words, maxCIText)
	bad.put("url", wrongLink(e.URL))
	if f := e.File; f != nil {
		switch {
		case len(f.Content) > MaxEvidence:
			bad.put("file", fmt.Sprintf("The file has %d bytes, %d are taken. Post a summary, and the whole report's address as url.", len(f.Content), MaxEvidence))
		case len(f.Content) == 0:
			bad.put("file", "The file is empty. Leave file out when there is none.")
		case f.Name == "" || len(f.Name) > maxCIFileName || path.Base(f.Name) != f.Name || f.Name == "." || f.Name == ".." || strings.ContainsFunc(f.Name, unusualInName):
			bad.put("file", "Give the file a name without folders, of at most 200 bytes.")
		}
	}
	return InvalidFields(bad)
}

func unusualInName(r rune) bool {
	return r == utf8.RuneError || !unicode.IsPrint(r) || strings.ContainsRune(`\/"<>`, r)
}

// FileType is the file's type, as a browser takes it: what is not well formed is just bytes.
func (f EvidenceFile) FileType() string {
	media, _, err := mime.ParseMediaType(f.Type)
	if err != nil || len(media) > 100 || !strings.Contains(media, "/") {
		return "application/octet-stream"
	}
	return media
}

func postedGates() []string {
	var names []string
	for _, g := range gates {
		if !g.Own {
			names = append(names, string(g.Gate))
		}
	}
	return names
}

func wrongLink(s string) string {
	if s == "" {
		return ""
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || len(s) > maxCILink || strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }) {
		return "Give an https address without a user name, of at most 2,000 bytes."
	}
	return ""
}

// Validate says what is wrong, by field of the body.
func (p PromotionReport) Validate() error {
	bad := wrongFields{}
	bad.image(p.Pipeline, p.Digest)
	bad.put("environment", matching(objectNameForm, p.Environment, "Name the environment to promote to."))
	return InvalidFields(bad)
}
