//go:build dev

package main

import (
	"maps"
	"slices"

	"slipway/dev/awssim"
	"slipway/dev/idp"
)

// The simulated organization's IAM Identity Center.
func init() {
	const instance, set = "arn:aws:sso:::instance/ssoins-demo000000000001", "arn:aws:sso:::permissionSet/ssoins-demo000000000001/ps-"
	maps.Copy(demo, map[string]string{
		"SLIPWAY_IDENTITY_CENTER_ARN": instance,
		"SLIPWAY_PERMISSION_SETS":     "owner=" + set + "owner00000000001,developer=" + set + "developer0000002,viewer=" + set + "viewer0000000003",
		"SLIPWAY_ACCESS_PORTAL_URL":   "https://d-93670decaf.awsapps.com/start",
	})
}

// directory gives the identity store the demo people's groups, and every other one as soon as somebody asks for it, as a provider that
// pushes its groups would.
func directory(o *awssim.Options) {
	o.AnyGroup = true
	for _, p := range idp.Demo() {
		for _, g := range p.Groups {
			if !slices.Contains(o.Groups, g) {
				o.Groups = append(o.Groups, g)
			}
		}
	}
}
