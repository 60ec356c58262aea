package views

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"slipway/models"
	"slipway/views/ui"
	"slipway/views/urls"
)

type linkButton struct {
	URL, Label string
	Icon       ui.Icon
	Kind       ui.Button
}

// action finds what can be done by its id.
func (d Environment) action(id string) (ui.Action, bool) {
	for _, a := range d.Actions {
		if a.ID == id {
			return a, true
		}
	}
	return ui.Action{}, false
}

// buttons are what stands beside the title: one loud at most, and only what is possible now.
func (d Environment) buttons() []linkButton {
	if d.State != models.Ready || d.Hibernated {
		return nil // the banner has the way on
	}
	var all []linkButton
	loud := "deploy"
	if d.First == nil && d.Newest != "" {
		loud = "upgrade"
	}
	for _, id := range []string{"update", "deploy", "upgrade"} {
		a, ok := d.action(id)
		if !ok || a.Why != "" || a.Post {
			continue
		}
		b := linkButton{URL: a.URL, Label: a.Label, Icon: a.Icon, Kind: ui.Quiet}
		if id == loud {
			b.Kind = ui.Primary
		}
		all = append(all, b)
	}
	return all
}

// brokenCallout says why it is broken. A stack that stopped half-way has its own words, as its way out is its own, too.
func (d Environment) brokenCallout() ui.Callout {
	var c ui.Callout
	switch d.Stack.Status {
	case "UPDATE_ROLLBACK_FAILED":
		c = ui.Callout{Title: "The change failed, and so did its roll-back", Text: d.Stack.Reason,
			Next: "Recover it: CloudFormation goes on with the roll-back, passing over the resources you name if it must. Nothing else can be changed before."}
	case "DELETE_FAILED":
		c = ui.Callout{Title: "The deletion stopped before its end", Text: d.Stack.Reason,
			Next: "Delete again once what stood against it is gone, or keep the named resources in the account and delete the rest."}
	case "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED":
		c = ui.Callout{Title: "It could not be made", Text: d.Stack.Reason, Next: "Retry its run: what is left of the first try is cleaned up before. Or delete it."}
	default:
		c = ui.Callout{Title: "Its last change did not end well", Text: d.Stack.Reason, Next: "Open the run to see what stopped it, and retry or give it up there."}
	}
	if d.Failure != nil {
		own := d.Failure.callout("now")
		own.Next = orElse(own.Next, c.Next)
		if d.Stack.Status == "UPDATE_ROLLBACK_FAILED" || d.Stack.Status == "DELETE_FAILED" {
			own.Next = c.Next
		}
		c = own
	}
	c.ID, c.Tone = "now", ui.Fail
	return c
}

// waysOut are the buttons of a broken environment, best first.
func (d Environment) waysOut() []linkButton {
	var all []linkButton
	for _, id := range []string{"recover", "delete"} {
		if a, ok := d.action(id); ok && a.Why == "" && (id == "recover" || d.Stack.Status == "DELETE_FAILED") {
			all = append(all, linkButton{URL: a.URL, Label: a.Label, Icon: a.Icon})
		}
	}
	if d.RunID != "" {
		all = append(all, linkButton{URL: urls.Run(d.RunID), Label: "Open the run", Icon: ui.IconPlay})
	}
	return all
}

func movingTitle(s models.ObjectState) string {
	switch s {
	case models.Creating:
		return "It is being made"
	case models.Deleting:
		return "It is being deleted"
	}
	return "It is being changed"
}

func deletedText(r *Receipt) string {
	switch {
	case r == nil:
		return "Its receipt is being written: the account is looked through once more."
	case len(r.Left) == 0:
		return "Nothing of it is left in the account. The receipt below says what is gone."
	}
	return ui.Plural(len(r.Left), "thing of it is", "things of it are") + " left in the account. The receipt below says which and what they still cost."
}

func hibernatesText(e *Expiry) string {
	if e != nil && e.Past && !e.Deletes.At.IsZero() {
		return "It reached its end: no task runs and schedules are off. Slipway asks for its deletion " + e.Deletes.Ago + ". What stays, such as its load balancer and data, still costs."
	}
	return "No task runs and schedules are off. What stays, such as its load balancer and data, still costs."
}

func lowerFirst(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return ""
	}
	return string(unicode.ToLower(first)) + s[size:]
}

// typeWord is a resource type without the part that all have in common.
func typeWord(t string) string { return strings.TrimPrefix(t, "AWS::") }
