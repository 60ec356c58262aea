// Package deploy holds the files that set Slipway up, for those who show or simulate them.
package deploy

import "embed"

// AWS holds the CloudFormation templates of the organization's set-up: aws/org.yaml,
// aws/hub.yaml, aws/spoke.yaml and aws/dns.yaml.
//
//go:embed aws/*.yaml
var AWS embed.FS
