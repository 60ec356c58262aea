package aws

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"slipway/models"
	"slipway/provisioners"
)

// planRegistration plans to take an existing VPC for the network of an account and region: nothing of it is made or changed, only what
// Slipway knows. The hosted zone of the account is made with it, where there is none.
func (s *Stacks) planRegistration(ctx context.Context, p provisioners.Planning) (provisioners.Draft, error) {
	var in models.NetworkInputs
	if err := json.Unmarshal(p.Request.Inputs, &in); err != nil {
		return provisioners.Draft{}, fmt.Errorf("read the inputs of request %s: %w", p.Request.ID, err)
	}
	tenant, err := s.books.Tenant(ctx, p.Request.TenantID)
	if err != nil {
		return provisioners.Draft{}, err
	}
	account, err := accountOf(tenant, in.Class)
	if err != nil {
		return provisioners.Draft{}, err
	}
	outputs, err := s.clients.verify(ctx, vpcClaim{account: account.AWSID, region: in.Region, vpc: in.VPC, public: in.Public, private: in.Private}, askedBy(p))
	if err != nil {
		return provisioners.Draft{}, err
	}
	zone, err := s.zoneOrder(ctx, p, tenant, account, in.Region)
	if err != nil {
		return provisioners.Draft{}, err
	}
	var orders []order
	if zone != nil {
		orders = append(orders, *zone)
	}
	d, err := s.draft(ctx, p, orders...)
	if err != nil {
		return d, err
	}
	name := models.NetworkName(in.Class, in.Region)
	o := object{Stacks: s, typ: models.NetworkObject, part: models.PlanPart{Name: "Network " + name, Account: account.AWSID, Class: in.Class, Region: in.Region, Mode: models.StackCreate,
		Parameters: outputs, Tags: stackTags(tenant, in.Class, "", p.Request.ObjectID, models.TagNetwork, name)}}
	o.part.Changes = o.registrations(outputs)
	d.Parts, d.Region = append([]models.PlanPart{o.part}, d.Parts...), in.Region
	return d, nil
}

// registrations say what is taken as it is, and that Slipway writes it down.
func (o object) registrations(outputs map[string]string) []models.Change {
	taken := func(id, note string) models.Change {
		return models.Change{Step: o.step(stepNetworkVerify), LogicalID: id, Type: typeOfID(id), Action: models.Exists, Note: note}
	}
	all := []models.Change{{LogicalID: o.name(), Type: "Slipway's record", Action: models.Add, Note: "Environments of the account and region stand on it from then on."},
		taken(outputs[outVPC], "Stays as it is. "+outputs[outCIDR])}
	for _, id := range strings.Split(outputs[outPublic], ",") {
		all = append(all, taken(id, "Public: load balancers."))
	}
	for _, id := range strings.Split(outputs[outPrivate], ",") {
		all = append(all, taken(id, "Private: everything else."))
	}
	return all
}

// registered tells a network that Slipway did not make: it has no stack.
func (o object) registered() bool { return o.typ == models.NetworkObject && o.part.StackName == "" }

// claim is what the plan says of a registered VPC.
func (o object) claim() vpcClaim { return claimOf(o.part.Account, o.part.Region, o.part.Parameters) }

func claimOf(account, region string, outputs map[string]string) vpcClaim {
	return vpcClaim{account: account, region: region, vpc: outputs[outVPC], public: strings.Split(outputs[outPublic], ","), private: strings.Split(outputs[outPrivate], ",")}
}

// verifyStep holds the VPC against what was approved once more.
func (o object) verifyStep() provisioners.Step {
	return provisioners.Step{Title: "Verify the VPC of " + o.words(), Find: o.look(func(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
		outputs, err := o.clients.verify(ctx, o.claim(), workOf(run))
		return provisioners.Result{Found: provisioners.Present, Outputs: outputs}, err
	})}
}

// registeredOutcome writes down what was verified: environments are given it.
func (o object) registeredOutcome() provisioners.Step {
	return provisioners.Step{Title: "Record what came of " + o.words(), Find: o.look(func(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
		outputs := map[string]string{}
		for _, name := range []string{outVPC, outCIDR, outPublic, outPrivate, outZones} {
			outputs[name] = run.Output(o.step(stepNetworkVerify), name)
		}
		return present, o.books.SaveStack(ctx, actorOf(run), o.id(), func(st *models.Stack) { st.Outputs = outputs })
	}), Stays: "what was recorded"}
}

// standing is what a network gives to what stands on it. A registered one may have been changed by its owner, so it is verified anew.
func (c *Clients) standing(ctx context.Context, n models.Network, w who) (map[string]string, error) {
	if !n.Registered {
		return n.Stack.Outputs, nil
	}
	return c.verify(ctx, claimOf(n.Stack.Account, n.Region, n.Stack.Outputs), w)
}
