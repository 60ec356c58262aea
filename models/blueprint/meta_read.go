package blueprint

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// Limits of a description. One that needs more is no description.
const (
	maxMetaBytes = 128 << 10
	maxMetaNodes = 4000
	maxMetaDepth = 24
)

// metaFile is a description with the lines of what it says, for problems to name.
type metaFile struct {
	Meta
	lines map[string]int
}

// readMeta reads meta.yaml. It takes no aliases, so what it reads is as small as the file.
func readMeta(src []byte) (*metaFile, []Problem) {
	refuse := func(line int, rule, format string, args ...any) []Problem {
		return []Problem{{File: MetaFile, Level: LevelError, Rule: rule, Line: line, Message: fmt.Sprintf(format, args...)}}
	}
	if len(src) > maxMetaBytes {
		return nil, refuse(0, "size", "has %d bytes, more than %d", len(src), maxMetaBytes)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(src, &doc); err != nil {
		return nil, ProblemsOf(MetaFile, "yaml", err)
	}
	if doc.Kind != yaml.DocumentNode {
		return nil, refuse(0, "yaml", "is empty")
	}
	m := &metaFile{lines: map[string]int{}}
	count := 0
	if err := m.walk(doc.Content[0], "", 0, &count); err != nil {
		return nil, ProblemsOf(MetaFile, "yaml", err)
	}
	dec := yaml.NewDecoder(bytes.NewReader(src))
	dec.KnownFields(true)
	if err := dec.Decode(&m.Meta); err != nil {
		return nil, ProblemsOf(MetaFile, "yaml", err)
	}
	return m, nil
}

// ReadMeta reads a description that was checked before, as the database keeps it.
func ReadMeta(src []byte) (Meta, error) {
	m, problems := readMeta(src)
	if len(problems) > 0 {
		return Meta{}, fmt.Errorf("%s", problems[0])
	}
	return m.Meta, nil
}

func (m *metaFile) walk(n *yaml.Node, path string, depth int, count *int) error {
	*count++
	switch {
	case n.Kind == yaml.AliasNode:
		return fmt.Errorf("line %d: aliases are not supported; write the value out", n.Line)
	case depth > maxMetaDepth:
		return fmt.Errorf("line %d: nested deeper than %d levels", n.Line, maxMetaDepth)
	case *count > maxMetaNodes:
		return fmt.Errorf("line %d: more than %d values", n.Line, maxMetaNodes)
	}
	if m.lines[path] == 0 {
		m.lines[path] = n.Line
	}
	for i, child := range n.Content {
		at := path + "[" + strconv.Itoa(i) + "]"
		if n.Kind == yaml.MappingNode {
			if i%2 == 0 {
				continue
			}
			at = join(path, n.Content[i-1].Value)
			m.lines[at] = n.Content[i-1].Line
		}
		if err := m.walk(child, at, depth+1, count); err != nil {
			return err
		}
	}
	return nil
}

// line is where a path stands, or the nearest thing around it.
func (m *metaFile) line(path string) int {
	return nearest(m.lines, path)
}

// nearest finds the line of a path, or of the nearest thing around it.
func nearest(lines map[string]int, path string) int {
	line := lines[path]
	for p := path; line == 0 && p != ""; line = lines[p] {
		p = p[:max(strings.LastIndexByte(p, '.'), strings.LastIndexByte(p, '['), 0)]
	}
	return line
}

var (
	lineInText = regexp.MustCompile(`^(?:yaml: )?line (\d+): `)
	goType     = regexp.MustCompile(` in(?:to)? (?:type )?[a-z]*\.?[A-Za-z]*$`)
)

// ProblemsOf says what a reader's error means, with its line.
func ProblemsOf(file, rule string, err error) []Problem {
	texts := []string{err.Error()}
	var several *yaml.TypeError
	if errors.As(err, &several) {
		texts = several.Errors
	}
	var out []Problem
	for _, text := range texts {
		if len(out) == maxProblems {
			break
		}
		text = strings.TrimPrefix(text, "read YAML: ")
		p := Problem{File: file, Level: LevelError, Rule: rule}
		if at := lineInText.FindStringSubmatch(text); at != nil {
			p.Line, _ = strconv.Atoi(at[1]) // digits; one that is too large stays unknown
			text = text[len(at[0]):]
		}
		p.Message = shorten(goType.ReplaceAllString(strings.TrimPrefix(text, "yaml: "), ""))
		out = append(out, p)
	}
	return out
}

const maxMessage = 300 // bytes; a hostile file may put anything into what a reader says of it

// shorten makes a text of a file fit for a page and a database.
func shorten(text string) string {
	end := ""
	if len(text) > maxMessage {
		text, end = text[:maxMessage], "…"
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(text, "")) + end
}
