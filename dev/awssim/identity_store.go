package awssim

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	storetypes "github.com/aws/aws-sdk-go-v2/service/identitystore/types"
	"github.com/jackc/pgx/v5"
)

// identityIssuer is who issues the external ids of groups.
const identityIssuer = "https://directory.example.com"

// group is a group of the identity store.
type group struct {
	ID, Name, ExternalID string
	Gone                 bool
	Made                 time.Time
}

func (c *Call) groups(ctx context.Context, where string, args ...any) ([]group, error) {
	rows, err := c.Tx.Query(ctx, `SELECT id, name, external_id, gone, made_at FROM identity_groups WHERE `+where+` ORDER BY name`, args...)
	if err != nil {
		return nil, fmt.Errorf("read groups: %w", err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[group])
	if err != nil {
		return nil, fmt.Errorf("read groups: %w", err)
	}
	return all, nil
}

// groupByID is empty when there is none, or not any more.
func (c *Call) groupByID(ctx context.Context, id string) (group, error) {
	all, err := c.groups(ctx, `id = $1 AND NOT gone`, id)
	if err != nil || len(all) == 0 {
		return group{}, err
	}
	return all[0], nil
}

// groupNamed is the group of a name. Where the world takes any group, one that nobody deleted comes when it is asked for, as if the
// provider had pushed it just before.
func (c *Call) groupNamed(ctx context.Context, name string) (group, error) {
	all, err := c.groups(ctx, `name = $1`, name)
	if err != nil {
		return group{}, err
	}
	switch {
	case len(all) > 0 && all[0].Gone, len(all) == 0 && !c.Sim.opts.AnyGroup:
		return group{}, nil
	case len(all) > 0:
		return all[0], nil
	}
	return c.addGroup(ctx, name)
}

// addGroup makes a group; one that was deleted comes back as another one, with an id of its own.
func (c *Call) addGroup(ctx context.Context, name string) (group, error) {
	rnd := random(demoStore, name, c.Now.String())
	g := group{ID: fmt.Sprintf("%010x-%08x-%04x-%04x-%04x-%012x", rnd.Uint64()&0xffffffffff, rnd.Uint32(), rnd.Uint32()&0xffff, rnd.Uint32()&0xffff, rnd.Uint32()&0xffff, rnd.Uint64()&0xffffffffffff),
		Name: name, ExternalID: "ext-" + name, Made: c.Now}
	if _, err := c.Tx.Exec(ctx, `INSERT INTO identity_groups (id, name, external_id, made_at) VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO UPDATE SET id = EXCLUDED.id, gone = false`,
		g.ID, g.Name, g.ExternalID, g.Made); err != nil {
		return g, fmt.Errorf("add group %s: %w", name, err)
	}
	return g, nil
}

func groupARN(id string) string { return "arn:aws:identitystore:::group/" + id }

func (c *Call) storeCall(ctx context.Context, store *string, groupID string) error {
	if err := c.identityCall(ctx, "arn:aws:identitystore::"+demoManagement+":identitystore/"+aws.ToString(store), groupARN(groupID)); err != nil {
		return err
	}
	if aws.ToString(store) != demoStore || c.Region != homeRegion {
		return notThere("IDENTITYSTORE not found.")
	}
	return nil
}

func getGroupID(ctx context.Context, c *Call, in *identitystore.GetGroupIdInput) (*identitystore.GetGroupIdOutput, error) {
	if err := c.storeCall(ctx, in.IdentityStoreId, "*"); err != nil {
		return nil, err
	}
	g, err := c.groupOf(ctx, in.AlternateIdentifier)
	if err != nil {
		return nil, err
	}
	if g.ID == "" {
		return nil, notThere("GROUP not found.")
	}
	return &identitystore.GetGroupIdOutput{GroupId: &g.ID, IdentityStoreId: in.IdentityStoreId}, nil
}

func (c *Call) groupOf(ctx context.Context, id storetypes.AlternateIdentifier) (group, error) {
	switch by := id.(type) {
	case *storetypes.AlternateIdentifierMemberUniqueAttribute:
		var name string
		if by.Value.AttributeValue == nil || aws.ToString(by.Value.AttributePath) != "displayName" {
			break
		}
		raw, err := by.Value.AttributeValue.MarshalSmithyDocument()
		if err != nil || json.Unmarshal(raw, &name) != nil {
			break
		}
		return c.groupNamed(ctx, name)
	case *storetypes.AlternateIdentifierMemberExternalId:
		all, err := c.groups(ctx, `external_id = $1 AND NOT gone`, aws.ToString(by.Value.Id))
		if err != nil || len(all) == 0 || aws.ToString(by.Value.Issuer) != identityIssuer {
			return group{}, err
		}
		return all[0], nil
	}
	return group{}, refuse(http.StatusBadRequest, "ValidationException", "The alternate identifier is not valid: a group is known by displayName or by an external id.")
}

func (g group) out() storetypes.Group {
	return storetypes.Group{GroupId: &g.ID, DisplayName: &g.Name, IdentityStoreId: aws.String(demoStore),
		ExternalIds: []storetypes.ExternalId{{Id: &g.ExternalID, Issuer: aws.String(identityIssuer)}}}
}

func describeGroup(ctx context.Context, c *Call, in *identitystore.DescribeGroupInput) (*identitystore.DescribeGroupOutput, error) {
	id := aws.ToString(in.GroupId)
	if err := c.storeCall(ctx, in.IdentityStoreId, id); err != nil {
		return nil, err
	}
	g, err := c.groupByID(ctx, id)
	if err != nil {
		return nil, err
	}
	if g.ID == "" {
		return nil, notThere("GROUP not found.")
	}
	o := g.out()
	return &identitystore.DescribeGroupOutput{GroupId: o.GroupId, DisplayName: o.DisplayName, IdentityStoreId: o.IdentityStoreId, ExternalIds: o.ExternalIds, CreatedAt: &g.Made}, nil
}

func listGroups(ctx context.Context, c *Call, in *identitystore.ListGroupsInput) (*identitystore.ListGroupsOutput, error) {
	if err := c.storeCall(ctx, in.IdentityStoreId, "*"); err != nil {
		return nil, err
	}
	all, err := c.groups(ctx, `NOT gone`)
	if err != nil {
		return nil, err
	}
	out := make([]storetypes.Group, 0, len(all))
	for _, g := range all {
		out = append(out, g.out())
	}
	out, next, err := page(out, in.NextToken, in.MaxResults, 100)
	return &identitystore.ListGroupsOutput{Groups: out, NextToken: next}, err
}
