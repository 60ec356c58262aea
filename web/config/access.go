package config

import (
	"regexp"
	"slices"
	"strings"
)

// Access is how people get into tenants' accounts: IAM Identity Center, if the organization has it.
type Access struct {
	Instance string            `env:"IDENTITY_CENTER_ARN" doc:"Instance of IAM Identity Center that lets tenants' groups into their accounts. Empty means that nobody gets access through Slipway."`
	Region   string            `env:"IDENTITY_CENTER_REGION" doc:"Region of that instance. Empty means the home region."`
	Issuer   string            `env:"IDENTITY_CENTER_ISSUER" doc:"Issuer of the groups' external ids in the identity store, for an identity provider that names groups by id. Empty means that groups are found by display name."`
	Sets     map[string]string `env:"PERMISSION_SETS" envKeyValSeparator:"=" doc:"ARN of the permission set of each role: owner=arn,developer=arn,viewer=arn, and developer.prod=arn if developers get another one in prod than viewers. IDENTITY_CENTER_ARN and PERMISSION_SETS: both, or none."`
	Portal   string            `env:"ACCESS_PORTAL_URL" doc:"Address of the access portal, such as https://d-1234567890.awsapps.com/start: accounts are linked through it."`
}

var (
	instancePattern      = regexp.MustCompile(`^arn:aws[a-z-]*:sso:::instance/((?:sso)?ins-[a-zA-Z0-9.-]{16})$`)
	permissionSetPattern = regexp.MustCompile(`^arn:aws[a-z-]*:sso:::permissionSet/((?:sso)?ins-[a-zA-Z0-9.-]{16})/ps-[a-zA-Z0-9./-]{16}$`)
)

func (a *Access) check(p *problems) {
	if (a.Instance == "") != (len(a.Sets) == 0) {
		p.add("PERMISSION_SETS", "and SLIPWAY_IDENTITY_CENTER_ARN belong together: set both or none")
		return
	}
	if a.Region != "" && !regionPattern.MatchString(a.Region) {
		p.add("IDENTITY_CENTER_REGION", "is %q, which is not the name of a region such as eu-west-1", a.Region)
	}
	a.Portal = strings.TrimSuffix(a.Portal, "/")
	p.address("ACCESS_PORTAL_URL", a.Portal, true)
	if a.Instance == "" {
		return
	}
	instance := instancePattern.FindStringSubmatch(a.Instance)
	if instance == nil {
		p.add("IDENTITY_CENTER_ARN", "is %q, which is not the ARN of an instance such as arn:aws:sso:::instance/ssoins-1234567890abcdef", a.Instance)
		return
	}
	a.checkSets(p, instance[1])
}

func (a *Access) checkSets(p *problems, instance string) {
	need, may := []string{"owner", "developer", "viewer"}, []string{"developer.prod"}
	sets := make(map[string]string, len(a.Sets))
	for role, arn := range a.Sets {
		role, arn = strings.TrimSpace(role), strings.TrimSpace(arn)
		sets[role] = arn
		set := permissionSetPattern.FindStringSubmatch(arn)
		switch {
		case !slices.Contains(append(need, may...), role):
			p.add("PERMISSION_SETS", "names the role %q: there are owner, developer, viewer and developer.prod", role)
		case set == nil:
			p.add("PERMISSION_SETS", "has %q for %s, which is not the ARN of a permission set", arn, role)
		case set[1] != instance:
			p.add("PERMISSION_SETS", "has a permission set of another instance than SLIPWAY_IDENTITY_CENTER_ARN for %s", role)
		}
	}
	for _, role := range need {
		if sets[role] == "" {
			p.add("PERMISSION_SETS", "names no permission set for %s", role)
		}
	}
	if sets["developer.prod"] != "" && sets["developer.prod"] == sets["developer"] {
		p.add("PERMISSION_SETS", "gives developers in prod what they have elsewhere: there they only read")
	}
	a.Sets = sets
}
