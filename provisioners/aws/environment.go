package aws

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"slipway/models"
	"slipway/models/blueprint"
	"slipway/provisioners"
)

// wish is what a request wants of an environment: what it is now, and what is to become of it.
type wish struct {
	in      models.EnvironmentInputs
	env     models.Environment // as it is; what the request makes of it while it does not exist
	exists  bool
	v       blueprint.Version
	inputs  map[string]string
	mode    models.StackMode
	tenant  models.Tenant
	account models.Account
	notes   []string
}

func environmentInputs(p provisioners.Planning) (models.EnvironmentInputs, error) {
	var in models.EnvironmentInputs
	if err := json.Unmarshal(p.Request.Inputs, &in); err != nil {
		return in, fmt.Errorf("read the inputs of request %s: %w", p.Request.ID, err)
	}
	return in, nil
}

// planEnvironment plans what leads to a change of an environment's stack.
func (s *Stacks) planEnvironment(ctx context.Context, p provisioners.Planning) (provisioners.Draft, error) {
	w, err := s.wishOf(ctx, p)
	if err != nil {
		return provisioners.Draft{}, err
	}
	o, err := s.environmentOrder(ctx, p, w)
	if err != nil {
		return provisioners.Draft{}, err
	}
	if p.Request.Kind == models.RecoverEnvironment {
		part, err := o.planRecovery(ctx, p, w.in.Skip)
		return provisioners.Draft{Parts: []models.PlanPart{part.part}, Region: o.part.Region}, err
	}
	return s.draft(ctx, p, o)
}

// wishOf reads the request and what it is about.
func (s *Stacks) wishOf(ctx context.Context, p provisioners.Planning) (wish, error) {
	in, err := environmentInputs(p)
	if err != nil {
		return wish{}, err
	}
	w := wish{in: in, mode: models.StackUpdate}
	if w.tenant, err = s.books.Tenant(ctx, p.Request.TenantID); err != nil {
		return w, err
	}
	w.env, err = s.books.Environment(ctx, p.Request.ObjectID)
	w.exists = err == nil
	switch create := p.Request.Kind == models.CreateEnvironment; {
	case create && models.KindOf(err) == models.NotFound:
	case err != nil:
		return w, err
	case !create && w.env.State == models.Deleted:
		return w, lacking("The environment %s is deleted.", "Order it anew.", w.env.Name)
	}
	return s.become(ctx, p, w)
}

// become says what the environment is to become, kind by kind.
func (s *Stacks) become(ctx context.Context, p provisioners.Planning, w wish) (wish, error) {
	digest, err := w.env.Stack.Digest, error(nil)
	w.inputs = maps.Clone(w.env.Stack.Inputs)
	switch p.Request.Kind {
	case models.CreateEnvironment:
		w.mode, digest, w.inputs = models.StackCreate, w.in.Digest, w.in.Inputs
		made := models.Environment{ID: p.Request.ObjectID, Name: w.in.Name, Stage: w.in.Stage, NetworkID: w.in.NetworkID, ServiceID: w.in.ServiceID, Image: w.in.Image, Usage: w.in.Usage, Host: w.env.Host}
		made.Stack.Region, made.Estimate = w.in.Region, w.env.Estimate
		w.env = made
	case models.UpdateEnvironment:
		w.inputs = over(w.inputs, w.in.Inputs)
		if w.in.Usage != nil {
			w.env.Usage = w.in.Usage
		}
	case models.UpgradeEnvironment:
		digest = w.in.Digest
	case models.DeployEnvironment:
		w.env.Image = w.in.Image
	case models.HibernateEnvironment, models.WakeEnvironment:
		w.env.Hibernated = p.Request.Kind == models.HibernateEnvironment
	case models.RevertEnvironment:
		w.mode = models.StackRevert
	case models.RecoverEnvironment:
		w.mode = models.StackRecover
	}
	if w.v, err = s.books.BlueprintByDigest(ctx, digest); err != nil {
		return w, err
	}
	if p.Request.Kind == models.UpgradeEnvironment {
		if err := w.migrate(); err != nil {
			return w, err
		}
	}
	w.account, err = accountOf(w.tenant, w.env.Stage.Class())
	return w, err
}

