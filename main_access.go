package main

import (
	"maps"
	"slices"
	"strings"

	"slipway/handlers"
	"slipway/provisioners/aws"
)

// identityCenter is how people get into accounts, as the AWS clients take it.
func (r *running) identityCenter() aws.IdentityCenter {
	a := r.config.Access
	return aws.IdentityCenter{Instance: a.Instance, Region: a.Region, Issuer: a.Issuer, Sets: a.Sets}
}

// orgParameters are what org.yaml is deployed with for it: the role's health is held against that.
func (r *running) orgParameters() map[string]string {
	a := r.config.Access
	if a.Instance == "" {
		return nil
	}
	sets := slices.Sorted(maps.Values(a.Sets))
	return map[string]string{"IdentityCenterArn": a.Instance, "PermissionSetArns": strings.Join(slices.Compact(sets), ",")}
}

// portal is what pages know of it.
func (r *running) portal() handlers.Portal {
	return handlers.Portal{Configured: r.config.Access.Instance != "", URL: r.config.Access.Portal}
}
