package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"slipway/models"
	"slipway/models/blueprint"
)

// forTenant finds a tenant that the actor may order for: its owners and developers, and platform admins. What they do not see does not
// exist; what they see but may not order for is Forbidden.
func (t *tx) forTenant(actor models.Actor, slug string) (models.Tenant, error) {
	seen, args := tenantScope(actor, `t.id`)
	row, err := one[tenantRow](t.db, `SELECT `+tenantColumns+` FROM tenants t WHERE t.slug = ? AND `+seen, append([]any{clip(slug)}, args...)...)
	if err != nil {
		return models.Tenant{}, err
	}
	tenant := row.model()
	switch {
	case !actor.MayOrderFor(tenant.ID):
		return tenant, models.Errorf(models.Forbidden, "Only owners and developers of %s, and platform admins, can ask for that.", tenant.Slug)
	case !tenant.ClosingAt.IsZero():
		return tenant, models.Errorf(models.Conflict, "The tenant %s is being closed, so nothing new can be asked for.", tenant.Slug)
	case tenant.State != models.Ready && tenant.State != models.Changing:
		return tenant, models.Errorf(models.Conflict, "The tenant %s is %s. Ask again once it is ready.", tenant.Slug, tenant.State)
	}
	tenant.Accounts, err = readAccounts(t.db, tenant.ID)
	return tenant, err
}

// order submits a request about an object of a tenant. Attempts at what the actor may not see are audited.
func (s *Store) order(ctx context.Context, actor models.Actor, slug, key, draftID string, build func(t *tx, tenant models.Tenant) (submission, error)) (models.Request, error) {
	hidden := false
	r, err := s.submit(ctx, actor, key, draftID, func(t *tx) (submission, error) {
		tenant, err := t.forTenant(actor, slug)
		if hidden = errors.Is(err, gorm.ErrRecordNotFound); err != nil {
			return submission{}, err
		}
		sub, err := build(t, tenant)
		sub.tenantID = tenant.ID
		return sub, err
	})
	if hidden {
		return r, s.unseen(ctx, actor, string(models.TenantObject), slug, err)
	}
	return r, err
}

// RequestEnvironment submits an order. What it stands on may be on its way: the order then waits in planning, without a lock.
func (s *Store) RequestEnvironment(ctx context.Context, actor models.Actor, tenantSlug, key string, in models.EnvironmentInputs, draftID string) (models.Request, error) {
	in = typed(in)
	if err := in.Validate(models.CreateEnvironment, s.opt.Regions); err != nil {
		return models.Request{}, err
	}
	if err := s.choose(ctx, actor, &in, in.Blueprint, in.Version, ""); err != nil {
		return models.Request{}, err
	}
	return s.order(ctx, actor, tenantSlug, key, draftID, func(t *tx, tenant models.Tenant) (submission, error) {
		after, err := t.stand(tenant, &in)
		return submission{kind: models.CreateEnvironment, objectID: models.NewID(), name: in.Name, inputs: in, field: "name", after: after}, err
	})
}

// typed is what people typed without the spaces around it, and without what only the store may set.
func typed(in models.EnvironmentInputs) models.EnvironmentInputs {
	for _, f := range []*string{&in.Name, &in.Region, &in.Blueprint, &in.Version, &in.Service, &in.Image, &in.Until, &in.Reason, &in.Confirm} {
		*f = strings.TrimSpace(*f)
	}
	in.AccountID, in.NetworkID, in.ServiceID, in.Needs, in.Base, in.Digest = "", "", "", nil, "", ""
	in.Promotion = nil
	in.Inputs, in.Usage = maps.Clone(in.Inputs), maps.Clone(in.Usage)
	return in
}