// over lays what was chosen now over what was chosen before.
func over(before, now map[string]string) map[string]string {
	all := map[string]string{}
	maps.Copy(all, before)
	maps.Copy(all, now)
	return all
}

// accountOf is the tenant's account of a class.
func accountOf(t models.Tenant, class models.Class) (models.Account, error) {
	for _, a := range t.Accounts {
		if a.Class == class && a.AWSID != "" && a.State != models.Deleted {
			return a, nil
		}
	}
	return models.Account{}, lacking("Tenant %s has no %s account.", "Order one first, then plan again.", t.Slug, class)
}

// migrate carries what was chosen over to another version: kept where it still has the field, the default where a field is new, and
// named where it has gone.
func (w *wish) migrate() error {
	from := w.env.Stack.Version
	switch {
	case w.v.Name != w.env.Stack.Blueprint:
		return lacking("%s is another golden path than %s, which the environment is made of.", "Choose a newer version of the same path.", w.v.Ref(), w.env.Stack.Blueprint)
	case w.v.Version == from:
		return nil
	case !w.v.Meta.UpgradesFrom(from):
		return lacking("%s cannot be reached from version %s.", "Upgrade to a version in between first.", w.v.Ref(), from)
	}
	kept := map[string]string{}
	for _, name := range sortedKeys(w.inputs) {
		if asks(w.v, name) {
			kept[name] = w.inputs[name]
			continue
		}
		w.notes = append(w.notes, fmt.Sprintf("Version %s does not ask for %s any more; it was %s.", w.v.Version, name, clip(w.inputs[name], 80)))
	}
	w.inputs = over(kept, w.in.Inputs)
	clean, err := chosen(w.v, w.inputs)
	if err != nil {
		return err
	}
	for _, name := range sortedKeys(clean) {
		if _, had := w.env.Stack.Inputs[name]; !had {
			w.notes = append(w.notes, fmt.Sprintf("Version %s asks for %s, which is new: %s.", w.v.Version, name, clip(clean[name], 80)))
		}
	}
	if w.v.Meta.Breaking {
		w.notes = append(w.notes, "This version breaks with the one before. Read its upgrade notes.")
	}
	return nil
}

// environmentOrder works out place, tags and parameters.
func (s *Stacks) environmentOrder(ctx context.Context, p provisioners.Planning, w wish) (order, error) {
	env := w.env
	class := env.Stage.Class()
	if env.Host == "" && s.clients.BaseDomain != "" && slices.Contains(w.v.Meta.Needs, blueprint.NeedsZone) {
		env.Host = env.Name + "." + models.ZoneName(w.tenant.Slug, class, s.clients.BaseDomain)
	}
	o := order{version: w.v, usage: env.Usage, notes: w.notes}
	o.object = object{Stacks: s, typ: models.EnvironmentObject, part: models.PlanPart{Name: "Environment " + env.Name, Account: w.account.AWSID, Class: class, Region: env.Stack.Region,
		StackName: models.EnvironmentStack(w.tenant.Slug, env.Name), Mode: w.mode,
		Tags: stackTags(w.tenant, class, w.v.Name, p.Request.ObjectID, models.TagEnvironment, env.Name)}}
	o.part.Tags[models.TagStage] = string(env.Stage)
	if err := o.readRow(ctx); err != nil {
		return o, err
	}
	g := &ground{Stacks: s, who: askedBy(p), tenant: w.tenant, account: w.account, name: env.Name, stage: env.Stage, host: env.Host, image: env.Image, asleep: env.Hibernated, network: env.NetworkID, service: env.ServiceID}
	if err := o.fill(ctx, g, w.inputs, only(p.Request.Kind)); err != nil {
		return o, err
	}
	if w.exists {
		if err := o.compareRow(ctx, s, w, p.Request.ObjectID); err != nil {
			return o, err
		}
	}
	return o, o.imageOfService(ctx, g)
}

