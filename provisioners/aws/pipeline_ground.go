package aws

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"

	"slipway/models"
	"slipway/provisioners"
)

// gitHubIssuer is whom accounts trust to say who a workflow on github.com is.
const gitHubIssuer = "https://token.actions.githubusercontent.com"

// delivery reads what a pipeline is given. What its kind or source has no use for is empty.
func (g *ground) delivery(ctx context.Context, source string) (string, error) {
	p := g.pipeline
	if n, ok := strings.CutPrefix(source, "pipeline.stage."); ok {
		return nthStage(p, n).Environment, nil
	}
	if n, ok := strings.CutPrefix(source, "pipeline.timeout."); ok {
		return strconv.Itoa(nthStage(p, n).TimeoutMinutes), nil
	}
	values := map[string]string{"pipeline.source": string(p.Source.Kind), "pipeline.repository": p.Source.Repository, "pipeline.repository_id": p.Source.RepositoryID,
		"pipeline.owner_id": p.Source.OwnerID, "pipeline.branch": p.Source.Branch, "pipeline.paths": strings.Join(p.Source.Paths, ","), "pipeline.tag": p.Source.Tag,
		"pipeline.paused": fmt.Sprint(p.Paused), "workflows.issuer": g.clients.WorkflowIssuer,
		"workflows.ProviderArn": fmt.Sprintf("arn:%s:iam::%s:oidc-provider/%s", g.clients.partition, g.account.AWSID, issuerName(g.clients.WorkflowIssuer))} // AWS makes it of the issuer
	if source == "pipeline.connection" {
		return g.connection(ctx)
	}
	value, ok := values[source]
	if !ok {
		return "", lacking("The template wants %s, which Slipway does not know.", "Correct the blueprint.", source)
	}
	return value, nil
}

// nthStage is the n-th stage; a template needs a number even where there is none.
func nthStage(p models.Pipeline, n string) models.PipelineStage {
	i, err := strconv.Atoi(n)
	if err != nil || i < 1 || i > len(p.Stages) {
		return models.PipelineStage{TimeoutMinutes: models.DefaultTimeout}
	}
	s := p.Stages[i-1]
	if s.TimeoutMinutes == 0 { // a workflow's stages have none
		s.TimeoutMinutes = models.DefaultTimeout
	}
	return s
}

// connection is the ARN of the connection through which the pipeline is started; empty when it needs none.
func (g *ground) connection(ctx context.Context) (string, error) {
	if g.pipeline.ConnectionID == "" {
		return "", nil
	}
	c, err := g.books.Connection(ctx, g.pipeline.ConnectionID)
	if err != nil {
		return "", g.gone(err, "connection")
	}
	arn := c.Stack.Outputs["ConnectionArn"]
	if arn == "" {
		return "", lacking("The connection %s has no output ConnectionArn, which the template needs.", "Order another connection, then plan again.", c.Name)
	}
	return arn, ready(c.State, "connection "+c.Name)
}

// issuerName is an issuer without its scheme, as AWS names its identity provider.
func issuerName(issuer string) string { return strings.TrimPrefix(issuer, "https://") }

// pipelineNotes are what the changes cannot show.
func (s *Stacks) pipelineNotes(want models.Pipeline, mode models.StackMode) (notes []string) {
	switch {
	case want.Kind == models.GitHubActions:
		notes = append(notes, "The roles demand the repository's name and number and this account's audience. STS takes no condition on the owner's number: Slipway itself holds it against every token that it is given.")
		if s.clients.partition != "aws" {
			notes = append(notes, "In this partition STS takes no condition on the repository's number either: the roles demand the name alone, and Slipway itself the numbers.")
		}
	case mode == models.StackCreate:
		notes = append(notes, "CodePipeline starts an execution by itself as soon as it is made.")
		fallthrough
	default:
		if want.Source.Kind == models.SourceImage {
			notes = append(notes, fmt.Sprintf("Tags cannot be moved, so each image that is to be delivered gets a tag of its own: %s, or %s- with anything behind it.", want.Source.Tag, want.Source.Tag))
		}
	}
	return notes
}

