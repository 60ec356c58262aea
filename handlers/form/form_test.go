package form

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/shopspring/decimal"

	"slipway/models"
)

type shared struct {
	Key string `form:"_key"`
}

type order struct {
	shared
	Name    string          `form:"name"`
	Count   int             `form:"count"`
	Small   int8            `form:"small"`
	Budget  decimal.Decimal `form:"budget"`
	Both    bool            `form:"both"`
	Regions []string        `form:"region"`
	Sizes   []int           `form:"size"`
	Notes   string          // no tag: never read
}

// post sends a body through fiber and gives what Decode made of it.
func post(t testing.TB, contentType, body string, headers ...string) (order, error) {
	t.Helper()
	app := fiber.New(fiber.Config{Immutable: true, DisablePreParseMultipartForm: true})
	var in order
	var failed error
	app.Post("/", func(c *fiber.Ctx) error {
		if _, err := Read(c); err != nil { // reading twice gives the same
			failed = err
		}
		in, failed = Decode[order](c)
		return nil
	})
	r := httptest.NewRequest("POST", "/", strings.NewReader(body))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := app.Test(r, -1)
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, resp.Body)
	return in, failed
}

const urlencoded = "application/x-www-form-urlencoded"

func TestDecode(t *testing.T) {
	in, err := post(t, urlencoded, "name=Payments+%C3%9C&count=+7&small=-3&budget=1200.50&both=on&region=eu-west-1&region=eu-central-1&size=1&size=2&_key=k&_csrf=t&_draft=d")
	want := order{shared: shared{"k"}, Name: "Payments Ü", Count: 7, Small: -3, Both: true, Regions: []string{"eu-west-1", "eu-central-1"}, Sizes: []int{1, 2}}
	if err != nil || in.Budget.String() != "1200.5" {
		t.Fatalf("%+v, %v", in, err)
	}
	in.Budget = decimal.Decimal{}
	if !reflect.DeepEqual(in, want) {
		t.Errorf("got %+v, want %+v", in, want)
	}
	if in, err := post(t, "", ""); err != nil || !reflect.DeepEqual(in, order{}) {
		t.Errorf("an empty post: %+v, %v", in, err)
	}
}

