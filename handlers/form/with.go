package form

import (
	"net/url"
	"reflect"

	"github.com/gofiber/fiber/v2"

	"slipway/models"
)

// DecodeWith reads the form body like Decode, and beside T's own fields those whose names are only known at run time: the questions
// of a blueprint. Where both have a name, it is T's. What a question was sent is in the map; one that was not sent is not.
func DecodeWith[T any](c *fiber.Ctx, names []string) (T, map[string]string, error) {
	var out T
	values, err := Read(c)
	if err != nil {
		return out, nil, err
	}
	answers, err := fillWith(&out, values, names)
	return out, answers, err
}

// FieldsWith reads a saved form by the same rules.
func FieldsWith[T any](fields map[string][]string, names []string) (T, map[string]string, error) {
	var out T
	answers, err := fillWith(&out, fields, names)
	return out, answers, err
}

func fillWith[T any](out *T, values url.Values, names []string) (map[string]string, error) {
	asked := map[string]bool{}
	for _, name := range names {
		asked[name] = true
	}
	known, own, answers, wrong := shape(reflect.TypeFor[T]()), url.Values{}, map[string]string{}, map[string]string{}
	for name, all := range values {
		if _, has := known[name]; has || !asked[name] {
			own[name] = all
			continue
		}
		if len(all) > 0 {
			answers[name] = all[0]
		}
		if len(all) != 1 {
			wrong[name] = "This was sent more than once."
		}
	}
	err := fill(out, own, true, "form")
	for name, message := range models.Fields(err) {
		wrong[name] = message
	}
	return answers, models.InvalidFields(wrong)
}
