package awssim

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	codeConnection   = "AWS::CodeConnections::Connection"
	codeProject      = "AWS::CodeBuild::Project"
	codePipelineType = "AWS::CodePipeline::Pipeline"
	oidcProvider     = "AWS::IAM::OIDCProvider"
)

// deliveryBehaviours are what carries a commit from its repository to an image.
func deliveryBehaviours() map[string]behaviour {
	connection := quick(6*time.Second, func(n namer) (string, string, map[string]any) {
		a := n.arn("codeconnections", "connection/"+uuidOf(n.rnd))
		return a, a, map[string]any{"ConnectionArn": a, "ConnectionStatus": "PENDING", "OwnerAccountId": n.s.Account}
	})
	connection.effect = connectionEffect
	connection.actions = [3]string{"CreateConnection", "TagResource", "DeleteConnection"}
	project := quick(8*time.Second, func(n namer) (string, string, map[string]any) {
		name := n.name("Name", 150)
		a := n.arn("codebuild", "project/"+name)
		return name, a, map[string]any{"Id": a}
	})
	project.effect = projectEffect
	pipeline := quick(8*time.Second, func(n namer) (string, string, map[string]any) {
		name := n.name("Name", 100)
		return name, n.arn("codepipeline", name), map[string]any{"Version": "1"}
	})
	pipeline.effect = pipelineEffect
	provider := quick(6*time.Second, func(n namer) (string, string, map[string]any) {
		a := arn("iam", "", n.s.Account, "oidc-provider/"+issuerName(n.text("Url")))
		return a, a, nil
	})
	provider.everywhere, provider.effect = true, providerEffect
	provider.actions = [3]string{"CreateOpenIDConnectProvider", "UpdateOpenIDConnectProviderThumbprint", "DeleteOpenIDConnectProvider"}
	return map[string]behaviour{codeConnection: connection, codeProject: project, codePipelineType: pipeline, oidcProvider: provider}
}

// issuerName is an issuer's address as IAM names its provider and its condition keys: without the scheme.
func issuerName(address string) string {
	_, rest, ok := strings.Cut(address, "://")
	if !ok {
		return address
	}
	return rest
}

func connectionEffect(_ context.Context, _ *Call, _ *cfnStack, r *cfnResource, verb string, _ time.Time) error {
	if verb != "create" {
		return nil
	}
	name, provider := textOf(r.Properties["ConnectionName"]), textOf(r.Properties["ProviderType"])
	switch {
	case len(name) > 32:
		return refuse(http.StatusBadRequest, "ValidationException", "1 validation error detected: Value '%s' at 'connectionName' failed to satisfy constraint: Member must have length less than or equal to 32", name)
	case (provider == "") == (textOf(r.Properties["HostArn"]) == ""):
		return refuse(http.StatusBadRequest, "InvalidInputException", "Exactly one of ProviderType and HostArn is needed.")
	}
	return nil
}

// providerEffect takes an issuer by https only, as AWS does; one on this machine by http too.
func providerEffect(_ context.Context, _ *Call, _ *cfnStack, r *cfnResource, verb string, _ time.Time) error {
	if verb != "create" {
		return nil
	}
	u, err := url.Parse(textOf(r.Properties["Url"]))
	switch {
	case err != nil || u.Host == "" || u.RawQuery != "" || (u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Host))):
		return invalid("Invalid Open ID Connect Provider URL")
	case len(texts(r.Properties["ClientIdList"])) > 100:
		return refuse(http.StatusConflict, "LimitExceeded", "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100")
	}
	return nil
}

// passes asks whether the stack's role may hand a role to a service, and whether the role lets
// the service have it.
func (c *Call) passes(ctx context.Context, s *cfnStack, role, service, source string) error {
	if err := c.mayAs(ctx, s.RunAs, "iam:PassRole", role, keys{"iam:PassedToService": {service}}); err != nil {
		return err
	}
	account, _, name, ok := splitRoleARN(role)
	r, found, err := c.role(ctx, account, name)
	if err != nil {
		return err
	}
	if !ok || !found {
		return refuse(http.StatusBadRequest, "InvalidInputException", "The role %s does not exist.", role)
	}
	trusted, err := c.trusts(r, service, source)
	if err == nil && !trusted {
		err = refuse(http.StatusBadRequest, "InvalidInputException", "%s is not authorized to perform: sts:AssumeRole on %s", service, role)
	}
	return err
}

// trusts says whether a service may act with a role for something of its own.
func (c *Call) trusts(r Role, service, source string) (bool, error) {
	d, err := parsePolicy(r.TrustPolicy)
	if err != nil {
		return false, err
	}
	q := c.question(Principal{Account: r.Account, Service: service}, "sts:AssumeRole", r.ARN(), keys{"aws:SourceAccount": {r.Account}, "aws:SourceArn": {source}})
	says, _ := d.trust(q)
	return says == allows, nil
}

// serviceActor is a service that acts with a role it was passed, for something of its own: a project, a pipeline.
type serviceActor struct{ role, service, source, region string }

// actorMay says why a service may not do something with its role; empty when it may.
func (c *Call) actorMay(ctx context.Context, a serviceActor, action, resource string, k keys) (string, error) {
	was := c.Region
	c.Region = a.region
	defer func() { c.Region = was }()
	account, path, name, _ := splitRoleARN(a.role)
	r, found, err := c.role(ctx, account, name)
	if err != nil {
		return "", err
	}
	if !found {
		return "The role " + a.role + " does not exist.", nil
	}
	if ok, err := c.trusts(r, a.service, a.source); err != nil || !ok {
		return a.service + " is not authorized to perform: sts:AssumeRole on " + a.role, err
	}
	p := asRole(account, path, name, strings.TrimSuffix(a.service, ".amazonaws.com"), a.service)
	why, err := c.refusalOf(ctx, c.question(p, action, resource, k))
	if err != nil || why == "" {
		return "", err
	}
	return "User: " + p.ARN + " is not authorized to perform: " + action + " on resource: " + resource + " " + why, nil
}
