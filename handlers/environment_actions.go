package handlers

import (
	"cmp"
	"fmt"
	"time"

	"slipway/models"
	"slipway/views"
	"slipway/views/ui"
	"slipway/views/urls"
)

// environmentActions are what may be asked for, each with why not while it is not possible. Who may not ask gets none. The store
// checks each of them again.
func environmentActions(now time.Time, a models.Actor, p models.EnvironmentPage, token string) []ui.Action {
	e := p.Environment
	if !mayAsk(a, e.TenantID) || e.State == models.Deleted {
		return nil
	}
	asks := asking{page: p, token: token, now: now}
	busy, stuck := busyWhy(e.State), stuckWhy(e)
	change := cmp.Or(busy, stuck)
	all := []ui.Action{
		asks.form(models.DeployEnvironment, "Deploy an image", "One digest, and nothing else.", ui.IconRocket, cmp.Or(noService(e), change)),
		asks.form(models.UpdateEnvironment, "Change", "Other answers: size, retention and what else its blueprint asks.", ui.IconPencil, change),
		asks.form(models.UpgradeEnvironment, upgradeWord(p.Newer), "A newer version of its blueprint, with what is new in it.", ui.IconArrowUp, cmp.Or(noNewer(p), change)),
	}
	if e.Stack.Status == "UPDATE_ROLLBACK_FAILED" {
		all = append([]ui.Action{asks.form(models.RecoverEnvironment, "Recover", "Goes on with the roll-back that stopped.", ui.IconWrench, busy)}, all...)
	}
	if !e.ExpiresAt.IsZero() {
		all = append(all, asks.form(models.ExtendEnvironment, "Extend", "A later end.", ui.IconClock, busy))
	}
	if e.Hibernated {
		all = append(all, asks.form(models.WakeEnvironment, "Wake", "Tasks start again and schedules are switched on.", ui.IconPlay, change))
	} else {
		all = append(all, asks.post(models.HibernateEnvironment, "Hibernate", "No task runs and schedules are off; data stays.", ui.IconSnowflake, change,
			"Tasks end and schedules are switched off. Its address stops answering. Data, load balancer and what else stays go on costing. You see the plan first."))
	}
	all = append(all,
		asks.post(models.RevertEnvironment, "Revert drift", "Puts every drifted property back as declared.", ui.IconUndo, cmp.Or(noDrift(p.Drift), change), "Asks for a change that puts every drifted property back. You see the plan first."),
		asks.form(models.AcceptDrift, "Accept drift", "Lets the differences be until a day.", ui.IconCheck, cmp.Or(noDrift(p.Drift), accepted(now, p.Drift), busy)))
	end := asks.form(models.DeleteEnvironment, "Delete", "Everything its stack made goes, with a receipt at the end.", ui.IconTrash, busy)
	end.Bad = true
	return append(all, end)
}

type asking struct {
	page  models.EnvironmentPage
	token string
	now   time.Time
}

func (x asking) form(k models.RequestKind, label, text string, icon ui.Icon, why string) ui.Action {
	verb := views.ChangeVerb(k)
	return ui.Action{ID: verb, Label: label, Text: text, Icon: icon, Why: why, URL: urls.ChangeEnvironment(x.page.Environment.TenantSlug, x.page.Environment.Name, verb)}
}

func (x asking) post(k models.RequestKind, label, text string, icon ui.Icon, why, sure string) ui.Action {
	act := x.form(k, label, text, icon, why)
	act.Post, act.Sure, act.CSRF, act.Key = true, sure, x.token, models.NewID()
	return act
}

// busyWhy says that a run moves the object now.
func busyWhy(s models.ObjectState) string {
	switch s {
	case models.Creating:
		return "It is being made. Possible once its run has ended."
	case models.Changing:
		return "It is being changed. Possible once the run has ended."
	case models.Deleting:
		return "It is being deleted."
	case models.Deleted:
		return "It is deleted."
	}
	return ""
}

// stuckWhy says why CloudFormation would take no change of the stack.
func stuckWhy(e models.Environment) string {
	switch e.Stack.Status {
	case "UPDATE_ROLLBACK_FAILED":
		return "Its roll-back stopped. Recover it first."
	case "DELETE_FAILED":
		return "Its deletion stopped. Delete it again, or keep what stands against it."
	case "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED":
		return "It was never made completely. Retry its run, or delete it."
	}
	if e.State == models.Broken && e.Stack.StackID == "" {
		return "It was never made. Retry its run, or delete it."
	}
	return ""
}

func noService(e models.Environment) string {
	if e.ServiceID == "" {
		return "Its blueprint runs no image."
	}
	return ""
}

func noNewer(p models.EnvironmentPage) string {
	if len(p.Newer) == 0 {
		return fmt.Sprintf("%s is the newest version that is offered to it.", p.Environment.Stack.Version)
	}
	return ""
}

func upgradeWord(newer []string) string {
	if len(newer) == 0 {
		return "Upgrade"
	}
	return "Upgrade to " + newer[len(newer)-1]
}

func noDrift(d *models.Drift) string {
	switch {
	case d == nil || d.State == models.DriftUnknown:
		return "It was never compared. Check for drift first."
	case d.State == models.DriftChecking:
		return "It is being compared now."
	case d.State == models.DriftFailed:
		return "The last comparison failed. Check again first."
	case len(d.Unexpected()) == 0:
		return "The last comparison found it as declared."
	}
	return ""
}

func accepted(now time.Time, d *models.Drift) string {
	if d != nil && d.Accepted.After(now) {
		return fmt.Sprintf("%s accepted it until %s.", d.AcceptedBy, d.Accepted.UTC().Format("2 Jan 2006"))
	}
	return ""
}
