package awssim

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
)

func demoRoles() []string { return []string{"Owner", "Developer", "Viewer"} }

// permissionSetOf is the ARN of a demo role's permission set, such as .../ps-owner00000000001.
func permissionSetOf(role int) string {
	id := strings.ToLower(demoRoles()[role])
	return demoPermissionSet + id + strings.Repeat("0", 15-len(id)) + fmt.Sprint(role+1)
}

// demoPermissionSets is the list that deploy/aws/org.yaml asks for.
func demoPermissionSets() string {
	var all []string
	for i := range demoRoles() {
		all = append(all, permissionSetOf(i))
	}
	return strings.Join(all, ",")
}

// seedIdentityCenter gives the world its permission sets and groups, also one that was made before there were any.
func (c *Call) seedIdentityCenter(ctx context.Context) error {
	tag, err := c.Tx.Exec(ctx, `INSERT INTO world (key, value) VALUES ('identity-center', $1) ON CONFLICT DO NOTHING`, c.Now.Format(time.RFC3339))
	if err != nil {
		return fmt.Errorf("mark the identity center as seeded: %w", err)
	}
	if tag.RowsAffected() == 0 {
		return nil
	}
	for i, role := range demoRoles() {
		if _, err := c.Tx.Exec(ctx, `INSERT INTO permission_sets (arn, name, description, made_at) VALUES ($1, $2, $3, $4)`,
			permissionSetOf(i), "Slipway"+role, "What a tenant's "+strings.ToLower(role)+"s may do in its accounts", c.Now.AddDate(-1, 0, 0)); err != nil {
			return fmt.Errorf("permission set of %ss: %w", role, err)
		}
	}
	for _, name := range c.Sim.opts.Groups {
		if _, err := c.addGroup(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// groupByHand deletes a group or brings it back, as the identity provider's own sync would.
func groupByHand(ctx context.Context, c *Call, d deed) (map[string]any, error) {
	if d.Name == "" || len(d.Name) > 256 {
		return nil, adminError{http.StatusBadRequest, "A group's name has 1 to 256 characters."}
	}
	if d.On {
		_, err := c.addGroup(ctx, d.Name)
		return map[string]any{"group": d.Name, "there": true}, err
	}
	tag, err := c.Tx.Exec(ctx, `UPDATE identity_groups SET gone = true WHERE name = $1`, d.Name)
	if err == nil && tag.RowsAffected() == 0 {
		return nil, absent("group", d.Name)
	}
	return map[string]any{"group": d.Name, "there": false}, err
}

// permissionSetByHand deletes a permission set, with its assignments as AWS does, or brings it back without them.
func permissionSetByHand(ctx context.Context, c *Call, d deed) (map[string]any, error) {
	tag, err := c.Tx.Exec(ctx, `UPDATE permission_sets SET gone = NOT $2 WHERE name = $1`, d.Name, d.On)
	if err == nil && tag.RowsAffected() == 0 {
		return nil, absent("permission set", d.Name)
	}
	if err == nil && !d.On {
		_, err = c.Tx.Exec(ctx, `DELETE FROM account_assignments WHERE permission_set = (SELECT arn FROM permission_sets WHERE name = $1)`, d.Name)
	}
	return map[string]any{"permission_set": d.Name, "there": d.On}, err
}

// fillIdentities shows groups and permission sets in the account that governs them.
func (c *Call) fillIdentities(ctx context.Context, v *thingsView) error {
	if v.Governs = c.Account == demoManagement; !v.Governs {
		return nil
	}
	var err error
	if v.Groups, err = c.groups(ctx, `true`); err != nil {
		return err
	}
	rows, err := c.Tx.Query(ctx, `SELECT arn, name, gone FROM permission_sets ORDER BY arn`)
	if err != nil {
		return fmt.Errorf("read permission sets: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var p setView
		if err := rows.Scan(&p.ARN, &p.Name, &p.Gone); err != nil {
			return fmt.Errorf("read permission set: %w", err)
		}
		v.PermissionSets = append(v.PermissionSets, p)
	}
	return rows.Err()
}

// setView is a permission set on the page.
type setView struct {
	ARN, Name string
	Gone      bool
}
