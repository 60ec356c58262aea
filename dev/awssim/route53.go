package awssim

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	r53types "github.com/aws/aws-sdk-go-v2/service/route53/types"
)

func route53Operations() []operation {
	return []operation{
		handle("route53", "ListHostedZones", listZones),
		handle("route53", "ListHostedZonesByName", listZonesByName),
		handle("route53", "GetHostedZone", getZone),
		handle("route53", "ListResourceRecordSets", listRecords),
		handle("route53", "ChangeResourceRecordSets", changeRecords),
		handle("route53", "GetChange", getChange),
		handle("route53", "TestDNSAnswer", testAnswer),
	}
}

// zone finds a zone of the caller's; Route 53's ARNs name no account.
func (c *Call) zone(ctx context.Context, given *string, k keys) (*thing, error) {
	id := strings.TrimPrefix(strings.TrimPrefix(aws.ToString(given), "/hostedzone/"), "hostedzone/")
	if err := c.may(ctx, "arn:aws:route53:::hostedzone/"+id, k); err != nil {
		return nil, err
	}
	all, err := c.things(ctx, `type = $1 AND physical = $2`, route53Zone, id)
	switch {
	case err != nil:
		return nil, err
	case len(all) == 0:
		return nil, refuse(http.StatusNotFound, "NoSuchHostedZone", "No hosted zone found with ID: %s", id)
	case all[0].Account != c.Account:
		return nil, denied("route53", "User: "+c.Principal.ARN+" is not authorized to access this resource")
	}
	return all[0], nil
}

func (c *Call) zoneOut(ctx context.Context, t *thing) (r53types.HostedZone, error) {
	records, err := c.zoneRecords(ctx, t)
	return r53types.HostedZone{Id: aws.String("/hostedzone/" + t.Physical), Name: aws.String(zoneName(t)), CallerReference: aws.String(uuidOf(random(t.Physical))), ResourceRecordSetCount: aws.Int64(int64(len(records))),
		Config: &r53types.HostedZoneConfig{Comment: optional(textOf(mapOf(t.Properties["HostedZoneConfig"])["Comment"]))}}, err
}

func listZones(ctx context.Context, c *Call, in *route53.ListHostedZonesInput) (*route53.ListHostedZonesOutput, error) {
	all, err := c.myZones(ctx)
	if err != nil {
		return nil, err
	}
	most := aws.ToInt32(in.MaxItems)
	if most <= 0 || most > 100 {
		most = 100
	}
	some, next, err := page(all, in.Marker, &most, 100)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "InvalidInput", "The marker is not valid.")
	}
	out := &route53.ListHostedZonesOutput{HostedZones: []r53types.HostedZone{}, IsTruncated: next != nil, Marker: in.Marker, NextMarker: next, MaxItems: &most}
	for _, t := range some {
		z, err := c.zoneOut(ctx, t)
		if err != nil {
			return nil, err
		}
		out.HostedZones = append(out.HostedZones, z)
	}
	return out, nil
}

func (c *Call) myZones(ctx context.Context) ([]*thing, error) {
	if err := c.may(ctx, "*", nil); err != nil {
		return nil, err
	}
	all, err := c.things(ctx, `account = $1 AND type = $2`, c.Account, route53Zone)
	slices.SortStableFunc(all, func(a, b *thing) int { return dnsOrder(record{Name: zoneName(a)}, record{Name: zoneName(b)}) })
	return all, err
}

func listZonesByName(ctx context.Context, c *Call, in *route53.ListHostedZonesByNameInput) (*route53.ListHostedZonesByNameOutput, error) {
	all, err := c.myZones(ctx)
	if err != nil {
		return nil, err
	}
	most := aws.ToInt32(in.MaxItems)
	if most <= 0 || most > 100 {
		most = 100
	}
	out := &route53.ListHostedZonesByNameOutput{HostedZones: []r53types.HostedZone{}, MaxItems: &most, DNSName: in.DNSName, HostedZoneId: in.HostedZoneId}
	for _, t := range all {
		at := dnsOrder(record{Name: zoneName(t)}, record{Name: dnsName(aws.ToString(in.DNSName))})
		if in.DNSName != nil && (at < 0 || (at == 0 && in.HostedZoneId != nil && t.Physical < *in.HostedZoneId)) {
			continue
		}
		if len(out.HostedZones) == int(most) {
			out.IsTruncated, out.NextDNSName, out.NextHostedZoneId = true, aws.String(zoneName(t)), &t.Physical
			break
		}
		z, err := c.zoneOut(ctx, t)
		if err != nil {
			return nil, err
		}
		out.HostedZones = append(out.HostedZones, z)
	}
	return out, nil
}

