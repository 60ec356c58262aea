package config

import (
	"reflect"
	"strings"
)

// Field is one variable as the struct's tags describe it.
type Field struct {
	Group   string // name of the struct it sits in
	Field   string // Go name, as the parser's errors state it
	Name    string // SLIPWAY_...
	Default string
	Secret  string // "", "value", "url": one with a password inside, or "dsn": a connection string, shown without its password
	Doc     string
	Need    []string // commands that cannot run without it
	index   []int
}

// fieldsOf walks a configuration struct in its own order, which is the order of the table and of error lists.
func fieldsOf(t reflect.Type) []Field {
	var fields []Field
	for _, f := range reflect.VisibleFields(t) {
		if f.Type.Kind() == reflect.Struct && f.Tag.Get("env") == "" {
			for _, inner := range fieldsOf(f.Type) {
				inner.Group = f.Name
				inner.index = append(append([]int{}, f.Index...), inner.index...)
				fields = append(fields, inner)
			}
			continue
		}
		field := Field{
			Group: t.Name(), Field: f.Name, Name: Prefix + f.Tag.Get("env"), Default: f.Tag.Get("envDefault"),
			Secret: f.Tag.Get("secret"), Doc: f.Tag.Get("doc"), index: f.Index,
		}
		if need := f.Tag.Get("need"); need != "" {
			field.Need = strings.Split(need, ",")
		}
		fields = append(fields, field)
	}
	return fields
}
