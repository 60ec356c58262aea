package aws

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"slipway/models"
)

// healthJob is in the session's name of role checks: they belong to no run.
const healthJob = "role-check"

// checkRoles is the session in which a role looks at itself and its neighbours.
var checkRoles = policy(statement{Action: []string{"iam:GetRole", "iam:GetRolePolicy", "iam:ListRolePolicies", "iam:ListAttachedRolePolicies", "iam:GetPolicy", "iam:GetPolicyVersion",
	"iam:SimulatePrincipalPolicy"}})

// The spoke's roles, in the order in which they are checked.
const (
	readRole   = "read"
	deployRole = "deploy"
	execRole   = "cfn-exec"
)

// HealthRoles names the roles that an account's check looks at, one at a time.
func (c *Clients) HealthRoles() []string { return []string{readRole, deployRole, execRole} }

// roleCheck is the check of one role under way.
type roleCheck struct {
	*Clients
	account string
	role    string // the end of its name
	arn     string
	iam     *iam.Client // of the role that looks
	looker  string      // its name
	want    *declared   // nil: not known
	fill    *strings.Replacer
	rooted  bool // the organization's root is known
	seen    models.RoleCheck
}

// CheckRole looks at one of Slipway's roles in an account: can it be assumed, is it as spoke.yaml says, may it do all that Slipway does
// with it. What could not be seen is in the result; an error means that AWS did not answer.
func (c *Clients) CheckRole(ctx context.Context, a models.Account, role string) (models.RoleCheck, error) {
	k := roleCheck{Clients: c, account: a.AWSID, role: role, arn: c.roleARN(a.AWSID, role), looker: "slipway-" + readRole,
		iam: iam.NewFromConfig(c.spoke(a.AWSID, c.Region, readRole, checkRoles, who{job: healthJob}))}
	i, err := c.installed(ctx)
	if err == nil {
		var want declared
		if want, err = c.declare("deploy/aws/spoke.yaml", c.SetUp.Spoke, a.AWSID, i.parameters); err == nil {
			k.want = &want
		}
	}
	if err := k.noted("what the stack set "+c.StackSet+" was deployed with", err); err != nil {
		return k.seen, err
	}
	k.fill = c.filler(i, a.AWSID, role)
	if role != execRole {
		_, err := sts.NewFromConfig(c.spoke(a.AWSID, c.Region, role, identity, who{job: healthJob})).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		if err := k.assumed(err); err != nil {
			return k.seen, err
		}
	}
	return k.finish(ctx)
}

// finish compares and simulates; a role that cannot be assumed is looked at all the same, by the one that looks.
func (k *roleCheck) finish(ctx context.Context) (models.RoleCheck, error) {
	k.seen.Role, k.seen.ARN = "slipway-"+k.role, k.arn
	if k.seen.Unseen != nil && k.looker == k.seen.Role {
		return k.seen, nil
	}
	if err := k.compare(ctx); err != nil {
		return k.seen, err
	}
	if err := k.simulate(ctx); err != nil {
		return k.seen, err
	}
	slices.SortStableFunc(k.seen.Actions, func(a, b models.ActionCheck) int { return strings.Compare(a.Action, b.Action) })
	return k.seen, nil
}

// assumed writes down that the role cannot be assumed, and what its trust policy must hold.
func (k *roleCheck) assumed(err error) error {
	var e *CallError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &e) || e.meaning().verdict == retry && !e.meaning().fresh:
		return err
	}
	k.seen.Unseen = &models.HealthUnseenWhy{Said: k.masked(e.Error()), Trust: k.trust()}
	return nil
}

// trust is what has to be so for Slipway to get in, in the order in which it goes wrong.
func (k *roleCheck) trust() []string {
	words := []string{fmt.Sprintf("The role %s is there. It comes with %s.", k.arn, k.source())}
	if k.want == nil {
		return append(words, "Its trust policy is the one of that file.")
	}
	role, ok := k.want.roles[k.role]
	if !ok {
		return words
	}
	for _, s := range role.trust {
		for kind, who := range s.Principal {
			words = append(words, fmt.Sprintf("Statement %s trusts %s (%s) for %s. An id that begins with AROA there means that the hub's role was made anew: deploy the template again.",
				s.Sid, strings.Join(who, " and "), kind, strings.Join(s.Action, ", ")))
		}
		for operator, keys := range s.Condition {
			for key, values := range keys {
				words = append(words, fmt.Sprintf("Statement %s asks that %s is %s (%s).", s.Sid, key, k.conditionValue(key, values), operator))
			}
		}
	}
	slices.Sort(words[1:])
	return words
}

// conditionValue names a value without giving the external id away.
func (k *roleCheck) conditionValue(key string, values []string) string {
	if strings.EqualFold(key, "sts:ExternalId") {
		return "the installation's own SLIPWAY_EXTERNAL_ID"
	}
	return strings.Join(values, " or ")
}

func (k *roleCheck) source() string {
	if k.want == nil {
		return "deploy/aws"
	}
	return k.want.where
}

// noted writes down what cannot be seen; what AWS may answer the next time is an error.
func (k *roleCheck) noted(what string, err error) error {
	var e *CallError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &e):
		k.blind(what, err.Error())
		return nil
	case !e.meaning().fresh && e.meaning().verdict == retry:
		return err
	}
	k.blind(what, fmt.Sprintf("%s answers: %s", e.Service+" "+e.Op, e.Message))
	if e.meaning().fresh && strings.EqualFold(e.Service, "iam") {
		k.lost("iam:" + e.Op)
	}
	return nil
}

func (k *roleCheck) blind(what, why string) {
	line := "Slipway cannot see " + what + ". " + k.masked(clip(why, 400))
	if !slices.Contains(k.seen.Blind, line) {
		k.seen.Blind = append(k.seen.Blind, line)
	}
}

// lost names a permission that the check itself has just missed, when it is the looking role that is checked.
func (k *roleCheck) lost(action string) {
	if k.looker != "slipway-"+k.role || slices.ContainsFunc(k.seen.Actions, func(a models.ActionCheck) bool { return a.Action == action }) {
		return
	}
	for _, p := range k.rows() {
		if p.action == action {
			k.seen.Actions = append(k.seen.Actions, k.answer(p, false, ""))
			return
		}
	}
}

// masked keeps the installation's external id out of what is stored and shown.
func (c *Clients) masked(s string) string {
	if c.ExternalID == "" {
		return s
	}
	return strings.ReplaceAll(s, c.ExternalID, "(SLIPWAY_EXTERNAL_ID)")
}

// filler fills the braces of the table's rows in.
func (c *Clients) filler(i installation, account, role string) *strings.Replacer {
	return strings.NewReplacer("{partition}", c.partition, "{account}", account, "{region}", c.Region, "{bucket}", c.ArtifactsBucket, "{hub}", i.parameters["HubAccountId"],
		"{org}", i.parameters["OrganizationId"], "{root}", i.root, "{nonprod}", c.OUs[models.NonProd], "{prod}", c.OUs[models.Prod], "{suspended}", c.OUSuspended, "{zone}", strings.TrimPrefix(c.DNSZoneID, "/hostedzone/"),
		"{domain}", c.BaseDomain, "{identity}", c.SetUp.OrgParameters["IdentityCenterArn"], "{exec}", c.roleARN(account, execRole), "{prefix}", c.SpokeRolePrefix, "{role}", role)
}

// roleName is the last part of the role's ARN.
func (k *roleCheck) roleName() *string {
	return sdk.String(k.arn[strings.LastIndexByte(k.arn, '/')+1:])
}
