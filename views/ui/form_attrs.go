package ui

import (
	"fmt"

	"github.com/a-h/templ"
)

// fieldAttrs are what input and textarea share. The check goes out when an answer has changed and the reader moved on.
func fieldAttrs(f Field) templ.OrderedAttributes {
	var a templ.OrderedAttributes
	put := func(key string, value any) { a = append(a, templ.KeyValue[string, any]{Key: key, Value: value}) }
	put("id", f.ID)
	put("name", f.Name)
	put("autocomplete", "off")
	if !f.Optional {
		put("required", true)
	}
	if f.Max > 0 {
		put("maxlength", fmt.Sprint(f.Max))
	}
	if f.Mode != "" {
		put("inputmode", f.Mode)
	}
	if f.Place != "" {
		put("placeholder", f.Place)
	}
	if d := f.describedBy(); d != "" {
		put("aria-describedby", d)
	}
	if f.Error != "" {
		put("aria-invalid", "true")
	}
	return append(a, checkAttrs(f.CheckURL, "closest .s-field")...)
}

// checkAttrs ask about one answer; the answer comes back as the question drawn anew.
func checkAttrs(url, target string) templ.OrderedAttributes {
	if url == "" {
		return nil
	}
	var a templ.OrderedAttributes
	for _, kv := range [][2]string{{"hx-post", url}, {"hx-trigger", "change"}, {"hx-target", target}, {"hx-swap", "outerHTML"}, {"hx-include", "closest form"},
		{"hx-sync", "closest form:queue last"}} {
		a = append(a, templ.KeyValue[string, any]{Key: kv[0], Value: kv[1]})
	}
	return a
}

func needsChange(n int) string {
	if n == 1 {
		return "1 answer needs a change"
	}
	return fmt.Sprintf("%d answers need a change", n)
}
