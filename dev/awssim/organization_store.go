package awssim

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Account is a member of the organization.
type Account struct {
	ID, Name, Email, State string // AWS's State: ACTIVE, SUSPENDED, PENDING_CLOSURE ...
	Parent                 string // root or OU id
	Joined                 time.Time
	UsableAfter            time.Time // STS denies before
	ListedAfter            time.Time // ListAccounts does not show it before
	Tags                   map[string]string
}

// node is the root or an organizational unit.
type node struct {
	ID, Parent, Name string
	Tags             map[string]string
}

func orgARN(resource string) string {
	return arn("organizations", "", demoManagement, resource)
}
func accountARN(id string) string { return orgARN("account/" + demoOrganization + "/" + id) }
func nodeARN(id string) string {
	if id == demoRoot {
		return orgARN("root/" + demoOrganization + "/" + id)
	}
	return orgARN("ou/" + demoOrganization + "/" + id)
}

// account finds a member account.
func (c *Call) account(ctx context.Context, id string) (a Account, ok bool, err error) {
	all, err := c.accounts(ctx, `id = $1`, id)
	if err != nil || len(all) == 0 {
		return a, false, err
	}
	return all[0], true, nil
}

// accountsUnder lists active accounts whose parent is one of the nodes, or below them.
func (c *Call) accountsUnder(ctx context.Context, nodes ...string) ([]Account, error) {
	return c.accounts(ctx, `state = 'ACTIVE' AND parent IN (
		WITH RECURSIVE below AS (SELECT id FROM org_nodes WHERE id = ANY($1) UNION SELECT n.id FROM org_nodes n JOIN below b ON n.parent = b.id)
		SELECT id FROM below)`, nodes)
}

func (c *Call) accounts(ctx context.Context, where string, args ...any) ([]Account, error) {
	rows, err := c.Tx.Query(ctx, `SELECT id, name, email, state, parent, joined_at, usable_after, listed_after, tags FROM accounts WHERE `+where+` ORDER BY seq`, args...)
	if err != nil {
		return nil, fmt.Errorf("read accounts: %w", err)
	}
	defer rows.Close()
	var all []Account
	for rows.Next() {
		var a Account
		if err := rows.Scan(&a.ID, &a.Name, &a.Email, &a.State, &a.Parent, &a.Joined, &a.UsableAfter, &a.ListedAfter, &a.Tags); err != nil {
			return nil, fmt.Errorf("read account: %w", err)
		}
		all = append(all, a)
	}
	return all, rows.Err()
}

func (c *Call) nodes(ctx context.Context, where string, args ...any) ([]node, error) {
	rows, err := c.Tx.Query(ctx, `SELECT id, coalesce(parent, ''), name, tags FROM org_nodes WHERE `+where+` ORDER BY name, id`, args...)
	if err != nil {
		return nil, fmt.Errorf("read organizational units: %w", err)
	}
	defer rows.Close()
	var all []node
	for rows.Next() {
		var n node
		if err := rows.Scan(&n.ID, &n.Parent, &n.Name, &n.Tags); err != nil {
			return nil, fmt.Errorf("read organizational unit: %w", err)
		}
		all = append(all, n)
	}
	return all, rows.Err()
}

func (c *Call) node(ctx context.Context, id string) (n node, ok bool, err error) {
	all, err := c.nodes(ctx, `id = $1`, id)
	if err != nil || len(all) == 0 {
		return n, false, err
	}
	return all[0], true, nil
}

// ancestry lists the nodes from the root down to id.
func (c *Call) ancestry(ctx context.Context, id string) ([]string, error) {
	var path []string
	for id != "" && len(path) < 10 {
		n, ok, err := c.node(ctx, id)
		if err != nil {
			return nil, err
		}
		if !ok {
			break
		}
		path = append(path, n.ID)
		id = n.Parent
	}
	slices.Reverse(path)
	return path, nil
}

