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
	if !a.MayOrderFor(e.TenantID) || e.State == models.Deleted {
		return nil
	}
	x := asking{page: p, token: token, now: now}
	var all []ui.Action
	if e.Stack.Status == "UPDATE_ROLLBACK_FAILED" {
		all = append(all, x.form(models.RecoverEnvironment, "Recover", "Goes on with the roll-back that stopped.", ui.IconWrench))
	}
	all = append(all,
		x.form(models.DeployEnvironment, "Deploy an image", "One digest, and nothing else.", ui.IconRocket),
		x.form(models.UpdateEnvironment, "Change", "Other answers: size, retention and what else its blueprint asks.", ui.IconPencil),
		x.form(models.UpgradeEnvironment, upgradeWord(p.Newer), "A newer version of its blueprint, with what is new in it.", ui.IconArrowUp))
	if !e.ExpiresAt.IsZero() {
		all = append(all, x.form(models.ExtendEnvironment, "Extend", "A later end.", ui.IconClock))
	}
	if e.Hibernated {
		all = append(all, x.form(models.WakeEnvironment, "Wake", "Tasks start again and schedules are switched on.", ui.IconPlay))
	} else {
		all = append(all, x.post(models.HibernateEnvironment, "Hibernate", "No task runs and schedules are off; data stays.", ui.IconSnowflake,
			"Tasks end and schedules are switched off. Its address stops answering. Data, load balancer and what else stays go on costing. You see the plan first."))
	}
	all = append(all,
		x.post(models.RevertEnvironment, "Revert drift", "Puts every drifted property back as declared.", ui.IconUndo, "Asks for a change that puts every drifted property back. You see the plan first."),
		x.form(models.AcceptDrift, "Accept drift", "Lets the differences be until a day.", ui.IconCheck))
	end := x.form(models.DeleteEnvironment, "Delete", "Everything its stack made goes, with a receipt at the end.", ui.IconTrash)
	end.Bad = true
	return append(all, end)
}

// whyNot says why a change cannot be asked for now: what the environment itself says against it, then what is known around it.
func whyNot(now time.Time, p models.EnvironmentPage, k models.RequestKind) string {
	why := p.Environment.MayNot(k, now)
	switch k {
	case models.UpgradeEnvironment:
		return cmp.Or(why, noNewer(p))
	case models.RevertEnvironment:
		return cmp.Or(why, noDrift(p.Drift))
	case models.AcceptDrift:
		return cmp.Or(why, noDrift(p.Drift), accepted(now, p.Drift))
	}
	return why
}

type asking struct {
	page  models.EnvironmentPage
	token string
	now   time.Time
}

func (x asking) form(k models.RequestKind, label, text string, icon ui.Icon) ui.Action {
	verb := views.ChangeVerb(k)
	return ui.Action{ID: verb, Label: label, Text: text, Icon: icon, Why: whyNot(x.now, x.page, k), URL: urls.ChangeEnvironment(x.page.Environment.TenantSlug, x.page.Environment.Name, verb)}
}

func (x asking) post(k models.RequestKind, label, text string, icon ui.Icon, sure string) ui.Action {
	act := x.form(k, label, text, icon)
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
