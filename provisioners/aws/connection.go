package aws

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codeconnections"
	cctypes "github.com/aws/aws-sdk-go-v2/service/codeconnections/types"

	"slipway/models"
	"slipway/provisioners"
)

// planConnection plans a link to a source host: its stack, and what a person has to do about it in the console.
func (s *Stacks) planConnection(ctx context.Context, p provisioners.Planning) (provisioners.Draft, error) {
	var in models.ConnectionInputs
	if err := json.Unmarshal(p.Request.Inputs, &in); err != nil {
		return provisioners.Draft{}, fmt.Errorf("read the inputs of request %s: %w", p.Request.ID, err)
	}
	tenant, err := s.books.Tenant(ctx, p.Request.TenantID)
	if err != nil {
		return provisioners.Draft{}, err
	}
	account, err := buildAccount(tenant, in.AccountID, in.Class)
	if err != nil {
		return provisioners.Draft{}, err
	}
	o := order{}
	if o.version, err = s.versionFor(ctx, in.Digest, "", models.ConnectionBlueprint); err != nil {
		return provisioners.Draft{}, err
	}
	o.object = object{Stacks: s, typ: models.ConnectionObject, part: models.PlanPart{Name: "Connection " + in.Name, Account: account.AWSID, Class: account.Class, Region: s.clients.Region,
		StackName: models.ConnectionStack(tenant.Slug, in.Name), Mode: models.StackCreate, Tags: stackTags(tenant, account.Class, o.version.Name, p.Request.ObjectID, models.TagConnection, in.Name)}}
	if err := o.readRow(ctx); err != nil {
		return provisioners.Draft{}, err
	}
	o.also = []models.Change{{Step: o.step(stepHandshake), LogicalID: in.Name, Type: "Handshake", Action: models.Add,
		Note: fmt.Sprintf("AWS makes connections pending. The run waits until a person who may install apps at %s has finished this one in the console, and goes on by itself.", in.Provider)}}
	g := &ground{Stacks: s, who: askedBy(p), tenant: tenant, account: account, name: in.Name, provider: in.Provider}
	if err := o.fill(ctx, g, nil, ""); err != nil {
		return provisioners.Draft{}, err
	}
	return s.draft(ctx, p, o)
}

// buildAccount is where a tenant builds: the account that the store has chosen, or that of a class, or its nonprod one, or the prod one of a
// tenant without.
func buildAccount(t models.Tenant, id string, class models.Class) (models.Account, error) {
	for _, a := range t.Accounts {
		if id != "" && a.ID == id && a.AWSID != "" && a.State != models.Deleted {
			return a, nil
		}
	}
	if id != "" {
		return models.Account{}, lacking("The account that this was ordered in is not there any more.", "Order it anew, then plan again.")
	}
	if class != "" {
		return accountOf(t, class)
	}
	account, err := accountOf(t, models.NonProd)
	if err != nil {
		return accountOf(t, models.Prod)
	}
	return account, nil
}

// handshakeStep waits until a person has finished the connection at the source host, and goes on by itself.
func (o object) handshakeStep() provisioners.Step {
	return provisioners.Step{Title: "Wait for a person to finish " + o.words(), Find: o.look(o.findHandshake), Stays: "what was agreed at the source host"}
}

func (o object) findHandshake(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	st, err := o.clients.readStack(ctx, models.Stack{Account: o.part.Account, Region: o.part.Region, Name: o.part.StackName}, workOf(run))
	if err != nil {
		return absent, err
	}
	arn := ""
	if st != nil {
		arn = outputsOf(st)["ConnectionArn"]
	}
	if arn == "" {
		return absent, finalf("Stack %s does not say which connection it has made.", "Its blueprint needs the output ConnectionArn.", o.part.StackName)
	}
	status, err := o.clients.connectionStatus(ctx, o.part.Account, o.part.Region, arn, workOf(run))
	if err != nil {
		return absent, err
	}
	now := o.clients.Clock.Wall()
	err = o.books.SaveConnection(ctx, actorOf(run), o.id(), func(c *models.Connection) {
		if c.Status != status {
			c.Status, c.StatusAt = status, now
		}
	})
	if err != nil {
		return absent, err
	}
	outputs := map[string]string{"connection": arn, "status": string(status)}
	link := o.clients.connectionLink(o.part.Account, o.part.Region, arn)
	switch {
	case status == models.ConnectionAvailable:
		return provisioners.Result{Found: provisioners.Present, Outputs: outputs}, nil
	case status == models.ConnectionError:
		return absent, finalf("AWS says that %s is in error.", "Look at the connection in the console ("+link+"), put right what it says there, then retry; or delete it and order another.", o.words())
	case run.Waited > personLimit:
		return absent, finalf("Nobody has finished %s in %d days.", "Finish it in the console ("+link+"), then retry: the run goes on from this step.", o.words(), int(personLimit.Hours()/24))
	}
	return provisioners.Result{Found: provisioners.Working, Outputs: outputs, Waiting: &models.WaitingOn{For: "a person", Link: link, Action: "Finish the connection in AWS",
		Until: o.clients.Clock.Now().Add(personLimit - run.Waited).Truncate(time.Hour),
		Words: fmt.Sprintf("a person to finish %s in account %s. Sign in to that account, open the connection, choose Update pending connection, and let the host's app see the repositories that are to be delivered: "+
			"that takes somebody who may install apps there. The run goes on by itself once AWS says that the connection is available", o.words(), o.part.Account)}}, nil
}

// connectionStatus asks AWS how a connection stands.
func (c *Clients) connectionStatus(ctx context.Context, account, region, arn string, w who) (models.ConnectionStatus, error) {
	look := policy(statement{Action: []string{"codeconnections:GetConnection"}, Resource: []string{arn}})
	out, err := codeconnections.NewFromConfig(c.spoke(account, region, "read", look, w)).GetConnection(ctx, &codeconnections.GetConnectionInput{ConnectionArn: sdk.String(arn)})
	if err != nil {
		return "", err
	}
	switch out.Connection.ConnectionStatus {
	case cctypes.ConnectionStatusAvailable:
		return models.ConnectionAvailable, nil
	case cctypes.ConnectionStatusError:
		return models.ConnectionError, nil
	}
	return models.ConnectionPending, nil
}

// connectionLink is the page in AWS on which a person finishes a connection.
func (c *Clients) connectionLink(account, region, arn string) string {
	id := arn[strings.LastIndex(arn, "/")+1:]
	return fmt.Sprintf("%s/codesuite/settings/%s/%s/codeconnections/connections/%s?region=%s", c.consoleOf(region), account, region, id, region)
}

// consoleOf is where AWS's own pages of a region begin.
func (c *Clients) consoleOf(region string) string {
	host := consoles[c.partition]
	if host == "" {
		host = consoles["aws"]
	}
	return fmt.Sprintf("https://%s.%s", region, host)
}
