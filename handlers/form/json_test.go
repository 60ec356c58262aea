package form

import (
	"strings"
	"testing"
	"time"

	"slipway/models"
)

func TestJSON(t *testing.T) {
	type file struct {
		Name    string `json:"name"`
		Content []byte `json:"content"`
	}
	type body struct {
		Digest string    `json:"digest"`
		At     time.Time `json:"at"`
		File   *file     `json:"file"`
		Hidden string    `json:"-"`
	}
	for name, tc := range map[string]struct{ in, field, says string }{
		"whole":             {`{"digest": "d", "at": "2026-01-02T03:04:05Z", "file": {"name": "n", "content": "YWI="}}`, "", ""},
		"nothing":           {`{}`, "", ""},
		"null file":         {`{"file": null}`, "", ""},
		"unknown":           {`{"digets": "d"}`, "digets", "no such field"},
		"other letters":     {`{"DIGEST": "d"}`, "DIGEST", "no such field"},
		"hidden":            {`{"Hidden": "d"}`, "Hidden", "no such field"},
		"dash":              {`{"-": "d"}`, "-", "no such field"},
		"twice":             {`{"digest": "d", "digest": "e"}`, "digest", "more than once"},
		"unknown inside":    {`{"file": {"nmae": "n"}}`, "file.nmae", "no such field"},
		"twice inside":      {`{"file": {"name": "n", "name": "m"}}`, "file.name", "more than once"},
		"a number for text": {`{"digest": 7}`, "digest", "not what belongs"},
		"a text for a file": {`{"file": "x"}`, "file", "not what belongs"},
		"not base64":        {`{"file": {"content": "%%"}}`, "", "not base64"},
		"no time":           {`{"at": "yesterday"}`, "", "A time"},
		"a list":            {`[]`, "", "well-formed"},
		"text":              {`"x"`, "", "well-formed"},
		"empty":             {``, "", "well-formed"},
		"cut":               {`{"digest": "d"`, "", "well-formed"},
		"two":               {`{} {}`, "", "well-formed"},
		"rubbish after":     {`{} x`, "", "well-formed"},
		"not UTF-8":         {"{\"digest\": \"\xff\"}", "", "UTF-8"},
		"many":              {`{` + strings.Repeat(`"digest": "d",`, 60) + `"digest": "d"}`, "", "well-formed"},
		"deep":              {strings.Repeat(`{"file":`, 20000), "", "well-formed"},
	} {
		var out body
		err := parseJSON([]byte(tc.in), &out)
		switch {
		case tc.says == "" && (err != nil || strings.Contains(tc.in, "YWI=") && (out.Digest != "d" || string(out.File.Content) != "ab" || out.At.IsZero())):
			t.Errorf("%s: %+v, %v", name, out, err)
		case tc.field != "" && !strings.Contains(models.Fields(err)[tc.field], tc.says):
			t.Errorf("%s: %v %v", name, err, models.Fields(err))
		case tc.field == "" && tc.says != "" && (models.KindOf(err) != models.Invalid || !strings.Contains(models.Message(err), tc.says)):
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzJSON(f *testing.F) {
	f.Add([]byte(`{"digest": "d", "file": {"name": "n", "content": "YWI="}}`))
	f.Add([]byte(`{"DIGEST": 1, "digest": [], "file": {"file": {}}}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		var out models.EvidenceReport
		if err := parseJSON(in, &out); err != nil && models.KindOf(err) != models.Invalid {
			t.Errorf("%q: %v", in, err)
		}
	})
}
