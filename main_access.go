package main

import (
	"slipway/provisioners/aws"
)

// identityCenter is how people get into accounts, as the AWS clients take it.
func (r *running) identityCenter() aws.IdentityCenter {
	a := r.config.Access
	return aws.IdentityCenter{Instance: a.Instance, Region: a.Region, Issuer: a.Issuer, Sets: a.Sets}
}
