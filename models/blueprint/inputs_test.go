package blueprint

import (
	"maps"
	"reflect"
	"strings"
	"testing"
)

const formMeta = `id: form
inputs:
  $schema: https://json-schema.org/draft/2020-12/schema
  required: [Size, Name]
  properties:
    Size: {type: string, title: Size, description: How large, enum: [S, M, L], default: S, x-labels: {S: "Small: one task"}, x-order: 1}
    Name: {type: string, title: Name, minLength: 2, maxLength: 10, pattern: "^[a-z]+$", x-order: 2}
    Days: {type: integer, title: Days, default: 30, minimum: 7, maximum: 90, x-unit: days, x-order: 3}
    Ratio: {type: number, title: Ratio, default: 0.5, multipleOf: 0.25, x-order: 4}
    Public: {type: boolean, title: Public, x-advanced: false, x-order: 5}
    Path: {type: string, title: Path, default: /, pattern: "^/", x-error: "Begin with a slash.", x-order: 6}
    Note: {type: string, title: Note}
  if: {properties: {Size: {const: L}}}
  then: {required: [Note], properties: {Days: {minimum: 60}}}
`

func form(t testing.TB) Meta {
	t.Helper()
	m, err := ReadMeta([]byte(formMeta))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestFields(t *testing.T) {
	got, err := form(t).Fields()
	if err != nil {
		t.Fatal(err)
	}
	seven, ninety := 7.0, 90.0
	want := []Field{
		{Name: "Size", Title: "Size", Help: "How large", Type: ChoiceField, Default: "S", Required: true, Choices: []Choice{{"S", "Small: one task"}, {"M", "M"}, {"L", "L"}}},
		{Name: "Name", Title: "Name", Type: TextField, Required: true, MaxLength: 10, Pattern: "^[a-z]+$"},
		{Name: "Days", Title: "Days", Type: NumberField, Default: "30", Advanced: true, Whole: true, Unit: "days", Min: &seven, Max: &ninety},
		{Name: "Ratio", Title: "Ratio", Type: NumberField, Default: "0.5", Advanced: true},
		{Name: "Public", Title: "Public", Type: FlagField, Default: "false"},
		{Name: "Path", Title: "Path", Type: TextField, Default: "/", Advanced: true, Pattern: "^/"},
		{Name: "Note", Title: "Note", Type: TextField, Advanced: true},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}

func TestValidate(t *testing.T) {
	usual := map[string]string{"Size": "S", "Name": "shop", "Days": "30", "Ratio": "0.5", "Public": "false", "Path": "/"}
	with := func(more map[string]string) map[string]string {
		out := maps.Clone(usual)
		maps.Copy(out, more)
		return out
	}
	for name, tc := range map[string]struct{ in, clean, problems map[string]string }{
		"defaults are filled":    {map[string]string{"Name": "shop"}, usual, nil},
		"all as they are":        {with(map[string]string{"Note": "x"}), with(map[string]string{"Note": "x"}), nil},
		"numbers are written so": {with(map[string]string{"Days": " 007 ", "Ratio": "0.750"}), with(map[string]string{"Days": "7", "Ratio": "0.75"}), nil},
		"a cleared number":       {with(map[string]string{"Days": ""}), usual, nil},
		"a cleared text":         {with(map[string]string{"Note": ""}), usual, nil},
		"a cleared default":      {with(map[string]string{"Path": ""}), nil, map[string]string{"Path": "Begin with a slash."}},
		"nothing":                {nil, nil, map[string]string{"Name": "This is needed."}},
		"an empty answer":        {with(map[string]string{"Name": ""}), nil, map[string]string{"Name": "This is needed."}},
		"unknown":                {with(map[string]string{"Colour": "red"}), nil, map[string]string{"Colour": "This blueprint does not ask for this."}},
		"no choice":              {with(map[string]string{"Size": "XL"}), nil, map[string]string{"Size": "Choose one of S, M, L."}},
		"no number":              {with(map[string]string{"Days": "ten"}), nil, map[string]string{"Days": "Enter a whole number."}},
		"a fraction":             {with(map[string]string{"Days": "7.5"}), nil, map[string]string{"Days": "Enter a whole number."}},
		"a huge number":          {with(map[string]string{"Days": "99999999999999999999"}), nil, map[string]string{"Days": "Enter a whole number."}},
		"hexadecimal":            {with(map[string]string{"Ratio": "0x1p-2"}), nil, map[string]string{"Ratio": "Enter a number."}},
		"not a number":           {with(map[string]string{"Ratio": "NaN"}), nil, map[string]string{"Ratio": "Enter a number."}},
		"too few days":           {with(map[string]string{"Days": "1"}), nil, map[string]string{"Days": "Enter at least 7 days."}},
		"too many days":          {with(map[string]string{"Days": "91"}), nil, map[string]string{"Days": "Enter at most 90 days."}},
		"an odd ratio":           {with(map[string]string{"Ratio": "0.3"}), nil, map[string]string{"Ratio": "Enter a multiple of 0.25."}},
		"too short":              {with(map[string]string{"Name": "a"}), nil, map[string]string{"Name": "Enter at least 2 characters."}},
		"too long":               {with(map[string]string{"Name": "abcdefghijk"}), nil, map[string]string{"Name": "Enter at most 10 characters."}},
		"capitals":               {with(map[string]string{"Name": "Shop"}), nil, map[string]string{"Name": "This is not a valid name."}},
		"no flag":                {with(map[string]string{"Public": "on"}), nil, map[string]string{"Public": "This is yes or no."}},
		"control characters":     {with(map[string]string{"Note": "a\x00b"}), nil, map[string]string{"Note": "Some characters cannot be used here."}},
		"broken text":            {with(map[string]string{"Note": "\xff"}), nil, map[string]string{"Note": "Some characters cannot be used here."}},
		"a dynamic reference":    {with(map[string]string{"Note": "{{resolve:secretsmanager:theirs}}"}), nil, map[string]string{"Note": "This may not hold {{: AWS would read it as a reference."}},
		"a book":                 {with(map[string]string{"Note": strings.Repeat("x", 5000)}), nil, map[string]string{"Note": "This is longer than 4096 bytes."}},
		"two at once":            {with(map[string]string{"Days": "1", "Size": "XL"}), nil, map[string]string{"Days": "Enter at least 7 days.", "Size": "Choose one of S, M, L."}},
		"together":               {with(map[string]string{"Size": "L"}), nil, map[string]string{"Note": "This is needed.", "Days": "Enter at least 60 days."}},
	} {
		clean, problems := form(t).Validate(tc.in)
		if !maps.Equal(problems, tc.problems) || !maps.Equal(clean, tc.clean) {
			t.Errorf("%s: got %v, %v; want %v, %v", name, clean, problems, tc.clean, tc.problems)
		}
	}
}

// TestUnreadableForm answers in words, too: a description that was never checked.
func TestUnreadableForm(t *testing.T) {
	m := Meta{Inputs: map[string]any{"$ref": "file:///etc/passwd"}}
	if _, err := m.Fields(); err == nil || !strings.Contains(err.Error(), "$ref is not supported") {
		t.Errorf("fields: %v", err)
	}
	if _, problems := m.Validate(nil); !strings.Contains(problems[""], "cannot be read") {
		t.Errorf("problems: %v", problems)
	}
}

// TestCompiledOnce keeps the compiled schema, and not without end.
func TestCompiledOnce(t *testing.T) {
	first, err := form(t).inputs()
	if err != nil {
		t.Fatal(err)
	}
	if again, err := form(t).inputs(); err != nil || again != first {
		t.Errorf("the same schema was compiled twice: %v", err)
	}
	for i := range 2 * maxCompiled {
		m := Meta{Inputs: map[string]any{"description": strings.Repeat("x", i)}}
		if _, err := m.inputs(); err != nil {
			t.Fatal(err)
		}
	}
	compiledInputs.Lock()
	defer compiledInputs.Unlock()
	if n := len(compiledInputs.known); n > maxCompiled {
		t.Errorf("%d schemas are kept", n)
	}
}

// FuzzMeta feeds anything to the reader of descriptions; a form that it makes must answer whatever comes.
func FuzzMeta(f *testing.F) {
	f.Add([]byte(formMeta), "Name", "shop")
	f.Add([]byte(soundMeta), "Name", "\xff")
	f.Add([]byte("inputs: {properties: {A: {type: string, enum: [a, 1]}}}"), "A", "1")
	f.Add([]byte("inputs: {allOf: [{not: {properties: {A: {const: x}}}}], properties: {A: {type: string}}}"), "A", "x")
	f.Fuzz(func(t *testing.T, src []byte, name, value string) {
		m, problems := readMeta(src)
		if m == nil {
			if len(problems) == 0 {
				t.Error("nothing was read, and nothing is wrong")
			}
			return
		}
		if _, err := m.Fields(); err != nil {
			return
		}
		clean, wrong := m.Validate(map[string]string{name: value})
		if (clean == nil) == (len(wrong) == 0) {
			t.Errorf("clean %v, problems %v", clean, wrong)
		}
		Checker{}.Check("topic", "1.0.0", map[string][]byte{TemplateFile: []byte(soundTemplate), MetaFile: src})
	})
}
