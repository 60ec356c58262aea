package main

import "slipway/provisioners/aws"

// forEnrolment adds what accounts need that were there before Slipway: which of them never become a tenant's, and where links to create a
// stack lead.
func (r *running) forEnrolment(o *aws.Options) {
	o.Protected, o.Console = r.config.AWS.Protected, r.config.AWS.Console
}
