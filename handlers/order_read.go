package handlers

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/form"
	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
)

// names are those under which the form sends more than its own fields.
func (o *ordering) names(paths ...string) []string {
	names := ui.UsageNames(usagePrefix)
	for _, name := range paths {
		if v, ok := o.path(name); ok {
			if fields, err := v.Meta.Fields(); err == nil { // a stored version has a schema that compiled
				names = append(names, fieldNames(fields)...)
			}
		}
	}
	return names
}

// take sorts what was sent into answers of the chosen path and amounts.
func (o *ordering) take(sent map[string]string) {
	o.answers, o.usage = map[string]string{}, map[string]string{}
	asked := o.names(o.in.Blueprint)
	for name, v := range sent {
		switch key, amount := strings.CutPrefix(name, usagePrefix); {
		case amount:
			o.usage[key] = v
		case slices.Contains(asked, name):
			o.answers[name] = v
		}
	}
	if o.in.Shown != "" && o.in.Shown != o.in.Blueprint {
		if v, ok := o.path(o.in.Blueprint); ok && o.in.Do == "plan" {
			o.in.Errors = with1(o.in.Errors, "blueprint", "You changed to "+v.Meta.Title+". Its questions are below now; look them over and send again.")
		}
	}
}

func with1(m map[string]string, key, value string) map[string]string {
	out := maps.Clone(m)
	if out == nil {
		out = map[string]string{}
	}
	out[key] = value
	return out
}

// restore puts a saved form back as it was typed.
func (h *Orders) restore(c *fiber.Ctx, id string, o *ordering) error {
	saved, err := h.Forms.LoadForm(c.UserContext(), actor(c), id)
	if err != nil {
		return err
	}
	fields := url.Values(saved.Fields)
	in, answers, err := form.FieldsWith[views.OrderForm](saved.Fields, o.names(fields.Get("blueprint"), fields.Get("shown")))
	if err != nil && models.KindOf(err) != models.Invalid {
		return err
	}
	o.in, o.restored = in, saved
	o.in.Draft, o.in.Do, o.in.Key, o.in.Request = saved.ID, "", "", ""
	o.take(answers)
	return nil
}
