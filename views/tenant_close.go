package views

import (
	"fmt"

	"slipway/models"
	"slipway/views/ui"
	"slipway/views/urls"
)

// close says what will go, asks why, and for the name.
func (l TenantLife) close(f *ObjectForm) {
	f.Title, f.Button, f.Icon, f.Danger, f.Action = "Close "+l.Name, "Ask for the closing", ui.IconTrash, true, urls.CloseTenant(l.Slug)
	f.Lead = "The end of the tenant and of its AWS accounts, with proof of what is gone."
	f.Loss = l.Loss
	f.Fields = []ui.Field{l.field(ui.Field{Name: "reason", Label: "Why it ends", Hint: "Its owners and the approvers read it.", Kind: "textarea", Rows: 2, Value: l.In.Reason, Max: 500})}
	f.Boxes = []ui.Choices{
		{ID: "empty", Name: "empty", Label: "What is in its buckets", Error: l.In.Errors["empty_buckets"], Choices: []ui.Choice{
			{Value: "yes", Label: "Empty them", Text: "Every object and version in them is lost. Without this, the closing is refused while something is in them.", Checked: l.In.Empty}}},
		{ID: "images", Name: "images", Label: "What is in its repositories", Error: l.In.Errors["images"], Choices: []ui.Choice{
			{Value: "yes", Label: "Delete the images", Text: "Without this, the closing is refused while one is in them.", Checked: l.In.Images}}},
	}
	f.Last = []ui.Field{l.field(confirmField(l.Slug, l.In.Confirm))}
	f.Then = []Then{
		{"Plan, in seconds", "Everything the tenant has, each with what becomes of it. What stands against it is said at once."},
		{"Two platform admins", "Both read exactly that plan and approve it, neither of them you. Until then nothing is refused and nothing is deleted."},
		{"It closes", "Nothing new can be asked for. Environments, services and networks are deleted one after the other. Stopped or failed, it can be taken back only as far as nothing was deleted."},
		{"Receipt", "Every allowed region is looked through by owner tag: what is gone, what is left, and what that still costs."},
		{"The accounts", "Access and budget are taken away. Accounts that Slipway made are closed last; AWS takes only so many closings in 30 days, and the run waits its turn when those are used up. Enrolled ones are released and stay open."},
	}
}

// Remains says of a closed account how long AWS keeps it.
func (a AccountCard) remains() (word string, when ui.When) {
	switch {
	case a.Reinstatable.At.IsZero():
		return "", ui.When{}
	case a.Gone:
		return "gone since", a.Reinstatable
	}
	return "can be reinstated until", a.Reinstatable
}

// closing is what stands over a tenant that is being closed.
func (t Tenant) closing() ui.Callout {
	c := ui.Callout{ID: "closing", Tone: ui.Warn, Title: "This tenant is being closed", Text: "Nothing new can be asked for."}
	if t.State == models.Broken {
		c.Tone, c.Title = ui.Fail, "The closing of this tenant stopped"
		c.Text = "What was deleted is gone. Nothing new can be asked for until the closing is retried to its end, or taken back."
	}
	return c
}

// closed is what stands over a tenant that is no more.
func (t Tenant) closed() ui.Callout {
	c := ui.Callout{ID: "closed", Tone: ui.Idle, Title: "This tenant is closed", Text: fmt.Sprintf("Its name %s and the e-mail addresses of its accounts are never used again.", t.Slug)}
	if t.Receipt != nil {
		c.Text += " The receipt says what is gone and what is left."
	}
	return c
}
