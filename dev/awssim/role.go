package awssim

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// newRoleDelay is how long AWS takes to know a new role everywhere.
const newRoleDelay = 8 * time.Second

// Role is an IAM role of the simulated world.
type Role struct {
	Account, Name string
	Path          string // begins and ends with a slash
	ID            string // AROA...; given by putRole
	Description   string
	TrustPolicy   string            // JSON
	Inline        map[string]string // policy name to JSON
	Managed       []string          // ARNs
	Boundary      string            // ARN, empty when none
	Tags          map[string]string
	MaxSession    int32     // seconds; 3600 when zero
	Created       time.Time // c.Now when zero
	UsableAfter   time.Time // given by putRole: IAM is eventually consistent
}

// ARN of the role.
func (r Role) ARN() string { return roleARN(r.Account, r.Path, r.Name) }

// Policy is a customer managed policy.
type Policy struct {
	Account, Name, Path, ID string
	Description             string
	Document                string // JSON
	Version                 int
	Tags                    map[string]string
	Created                 time.Time
}

// ARN of the policy.
func (p Policy) ARN() string { return arn("iam", "", p.Account, "policy"+p.Path+p.Name) }

func malformed(err error) error {
	return refuse(http.StatusBadRequest, "MalformedPolicyDocument", "%v", err)
}

// putRole creates or replaces a role. Its documents are parsed first: one that the
// evaluator does not understand is refused as MalformedPolicyDocument.
func (c *Call) putRole(ctx context.Context, r Role) (Role, error) {
	trust, err := parsePolicy(r.TrustPolicy)
	if err == nil {
		err = trust.checkFederated()
	}
	if err != nil {
		return r, malformed(fmt.Errorf("role %s, trust policy: %w", r.Name, err))
	}
	for name, text := range r.Inline {
		if _, err := parsePolicy(text); err != nil {
			return r, malformed(fmt.Errorf("role %s, policy %s: %w", r.Name, name, err))
		}
	}
	for _, a := range append([]string{r.Boundary}, r.Managed...) {
		if a == "" {
			continue
		}
		if _, ok, err := c.policy(ctx, a); err != nil {
			return r, err
		} else if !ok {
			return r, refuse(http.StatusNotFound, "NoSuchEntity", "Policy %s does not exist or is not attachable.", a)
		}
	}
	if r.Path == "" {
		r.Path = "/"
	}
	if r.MaxSession == 0 {
		r.MaxSession = 3600
	}
	if r.Created.IsZero() {
		r.Created = c.Now
	}
	inline, tags := jsonText(r.Inline), jsonText(r.Tags)
	managed := append([]string{}, r.Managed...)
	err = c.Tx.QueryRow(ctx, `INSERT INTO roles (account, name, path, id, description, trust, inline, managed, boundary, tags, max_session, created_at, usable_after)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
		ON CONFLICT (account, name) DO UPDATE SET description = EXCLUDED.description, trust = EXCLUDED.trust, inline = EXCLUDED.inline, managed = EXCLUDED.managed,
			boundary = EXCLUDED.boundary, tags = EXCLUDED.tags, max_session = EXCLUDED.max_session
		RETURNING path, id, created_at, usable_after`,
		r.Account, r.Name, r.Path, "AROA"+letters(16), r.Description, r.TrustPolicy, inline, managed, r.Boundary, tags, r.MaxSession, r.Created, r.Created.Add(c.Sim.scaled(newRoleDelay))).
		Scan(&r.Path, &r.ID, &r.Created, &r.UsableAfter)
	if err != nil {
		return r, fmt.Errorf("store role %s: %w", r.Name, err)
	}
	return r, nil
}

// role finds a role by name; ok is false when there is none.
func (c *Call) role(ctx context.Context, account, name string) (r Role, ok bool, err error) {
	all, err := c.roles(ctx, `account = $1 AND name = $2`, account, name)
	if err != nil || len(all) == 0 {
		return r, false, err
	}
	return all[0], true, nil
}

