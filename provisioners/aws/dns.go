package aws

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	r53 "github.com/aws/aws-sdk-go-v2/service/route53/types"

	"slipway/models"
	"slipway/provisioners"
)

// delegationTTL is how long resolvers may keep who answers for a tenant's zone, in seconds.
const delegationTTL = 3600

// spreads is how long Route 53 takes at most to tell its servers of a change, when the change's own id was lost with the process that
// asked for it.
const spreads = time.Minute

// delegations are the ids of changes that this process asked for, by run: Route 53 tells how far a change is by nothing else.
type delegations struct {
	mu  sync.Mutex
	ids map[string]string
}

func (d *delegations) put(run, id string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ids == nil || len(d.ids) > 1000 {
		d.ids = map[string]string{}
	}
	d.ids[run] = id
}

func (d *delegations) get(run string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ids[run]
}

// delegate names the servers of an account's zone in the parent zone, so that the world finds it.
func (o object) delegateStep() provisioners.Step {
	return provisioners.Step{Title: "Delegate the names of " + o.words(), Find: o.look(o.findDelegation), Start: o.act(o.startDelegation), Poll: o.look(o.pollDelegation),
		Undo: o.look(o.undoDelegation)}
}

// parentZone opens the zone of the base domain with the role that may write name servers there, and nothing else.
func (c *Clients) parentZone(w who) (*route53.Client, string, error) {
	_, account, err := readRoleARN(c.DNSRoleARN)
	id := strings.TrimPrefix(c.DNSZoneID, "/hostedzone/")
	if err != nil || id == "" {
		return nil, "", finalf("Slipway does not know the zone of the base domain.", "Set SLIPWAY_DNS_ROLE_ARN and SLIPWAY_DNS_ZONE_ID to the outputs of deploy/aws/dns.yaml, then retry.")
	}
	p := policy(statement{Action: []string{"route53:ChangeResourceRecordSets", "route53:ListResourceRecordSets"}, Resource: []string{fmt.Sprintf("arn:%s:route53:::hostedzone/%s", c.partition, id)}},
		statement{Action: []string{"route53:GetChange"}, Resource: []string{fmt.Sprintf("arn:%s:route53:::change/*", c.partition)}},
		statement{Action: []string{"route53:TestDNSAnswer"}})
	return route53.NewFromConfig(c.config(account, c.Region, c.assume(c.DNSRoleARN, account, p, w))), id, nil
}

// servers reads from the zone's own stack which servers answer for it; sorted.
func (o object) servers(ctx context.Context, run *provisioners.Run) (name string, servers []string, err error) {
	st, err := o.clients.readStack(ctx, models.Stack{Account: o.part.Account, Region: o.part.Region, Name: o.part.StackName}, workOf(run))
	if err != nil {
		return "", nil, err
	}
	outputs := map[string]string{}
	if st != nil {
		for _, out := range st.Outputs {
			outputs[sdk.ToString(out.OutputKey)] = sdk.ToString(out.OutputValue)
		}
	}
	servers = serversOf(outputs)
	if name = dnsName(outputs["ZoneName"]); name == "" || len(servers) == 0 {
		return "", nil, finalf("Stack %s does not say which servers answer for its zone.", "Its blueprint needs the outputs ZoneName and NameServers.", o.part.StackName)
	}
	return name, servers, nil
}

// serversOf are the servers that the outputs of a zone's stack name; sorted.
func serversOf(outputs map[string]string) []string {
	var servers []string
	for s := range strings.SplitSeq(outputs["NameServers"], ",") {
		if s = dnsName(s); s != "" {
			servers = append(servers, s)
		}
	}
	slices.Sort(servers)
	return servers
}

// dnsName is a name as it is compared: small letters, no dot at its end.
func dnsName(s string) string { return strings.TrimSuffix(strings.ToLower(strings.TrimSpace(s)), ".") }

// delegated reads who answers for a name according to the parent zone; sorted, empty when nobody.
func delegated(ctx context.Context, api *route53.Client, zone, name string) ([]string, error) {
	out, err := api.ListResourceRecordSets(ctx, &route53.ListResourceRecordSetsInput{HostedZoneId: &zone, StartRecordName: &name, StartRecordType: r53.RRTypeNs, MaxItems: sdk.Int32(1)})
	if err != nil {
		return nil, err
	}
	var servers []string
	for _, set := range out.ResourceRecordSets {
		if dnsName(sdk.ToString(set.Name)) == name && set.Type == r53.RRTypeNs {
			for _, r := range set.ResourceRecords {
				servers = append(servers, dnsName(sdk.ToString(r.Value)))
			}
		}
	}
	slices.Sort(servers)
	return servers, nil
}

// findDelegation looks what the parent zone says now. Another's record is never overwritten: only one that Slipway wrote before is.
func (o object) findDelegation(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	name, want, err := o.servers(ctx, run)
	if err != nil {
		return absent, err
	}
	api, parent, err := o.clients.parentZone(workOf(run))
	if err != nil {
		return absent, err
	}
	have, err := delegated(ctx, api, parent, name)
	if err != nil {
		return absent, err
	}
	if slices.Equal(have, want) {
		return o.answering(ctx, run, api, parent, name, want)
	}
	if len(have) > 0 {
		z, err := o.zone(ctx)
		if err != nil {
			return absent, err
		}
		if z.DelegatedAt.IsZero() {
			return absent, finalf("The parent zone already names other servers for %s: %s.", "Find out whose they are. Slipway overwrites only what it wrote itself: remove the record, then retry.", name, some(have))
		}
	}
	return provisioners.Result{Found: provisioners.Absent, Outputs: map[string]string{"zone": name, "servers": strings.Join(want, ",")}}, nil
}