// choose finds the version that is asked for and holds the inputs against its schema. from is the version of an upgrade; empty: an order,
// or other inputs of the same version.
func (s *Store) choose(ctx context.Context, actor models.Actor, in *models.EnvironmentInputs, name, version, from string) error {
	listing, err := s.Blueprint(ctx, actor, name)
	if models.KindOf(err) == models.NotFound {
		return models.InvalidFields(map[string]string{"blueprint": fmt.Sprintf("There is no golden path %q.", clip(name))})
	}
	if err != nil {
		return err
	}
	chosen, ok := listing.Newest()
	if version != "" {
		chosen, ok = listing.Find(version)
	}
	switch {
	case !ok || chosen.State != blueprint.Offered:
		return models.InvalidFields(map[string]string{"version": fmt.Sprintf("%s is not offered. %s", blueprint.Ref(name, version), chosen.Reason)})
	case chosen.Meta.Kind != blueprint.KindEnvironment:
		return models.InvalidFields(map[string]string{"blueprint": fmt.Sprintf("%s is not ordered as an environment.", name)})
	case from != "" && !chosen.Meta.UpgradesFrom(from):
		return models.InvalidFields(map[string]string{"version": fmt.Sprintf("%s cannot be reached from %s in one step.", chosen.Ref(), from)})
	case from == "" && in.Stage != "" && !chosen.Meta.Offers(string(in.Stage)):
		return models.InvalidFields(map[string]string{"stage": fmt.Sprintf("%s is not offered for %s.", chosen.Meta.Title, in.Stage)})
	case slices.Contains(chosen.Meta.Needs, blueprint.NeedsZone) && s.opt.BaseDomain == "":
		return models.InvalidFields(map[string]string{"blueprint": "This path needs HTTPS, and so a name of its own. The platform team has not configured a base domain (SLIPWAY_BASE_DOMAIN)."})
	}
	in.Blueprint, in.Version, in.Digest, in.Needs = chosen.Name, chosen.Version, chosen.Digest, chosen.Meta.Needs
	clean, problems := chosen.Meta.Validate(in.Inputs)
	if len(problems) > 0 {
		return models.InvalidFields(problems)
	}
	in.Inputs = clean
	return nil
}

// ChangeEnvironment submits any other request about an environment.
func (s *Store) ChangeEnvironment(ctx context.Context, actor models.Actor, tenantSlug, name string, kind models.RequestKind, key string, in models.EnvironmentInputs) (models.Request, error) {
	if kind.Object() != models.EnvironmentObject || kind == models.CreateEnvironment {
		return models.Request{}, models.Errorf(models.Invalid, "Environments know no %q.", clip(string(kind)))
	}
	in = typed(in)
	if err := in.Validate(kind, s.opt.Regions); err != nil {
		return models.Request{}, err
	}
	env, err := s.livingEnvironment(ctx, actor, tenantSlug, name)
	if err != nil {
		return models.Request{}, err
	}
	if err := s.fitChange(ctx, actor, kind, env, &in); err != nil {
		return models.Request{}, err
	}
	return s.order(ctx, actor, tenantSlug, key, "", func(t *tx, _ models.Tenant) (sub submission, err error) {
		if kind == models.DeleteEnvironment && !actor.IsSystem() {
			err = t.undelivered(env)
		}
		return submission{kind: kind, objectID: env.ID, name: env.Name, inputs: in}, err
	})
}

