package main

import (
	"slipway/deploy"
	"slipway/provisioners/aws"
)

// forEnrolment adds what accounts need that were there before Slipway: which never become a tenant's, and the template of the roles for
// those that the stack set does not reach.
func (r *running) forEnrolment(o *aws.Options) (err error) {
	o.Protected, o.Console = r.config.AWS.Protected, r.config.AWS.Console
	o.Spoke, err = deploy.AWS.ReadFile("aws/spoke.yaml")
	return err
}