func TestDecodeMultipart(t *testing.T) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	w.WriteField("name", "Payments")
	w.WriteField("region", "eu-west-1")
	w.Close()
	if in, err := post(t, w.FormDataContentType(), b.String()); err != nil || in.Name != "Payments" || len(in.Regions) != 1 {
		t.Errorf("%+v, %v", in, err)
	}
	b.Reset()
	w = multipart.NewWriter(&b)
	f, _ := w.CreateFormFile("name", "x.txt")
	f.Write([]byte("hello"))
	w.Close()
	if _, err := post(t, w.FormDataContentType(), b.String()); models.Fields(err)["name"] == "" {
		t.Errorf("a file was taken: %v", err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for name, tc := range map[string]struct{ contentType, body, field string }{
		"unknown field":         {urlencoded, "name=a&admin=true", "admin"},
		"untagged field":        {urlencoded, "Notes=a", "Notes"},
		"wrong case":            {urlencoded, "Name=a", "Name"},
		"repeated":              {urlencoded, "name=a&name=b", "name"},
		"repeated reserved":     {urlencoded, "_draft=a&_draft=b", "_draft"},
		"not a number":          {urlencoded, "count=seven", "count"},
		"too large a number":    {urlencoded, "small=128", "small"},
		"number without digits": {urlencoded, "count=", "count"},
		"hex":                   {urlencoded, "count=0x7", "count"},
		"one of a list wrong":   {urlencoded, "size=1&size=x", "size"},
		"exponent":              {urlencoded, "budget=1e999999999", "budget"},
		"not a decimal":         {urlencoded, "budget=1,200", "budget"},
		"infinity":              {urlencoded, "budget=Inf", "budget"},
		"not a switch":          {urlencoded, "both=maybe", "both"},
		"invalid UTF-8":         {urlencoded, "name=%ff", "name"},
		"NUL":                   {urlencoded, "name=a%00b", "name"},
		"too long a value":      {urlencoded, "name=" + strings.Repeat("a", maxValue+1), "name"},
		"too long a name":       {urlencoded, strings.Repeat("n", 101) + "=a", strings.Repeat("n", 40) + "…"},
		"control in a name":     {urlencoded, "na%0Ame=a", "name"},
		"no name":               {urlencoded, "=a", "(no name)"},
		"bad escape":            {urlencoded, "name=%zz", ""},
		"semicolon":             {urlencoded, "name=a;count=1", ""},
		"too many fields":       {urlencoded, strings.Repeat("region=a&", 300), ""},
		"JSON":                  {"application/json", `{"name":"a"}`, ""},
		"XML":                   {"text/xml", `<order/>`, ""},
		"no type":               {"", "name=a", ""},
		"bad type":              {"application/;", "name=a", ""},
		"no boundary":           {"multipart/form-data", "x", ""},
		"cut multipart":         {"multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nhel", ""},
	} {
		in, err := post(t, tc.contentType, tc.body)
		if models.KindOf(err) != models.Invalid {
			t.Errorf("%s: %+v, %v", name, in, err)
			continue
		}
		if tc.field != "" && models.Fields(err)[tc.field] == "" {
			t.Errorf("%s: fields %v, want %s", name, models.Fields(err), tc.field)
		}
	}
	if _, err := post(t, urlencoded, "name=a", "Content-Encoding", "gzip"); models.KindOf(err) != models.Invalid {
		t.Errorf("a compressed form was unpacked: %v", err)
	}
}

func TestTypedValuesAreKept(t *testing.T) {
	in, err := post(t, urlencoded, "name=Payments&count=x&budget=7")
	if err == nil || in.Name != "Payments" || in.Budget.String() != "7" {
		t.Errorf("%+v, %v", in, err)
	}
}

func TestQuery(t *testing.T) {
	type list struct {
		Search string `form:"q"`
		Limit  int    `form:"limit"`
	}
	app := fiber.New(fiber.Config{Immutable: true})
	var got list
	var failed error
	app.Get("/", func(c *fiber.Ctx) error { got, failed = Query[list](c); return nil })
	for query, field := range map[string]string{"": "", "q=a%20b&limit=5": "", "q=a&q=b": "q", "limit=x": "limit", "sort=x": "sort", "_csrf=x": "_csrf", "q=%00": "q"} {
		resp, err := app.Test(httptest.NewRequest("GET", "/?"+query, nil), -1)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if field == "" && failed != nil || field != "" && models.Fields(failed)[field] == "" {
			t.Errorf("%s: %+v, %v", query, got, failed)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range [][2]string{
		{urlencoded, "name=a&count=1&budget=1.5&both=on&region=x&region=y"}, {urlencoded, "name=%ff&=&;&%zz&a=b=c"}, {"application/json", `{"name":1}`},
		{"multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nhello\r\n--b--\r\n"}, {"multipart/form-data; boundary=\"\"", "--\r\n"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, contentType, body string) {
		values, err := parse(contentType, "", []byte(body))
		if err != nil {
			if models.KindOf(err) != models.Invalid {
				t.Fatalf("%q %q: %v", contentType, body, err)
			}
			return
		}
		var in order
		if err := fill(&in, values, true, "form"); err != nil && (models.KindOf(err) != models.Invalid || len(models.Fields(err)) == 0) {
			t.Fatalf("%q: %v", body, err)
		}
		for _, v := range append(in.Regions, in.Name, in.Key) {
			if strings.ContainsRune(v, 0) || strings.ToValidUTF8(v, "") != v {
				t.Fatalf("%q let %q through", body, v)
			}
		}
	})
}
