package store

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"slipway/models"
)

// RequestNetwork submits a request for a network of Slipway's own, whose block of addresses is taken from a pool with it, or for an
// existing VPC to be registered.
func (s *Store) RequestNetwork(ctx context.Context, actor models.Actor, tenantSlug, key string, kind models.RequestKind, in models.NetworkInputs) (models.Request, error) {
	if kind != models.CreateNetwork && kind != models.RegisterNetwork {
		return models.Request{}, models.Errorf(models.Invalid, "Networks are not ordered by %q.", clip(string(kind)))
	}
	in = typedNetwork(in)
	if err := in.Validate(kind, s.opt.Regions); err != nil {
		return models.Request{}, err
	}
	if kind == models.CreateNetwork {
		if err := s.fitNetwork(ctx, actor, &in); err != nil {
			return models.Request{}, err
		}
	}
	name := models.NetworkName(in.Class, in.Region)
	return s.order(ctx, actor, tenantSlug, key, "", func(t *tx, tenant models.Tenant) (submission, error) {
		sub := submission{kind: kind, objectID: models.NewID(), name: name, field: "region", taken: "There is a network in this region already, or one is asked for."}
		account, err := accountOf(tenant, in.Class)
		if err != nil {
			return sub, err
		}
		in.AccountID = account.ID
		if kind == models.CreateNetwork {
			block, err := t.nextBlock(in.Pool, in.Region)
			if err != nil {
				return sub, err
			}
			in.Pool, in.CIDR = block.pool, block.cidr
			sub.then = func(r models.Request) error { return t.takeBlock(r, block) }
		}
		sub.inputs = in
		return sub, nil
	})
}

func accountOf(tenant models.Tenant, class models.Class) (models.Account, error) {
	for _, a := range tenant.Accounts {
		if a.Class == class && a.State != models.Deleted {
			if a.AWSID == "" {
				return a, models.InvalidFields(map[string]string{"class": fmt.Sprintf("The %s account of %s is still being created.", class, tenant.Slug)})
			}
			return a, nil
		}
	}
	return models.Account{}, models.InvalidFields(map[string]string{"class": fmt.Sprintf("%s has no %s account.", tenant.Slug, class)})
}

func typedNetwork(in models.NetworkInputs) models.NetworkInputs {
	for _, f := range []*string{&in.Region, &in.Pool, &in.VPC, &in.Version, &in.Confirm} {
		*f = strings.TrimSpace(*f)
	}
	for _, list := range []*[]string{&in.Public, &in.Private} {
		var ids []string
		for _, id := range *list {
			if id = strings.TrimSpace(id); id != "" {
				ids = append(ids, id)
			}
		}
		*list = ids
	}
	in.CIDR, in.Digest, in.AccountID = "", "", ""
	in.Inputs = maps.Clone(in.Inputs)
	return in
}

// fitNetwork holds the inputs against the newest version of the network blueprint.
func (s *Store) fitNetwork(ctx context.Context, actor models.Actor, in *models.NetworkInputs) error {
	v, err := s.OfferedBlueprint(ctx, actor, models.NetworkBlueprint)
	if err != nil {
		return notOffered(err, models.NetworkBlueprint)
	}
	clean, problems := v.Meta.Validate(in.Inputs)
	if len(problems) > 0 {
		return models.InvalidFields(problems)
	}
	in.Inputs, in.Digest, in.Version = clean, v.Digest, v.Version
	return nil
}

// ChangeNetwork submits an update or deletion of a network.
func (s *Store) ChangeNetwork(ctx context.Context, actor models.Actor, tenantSlug, name string, kind models.RequestKind, key string, in models.NetworkInputs) (models.Request, error) {
	in = typedNetwork(in)
	n, err := s.livingNetwork(ctx, actor, tenantSlug, name)
	if err != nil {
		return models.Request{}, err
	}
	switch {
	case kind == models.DeleteNetwork && in.Confirm != n.Name:
		return models.Request{}, models.InvalidFields(map[string]string{"confirm": fmt.Sprintf("Type %s to show that you mean this network.", n.Name)})
	case kind == models.UpdateNetwork && n.Registered:
		return models.Request{}, models.Errorf(models.Conflict, "This network was registered, so Slipway changes nothing of it.")
	case kind == models.UpdateNetwork && n.State != models.Ready && n.State != models.Broken:
		return models.Request{}, models.Errorf(models.Conflict, "The network %s is %s.", n.Name, n.State)
	case kind == models.UpdateNetwork:
		if err := s.fitNetwork(ctx, actor, &in); err != nil {
			return models.Request{}, err
		}
	case kind != models.DeleteNetwork:
		return models.Request{}, models.Errorf(models.Invalid, "Networks know no %q.", clip(string(kind)))
	}
	in.Class, in.Region, in.CIDR, in.AccountID = n.Class, n.Region, n.CIDR, n.AccountID
	if kind == models.DeleteNetwork {
		in.Digest = n.Stack.Digest
	}
	return s.order(ctx, actor, tenantSlug, key, "", func(t *tx, _ models.Tenant) (sub submission, err error) {
		sub = submission{kind: kind, objectID: n.ID, name: n.Name, inputs: in}
		if kind == models.DeleteNetwork {
			err = t.deletable(models.NetworkObject, n.ID, n.Name)
		}
		return sub, err
	})
}