// fitChange holds a change against the environment as it is: the state it needs, the version it names, what it stands on.
func (s *Store) fitChange(ctx context.Context, actor models.Actor, kind models.RequestKind, env models.Environment, in *models.EnvironmentInputs) error {
	if why := env.MayNot(kind, s.clock.Now()); why != "" {
		return models.Errorf(models.Conflict, "%s", why)
	}
	in.Stage, in.Region, in.AccountID, in.NetworkID, in.ServiceID, in.Base = env.Stage, env.Stack.Region, env.Stack.AccountID, env.NetworkID, env.ServiceID, env.Stack.Digest
	in.Blueprint, in.Digest = env.Stack.Blueprint, env.Stack.Digest
	switch kind {
	case models.UpdateEnvironment:
		return s.fitUpdate(ctx, env, in)
	case models.UpgradeEnvironment:
		if err := s.carryOver(ctx, actor, env, in); err != nil {
			return err
		}
		return s.choose(ctx, actor, in, env.Stack.Blueprint, in.Version, env.Stack.Version)
	case models.AcceptDrift:
		until, err := time.Parse(time.DateOnly, in.Until)
		if now := s.clock.Now(); err != nil || until.Before(now) || until.After(now.AddDate(0, 0, models.MaxAccept)) {
			return models.InvalidFields(map[string]string{"until": fmt.Sprintf("Give a day from tomorrow on, at most %d days ahead.", models.MaxAccept)})
		}
	case models.DeployEnvironment:
		if in.Image == env.Image {
			return models.InvalidFields(map[string]string{"image": "This image runs here already."})
		}
	case models.DeleteEnvironment:
		if !actor.IsSystem() && in.Confirm != env.Name {
			return models.InvalidFields(map[string]string{"confirm": fmt.Sprintf("Type %s to show that you mean this environment.", env.Name)})
		}
	}
	in.Version = env.Stack.Version
	return nil
}

// fitUpdate holds other inputs against the version that the environment is made with, whatever has become of that version since.
func (s *Store) fitUpdate(ctx context.Context, env models.Environment, in *models.EnvironmentInputs) error {
	v, err := s.BlueprintByDigest(ctx, env.Stack.Digest)
	if err != nil {
		return err
	}
	clean, problems := v.Meta.Validate(in.Inputs)
	if len(problems) > 0 {
		return models.InvalidFields(problems)
	}
	in.Inputs, in.Version, in.Needs = clean, v.Version, v.Meta.Needs
	return nil
}

// EditEnvironmentRequest replaces the inputs of a request that was sent back or could not be planned, and plans it again.
func (s *Store) EditEnvironmentRequest(ctx context.Context, actor models.Actor, id string, in models.EnvironmentInputs) (models.Request, error) {
	r, err := s.Request(ctx, actor, id)
	if err != nil {
		return r, err
	}
	in = typed(in)
	if err := in.Validate(r.Kind, s.opt.Regions); err != nil {
		return r, err
	}
	if r.Kind == models.CreateEnvironment {
		err = s.choose(ctx, actor, &in, in.Blueprint, in.Version, "")
	} else {
		var env models.Environment
		if env, err = s.Registry().Environment(ctx, r.ObjectID); err == nil {
			err = s.fitChange(ctx, actor, r.Kind, env, &in)
		}
	}
	if err != nil {
		return r, err
	}
	return s.edit(ctx, actor, id, models.EnvironmentObject, func(t *tx, r models.Request) (submission, error) {
		if err := notPromotion(r); err != nil {
			return submission{}, err
		}
		if r.Kind != models.CreateEnvironment {
			return submission{name: r.ObjectName, inputs: in}, nil
		}
		if r.HasRun() && in.Name != r.ObjectName {
			return submission{}, models.InvalidFields(map[string]string{"name": "The environment exists already, and a name never changes."})
		}
		tenant, err := findTenant(t.db, r.TenantID)
		if err != nil || tenant == nil {
			return submission{}, err
		}
		after, err := t.stand(*tenant, &in)
		return submission{name: in.Name, inputs: in, field: "name", after: after}, err
	})
}

// NameTaken is the live check of an order form: whether the name is reserved or in use in the tenant, and nothing more.
func (s *Store) NameTaken(ctx context.Context, actor models.Actor, tenantSlug string, object models.ObjectType, name string) (bool, error) {
	var used bool
	err := s.tx(ctx, func(t *tx) error {
		tenant, err := t.forTenant(actor, tenantSlug)
		if err != nil {
			return err
		}
		used, err = nameUsed(t.db, object, tenant.ID, name, "")
		return err
	})
	return used, err
}
