package handlers

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/shopspring/decimal"

	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
)

// typedOf fills the forms with the tenant as it is.
func typedOf(t models.Tenant) views.TenantLifeForm {
	return views.TenantLifeForm{DisplayName: t.DisplayName, Description: t.Description, CostCentre: t.CostCentre, OwnerGroup: t.OwnerGroup, DeveloperGroup: t.DeveloperGroup,
		ViewerGroup: t.ViewerGroup, Budget: t.Budget.String()}
}

func factsOf(in views.TenantLifeForm) models.TenantFacts {
	return models.TenantFacts{DisplayName: strings.TrimSpace(in.DisplayName), Description: strings.TrimSpace(in.Description), CostCentre: strings.TrimSpace(in.CostCentre)}
}

// lifeInputs reads what was typed for a kind. An account that exists makes an enrolment of what asks for one more account.
func lifeInputs(kind models.RequestKind, in views.TenantLifeForm) (models.RequestKind, any, error) {
	switch kind {
	case models.ChangeTenant:
		budget, wrong := budgetOf(in.Budget)
		out := models.ChangeTenantInputs{OwnerGroup: strings.TrimSpace(in.OwnerGroup), DeveloperGroup: strings.TrimSpace(in.DeveloperGroup), ViewerGroup: strings.TrimSpace(in.ViewerGroup), Budget: budget}
		if wrong != "" {
			return kind, nil, models.InvalidFields(map[string]string{"budget": wrong})
		}
		return kind, out, nil
	case models.CloseTenant:
		return kind, models.CloseTenantInputs{Confirm: strings.TrimSpace(in.Confirm), Reason: strings.TrimSpace(in.Reason), EmptyBuckets: in.Empty, Images: in.Images}, nil
	}
	out := models.AccountInputs{Class: models.Class(in.Class)}
	if kind == models.MoveAccount {
		return kind, out, nil
	}
	switch in.From {
	case views.FromNew, "":
		return models.AddAccount, out, nil
	case views.FromMove, views.FromStay:
		out.AWSID, out.Move = accountID(in.Account), in.From == views.FromMove
		return models.EnrolAccount, out, nil
	}
	return kind, nil, models.InvalidFields(map[string]string{"from": "Choose where the account comes from."})
}

// accountID is an account's number as it is kept: people copy it with hyphens or spaces between.
func accountID(typed string) string {
	return strings.NewReplacer("-", "", " ", "").Replace(strings.TrimSpace(typed))
}

// budgetOf reads an amount of dollars as people write it; nothing typed is zero, which the validator refuses.
func budgetOf(typed string) (budget decimal.Decimal, wrong string) {
	typed = strings.NewReplacer(",", "", "$", "", " ", "").Replace(typed)
	switch {
	case typed == "":
		return decimal.Zero, ""
	case len(typed) > 20:
		return decimal.Zero, "A budget above $10,000,000 a month is not possible here."
	}
	budget, err := decimal.NewFromString(typed)
	if err != nil || strings.ContainsAny(typed, "eE") {
		return decimal.Zero, "Give the budget as a number, for example 2500."
	}
	return budget, ""
}

// accountOf is the tenant's living account of a class.
func accountOf(t models.Tenant, c models.Class) (models.Account, bool) {
	i := slices.IndexFunc(t.Accounts, func(a models.Account) bool { return a.Class == c && a.State != models.Deleted })
	if i < 0 {
		return models.Account{}, false
	}
	return t.Accounts[i], true
}

// view is what a form is drawn from.
func (h *TenantLife) view(c *fiber.Ctx, x living) (views.TenantLife, error) {
	t := x.tenant
	d := views.TenantLife{Kind: x.kind, Slug: t.Slug, Name: t.DisplayName, In: x.in, Access: h.Access, Was: typedOf(t)}
	d.Was.Budget = ui.Dollars(t.Budget)
	if h.Groups != nil {
		d.Groups = h.Groups.String()
	}
	if e := x.editing; e != nil {
		d.EditID, d.EditNumber, d.EditReason, d.EditBy = e.Request.ID, number(e.Request.Number), e.Request.Reason, decidedBy(*e)
	} else if x.kind != "" {
		d.Blocked = t.MayNot(x.kind, models.Class(x.in.Class))
	}
	switch x.kind {
	case models.AddAccount, models.EnrolAccount:
		classChoices(&d, t, x.in.Class)
	case models.MoveAccount:
		d.Account, _ = accountOf(t, models.Class(x.in.Class))
	case models.CloseTenant:
		loss, err := h.loss(c, t)
		if err != nil {
			return d, err
		}
		d.Loss = &loss
	}
	return d, nil
}

// classChoices offers the classes that the tenant lacks. It is blocked only when there is none.
func classChoices(d *views.TenantLife, t models.Tenant, chosen string) {
	d.Blocked, d.Why = "", map[string]string{}
	var why []string
	for _, class := range models.Classes() {
		if no := t.MayNot(models.AddAccount, class); no != "" {
			d.Why[string(class)] = no
			why = addOnce(why, no)
			continue
		}
		d.Classes = append(d.Classes, views.ClassChoice(class, chosen == string(class)))
	}
	switch len(d.Classes) {
	case 0:
		d.Blocked = strings.Join(why, " ")
	case 1:
		d.Classes[0].Checked = true
	}
}

// lifeTyped fills the form with what a request asks for.
func lifeTyped(q models.Request, t models.Tenant) (views.TenantLifeForm, error) {
	in := typedOf(t)
	var err error
	switch q.Kind {
	case models.ChangeTenant:
		var asked models.ChangeTenantInputs
		err = json.Unmarshal(q.Inputs, &asked)
		in.OwnerGroup, in.DeveloperGroup, in.ViewerGroup, in.Budget = asked.OwnerGroup, asked.DeveloperGroup, asked.ViewerGroup, asked.Budget.String()
	case models.CloseTenant:
		var asked models.CloseTenantInputs
		err = json.Unmarshal(q.Inputs, &asked)
		in.Reason, in.Empty, in.Images = asked.Reason, asked.EmptyBuckets, asked.Images
	default:
		var asked models.AccountInputs
		err = json.Unmarshal(q.Inputs, &asked)
		in.Class, in.Account, in.From = string(asked.Class), asked.AWSID, views.FromNew
		switch {
		case asked.Move:
			in.From = views.FromMove
		case asked.AWSID != "":
			in.From = views.FromStay
		}
	}
	if err != nil {
		return in, fmt.Errorf("read the inputs of %s: %w", q.ID, err)
	}
	return in, nil
}