// controlLevels are the service control policies of each level above and at the account.
func (c *Call) controlLevels(ctx context.Context, account string) ([][]document, error) {
	a, ok, err := c.account(ctx, account)
	if err != nil || !ok {
		return nil, err
	}
	path, err := c.ancestry(ctx, a.Parent)
	if err != nil {
		return nil, err
	}
	var levels [][]document
	for _, target := range append(path, account) {
		policies, err := c.attached(ctx, target, "SERVICE_CONTROL_POLICY")
		if err != nil {
			return nil, err
		}
		docs := make([]document, 0, len(policies))
		for _, p := range policies {
			d, err := parsePolicy(p.Content)
			if err != nil {
				return nil, fmt.Errorf("service control policy %s: %w", p.Name, err)
			}
			docs = append(docs, d)
		}
		levels = append(levels, docs)
	}
	return levels, nil
}

// orgPolicy is a policy of the organization.
type orgPolicy struct {
	ID, Type, Name, Description, Content string
	AWSManaged                           bool
}

func (p orgPolicy) arn() string {
	kind := "policy/" + demoOrganization + "/" + strings.ToLower(p.Type) + "/" + p.ID
	if p.AWSManaged {
		return "arn:aws:organizations::aws:policy/" + strings.ToLower(p.Type) + "/" + p.ID
	}
	return orgARN(kind)
}

func (c *Call) attached(ctx context.Context, target, kind string) ([]orgPolicy, error) {
	return c.orgPolicies(ctx, `type = $2 AND id IN (SELECT policy FROM org_attachments WHERE target = $1)`, target, kind)
}

func (c *Call) orgPolicies(ctx context.Context, where string, args ...any) ([]orgPolicy, error) {
	rows, err := c.Tx.Query(ctx, `SELECT id, type, name, description, content, aws_managed FROM org_policies WHERE `+where+` ORDER BY id`, args...)
	if err != nil {
		return nil, fmt.Errorf("read organization policies: %w", err)
	}
	defer rows.Close()
	var all []orgPolicy
	for rows.Next() {
		var p orgPolicy
		if err := rows.Scan(&p.ID, &p.Type, &p.Name, &p.Description, &p.Content, &p.AWSManaged); err != nil {
			return nil, fmt.Errorf("read organization policy: %w", err)
		}
		all = append(all, p)
	}
	return all, rows.Err()
}

// attach puts a policy on a root, unit or account.
func (c *Call) attach(ctx context.Context, policy, target string) error {
	if _, err := c.Tx.Exec(ctx, `INSERT INTO org_attachments (policy, target) VALUES ($1, $2) ON CONFLICT DO NOTHING`, policy, target); err != nil {
		return fmt.Errorf("attach %s to %s: %w", policy, target, err)
	}
	return nil
}

// page cuts one page out of a list. The token is the place to go on from.
func page[T any](all []T, token *string, size *int32, most int) ([]T, *string, error) {
	from := 0
	if token != nil {
		raw, err := base64.RawURLEncoding.DecodeString(*token)
		if err == nil {
			from, err = strconv.Atoi(strings.TrimPrefix(string(raw), "from:"))
		}
		if err != nil || from < 0 || from > len(all) {
			return nil, nil, &APIError{Status: http.StatusBadRequest, Code: "InvalidInputException", Reason: "INVALID_NEXT_TOKEN", Message: "You specified an invalid value for NextToken."}
		}
	}
	if size != nil {
		if *size < 1 || int(*size) > most {
			return nil, nil, refuse(http.StatusBadRequest, "InvalidInputException", "You specified an invalid value: MaxResults must be between 1 and %d.", most)
		}
		most = int(*size)
	}
	if from+most >= len(all) {
		return all[from:], nil, nil
	}
	next := base64.RawURLEncoding.EncodeToString([]byte("from:" + strconv.Itoa(from+most)))
	return all[from : from+most], &next, nil
}