func getZone(ctx context.Context, c *Call, in *route53.GetHostedZoneInput) (*route53.GetHostedZoneOutput, error) {
	t, err := c.zone(ctx, in.Id, nil)
	if err != nil {
		return nil, err
	}
	z, err := c.zoneOut(ctx, t)
	return &route53.GetHostedZoneOutput{HostedZone: &z, DelegationSet: &r53types.DelegationSet{NameServers: zoneServers(t)}}, err
}

func listRecords(ctx context.Context, c *Call, in *route53.ListResourceRecordSetsInput) (*route53.ListResourceRecordSetsOutput, error) {
	t, err := c.zone(ctx, in.HostedZoneId, nil)
	if err != nil {
		return nil, err
	}
	all, err := c.zoneRecords(ctx, t)
	if err != nil {
		return nil, err
	}
	most := aws.ToInt32(in.MaxItems)
	if most <= 0 || most > 300 {
		most = 300
	}
	out := &route53.ListResourceRecordSetsOutput{ResourceRecordSets: []r53types.ResourceRecordSet{}, MaxItems: &most}
	from := record{Name: dnsName(aws.ToString(in.StartRecordName)), Type: string(in.StartRecordType)}
	for _, r := range all {
		if from.Name != "" && dnsOrder(r, from) < 0 {
			continue
		}
		if len(out.ResourceRecordSets) == int(most) {
			out.IsTruncated, out.NextRecordName, out.NextRecordType = true, aws.String(r.Name), r53types.RRType(r.Type)
			break
		}
		one := r53types.ResourceRecordSet{Name: aws.String(r.Name), Type: r53types.RRType(r.Type)}
		if r.AliasName != "" {
			one.AliasTarget = &r53types.AliasTarget{DNSName: aws.String(r.AliasName), HostedZoneId: aws.String(r.AliasZone)}
		} else {
			one.TTL = aws.Int64(r.TTL)
			for _, v := range r.Values {
				one.ResourceRecords = append(one.ResourceRecords, r53types.ResourceRecord{Value: aws.String(v)})
			}
		}
		out.ResourceRecordSets = append(out.ResourceRecordSets, one)
	}
	return out, nil
}

func changeRecords(ctx context.Context, c *Call, in *route53.ChangeResourceRecordSetsInput) (*route53.ChangeResourceRecordSetsOutput, error) {
	k := keys{}
	var changes []r53types.Change
	if in.ChangeBatch != nil {
		changes = in.ChangeBatch.Changes
	}
	for _, ch := range changes {
		if ch.ResourceRecordSet == nil {
			continue
		}
		k["route53:ChangeResourceRecordSetsNormalizedRecordNames"] = append(k["route53:ChangeResourceRecordSetsNormalizedRecordNames"], strings.TrimSuffix(dnsName(aws.ToString(ch.ResourceRecordSet.Name)), "."))
		k["route53:ChangeResourceRecordSetsRecordTypes"] = append(k["route53:ChangeResourceRecordSetsRecordTypes"], string(ch.ResourceRecordSet.Type))
		k["route53:ChangeResourceRecordSetsActions"] = append(k["route53:ChangeResourceRecordSetsActions"], string(ch.Action))
	}
	t, err := c.zone(ctx, in.HostedZoneId, k)
	if err != nil {
		return nil, err
	}
	if len(changes) == 0 {
		return nil, refuse(http.StatusBadRequest, "InvalidInput", "1 validation error detected: Value at 'changeBatch.changes' failed to satisfy constraint: Member must have length greater than or equal to 1")
	}
	for _, ch := range changes {
		r, err := recordIn(ch.ResourceRecordSet)
		if err != nil {
			return nil, err
		}
		if err := c.change(ctx, t, string(ch.Action), r, c.Now); err != nil {
			return nil, err
		}
	}
	id := "C0" + letters(18)
	if _, err := c.Tx.Exec(ctx, `INSERT INTO dns_changes (id, account, submitted_at, in_sync_at) VALUES ($1, $2, $3, $4)`, id, c.Account, c.Now, c.Now.Add(c.Sim.scaled(dnsSpread))); err != nil {
		return nil, fmt.Errorf("store change: %w", err)
	}
	return &route53.ChangeResourceRecordSetsOutput{ChangeInfo: &r53types.ChangeInfo{Id: aws.String("/change/" + id), Status: r53types.ChangeStatusPending, SubmittedAt: &c.Now, Comment: in.ChangeBatch.Comment}}, nil
}

