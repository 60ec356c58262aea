package form

import (
	"fmt"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"sync"

	"github.com/gofiber/fiber/v2"
	"github.com/shopspring/decimal"

	"slipway/models"
)

// Decode reads the form body into a T by its `form:"name"` tags. A field the struct does not have, one given twice that is
// not a slice, and one of the wrong type are Invalid by name. The T is filled as far as it could be, so that typed values
// can be shown again beside the messages. Fields of type string keep what was typed; nothing is trimmed.
func Decode[T any](c *fiber.Ctx) (T, error) {
	var out T
	values, err := Read(c)
	if err != nil {
		return out, err
	}
	return out, fill(&out, values, true, "form")
}

// Query reads the query string into a T by the same rules.
func Query[T any](c *fiber.Ctx) (T, error) {
	var out T
	raw := string(c.Request().URI().QueryString())
	values := url.Values{}
	if raw != "" {
		var err error
		if values, err = parsePairs(raw); err != nil {
			return out, err
		}
	}
	return out, fill(&out, values, false, "page")
}

// Fields are the values of a saved form, decoded as a posted form would be.
func Fields[T any](fields map[string][]string) (T, error) {
	var out T
	return out, fill(&out, fields, true, "form")
}

var shapes sync.Map // reflect.Type to map[string][]int

func shape(t reflect.Type) map[string][]int {
	if s, ok := shapes.Load(t); ok {
		return s.(map[string][]int)
	}
	s := map[string][]int{}
	for _, f := range reflect.VisibleFields(t) {
		if name := f.Tag.Get("form"); name != "" && name != "-" && f.IsExported() {
			s[name] = f.Index
		}
	}
	shapes.Store(t, s)
	return s
}

func fill(out any, values url.Values, reserved bool, where string) error {
	v := reflect.ValueOf(out).Elem()
	fields := shape(v.Type())
	wrong := map[string]string{}
	for name, all := range values {
		index, known := fields[name]
		switch {
		case known:
			if message := set(v.FieldByIndex(index), all); message != "" {
				wrong[name] = message
			}
		case reserved && (name == CSRFField || name == KeyField || name == DraftField):
			if len(all) > 1 {
				wrong[name] = "This was sent more than once."
			}
		default:
			wrong[shown(name)] = fmt.Sprintf("This %s has no field %q.", where, shown(name))
		}
	}
	return models.InvalidFields(wrong)
}

var decimalType = reflect.TypeFor[decimal.Decimal]()

// set puts the values of one field into v and returns what is wrong with them, in words.
func set(v reflect.Value, all []string) string {
	if v.Kind() == reflect.Slice {
		s := reflect.MakeSlice(v.Type(), len(all), len(all))
		for i, one := range all {
			if message := setOne(s.Index(i), one); message != "" {
				return message
			}
		}
		v.Set(s)
		return ""
	}
	if len(all) != 1 {
		if len(all) > 0 && v.Kind() == reflect.String {
			v.SetString(all[0])
		}
		return "This was sent more than once."
	}
	return setOne(v, all[0])
}

func setOne(v reflect.Value, s string) string {
	if v.Type() == decimalType {
		return setDecimal(v, s)
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(s)
	case reflect.Bool:
		switch strings.ToLower(s) {
		case "on", "true", "1", "yes":
			v.SetBool(true)
		case "", "off", "false", "0", "no":
			v.SetBool(false)
		default:
			return "This must be on or off."
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n, err := strconv.ParseInt(strings.TrimSpace(s), 10, v.Type().Bits())
		if err != nil {
			return "This must be a whole number."
		}
		v.SetInt(n)
	default:
		return fmt.Sprintf("A field cannot be a %s.", v.Type())
	}
	return ""
}

// setDecimal takes plain notation only: an exponent could make a number of a billion digits.
func setDecimal(v reflect.Value, s string) string {
	s = strings.TrimSpace(s)
	if len(s) > 40 || strings.ContainsAny(s, "eE_") {
		return "This must be a number such as 1200 or 1200.50."
	}
	d, err := decimal.NewFromString(s)
	if err != nil {
		return "This must be a number such as 1200 or 1200.50."
	}
	v.Set(reflect.ValueOf(d))
	return ""
}
