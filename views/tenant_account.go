package views

import (
	"slipway/models"
	"slipway/views/ui"
)

// Where an account of a tenant comes from.
const (
	FromNew  = "new"  // Slipway makes it
	FromMove = "move" // it exists, and is moved into the unit of its class
	FromStay = "stay" // it exists, and stays where it is
)

func classText(c models.Class) string {
	if c == models.Prod {
		return "For the stage prod, under stricter controls."
	}
	return "For the stages dev and staging."
}

// ClassChoice is one class of accounts to choose.
func ClassChoice(c models.Class, chosen bool) ui.Choice {
	return ui.Choice{Value: string(c), Label: string(c), Text: classText(c), Checked: chosen}
}

// From is where the account of a class comes from, and the number of one that exists.
func (f TenantForm) From(c models.Class) (from, account string) {
	if c == models.Prod {
		return orElse(f.ProdFrom, FromNew), f.ProdAccount
	}
	return orElse(f.NonprodFrom, FromNew), f.NonprodAccount
}

// origin asks where the account of a class comes from.
func (f TenantForm) origin(c models.Class) []ui.Field {
	from, _ := f.From(c)
	name := string(c) + "_from"
	q := originField(name, c, from, f.number(c))
	for i := range q.Picks {
		q.Picks[i].Text = "" // the page says it at its side
	}
	q.Error = f.Errors[name]
	return []ui.Field{q}
}

// number asks which account it is.
func (f TenantForm) number(c models.Class) ui.Field {
	_, account := f.From(c)
	name := string(c) + "_account"
	q := accountField(name, account)
	q.Label = "Number of the " + string(c) + " account"
	q.Error, q.CheckURL = f.Errors[name], checkURL(name, false)
	return q
}

func originField(name string, c models.Class, from string, number ui.Field) ui.Field {
	unit := "the unit for " + string(c) + " accounts"
	if c == "" {
		unit = "the unit of its class"
	}
	return ui.Field{ID: name, Name: name, Label: "Where it comes from", Kind: "pick", More: []ui.Field{number}, Picks: []ui.Choice{
		{Value: FromNew, Label: "A new account", Text: "Slipway has AWS create it.", Checked: from == FromNew},
		{Value: FromMove, Label: "An existing one, moved into " + unit, Text: "The plan lists every policy it gains and loses on the way. The stack set brings Slipway's roles and keeps them up to date.", Checked: from == FromMove},
		{Value: FromStay, Label: "An existing one, left where it is", Text: "The run gives you a link that creates Slipway's roles there and goes on once they are. They are kept up to date by hand.", Checked: from == FromStay},
	}}
}

func accountField(name, typed string) ui.Field {
	return ui.Field{ID: name, Name: name, Label: "Account number", Value: typed, Mono: true, Mode: "numeric", Max: 20,
		Hint: "Its 12 digits. It belongs to this organization and to no tenant. Two platform admins decide about it."}
}