func (c *Call) roles(ctx context.Context, where string, args ...any) ([]Role, error) {
	rows, err := c.Tx.Query(ctx, `SELECT account, name, path, id, description, trust, inline, managed, boundary, tags, max_session, created_at, usable_after
		FROM roles WHERE `+where+` ORDER BY name`, args...)
	if err != nil {
		return nil, fmt.Errorf("read roles: %w", err)
	}
	defer rows.Close()
	var all []Role
	for rows.Next() {
		var r Role
		if err := rows.Scan(&r.Account, &r.Name, &r.Path, &r.ID, &r.Description, &r.TrustPolicy, &r.Inline, &r.Managed, &r.Boundary, &r.Tags, &r.MaxSession, &r.Created, &r.UsableAfter); err != nil {
			return nil, fmt.Errorf("read role: %w", err)
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

// deleteRole removes a role; a role that is not there is no error.
func (c *Call) deleteRole(ctx context.Context, account, name string) error {
	if _, err := c.Tx.Exec(ctx, `DELETE FROM roles WHERE account = $1 AND name = $2`, account, name); err != nil {
		return fmt.Errorf("delete role %s: %w", name, err)
	}
	return nil
}

// putPolicy creates a managed policy or gives it a new default version.
func (c *Call) putPolicy(ctx context.Context, p Policy) (Policy, error) {
	if _, err := parsePolicy(p.Document); err != nil {
		return p, malformed(fmt.Errorf("policy %s: %w", p.Name, err))
	}
	if p.Path == "" {
		p.Path = "/"
	}
	if p.Created.IsZero() {
		p.Created = c.Now
	}
	err := c.Tx.QueryRow(ctx, `INSERT INTO policies (arn, account, name, path, id, description, document, version, tags, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8, $9)
		ON CONFLICT (arn) DO UPDATE SET description = EXCLUDED.description, document = EXCLUDED.document, version = policies.version + 1, tags = EXCLUDED.tags
		RETURNING id, version, created_at`,
		p.ARN(), p.Account, p.Name, p.Path, "ANPA"+letters(16), p.Description, p.Document, jsonText(p.Tags), p.Created).Scan(&p.ID, &p.Version, &p.Created)
	if err != nil {
		return p, fmt.Errorf("store policy %s: %w", p.Name, err)
	}
	return p, nil
}

// policy finds a managed policy by ARN, AWS's own few included.
func (c *Call) policy(ctx context.Context, arn string) (p Policy, ok bool, err error) {
	if name, aws := strings.CutPrefix(arn, "arn:aws:iam::aws:policy/"); aws {
		text, ok := awsPolicies()[name]
		i := strings.LastIndexByte(name, '/')
		return Policy{Account: "aws", Path: "/" + name[:i+1], Name: name[i+1:], ID: "ANPASIM" + strings.ToUpper(name[i+1:]), Document: text, Version: 1}, ok, nil
	}
	err = c.Tx.QueryRow(ctx, `SELECT account, name, path, id, description, document, version, tags, created_at FROM policies WHERE arn = $1`, arn).
		Scan(&p.Account, &p.Name, &p.Path, &p.ID, &p.Description, &p.Document, &p.Version, &p.Tags, &p.Created)
	if isNoRows(err) {
		return p, false, nil
	}
	if err != nil {
		return p, false, fmt.Errorf("read policy %s: %w", arn, err)
	}
	return p, true, nil
}

// deletePolicy removes a managed policy; one that is not there is no error.
func (c *Call) deletePolicy(ctx context.Context, arn string) error {
	if _, err := c.Tx.Exec(ctx, `DELETE FROM policies WHERE arn = $1`, arn); err != nil {
		return fmt.Errorf("delete policy %s: %w", arn, err)
	}
	return nil
}

// awsPolicies are the AWS managed policies that roles here may name. The two that AWS
// writes as long lists of actions are said by their intent.
func awsPolicies() map[string]string {
	allow := func(actions string) string {
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":` + actions + `,"Resource":"*"}]}`
	}
	read := `["*:Describe*","*:Get*","*:List*","*:Lookup*","*:BatchGet*","*:Search*","*:View*"]`
	return map[string]string{
		"AdministratorAccess":         allow(`"*"`),
		"ReadOnlyAccess":              allow(read),
		"SecurityAudit":               allow(read),
		"job-function/ViewOnlyAccess": allow(`["*:Describe*","*:List*","*:LookupEvents","cloudwatch:Get*","organizations:Describe*"]`),
	}
}

// jsonText is a map as JSON; a nil map is an empty object.
func jsonText(m map[string]string) string {
	if m == nil {
		return "{}"
	}
	b, _ := json.Marshal(m) // a map of text always marshals
	return string(b)
}