// only is the one source whose parameter a kind of request may change; empty: all of them.
func only(kind models.RequestKind) string {
	switch kind {
	case models.DeployEnvironment:
		return "image"
	case models.HibernateEnvironment, models.WakeEnvironment:
		return "hibernated"
	case models.RevertEnvironment, models.RecoverEnvironment:
		return nothingElse
	}
	return ""
}

// compareRow says what would change in Slipway's own row beyond the stack.
func (o *order) compareRow(ctx context.Context, s *Stacks, w wish, id string) error {
	now, err := s.books.Environment(ctx, id)
	if err != nil {
		return err
	}
	o.wasUsage = now.Usage
	put := func(path, before, after string) {
		if before != after {
			o.row = append(o.row, models.PropertyChange{Path: path, Before: &before, After: &after})
		}
	}
	put("/Version", o.was.Version, w.v.Version)
	put("/Image", now.Image, w.env.Image)
	put("/Hibernated", fmt.Sprint(now.Hibernated), fmt.Sprint(w.env.Hibernated))
	inputs := inputsOf(w.v, o.part.Parameters)
	for _, name := range sortedKeys(over(o.was.Inputs, inputs)) {
		put("/Inputs/"+name, o.was.Inputs[name], inputs[name])
	}
	for _, name := range sortedKeys(over(now.Usage, w.env.Usage)) {
		put("/Usage/"+name, now.Usage[name], w.env.Usage[name])
	}
	if w.mode == models.StackRevert || w.mode == models.StackRecover {
		o.row = nil
	}
	return nil
}

// imageOfService notes an image that the environment may not be allowed to pull.
func (o *order) imageOfService(ctx context.Context, g *ground) error {
	if g.image == "" || g.service == "" {
		return nil
	}
	service, err := g.books.Service(ctx, g.service)
	if err != nil {
		return err
	}
	repository, _, _ := strings.Cut(g.image, "@")
	if uri := service.Stack.Outputs["RepositoryUri"]; uri != "" && repository != uri {
		o.notes = append(o.notes, fmt.Sprintf("The image is not from the repository of service %s (%s): the environment may not be allowed to pull it.", service.Name, uri))
	}
	return nil
}

// stackTags are the tags of a stack, which stay the same over its object's life.
func stackTags(t models.Tenant, class models.Class, blueprint, id, own, name string) map[string]string {
	return map[string]string{models.TagTenant: t.Slug, models.TagClass: string(class), models.TagCostCentre: t.CostCentre, models.TagBlueprint: blueprint, models.TagObject: id, own: name}
}

// settleEnvironment writes what a run made of an environment, as its kind says.
func (o object) settleEnvironment(ctx context.Context, run *provisioners.Run, estimate *models.Estimate) error {
	var in models.EnvironmentInputs
	if err := json.Unmarshal(run.Plan.Content.Inputs, &in); err != nil {
		return fmt.Errorf("read the inputs of plan %s: %w", run.Plan.ID, err)
	}
	host, err := o.host(ctx)
	if err != nil {
		return err
	}
	now := o.clients.Clock.Now()
	return o.books.SaveEnvironment(ctx, actorOf(run), o.id(), func(e *models.Environment) {
		keepEstimate(&e.Estimate, estimate)
		if host != "" {
			e.Host = host
		}
		switch run.Kind {
		case models.CreateEnvironment, models.DeployEnvironment:
			e.Image = in.Image
		case models.HibernateEnvironment:
			e.Hibernated = true
		case models.WakeEnvironment:
			if in.Days > 0 && e.Hibernated { // a repetition gives no second life
				e.ExpiresAt, e.ExpiryWarned = now.AddDate(0, 0, in.Days), ""
			}
			e.Hibernated, e.HibernatedAt = false, time.Time{}
		}
		if run.Kind == models.CreateEnvironment || run.Kind == models.UpdateEnvironment && in.Usage != nil {
			e.Usage = in.Usage
		}
	})
}
