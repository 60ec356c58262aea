package form

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"slipway/models"
)

// maxNames bounds how many members one object of a body may have.
const maxNames = 50

// JSON reads the body of a machine: one JSON object whose members are T's, each at most once and under its exact name. What web takes at
// most is the limit of its size.
func JSON[T any](c *fiber.Ctx) (T, error) {
	var out T
	media, _, err := mime.ParseMediaType(string(c.Request().Header.ContentType()))
	if err != nil || media != fiber.MIMEApplicationJSON {
		return out, models.Errorf(models.Invalid, "Send this as JSON, with Content-Type: application/json.")
	}
	if len(c.Request().Header.Peek(fiber.HeaderContentEncoding)) > 0 {
		return out, models.Errorf(models.Invalid, "Send the body without Content-Encoding.")
	}
	err = parseJSON(c.Request().Body(), &out)
	return out, err
}

func parseJSON(body []byte, out any) error {
	if !utf8.Valid(body) {
		return models.Errorf(models.Invalid, "The body is not valid UTF-8 text.")
	}
	wrong := map[string]string{}
	d := json.NewDecoder(bytes.NewReader(body))
	err := exact(d, reflect.TypeOf(out).Elem(), "", wrong)
	if err == nil {
		if _, err = d.Token(); err == io.EOF {
			err = nil
		} else {
			err = errors.New("something follows the object")
		}
	}
	if err != nil {
		return models.Wrap(models.Invalid, err, "The body could not be read: it is not one well-formed JSON object.")
	}
	if err := models.InvalidFields(wrong); err != nil {
		return err
	}
	return unfitJSON(json.Unmarshal(body, out))
}

var ownReader = reflect.TypeFor[json.Unmarshaler]()

// exact goes over an object and notes members that t has not, or that are there twice: encoding/json takes DIGEST for digest, and the last
// of two.
func exact(d *json.Decoder, t reflect.Type, prefix string, wrong map[string]string) error {
	start, err := d.Token()
	if err != nil {
		return err
	}
	if start != json.Delim('{') {
		return errors.New("not an object")
	}
	known, had := members(t), map[string]bool{}
	for n := 0; d.More(); n++ {
		key, err := d.Token()
		if err != nil {
			return err
		}
		name, _ := key.(string)
		of, ok := known[name]
		switch field := prefix + shown(name); {
		case n >= maxNames:
			return errors.New("too many members")
		case !ok:
			wrong[field] = "There is no such field."
		case had[name]:
			wrong[field] = "This was sent more than once."
		}
		had[name] = true
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return err
		}
		if ok && of.Kind() == reflect.Struct && !reflect.PointerTo(of).Implements(ownReader) && len(value) > 0 && value[0] == '{' {
			if err := exact(json.NewDecoder(bytes.NewReader(value)), of, prefix+name+".", wrong); err != nil {
				return err
			}
		}
	}
	_, err = d.Token()
	return err
}

func members(t reflect.Type) map[string]reflect.Type {
	all := map[string]reflect.Type{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" || name == "-" {
			continue
		}
		of := f.Type
		for of.Kind() == reflect.Pointer {
			of = of.Elem()
		}
		all[name] = of
	}
	return all
}

// unfitJSON says which value has the wrong form.
func unfitJSON(err error) error {
	var kind *json.UnmarshalTypeError
	var corrupt base64.CorruptInputError
	var when *time.ParseError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &kind):
		return oneField(kind.Field, "This is a "+kind.Value+", which is not what belongs here.")
	case errors.As(err, &corrupt):
		return models.Wrap(models.Invalid, err, "The content of the file is not base64.")
	case errors.As(err, &when):
		return models.Wrap(models.Invalid, err, "A time is not written as 2006-01-02T15:04:05Z.")
	}
	return models.Wrap(models.Invalid, err, "The body could not be read: a value has the wrong form.")
}