// providerOrder plans the identity provider of an account, made with its first pipeline that needs it; nil when it is there. Its id follows
// from what the request makes, so that every plan of the request has the same.
func (s *Stacks) providerOrder(ctx context.Context, p provisioners.Planning, tenant models.Tenant, account models.Account) (*order, error) {
	own := models.DerivedID(p.Request.ObjectID, string(models.IdentityProviderObject))
	id, region := own, s.clients.Region
	have, err := s.books.IdentityProviderOf(ctx, account.ID, s.clients.WorkflowIssuer)
	switch {
	case err != nil && models.KindOf(err) != models.NotFound:
		return nil, err
	case err == nil && have.State == models.Ready:
		return nil, nil
	case err == nil: // what an earlier attempt left unfinished
		id, region = have.ID, have.Stack.Region
	}
	o := order{}
	if o.version, err = s.versionFor(ctx, "", have.Stack.Digest, models.IdentityProviderBlueprint); err != nil {
		return nil, err
	}
	name := issuerName(s.clients.WorkflowIssuer)
	o.object = object{Stacks: s, typ: models.IdentityProviderObject, part: models.PlanPart{Name: "Identity of workflows", Account: account.AWSID, Class: account.Class, Region: region,
		StackName: models.IdentityProviderStack(tenant.Slug), Mode: models.StackCreate, Tags: stackTags(tenant, account.Class, o.version.Name, id, models.TagWorkflows, name)}}
	if err := o.readRow(ctx); err != nil {
		return nil, err
	}
	if id != own {
		if err := o.otherMakesIt(ctx, askedBy(p)); err != nil {
			return nil, err
		}
	}
	return &o, o.fill(ctx, &ground{Stacks: s, who: askedBy(p), tenant: tenant, account: account, name: name}, nil, "")
}

// otherMakesIt waits while another request is about to make the stack: what it then finds is nothing to plan, or what it left unfinished.
func (o order) otherMakesIt(ctx context.Context, w who) error {
	st, err := o.stackFor(w).describe(ctx)
	if err != nil || st == nil || st.StackStatus != cfn.StackStatusReviewInProgress {
		return err
	}
	return provisioners.Wait{For: "another request", Words: "another request to make the identity of workflows of the account"}
}

// providerRecorded looks for the account's identity provider. Another one than was planned is another decision.
func (o object) providerRecorded(ctx context.Context, run *provisioners.Run) (provisioners.Result, error) {
	_, account, err := o.owner(ctx, run)
	if err != nil {
		return absent, err
	}
	have, err := o.books.IdentityProviderOf(ctx, account.ID, o.clients.WorkflowIssuer)
	switch {
	case models.KindOf(err) == models.NotFound:
		return absent, nil
	case err != nil:
		return absent, err
	case have.ID != o.id():
		return absent, anotherProvider(account)
	}
	return present, nil
}

func anotherProvider(account models.Account) error {
	return provisioners.Mismatch{Words: fmt.Sprintf("the identity of workflows of account %s was made by another request meanwhile", account.Name)}
}

// recordProvider makes the row of the account's identity provider.
func (o object) recordProvider(ctx context.Context, run *provisioners.Run, account models.Account, row models.Stack) error {
	made, err := o.books.EnsureIdentityProvider(ctx, actorOf(run), run.RequestID, models.IdentityProvider{ID: o.id(), TenantID: row.TenantID, AccountID: account.ID,
		Issuer: o.clients.WorkflowIssuer, State: models.Creating, Stack: row})
	if err == nil && made.ID != o.id() {
		err = anotherProvider(account)
	}
	return err
}

// planPipelineEnd says what stays of a pipeline's account.
func (s *Stacks) planPipelineEnd(ctx context.Context, o object, draft *provisioners.Draft) error {
	p, err := s.books.Pipeline(ctx, o.id())
	if err != nil {
		return err
	}
	draft.Notes = append(draft.Notes, "What it built and delivered stays: images in the service's repository, environments as they are, and its history in Slipway.")
	if p.Kind != models.GitHubActions || o.named != "" { // with the tenant goes the account's identity provider as well
		return nil
	}
	if _, err := s.books.IdentityProviderOf(ctx, p.AccountID, s.clients.WorkflowIssuer); err == nil {
		draft.Notes = append(draft.Notes, "The identity provider for workflows stays: it belongs to the account, grants nothing by itself and costs nothing.")
	} else if models.KindOf(err) != models.NotFound {
		return err
	}
	return nil
}