func (o object) zone(ctx context.Context) (models.Zone, error) {
	st, err := o.books.StackOf(ctx, o.id())
	if err != nil {
		return models.Zone{}, err
	}
	return o.books.ZoneOf(ctx, st.AccountID)
}

func (o object) startDelegation(ctx context.Context, run *provisioners.Run) error {
	api, parent, err := o.clients.parentZone(workOf(run))
	if err != nil {
		return err
	}
	out, err := changeDelegation(ctx, api, parent, r53.ChangeActionUpsert, run.Outputs["zone"], strings.Split(run.Outputs["servers"], ","), run.ID)
	if err != nil {
		return err
	}
	o.clients.delegations.put(run.ID, sdk.ToString(out.ChangeInfo.Id))
	return nil
}

func changeDelegation(ctx context.Context, api *route53.Client, parent string, action r53.ChangeAction, name string, servers []string, run string) (*route53.ChangeResourceRecordSetsOutput, error) {
	set := &r53.ResourceRecordSet{Name: &name, Type: r53.RRTypeNs, TTL: sdk.Int64(delegationTTL)}
	for _, s := range servers {
		set.ResourceRecords = append(set.ResourceRecords, r53.ResourceRecord{Value: sdk.String(s + ".")})
	}
	return api.ChangeResourceRecordSets(ctx, &route53.ChangeResourceRecordSetsInput{HostedZoneId: &parent,
		ChangeBatch: &r53.ChangeBatch{Comment: sdk.String("Slipway run " + run), Changes: []r53.Change{{Action: action, ResourceRecordSet: set}}}})
}

func (o object) pollDelegation(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	name, want, err := o.servers(ctx, run)
	if err != nil {
		return absent, err
	}
	api, parent, err := o.clients.parentZone(workOf(run))
	if err != nil {
		return absent, err
	}
	have, err := delegated(ctx, api, parent, name)
	if err != nil || !slices.Equal(have, want) {
		return absent, err
	}
	return o.answering(ctx, run, api, parent, name, want)
}

// answering waits until the change has reached every server and the delegation answers, and writes that down.
func (o object) answering(ctx context.Context, run *provisioners.Run, api *route53.Client, parent, name string, want []string) (provisioners.Result, error) {
	waiting := func(words string) (provisioners.Result, error) {
		if run.Waited > waitLimit {
			return absent, finalf("The delegation of %s does not answer after %s.", "Look at the parent zone in Route 53, then retry.", name, run.Waited.Round(time.Second))
		}
		return provisioners.Result{Found: provisioners.Working, Waiting: aws(words)}, nil
	}
	if id := o.clients.delegations.get(run.ID); id != "" {
		out, err := api.GetChange(ctx, &route53.GetChangeInput{Id: &id})
		if err != nil && !is(err, "NoSuchChange") {
			return absent, err
		}
		if err == nil && out.ChangeInfo.Status != r53.ChangeStatusInsync {
			return waiting("Route 53 to tell its servers who answers for " + name)
		}
	} else if spread := time.Duration(float64(spreads) / o.clients.Pace); run.Outputs["servers"] != "" && run.Waited < spread {
		return waiting("Route 53 to tell its servers who answers for " + name)
	}
	out, err := api.TestDNSAnswer(ctx, &route53.TestDNSAnswerInput{HostedZoneId: &parent, RecordName: &name, RecordType: r53.RRTypeNs})
	if err != nil {
		return absent, err
	}
	var said []string
	for _, s := range out.RecordData {
		said = append(said, dnsName(s))
	}
	slices.Sort(said)
	if !slices.Equal(said, want) {
		return waiting("the delegation of " + name + " to answer")
	}
	z, err := o.zone(ctx)
	if err != nil {
		return absent, err
	}
	err = o.books.SaveZone(ctx, actorOf(run), z.ID, func(z *models.Zone) {
		if z.DelegatedAt.IsZero() {
			z.DelegatedAt = o.clients.Clock.Now()
		}
	})
	return provisioners.Result{Found: provisioners.Present, Outputs: map[string]string{"zone": name, "servers": strings.Join(want, ",")}}, err
}

// undoDelegation takes the record away again, if it still is the one that was written.
func (o object) undoDelegation(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	name, wrote := run.Outputs["zone"], strings.Split(run.Outputs["servers"], ",")
	if name == "" {
		return present, nil
	}
	api, parent, err := o.clients.parentZone(workOf(run))
	if err != nil {
		return absent, err
	}
	have, err := delegated(ctx, api, parent, name)
	if err != nil {
		return absent, err
	}
	if slices.Equal(have, wrote) {
		_, err = changeDelegation(ctx, api, parent, r53.ChangeActionDelete, name, wrote, run.ID)
		return provisioners.Result{Found: provisioners.Working, Waiting: aws("Route 53 to forget who answers for " + name)}, err
	}
	z, err := o.zone(ctx)
	if models.KindOf(err) == models.NotFound {
		return present, nil
	}
	if err != nil {
		return absent, err
	}
	return present, o.books.SaveZone(ctx, actorOf(run), z.ID, func(z *models.Zone) { z.DelegatedAt = time.Time{} })
}
