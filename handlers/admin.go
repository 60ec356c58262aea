package handlers

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/form"
	"slipway/models"
	"slipway/models/rules"
	"slipway/views"
	"slipway/views/ui"
	"slipway/views/urls"
)

// Admin shows and edits what the platform team configures in the product: role mappings; it shows the rules in force.
type Admin struct {
	*Desk
	Store interface {
		RoleMappings(context.Context, models.Actor) ([]models.RoleMapping, error)
		AddRoleMapping(ctx context.Context, a models.Actor, group string, role models.PlatformRole) (models.RoleMapping, error)
		RemoveRoleMapping(ctx context.Context, a models.Actor, id string) error
	}
	Lately interface {
		RuleActivity(context.Context, models.Actor) ([]models.RuleActivity, error)
	}
	Rules interface{ Status() rules.Status }
}

func mayAdmin(c *fiber.Ctx) error {
	if a := actor(c); !a.Has(models.PlatformAdmin) && !a.Has(models.Auditor) {
		return models.Errorf(models.NotFound, "There is no page at this address.")
	}
	return nil
}

// Roles handles GET /admin/roles.
func (h *Admin) Roles(c *fiber.Ctx) error { return h.roles(c, http.StatusOK, views.MappingForm{}) }

func (h *Admin) roles(c *fiber.Ctx, status int, in views.MappingForm) error {
	if err := mayAdmin(c); err != nil {
		return err
	}
	rows, err := h.Store.RoleMappings(c.UserContext(), actor(c))
	if err != nil {
		return err
	}
	p, err := h.page(c)
	if err != nil {
		return err
	}
	in.CSRF, in.Key = csrf(c), models.NewID()
	d := views.AdminRoles{Form: in, MayAdd: actor(c).Has(models.PlatformAdmin)}
	admins := 0
	for _, m := range rows {
		if m.Role == models.PlatformAdmin {
			admins++
		}
	}
	for _, m := range rows {
		d.Rows = append(d.Rows, views.MappingRow{ID: m.ID, Group: m.Group, Role: m.Role, FromConfig: m.FromConfig, By: m.CreatedBy, At: ui.Ago(h.Clock.Now(), m.CreatedAt),
			Last: m.Role == models.PlatformAdmin && admins == 1})
	}
	if isFragment(c) {
		return render(c, status, views.AdminRolesContent(d))
	}
	return render(c, status, views.AdminRolesPage(p, d))
}

// AddRole handles POST /admin/roles/add.
func (h *Admin) AddRole(c *fiber.Ctx) error {
	in, err := form.Decode[views.MappingForm](c)
	if err == nil {
		_, err = h.Store.AddRoleMapping(c.UserContext(), actor(c), strings.TrimSpace(in.Group), models.PlatformRole(in.Role))
	}
	if in.Errors = models.Fields(err); in.Errors != nil {
		return h.roles(c, http.StatusUnprocessableEntity, in)
	}
	if err != nil {
		return err
	}
	return redirect(c, urls.AdminRoles)
}

type removeForm struct {
	ID string `form:"id"`

	CSRF string `form:"_csrf"`
	Key  string `form:"_key"`
}

// RemoveRole handles POST /admin/roles/remove.
func (h *Admin) RemoveRole(c *fiber.Ctx) error {
	in, err := form.Decode[removeForm](c)
	if err != nil {
		return err
	}
	if err := h.Store.RemoveRoleMapping(c.UserContext(), actor(c), in.ID); err != nil {
		return err
	}
	return redirect(c, urls.AdminRoles)
}

// ShowRules handles GET /admin/rules.
func (h *Admin) ShowRules(c *fiber.Ctx) error {
	if err := mayAdmin(c); err != nil {
		return err
	}
	lately, err := h.Lately.RuleActivity(c.UserContext(), actor(c))
	if err != nil {
		return err
	}
	p, err := h.page(c)
	if err != nil {
		return err
	}
	now, s := h.Clock.Now(), h.Rules.Status()
	d := views.AdminRules{Source: s.Origin, Digest: s.Digest, Loaded: ui.Ago(now, s.LoadedAt)}
	if s.Error != "" {
		d.Problem, d.ProblemAt = s.Error, ui.Ago(now, s.TriedAt)
	}
	byID := map[string]models.RuleActivity{}
	for _, x := range lately {
		byID[x.RuleID] = x
	}
	for _, r := range s.Rules {
		row := views.RuleRow{ID: r.ID, Version: r.Version, Title: r.Title, Effect: r.Effect, Expression: r.When, Message: r.Message,
			Checked: byID[r.ID].Plans, Matched: byID[r.ID].Matched}
		if r.Require.Count > 0 {
			row.Demand = fmt.Sprintf("%d of %s", r.Require.Count, r.Require.Role)
		}
		for _, x := range byID[r.ID].Recent {
			row.Lately = append(row.Lately, views.RuleVerdict{Number: number(x.Number), ID: x.RequestID, Title: x.Title, When: ui.Ago(now, x.At)})
		}
		d.Rows = append(d.Rows, row)
	}
	return pageOr(c, views.AdminRulesPage(p, d), views.AdminRulesContent(d))
}
