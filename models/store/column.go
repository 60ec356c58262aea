package store

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// texts is a text[] or uuid[] column.
type texts []string

// Value is the array in PostgreSQL's own notation; every element is quoted.
func (t texts) Value() (driver.Value, error) {
	var b strings.Builder
	b.WriteByte('{')
	for i, s := range t {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('"')
		b.WriteString(strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s))
		b.WriteByte('"')
	}
	b.WriteByte('}')
	return b.String(), nil
}

// Scan reads a one-dimensional array without nulls, which is all the schema has.
func (t *texts) Scan(src any) error {
	in, ok := asText(src)
	if src == nil {
		*t = nil
		return nil
	}
	if !ok || len(in) < 2 || in[0] != '{' || in[len(in)-1] != '}' {
		return fmt.Errorf("read an array from %T", src)
	}
	*t = texts{}
	var item strings.Builder
	quoted, open := false, false
	for i := 1; i < len(in)-1; i++ {
		switch c := in[i]; {
		case c == '\\' && open:
			i++
			item.WriteByte(in[i])
		case c == '"':
			open, quoted = !open, true
		case c == ',' && !open:
			*t = append(*t, item.String())
			item.Reset()
			quoted = false
		default:
			item.WriteByte(c)
		}
	}
	if item.Len() > 0 || quoted {
		*t = append(*t, item.String())
	}
	return nil
}

// jsonb is a jsonb column; empty is null.
type jsonb []byte

// Value is the document as text.
func (j jsonb) Value() (driver.Value, error) {
	if len(j) == 0 {
		return nil, nil
	}
	return string(j), nil
}

// Scan copies: the driver reuses its buffer.
func (j *jsonb) Scan(src any) error {
	if src == nil {
		*j = nil
		return nil
	}
	in, ok := asText(src)
	if !ok {
		return fmt.Errorf("read JSON from %T", src)
	}
	*j = jsonb(in)
	return nil
}

// document makes a jsonb column of a value; null for nil.
func document(v any) (jsonb, error) {
	if v == nil {
		return nil, nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w", v, err)
	}
	if string(b) == "null" {
		return nil, nil
	}
	return b, nil
}

// decode reads a jsonb column into v; null leaves v as it is.
func (j jsonb) decode(v any) error {
	if len(j) == 0 {
		return nil
	}
	if err := json.Unmarshal(j, v); err != nil {
		return fmt.Errorf("decode %T: %w", v, err)
	}
	return nil
}

func asText(src any) (string, bool) {
	switch v := src.(type) {
	case string:
		return v, true
	case []byte:
		return string(v), true
	}
	return "", false
}

// orNull is a text or UUID that may be missing.
func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// timeOrNull is a time that may not have come yet.
func timeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// value is what a column that may be null holds; the zero value for null.
func value[T any](p *T) T {
	if p == nil {
		var none T
		return none
	}
	return *p
}
