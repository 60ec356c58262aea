package awssim

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// unknownMember names an input member that the operation does not have.
type unknownMember string

func (u unknownMember) Error() string { return "Unknown parameter: " + string(u) }

// binder fills an SDK Input struct from a decoded tree. Names match without regard to
// case, because each protocol spells the same member in its own way.
type binder struct {
	ec2 bool // list members are sent in the singular
}

var (
	timeType   = reflect.TypeFor[time.Time]()
	readerType = reflect.TypeFor[io.Reader]()
)

func (b binder) bind(t any, v reflect.Value, path string) error {
	if t == nil {
		return nil
	}
	if v.Type() == readerType {
		r, ok := t.(io.Reader)
		if !ok {
			return fmt.Errorf("%s is not a body", path)
		}
		v.Set(reflect.ValueOf(r))
		return nil
	}
	if v.Kind() == reflect.Pointer {
		p := reflect.New(v.Type().Elem())
		if err := b.bind(t, p.Elem(), path); err != nil {
			return err
		}
		v.Set(p)
		return nil
	}
	if v.Type() == timeType {
		at, err := parseTime(t)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		v.Set(reflect.ValueOf(at))
		return nil
	}
	switch v.Kind() {
	case reflect.Struct:
		return b.bindStruct(t, v, path)
	case reflect.Slice:
		return b.bindSlice(t, v, path)
	case reflect.Map:
		return b.bindMap(t, v, path)
	case reflect.Interface:
		return b.bindInterface(t, v, path)
	default:
		return bindScalar(t, v, path)
	}
}

func (b binder) bindStruct(t any, v reflect.Value, path string) error {
	m, ok := t.(map[string]any)
	if s, empty := t.(string); empty && strings.TrimSpace(s) == "" {
		return nil // <Element/> and Member= stand for an empty structure
	}
	if !ok {
		return fmt.Errorf("%s: expected a structure", path)
	}
	for name, value := range m {
		at := join(path, name)
		f, ok := b.field(v, name)
		if !ok {
			return unknownMember(at)
		}
		if err := b.bind(value, f, at); err != nil {
			return err
		}
	}
	return nil
}

// field finds the struct field a wire name means.
func (b binder) field(v reflect.Value, name string) (reflect.Value, bool) {
	names := []string{name}
	if b.ec2 {
		names = append(names, name+"s", name+"es")
	}
	for _, n := range names {
		if strings.EqualFold(n, "ResultMetadata") {
			continue
		}
		f, ok := v.Type().FieldByNameFunc(func(field string) bool { return strings.EqualFold(field, n) })
		if ok && f.IsExported() {
			return v.FieldByIndex(f.Index), true
		}
	}
	return reflect.Value{}, false
}

func (b binder) bindSlice(t any, v reflect.Value, path string) error {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		s, ok := t.(string)
		if !ok {
			return fmt.Errorf("%s: expected base64 text", path)
		}
		raw, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			return fmt.Errorf("%s: expected base64 text", path)
		}
		v.SetBytes(raw)
		return nil
	}
	l, ok := t.([]any)
	if s, empty := t.(string); empty && s == "" {
		l, ok = []any{}, true // Member= is how the query protocol writes an empty list
	}
	if !ok {
		return fmt.Errorf("%s: expected a list", path)
	}
	out := reflect.MakeSlice(v.Type(), len(l), len(l))
	for i := range l {
		if err := b.bind(l[i], out.Index(i), path+"."+strconv.Itoa(i+1)); err != nil {
			return err
		}
	}
	v.Set(out)
	return nil
}

func (b binder) bindMap(t any, v reflect.Value, path string) error {
	m, ok := t.(map[string]any)
	if !ok {
		return fmt.Errorf("%s: expected a map", path)
	}
	out := reflect.MakeMapWithSize(v.Type(), len(m))
	for k, value := range m {
		e := reflect.New(v.Type().Elem()).Elem()
		if err := b.bind(value, e, join(path, k)); err != nil {
			return err
		}
		out.SetMapIndex(reflect.ValueOf(k).Convert(v.Type().Key()), e)
	}
	v.Set(out)
	return nil
}

func bindScalar(t any, v reflect.Value, path string) error {
	switch v.Kind() {
	case reflect.String:
		s, ok := t.(string)
		if !ok {
			return fmt.Errorf("%s: expected text", path)
		}
		v.SetString(s)
		return checkEnum(v, path)
	case reflect.Bool:
		switch x := t.(type) {
		case bool:
			v.SetBool(x)
			return nil
		case string:
			if x == "true" || x == "false" {
				v.SetBool(x == "true")
				return nil
			}
		}
		return fmt.Errorf("%s: expected true or false", path)
	case reflect.Int32, reflect.Int64, reflect.Int:
		n, err := strconv.ParseInt(number(t), 10, v.Type().Bits())
		if err != nil {
			return fmt.Errorf("%s: expected a whole number", path)
		}
		v.SetInt(n)
		return nil
	case reflect.Float32, reflect.Float64:
		f, err := strconv.ParseFloat(number(t), v.Type().Bits())
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return fmt.Errorf("%s: expected a number", path)
		}
		v.SetFloat(f)
		return nil
	}
	return fmt.Errorf("%s: the simulator cannot read a %s", path, v.Type())
}

// checkEnum refuses a value outside an SDK enumeration, which lists its own values.
func checkEnum(v reflect.Value, path string) error {
	values := v.MethodByName("Values")
	if !values.IsValid() || values.Type().NumIn() != 0 || values.Type().NumOut() != 1 {
		return nil
	}
	all := values.Call(nil)[0]
	for i := range all.Len() {
		if all.Index(i).String() == v.String() {
			return nil
		}
	}
	return fmt.Errorf("the value '%s' at '%s' failed to satisfy constraint: Member must satisfy enum value set: %v", v.String(), path, all.Interface())
}

func number(t any) string {
	switch x := t.(type) {
	case json.Number:
		return x.String()
	case string:
		return x
	}
	return ""
}

// parseTime reads epoch seconds (JSON) and RFC 3339 (forms, XML).
func parseTime(t any) (time.Time, error) {
	switch x := t.(type) {
	case json.Number:
		f, err := x.Float64()
		if err != nil || math.Abs(f) > 1e11 {
			return time.Time{}, fmt.Errorf("%s is not a time", x)
		}
		return time.UnixMilli(int64(math.Round(f * 1000))).UTC(), nil
	case string:
		for _, layout := range []string{time.RFC3339Nano, "Mon, 02 Jan 2006 15:04:05 GMT"} {
			if at, err := time.Parse(layout, x); err == nil {
				return at.UTC(), nil
			}
		}
	}
	return time.Time{}, fmt.Errorf("%v is not a time", t)
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
