package handlers

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/form"
	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
	"slipway/views/urls"
)

// Accounts shows AWS accounts of tenants, and has Slipway's roles in them checked.
type Accounts struct {
	*Desk
	Store interface {
		AccountPage(ctx context.Context, a models.Actor, tenant string, class models.Class) (models.AccountPage, error)
		CheckHealthNow(ctx context.Context, a models.Actor, tenant string, class models.Class) error
	}
}

// Show handles GET /tenants/:tenant/accounts/:class; while the roles are checked, the page asks for itself.
func (h *Accounts) Show(c *fiber.Ctx) error {
	found, err := h.Store.AccountPage(c.UserContext(), actor(c), c.Params("tenant"), models.Class(c.Params("class")))
	if err != nil {
		return err
	}
	now, a := h.Clock.Now(), actor(c)
	d := views.Account{Tenant: found.Tenant.Slug, Card: accountCard(now, found.Account), SeesAll: a.SeesAll(), Activity: activities(now, found.Entries),
		Health: HealthView(now, a, found.Tenant, found.Account, found.Health, csrf(c))}
	d.ByHand = d.Health.ByHand
	if isFragment(c) {
		return render(c, http.StatusOK, views.AccountContent(d))
	}
	p, err := h.page(c)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, views.AccountPage(p, d))
}

// Check handles POST /tenants/:tenant/accounts/:class/check.
func (h *Accounts) Check(c *fiber.Ctx) error {
	if _, err := form.Decode[bareForm](c); err != nil {
		return err
	}
	tenant, class := c.Params("tenant"), c.Params("class")
	if err := h.Store.CheckHealthNow(c.UserContext(), actor(c), tenant, models.Class(class)); err != nil {
		return err
	}
	return redirect(c, urls.Account(tenant, class)+"#health")
}

// HealthView is an account's role health as pages show it, in full or as a line.
func HealthView(now time.Time, a models.Actor, t models.Tenant, account models.Account, h models.RoleHealth, csrf string) views.AccountHealth {
	d := views.AccountHealth{URL: urls.Account(t.Slug, string(account.Class)), State: h.State, Words: h.Words(), At: ui.Ago(now, h.At), By: h.By, Since: ui.Ago(now, h.Since),
		Checking: h.Checking, Asked: h.Asked, Failure: h.Failure, ByHand: account.ByHand, CSRF: csrf}
	if a.MayCheckHealth(t.ID) && account.AWSID != "" && account.State != models.Deleted && account.State != models.Creating {
		d.CheckURL = urls.CheckAccount(t.Slug, string(account.Class))
	}
	for _, r := range h.Roles {
		d.Roles = append(d.Roles, roleHealthRow(r))
	}
	return d
}

func roleHealthRow(r models.RoleCheck) views.RoleHealthRow {
	row := views.RoleHealthRow{Name: r.Role, ARN: r.ARN, State: r.State(), Blind: r.Blind}
	if r.Unseen != nil {
		row.Said, row.Trust = r.Unseen.Said, r.Unseen.Trust
	}
	for _, a := range r.Actions {
		line := views.ActionRow{Action: a.Action, Needed: a.Needed, Granted: a.Granted, Denied: a.Denied}
		row.Actions = append(row.Actions, line)
		if !a.Granted {
			row.Missing = append(row.Missing, line)
		}
	}
	for _, a := range r.Additions() {
		row.Additions = append(row.Additions, ui.Command{Label: "to add to a policy of " + r.Role + " by hand, for " + shortList(a.Actions), Lines: strings.Split(a.Statement, "\n")})
	}
	for _, d := range r.Differences {
		row.Differences = append(row.Differences, views.PolicyDifference{Place: d.Place, Sid: d.Sid, Want: d.Want, Have: d.Have})
	}
	return row
}

// shortList names a few and counts the rest.
func shortList(names []string) string {
	const few = 3
	if len(names) <= few {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:few], ", ") + " and " + ui.Plural(len(names)-few, "other", "others")
}

// healthOf is the page of the account in which a run misses a permission; empty when it waits for something else.
func healthOf(t *models.Tenant, w *models.WaitingOn) string {
	if t == nil || w == nil || w.For != "a permission" {
		return ""
	}
	for _, a := range t.Accounts {
		if a.AWSID != "" && strings.Contains(w.Words, a.AWSID) {
			return urls.Account(t.Slug, string(a.Class)) + "#health"
		}
	}
	return ""
}
