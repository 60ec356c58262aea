// Package form reads what browsers send: form bodies and query strings, strictly and by one rule for every page.
package form

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"slipway/models"
)

// Fields that every form may carry whatever its struct says.
const (
	CSRFField  = "_csrf"  // the session's token
	KeyField   = "_key"   // idempotency: submitting twice lands on the same request
	DraftField = "_draft" // the saved form this one was restored from
)

const (
	maxFields = 200
	maxName   = 100
	maxValue  = 64 << 10
)

type readKey struct{}

type read struct {
	values url.Values
	err    error
}

// Read parses the body of a form post, urlencoded or multipart, once per request. Files are not read into values:
// a form with a file part is refused, as no form of ours has one.
func Read(c *fiber.Ctx) (url.Values, error) {
	if r, ok := c.Locals(readKey{}).(read); ok {
		return r.values, r.err
	}
	values, err := parseBody(c)
	c.Locals(readKey{}, read{values, err})
	return values, err
}

func parseBody(c *fiber.Ctx) (url.Values, error) {
	header := &c.Request().Header
	// The body as sent: fiber's own Body would unpack a compressed one without limit.
	return parse(string(header.ContentType()), string(header.Peek(fiber.HeaderContentEncoding)), c.Request().Body())
}

func parse(contentType, encoding string, body []byte) (url.Values, error) {
	if encoding != "" {
		return nil, models.Errorf(models.Invalid, "Send the form without Content-Encoding.")
	}
	if contentType == "" && len(body) == 0 {
		return url.Values{}, nil
	}
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		media = ""
	}
	switch media {
	case fiber.MIMEApplicationForm:
		return parsePairs(string(body))
	case fiber.MIMEMultipartForm:
		return parseParts(body, params["boundary"])
	}
	return nil, models.Errorf(models.Invalid, "Send this as a form: application/x-www-form-urlencoded or multipart/form-data.")
}

func parsePairs(raw string) (url.Values, error) {
	if strings.Count(raw, "&") >= maxFields {
		return nil, tooMany()
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return nil, models.Wrap(models.Invalid, err, "The form could not be read: it is not well encoded.")
	}
	return values, check(values)
}

func parseParts(body []byte, boundary string) (url.Values, error) {
	if boundary == "" {
		return nil, models.Errorf(models.Invalid, "The form could not be read: its boundary is missing.")
	}
	values := url.Values{}
	r := multipart.NewReader(bytes.NewReader(body), boundary)
	for n := 0; ; n++ {
		part, err := r.NextRawPart()
		if err == io.EOF {
			return values, check(values)
		}
		if err != nil {
			return nil, models.Wrap(models.Invalid, err, "The form could not be read: it ends too early or is not well formed.")
		}
		if n >= maxFields {
			return nil, tooMany()
		}
		name := part.FormName()
		if part.FileName() != "" {
			return nil, oneField(name, "Files are not taken here.")
		}
		value, err := io.ReadAll(io.LimitReader(part, maxValue+1))
		if err != nil {
			return nil, models.Wrap(models.Invalid, err, "The form could not be read: it ends too early or is not well formed.")
		}
		values.Add(name, string(value))
	}
}

// check refuses what no field of any form may hold, and makes line ends plain.
func check(values url.Values) error {
	wrong := map[string]string{}
	for name, all := range values {
		switch {
		case name == "" || len(name) > maxName || !printable(name):
			wrong[shown(name)] = "This is not the name of a field."
		default:
			for i, v := range all {
				all[i] = strings.ReplaceAll(v, "\r\n", "\n")
				if message := unfit(v); message != "" {
					wrong[name] = message
				}
			}
		}
	}
	return models.InvalidFields(wrong)
}

func unfit(value string) string {
	switch {
	case len(value) > maxValue:
		return fmt.Sprintf("This is too long: at most %d characters are taken.", maxValue)
	case !utf8.ValidString(value):
		return "This is not valid UTF-8 text."
	case strings.ContainsRune(value, 0):
		return "This contains a NUL character."
	}
	return ""
}

func tooMany() error {
	return models.Errorf(models.Invalid, "The form has too many fields: at most %d are taken.", maxFields)
}

func oneField(name, message string) error {
	return models.InvalidFields(map[string]string{shown(name): message})
}

func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// shown cuts a hostile name down to what a page and a log line can carry.
func shown(name string) string {
	name = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, name)
	if r := []rune(name); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	if name == "" {
		return "(no name)"
	}
	return name
}
