package aws

import (
	"context"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	r53types "github.com/aws/aws-sdk-go-v2/service/route53/types"
)

const zoneType = "AWS::Route53::HostedZone"

// proofPages bounds how many pages of 300 records are looked through: a zone has room for 10,000.
const proofPages = 34

// proofs are the records with which certificates proved that their names are the account's. CloudFormation leaves them behind, and a zone
// that holds any cannot be deleted. Whatever else is in a zone was put there by somebody, and stands in the way by its name.
func (s holder) proofs(ctx context.Context) ([]r53types.ResourceRecordSet, error) {
	var found []r53types.ResourceRecordSet
	in := &route53.ListResourceRecordSetsInput{HostedZoneId: &s.physical}
	for range proofPages {
		out, err := s.dns.ListResourceRecordSets(ctx, in)
		if err != nil {
			return found, ignore(err, "NoSuchHostedZone")
		}
		for _, r := range out.ResourceRecordSets {
			if r.Type == r53types.RRTypeCname && strings.HasPrefix(sdk.ToString(r.Name), "_") {
				found = append(found, r)
			}
		}
		if !out.IsTruncated {
			return found, nil
		}
		in.StartRecordName, in.StartRecordType, in.StartRecordIdentifier = out.NextRecordName, out.NextRecordType, out.NextRecordIdentifier
	}
	return found, nil
}

// deleteProofs deletes them in one change. What was deleted by somebody else meanwhile is looked for again by the next call.
func (s holder) deleteProofs(ctx context.Context) error {
	found, err := s.proofs(ctx)
	if err != nil || len(found) == 0 {
		return err
	}
	batch := &r53types.ChangeBatch{Comment: sdk.String("Slipway closes the tenant")}
	for _, r := range found[:min(len(found), 1000)] {
		batch.Changes = append(batch.Changes, r53types.Change{Action: r53types.ChangeActionDelete, ResourceRecordSet: &r})
	}
	_, err = s.dns.ChangeResourceRecordSets(ctx, &route53.ChangeResourceRecordSetsInput{HostedZoneId: &s.physical, ChangeBatch: batch})
	return ignore(err, "NoSuchHostedZone")
}
