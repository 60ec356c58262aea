package handlers

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
	"slipway/views/urls"
)

// lifeView adds to a tenant's page what may be asked for about the tenant itself, and what is known of its end.
func lifeView(d *views.Tenant, now time.Time, a models.Actor, t models.TenantPage) {
	tenant := t.Tenant
	d.ClosingSince, d.Receipt = ui.Ago(now, tenant.ClosingAt), receiptView(now, t.Receipt)
	if c := t.Closing; c != nil {
		d.ClosingID, d.ClosingNumber, d.ClosingRun = c.ID, number(c.Number), c.RunID
	}
	if !a.MayRunTenant(tenant.ID) || tenant.State == models.Deleted {
		return
	}
	d.MayEdit = tenant.ClosingAt.IsZero()
	d.Actions = tenantActions(tenant)
	for i, account := range tenant.Accounts {
		if tenant.MayNot(models.MoveAccount, account.Class) == "" && account.State != models.Deleted {
			d.Accounts[i].MoveURL = urls.MoveAccount(tenant.Slug, account.Class)
		}
	}
}

// health adds to each living account how Slipway's roles in it stand.
func (h *Tenants) health(c *fiber.Ctx, t models.Tenant, cards []views.AccountCard) error {
	found, err := h.Health.TenantHealth(c.UserContext(), actor(c), t.ID)
	if err != nil {
		return err
	}
	for i, account := range t.Accounts {
		if account.State == models.Deleted || account.AWSID == "" {
			continue
		}
		line := HealthView(h.Clock.Now(), actor(c), t, account, found[account.ID], csrf(c))
		cards[i].Health = &line
	}
	return nil
}

// tenantActions are what owners and platform admins may ask for, each with why not while it is not possible. The store checks each of
// them again.
func tenantActions(t models.Tenant) []ui.Action {
	change := ui.Action{ID: "change", Label: "Change", Text: "Groups and budget. Who gets in changes with the groups.", URL: urls.ChangeTenant(t.Slug), Why: t.MayNot(models.ChangeTenant, "")}
	account := ui.Action{ID: "account", Label: "Add an account", Text: "A new one, or one that the organization has already.", URL: urls.NewAccount(t.Slug)}
	var missing []models.Class
	for _, c := range models.Classes() {
		if why := t.MayNot(models.AddAccount, c); why == "" {
			missing = append(missing, c)
		} else if account.Why = why; !has(t, c) {
			break
		}
	}
	switch len(missing) {
	case 0:
		if has(t, models.NonProd) && has(t, models.Prod) {
			account.Why = "It has its nonprod and its prod account already."
		}
	case 1:
		account.Why, account.Text, account.URL = "", "Its "+string(missing[0])+" account: a new one, or one that the organization has already.", urls.NewAccountOf(t.Slug, missing[0])
	default:
		account.Why = ""
	}
	end := ui.Action{ID: "close", Label: "Close", Text: "The end of the tenant and of its AWS accounts, with a receipt.", URL: urls.CloseTenant(t.Slug), Why: t.MayNot(models.CloseTenant, ""), Bad: true}
	return []ui.Action{change, account, end}
}

// has tells whether the tenant has a living account of the class.
func has(t models.Tenant, c models.Class) bool {
	_, ok := accountOf(t, c)
	return ok
}
