package awssim

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// keptRole is the setting with a role as it was before somebody on the simulator's page took something from it.
const keptRole = "role-as-it-was/"

// takenRole finds a role to take something from, and keeps it as it is now unless it was kept before.
func (c *Call) takenRole(ctx context.Context, d deed) (Role, error) {
	r, ok, err := c.role(ctx, d.Account, d.Name)
	if err != nil {
		return r, err
	}
	if !ok {
		return r, absent("role", d.Name)
	}
	var before Role
	there, err := c.setting(ctx, d.Account, "", keptRole+d.Name, &before)
	if err != nil || there {
		return r, err
	}
	return r, c.set(ctx, d.Account, "", keptRole+d.Name, r)
}

// dropByHand takes an action from a role: every pattern that grants it goes, with whatever else it grants, and so does a managed policy.
func dropByHand(ctx context.Context, c *Call, d deed) (map[string]any, error) {
	if !strings.Contains(d.Key, ":") {
		return nil, adminError{400, "Name an action, like s3:GetObject."}
	}
	r, err := c.takenRole(ctx, d)
	if err != nil {
		return nil, err
	}
	var gone []string
	for name, text := range r.Inline {
		left, patterns, err := withoutAction(text, d.Key)
		if err != nil {
			return nil, fmt.Errorf("policy %s of role %s: %w", name, r.Name, err)
		}
		gone = append(gone, patterns...)
		if r.Inline[name] = left; left == "" {
			delete(r.Inline, name)
		}
	}
	for _, arn := range slices.Clone(r.Managed) {
		p, ok, err := c.policy(ctx, arn)
		if err != nil {
			return nil, err
		}
		if _, patterns, err := withoutAction(p.Document, d.Key); ok && err == nil && len(patterns) > 0 {
			r.Managed = slices.DeleteFunc(r.Managed, func(a string) bool { return a == arn })
			gone = append(gone, arn)
		}
	}
	if len(gone) == 0 {
		return nil, adminError{409, fmt.Sprintf("No policy of the role %s grants %s.", r.Name, d.Key)}
	}
	slices.Sort(gone)
	_, err = c.putRole(ctx, r)
	return map[string]any{"role": r.Name, "dropped": slices.Compact(gone)}, err
}

// withoutAction takes the patterns that grant an action out of a policy; empty when nothing is left of it.
func withoutAction(text, action string) (left string, gone []string, err error) {
	var doc struct {
		Version   string
		Statement json.RawMessage
	}
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		return "", nil, err
	}
	statements, err := oneOrMany[map[string]json.RawMessage](doc.Statement)
	if err != nil {
		return "", nil, err
	}
	var kept []map[string]json.RawMessage
	for _, s := range statements {
		actions, err := oneOrMany[string](s["Action"])
		if err != nil {
			return "", nil, err
		}
		if string(s["Effect"]) == `"Allow"` && len(actions) > 0 {
			rest := slices.DeleteFunc(slices.Clone(actions), func(p string) bool { return wildcard(strings.ToLower(p), strings.ToLower(action)) })
			for _, p := range actions {
				if !slices.Contains(rest, p) {
					gone = append(gone, p)
				}
			}
			if len(rest) == 0 {
				continue
			}
			if s["Action"], err = json.Marshal(rest); err != nil {
				return "", nil, err
			}
		}
		kept = append(kept, s)
	}
	if len(kept) == 0 {
		return "", gone, nil
	}
	out, err := json.Marshal(map[string]any{"Version": doc.Version, "Statement": kept})
	return string(out), gone, err
}

// distrustByHand lets a role trust somebody else: another installation of Slipway, or nobody.
func distrustByHand(ctx context.Context, c *Call, d deed) (map[string]any, error) {
	r, err := c.takenRole(ctx, d)
	if err != nil {
		return nil, err
	}
	switch d.Value {
	case "another installation":
		r.TrustPolicy = strings.ReplaceAll(r.TrustPolicy, c.externalID(), "another-installation-0001")
	case "nobody", "":
		r.TrustPolicy = `{"Version":"2012-10-17","Statement":[{"Sid":"Nobody","Effect":"Deny","Principal":"*","Action":"sts:*"}]}`
	default:
		return nil, adminError{400, "A role can trust nobody, or another installation."}
	}
	_, err = c.putRole(ctx, r)
	return map[string]any{"role": r.Name, "trusts": d.Value}, err
}

// externalID is the one that the platform's roles were made with.
func (c *Call) externalID() string {
	if c.Sim.opts.ExternalID == "" {
		return "slipway-demo-external-id"
	}
	return c.Sim.opts.ExternalID
}

// denyByHand adds a statement that denies an action, beside those that grant it.
func denyByHand(ctx context.Context, c *Call, d deed) (map[string]any, error) {
	if !strings.Contains(d.Key, ":") {
		return nil, adminError{400, "Name an action, like s3:GetObject."}
	}
	r, err := c.takenRole(ctx, d)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{"Sid": "Frozen", "Effect": "Deny", "Action": d.Key, "Resource": "*"}}})
	if err != nil {
		return nil, err
	}
	if r.Inline == nil {
		r.Inline = map[string]string{}
	}
	r.Inline["frozen"] = string(text)
	_, err = c.putRole(ctx, r)
	return map[string]any{"role": r.Name, "denied": d.Key}, err
}

// restoreByHand makes a role as it was before anything was taken from it.
func restoreByHand(ctx context.Context, c *Call, d deed) (map[string]any, error) {
	var before Role
	there, err := c.setting(ctx, d.Account, "", keptRole+d.Name, &before)
	if err != nil {
		return nil, err
	}
	if !there {
		return nil, absent("changed role", d.Name)
	}
	if _, err := c.putRole(ctx, before); err != nil {
		return nil, err
	}
	_, err = c.unset(ctx, d.Account, "", keptRole+d.Name)
	return map[string]any{"role": d.Name, "restored": true}, err
}
