package blueprint

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Limits of an inputs schema: it draws a form that a person fills.
const (
	maxSchemaBytes = 64 << 10
	maxSchemaDepth = 12
	maxInputs      = 60
	maxChoices     = 200
)

// Keywords an inputs schema may use. None of them makes the validator look elsewhere: there is no $ref and no $id.
var (
	schemaKeys = []string{"$schema", "type", "title", "description", "additionalProperties", "required", "properties", "allOf", "anyOf", "not", "if", "then", "else", "dependentRequired"}
	inputKeys  = []string{
		"type", "title", "description", "default", "enum", "pattern", "minLength", "maxLength", "minimum", "maximum", "multipleOf",
		"x-labels", "x-order", "x-advanced", "x-unit", "x-error",
	}
	branchKeys = []string{"required", "properties", "allOf", "anyOf", "not", "if", "then", "else"}
	branchLeaf = []string{"const", "enum", "pattern", "minLength", "maxLength", "minimum", "maximum"}
)

const dialect = "https://json-schema.org/draft/2020-12/schema"

// inputsSchema is a schema ready for use. It is never changed after it was made.
type inputsSchema struct {
	fields   []Field
	kinds    map[string]string // input to string, integer, number or boolean
	words    map[string]string // input to what x-error says of a value that is refused
	compiled *jsonschema.Schema
}

// compiledInputs keeps what was compiled, by the SHA-256 of the schema.
var compiledInputs struct {
	sync.Mutex
	known map[[32]byte]*inputsSchema
}

const maxCompiled = 256 // more than a catalogue has; all are dropped when it is reached

// inputs compiles the schema once.
func (m Meta) inputs() (*inputsSchema, error) {
	text, err := json.Marshal(m.Inputs)
	if err != nil {
		return nil, fmt.Errorf("inputs: %w", err)
	}
	key := sha256.Sum256(text)
	compiledInputs.Lock()
	defer compiledInputs.Unlock()
	if s := compiledInputs.known[key]; s != nil {
		return s, nil
	}
	s, err := compileInputs(text)
	if err != nil {
		return nil, err
	}
	if len(compiledInputs.known) >= maxCompiled || compiledInputs.known == nil {
		compiledInputs.known = map[[32]byte]*inputsSchema{}
	}
	compiledInputs.known[key] = s
	return s, nil
}

// nothingElse is the loader of references: there are none, and it would follow none.
type nothingElse struct{}

func (nothingElse) Load(url string) (any, error) {
	return nil, fmt.Errorf("a schema may not refer to %s", url)
}

func compileInputs(text []byte) (*inputsSchema, error) {
	if len(text) > maxSchemaBytes {
		return nil, fmt.Errorf("inputs have %d bytes, more than %d", len(text), maxSchemaBytes)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("inputs: %w", err)
	}
	top, ok := doc.(map[string]any)
	if doc == nil {
		top, ok = map[string]any{}, true
	}
	if !ok {
		return nil, errors.New("inputs must be a schema of an object")
	}
	s := &inputsSchema{kinds: map[string]string{}, words: map[string]string{}}
	if err := s.read(top); err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.UseLoader(nothingElse{})
	const place = "https://slipway.invalid/inputs"
	if err := c.AddResource(place, top); err != nil {
		return nil, fmt.Errorf("inputs: %w", err)
	}
	if s.compiled, err = c.Compile(place); err != nil {
		return nil, fmt.Errorf("inputs: %w", err)
	}
	return s, nil
}

// read makes the fields, and refuses what a form of texts cannot ask.
func (s *inputsSchema) read(top map[string]any) error {
	for key := range top {
		if !slices.Contains(schemaKeys, key) {
			return fmt.Errorf("inputs: %s is not supported", key)
		}
	}
	if v, ok := top["$schema"]; ok && v != dialect {
		return fmt.Errorf("inputs: $schema must be %s", dialect)
	}
	if v, ok := top["type"]; ok && v != "object" {
		return errors.New("inputs: type must be object")
	}
	top["type"], top["additionalProperties"] = "object", false // also where the file does not say so
	for _, key := range []string{"allOf", "anyOf", "not", "if", "then", "else"} {
		if err := branch("inputs."+key, top[key], branchKeys, 0); err != nil {
			return err
		}
	}
	properties, ok := top["properties"].(map[string]any)
	if top["properties"] != nil && !ok {
		return errors.New("inputs.properties must be a map")
	}
	if len(properties) > maxInputs {
		return fmt.Errorf("inputs has %d properties, more than %d", len(properties), maxInputs)
	}
	order := map[string]float64{}
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		f, at, err := s.field(name, properties[name])
		if err != nil {
			return err
		}
		order[name] = at
		s.fields = append(s.fields, f)
	}
	if err := s.require(top["required"]); err != nil {
		return err
	}
	slices.SortStableFunc(s.fields, func(a, b Field) int { return cmp.Compare(order[a.Name], order[b.Name]) })
	return nil
}

// require marks what must be answered; everything else is asked under Advanced unless it says otherwise.
func (s *inputsSchema) require(v any) error {
	list, ok := v.([]any)
	if v != nil && !ok {
		return errors.New("inputs.required must be a list of names")
	}
	for _, item := range list {
		i := slices.IndexFunc(s.fields, func(f Field) bool { return f.Name == item })
		if i < 0 {
			return fmt.Errorf("inputs.required names %v, which is no property", item)
		}
		s.fields[i].Required, s.fields[i].Advanced = true, false
	}
	return nil
}

// branch bounds what if, allOf and the like may hold: names of inputs and simple conditions on them.
func branch(path string, v any, keys []string, depth int) error {
	if depth > maxSchemaDepth {
		return fmt.Errorf("%s is nested deeper than %d levels", path, maxSchemaDepth)
	}
	switch x := v.(type) {
	case []any:
		for i, item := range x {
			if err := branch(fmt.Sprintf("%s[%d]", path, i), item, keys, depth+1); err != nil {
				return err
			}
		}
	case map[string]any:
		for key, child := range x {
			if !slices.Contains(keys, key) {
				return fmt.Errorf("%s: %s is not supported", path, key)
			}
			properties, ok := child.(map[string]any)
			if key != "properties" || !ok {
				if slices.Contains(branchKeys, key) && key != "required" {
					if err := branch(path+"."+key, child, branchKeys, depth+1); err != nil {
						return err
					}
				}
				continue
			}
			for name, leaf := range properties {
				if err := branch(path+".properties."+name, leaf, branchLeaf, depth+1); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
