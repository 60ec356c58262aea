package price

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"

	"slipway/models/blueprint"
)

// path follows names into a property's maps; nil where there is nothing.
func path(res blueprint.ResolvedResource, names ...string) any {
	var v any = res.Properties
	for _, name := range names {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[name]
	}
	return v
}

// text is a property as text. Not known: it holds what is known only later, or is no text at all.
func text(v any, otherwise string) (value string, known bool) {
	switch x := v.(type) {
	case nil:
		return otherwise, true
	case string:
		return x, !blueprint.IsUnknown(x)
	case bool:
		return strconv.FormatBool(x), true
	}
	return "", false
}

// is compares a property that has a default. What is known only later is nothing in particular.
func is(v any, want, otherwise string) bool {
	value, known := text(v, otherwise)
	return known && strings.EqualFold(value, want)
}

var numberForm = regexp.MustCompile(`^[0-9]{0,9}(\.[0-9]{1,6})?$`)

// number is a property as a number that is not below zero.
func number(v any) (decimal.Decimal, bool) {
	switch x := v.(type) {
	case int64:
		return decimal.NewFromInt(x), x >= 0
	case float64:
		if !(x >= 0 && x < 1e12) { // not a number, and infinity, too
			return decimal.Zero, false
		}
		return decimal.NewFromFloat(x), true
	case string:
		if x == "" || !numberForm.MatchString(x) {
			return decimal.Zero, false
		}
		n, err := decimal.NewFromString(x)
		return n, err == nil
	}
	return decimal.Zero, false
}

// items is how long a property's list is. An item that is known only later counts as one where it refers to a resource of the template;
// otherwise it may stand for a whole list, and the length is not known.
func items(res blueprint.ResolvedResource, property string) (n int, known bool) {
	switch x := res.Properties[property].(type) {
	case nil:
		return 0, true
	case []any:
		for _, item := range x {
			if blueprint.IsUnknown(item) && len(res.References[property]) == 0 {
				return 0, false
			}
		}
		return len(x), true
	}
	return 0, false
}

// referred is the one resource of a type that a property refers to.
func (w *walk) referred(res blueprint.ResolvedResource, property, typ string) (blueprint.ResolvedResource, bool) {
	for _, ref := range res.References[property] {
		if to, ok := w.r.Find(ref.Resource); ok && to.Type == typ {
			return to, true
		}
	}
	return blueprint.ResolvedResource{}, false
}

// refersTo tells whether any property of a resource refers to another.
func refersTo(res blueprint.ResolvedResource, id string) bool {
	for _, refs := range res.References {
		for _, ref := range refs {
			if ref.Resource == id {
				return true
			}
		}
	}
	return false
}

// mentions looks for a word in every text of a value.
func mentions(v any, word string) bool {
	switch x := v.(type) {
	case string:
		return strings.Contains(strings.ToLower(x), word)
	case []any:
		for _, item := range x {
			if mentions(item, word) {
				return true
			}
		}
	case map[string]any:
		for _, item := range x {
			if mentions(item, word) {
				return true
			}
		}
	}
	return false
}
