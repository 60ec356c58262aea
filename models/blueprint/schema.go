package blueprint

import (
	"archive/zip"
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// schemas holds one JSON file per service; schema.md says where it comes from. A service is
// read when a template first names it.
//
//go:embed schema.zip
var schemas []byte

// When a change of a property makes a new resource.
const (
	ReplaceNever  = "never"
	ReplaceMaybe  = "maybe"
	ReplaceAlways = "always"
)

type shape struct {
	Kind  string   `json:"t"` // string, integer, number, boolean, json, array, map, union, ref, tag, date-time, unknown
	Elem  *shape   `json:"e"`
	Ref   string   `json:"r"`
	Union []*shape `json:"u"`
	Enum  []any    `json:"allowedValues"`
}

type property struct {
	Shape    *shape `json:"ty"`
	Required int    `json:"req"`
	Replaces string `json:"rep"` // "", "yes", "maybe"
}

type resourceType struct {
	ID         []string            `json:"id"`
	Ref        []string            `json:"ref"`
	Attributes []string            `json:"att"`
	Tag        string              `json:"tag"`
	Properties map[string]property `json:"p"`
}

type objectType struct {
	Name       string              `json:"n"`
	Properties map[string]property `json:"p"`
}

type service struct {
	Resources map[string]resourceType `json:"resources"`
	Types     map[string]objectType   `json:"types"`
}

// TypeSchema says what AWS knows about a resource type.
type TypeSchema struct {
	Type        string
	Attributes  []string // what GetAtt may ask for; nested ones are dotted
	Properties  []string
	Required    []string
	TagProperty string   // empty when the type cannot be tagged
	Identifier  []string // the properties or attributes that identify one
	RefIs       []string // what Ref returns: Identifier, unless the type says otherwise

	svc *service
	res resourceType
}

var catalogue struct {
	once     sync.Once
	zip      *zip.Reader
	err      error
	mu       sync.Mutex
	services map[string]*service // nil entry: no such service
}

// Schema finds a resource type; ok is false for a type AWS does not have.
func Schema(typ string) (s TypeSchema, ok bool) {
	svc := serviceOf(typ)
	if svc == nil {
		return TypeSchema{}, false
	}
	r, ok := svc.Resources[typ]
	if !ok {
		return TypeSchema{}, false
	}
	s = TypeSchema{Type: typ, Attributes: r.Attributes, TagProperty: r.Tag, Identifier: r.ID, RefIs: r.Ref, svc: svc, res: r}
	if len(s.RefIs) == 0 {
		s.RefIs = r.ID
	}
	for name, p := range r.Properties {
		s.Properties = append(s.Properties, name)
		if p.Required == 1 {
			s.Required = append(s.Required, name)
		}
	}
	slices.Sort(s.Properties)
	slices.Sort(s.Required)
	return s, true
}

// Replacement says whether a change of a top-level property makes a new resource. A
// property the type does not have never does.
func (s TypeSchema) Replacement(name string) string {
	switch s.res.Properties[name].Replaces {
	case "yes":
		return ReplaceAlways
	case "maybe":
		return ReplaceMaybe
	}
	return ReplaceNever
}

// Has says whether GetAtt may ask for an attribute.
func (s TypeSchema) Has(attribute string) bool {
	return slices.ContainsFunc(s.Attributes, func(a string) bool {
		return a == attribute || strings.HasPrefix(attribute, a+".")
	})
}

func serviceOf(typ string) *service {
	parts := strings.Split(typ, "::")
	if len(parts) < 3 || parts[0] != "AWS" {
		return nil
	}
	catalogue.once.Do(func() {
		catalogue.zip, catalogue.err = zip.NewReader(bytes.NewReader(schemas), int64(len(schemas)))
		catalogue.services = map[string]*service{}
	})
	if catalogue.err != nil {
		return nil // TestSchemaComplete opens every file, so a broken archive never ships
	}
	name := parts[0] + "-" + parts[1] + ".json"
	catalogue.mu.Lock()
	defer catalogue.mu.Unlock()
	if s, known := catalogue.services[name]; known {
		return s
	}
	s, err := readService(catalogue.zip, name)
	if err != nil {
		return nil
	}
	catalogue.services[name] = s
	return s
}

func readService(z *zip.Reader, name string) (*service, error) {
	f, err := z.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open schema %s: %w", name, err)
	}
	defer f.Close()
	s := &service{}
	if err := json.NewDecoder(f).Decode(s); err != nil {
		return nil, fmt.Errorf("read schema %s: %w", name, err)
	}
	return s, nil
}
