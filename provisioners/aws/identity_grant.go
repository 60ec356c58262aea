package aws

import (
	"context"
	"strings"
	"time"

	"slipway/models"
	"slipway/provisioners"
)

// stepPeople is followed by class and role; stepAccessRemove by class and, where only some lose their access, role.
const (
	stepPeople       = "access"
	stepAccessRemove = "access.remove"
	assignment       = "Account assignment"
)

// pushTime is how long a run waits for a group to arrive in the identity store: providers push about every 40 minutes.
const pushTime = time.Hour

// grant is one assignment as a plan names it.
type grant struct {
	role    models.TenantRole
	group   string // as the identity provider calls it
	groupID string // as the identity store calls it; only of one that is taken away
	set     string // ARN
	setName string
}

func (g grant) change(step string, action models.Action) models.Change {
	ch := models.Change{Step: step, LogicalID: string(g.role) + " " + g.group, Type: assignment, Action: action}
	for _, p := range []struct{ path, value string }{{"/Role", string(g.role)}, {"/Group", g.group}, {"/GroupId", g.groupID}, {"/PermissionSet", g.setName}, {"/PermissionSetArn", g.set}} {
		if p.value == "" {
			continue
		}
		prop := models.PropertyChange{Path: p.path, After: &p.value}
		if action == models.Delete {
			prop.Before, prop.After = prop.After, nil
		}
		ch.Properties = append(ch.Properties, prop)
	}
	return ch
}

func grantOf(ch models.Change) grant {
	var g grant
	var role string
	to := map[string]*string{"/Role": &role, "/Group": &g.group, "/GroupId": &g.groupID, "/PermissionSet": &g.setName, "/PermissionSetArn": &g.set}
	for _, p := range ch.Properties {
		value := p.After
		if value == nil {
			value = p.Before
		}
		if at := to[p.Path]; at != nil && value != nil {
			*at = *value
		}
	}
	g.role = models.TenantRole(role)
	return g
}

// grants are the assignments of the place's own step.
func (p place) grants() []grant {
	var all []grant
	for _, ch := range p.changes() {
		all = append(all, grantOf(ch))
	}
	return all
}

// peopleStep builds the step of a change about people's access; not ok: the name is none of those.
func (p place) peopleStep() (provisioners.Step, bool) {
	words := strings.Split(p.step, ".")
	switch {
	case words[0] != stepPeople || len(p.grants()) == 0:
		return provisioners.Step{}, false
	case strings.HasPrefix(p.step, stepAccessRemove+"."+string(p.class)) && len(words) <= 4:
		return p.letOut(), true
	case len(words) == 3 && words[1] == string(p.class):
		return p.letIn(), true
	}
	return provisioners.Step{}, false
}

// rowID is Slipway's own row of the account.
func (p place) rowID(ctx context.Context, run *provisioners.Run, account string) (string, error) {
	if id := p.row(run); id != "" {
		return id, nil
	}
	a, err := p.registry.BoundAccount(ctx, account)
	return a.ID, err
}

// seen writes down where an assignment stands, for the tenant's page. A plan only looks.
func (p place) seen(ctx context.Context, run *provisioners.Run, account string, g grant, state models.AccessState, detail string) error {
	if run.Attempt == 0 {
		return nil
	}
	id, err := p.rowID(ctx, run, account)
	if err != nil {
		return err
	}
	return p.registry.SaveAccess(ctx, actorOf(run), id, models.AccountAccess{AccountID: id, Role: g.role, Group: g.group, GroupID: g.groupID,
		PermissionSet: g.set, SetName: g.setName, State: state, Detail: detail})
}