func (s *Store) livingNetwork(ctx context.Context, actor models.Actor, tenantSlug, name string) (models.Network, error) {
	where, args := named(actor, "n", tenantSlug, name)
	n, err := readNetwork(s.read(ctx), where, args...)
	if err != nil {
		return n, s.unseen(ctx, actor, string(models.NetworkObject), tenantSlug+"/"+name, err)
	}
	return n, nil
}

// Networks lists the networks of a tenant that are not deleted.
func (s *Store) Networks(ctx context.Context, actor models.Actor, tenantSlug string) ([]models.Network, error) {
	seen, args := tenantScope(actor, `t.id`)
	rows, err := many[networkRow](s.read(ctx), `SELECT `+networkColumns+` FROM `+networkJoined+` WHERE t.slug = ? AND n.state <> 'deleted' AND `+seen+` ORDER BY n.name LIMIT 200`,
		append([]any{clip(tenantSlug)}, args...)...)
	if err != nil {
		return nil, translate(fmt.Errorf("list the networks of %s: %w", tenantSlug, err))
	}
	return modelsOf(rows, networkRow.model)
}

// NetworkPage reads all that a network's page shows, in eight queries.
func (s *Store) NetworkPage(ctx context.Context, actor models.Actor, tenantSlug, name string) (p models.NetworkPage, err error) {
	if p.Network, err = s.livingNetwork(ctx, actor, tenantSlug, name); err != nil {
		return p, err
	}
	db := s.read(ctx)
	if p.Tenant, err = readTenant(db, p.Network.TenantID); err != nil {
		return p, translate(err)
	}
	zone, err := readZone(db, `z.account_id = ? AND z.state <> 'deleted'`, p.Network.AccountID)
	switch {
	case err == nil:
		p.Zone = &zone
	case models.KindOf(translate(err)) != models.NotFound:
		return p, translate(err)
	}
	if p.Environments, p.Receipt, err = s.standing(ctx, actor, `e.network_id = ?`, p.Network.ID, p.Network.State); err != nil {
		return p, err
	}
	around, err := s.around(ctx, actor, p.Network.ID)
	if err != nil {
		return p, err
	}
	p.Open, p.Requests, p.Runs, p.Entries = around.open, around.requests, around.runs, around.entries
	if len(p.Runs) > 0 && p.Network.State == models.Broken {
		p.Failure = p.Runs[0].Failure
	}
	return p, nil
}

// block is a part of a pool that a network gets.
type block struct{ pool, cidr string }

// nextBlock finds the lowest free block of a pool, or of the first pool of the region that has one. Whoever asks at the same time waits:
// of two that want the last block one gets it, the other is told.
func (t *tx) nextBlock(poolID, region string) (block, error) {
	where, args := `region = ?`, []any{region}
	if poolID != "" {
		where, args = `region = ? AND id = ?`, []any{region, poolID}
	}
	if poolID != "" && !models.ValidID(poolID) {
		return block{}, models.InvalidFields(map[string]string{"pool": "There is no such address pool."})
	}
	type pool struct {
		ID, Block string
		Size      int
	}
	pools, err := many[pool](t.db, `SELECT id, block::text, size FROM cidr_pools WHERE `+where+` ORDER BY block FOR UPDATE`, args...)
	if err != nil {
		return block{}, fmt.Errorf("read the address pools of %s: %w", region, err)
	}
	if len(pools) == 0 {
		return block{}, models.InvalidFields(map[string]string{"region": fmt.Sprintf("There is no address pool for %s. A platform admin can add one on /admin/pools.", region)})
	}
	for _, p := range pools {
		held, err := many[string](t.db, `SELECT block::text FROM cidr_blocks WHERE pool_id = ? AND freed_at IS NULL`, p.ID)
		if err != nil {
			return block{}, fmt.Errorf("read the blocks of pool %s: %w", p.Block, err)
		}
		cidr, err := models.NextCIDR(p.Block, p.Size, held)
		if err != nil {
			return block{}, err
		}
		if cidr != "" {
			return block{p.ID, cidr}, nil
		}
	}
	return block{}, models.InvalidFields(map[string]string{"region": fmt.Sprintf("All addresses for networks in %s are taken. A platform admin can add a pool on /admin/pools.", region)})
}

// takeBlock reserves a block for the request's network; the exclusion constraint is the referee.
func (t *tx) takeBlock(r models.Request, b block) error {
	err := t.db.Exec(`INSERT INTO cidr_blocks (id, pool_id, block, object_id, request_id, taken_at) VALUES (?, ?, ?::cidr, ?, ?, ?)`,
		models.NewID(), b.pool, b.cidr, r.ObjectID, r.ID, t.now()).Error
	if err != nil {
		return fmt.Errorf("take block %s: %w", b.cidr, err)
	}
	return nil
}