// recordIn reads a record set; those that share a name by weight, place or health are not played.
func recordIn(in *r53types.ResourceRecordSet) (record, error) {
	if in == nil || in.Name == nil || in.Type == "" {
		return record{}, refuse(http.StatusBadRequest, "InvalidInput", "A record set needs a name and a type.")
	}
	if in.SetIdentifier != nil || in.HealthCheckId != nil || in.TrafficPolicyInstanceId != nil {
		return record{}, refuse(http.StatusBadRequest, "InvalidInput", "The simulator plays simple record sets only.")
	}
	r := record{Name: dnsName(*in.Name), Type: string(in.Type), TTL: aws.ToInt64(in.TTL)}
	for _, v := range in.ResourceRecords {
		r.Values = append(r.Values, aws.ToString(v.Value))
	}
	if in.AliasTarget != nil {
		r.AliasName, r.AliasZone = dnsName(aws.ToString(in.AliasTarget.DNSName)), aws.ToString(in.AliasTarget.HostedZoneId)
	}
	if (len(r.Values) == 0) == (r.AliasName == "") || (r.AliasName == "" && in.TTL == nil) {
		return r, badBatch("Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId], but found none in Change with [Name=%s, Type=%s]", r.Name, r.Type)
	}
	return r, nil
}

func getChange(ctx context.Context, c *Call, in *route53.GetChangeInput) (*route53.GetChangeOutput, error) {
	id := strings.TrimPrefix(strings.TrimPrefix(aws.ToString(in.Id), "/change/"), "change/")
	if err := c.may(ctx, "arn:aws:route53:::change/"+id, nil); err != nil {
		return nil, err
	}
	var submitted, synced time.Time
	err := c.Tx.QueryRow(ctx, `SELECT submitted_at, in_sync_at FROM dns_changes WHERE id = $1 AND account = $2`, id, c.Account).Scan(&submitted, &synced)
	if isNoRows(err) {
		return nil, refuse(http.StatusNotFound, "NoSuchChange", "Could not find resource with ID: %s", id)
	}
	if err != nil {
		return nil, fmt.Errorf("read change %s: %w", id, err)
	}
	info := &r53types.ChangeInfo{Id: aws.String("/change/" + id), Status: r53types.ChangeStatusPending, SubmittedAt: &submitted}
	if !c.Now.Before(synced) {
		info.Status = r53types.ChangeStatusInsync
	}
	return &route53.GetChangeOutput{ChangeInfo: info}, nil
}

// testAnswer is what the servers of one zone answer, whoever delegates to it.
func testAnswer(ctx context.Context, c *Call, in *route53.TestDNSAnswerInput) (*route53.TestDNSAnswerOutput, error) {
	if err := c.may(ctx, "*", nil); err != nil {
		return nil, err
	}
	id := strings.TrimPrefix(aws.ToString(in.HostedZoneId), "/hostedzone/")
	all, err := c.things(ctx, `type = $1 AND physical = $2 AND account = $3`, route53Zone, id, c.Account)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, refuse(http.StatusNotFound, "NoSuchHostedZone", "No hosted zone found with ID: %s", id)
	}
	records, err := c.zoneRecords(ctx, all[0])
	if err != nil {
		return nil, err
	}
	name := dnsName(aws.ToString(in.RecordName))
	out := &route53.TestDNSAnswerOutput{Nameserver: aws.String(strings.Join(zoneServers(all[0])[:1], "")), RecordName: aws.String(strings.TrimSuffix(name, ".")), RecordType: in.RecordType, Protocol: aws.String("UDP"),
		RecordData: append([]string{}, answer(records, name, string(in.RecordType), c.Now)...), ResponseCode: aws.String("NOERROR")}
	if !slices.ContainsFunc(records, func(r record) bool { return below(r.Name, name) && !r.Since.After(c.Now) }) && len(out.RecordData) == 0 {
		out.ResponseCode = aws.String("NXDOMAIN")
	}
	return out, nil
}
