package handlers

import (
	"slipway/models"
	"slipway/views"
)

// byAccount puts what is wrong with the accounts to enrol beside the number it is about: the validator speaks of all of them together.
func byAccount(errors map[string]string, in models.TenantInputs) map[string]string {
	msg := errors["enrol"]
	if msg == "" {
		return errors
	}
	delete(errors, "enrol")
	seen, placed := map[string]bool{}, false
	for _, a := range in.Enrol {
		if models.ValidAWSID(a.AWSID) != "" || seen[a.AWSID] {
			errors[string(a.Class)+"_account"], placed = msg, true
		}
		seen[a.AWSID] = true
	}
	if placed {
		return errors
	}
	for _, a := range in.Enrol { // the numbers are well formed: what the store knows against one names it
		errors[string(a.Class)+"_account"] = msg
	}
	if len(in.Enrol) == 0 && errors["classes"] == "" {
		errors["classes"] = msg
	}
	return errors
}

// enrolled fills the form with where the accounts of a request come from.
func enrolled(f *views.TenantForm, in models.TenantInputs) {
	for _, a := range in.Enrol {
		from := views.FromStay
		if a.Move {
			from = views.FromMove
		}
		if a.Class == models.Prod {
			f.ProdFrom, f.ProdAccount = from, a.AWSID
		} else {
			f.NonprodFrom, f.NonprodAccount = from, a.AWSID
		}
	}
}
