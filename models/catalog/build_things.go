package catalog

import (
	"regexp"

	"slipway/models"
)

// Account is an AWS account.
func (a Addresses) Account(x Account) Entity {
	class := string(x.Class)
	m := a.about(x.Home, accountName(x.Home.Slug, class), x.Home.Slug+" "+class+" account", a.AccountPage(x.Home.Slug, class), x.State)
	m.Tags = tags("slipway", "aws-account", class)
	if x.AWSID != "" {
		m.Annotations[awsID], m.Annotations[awsType] = x.AWSID, "AWS::Organizations::Account"
	}
	return Entity{apiVersion, "Resource", m, resourceSpec{Type: "aws-account", Owner: x.Home.owner(), System: x.Home.system()}}
}

// Network is a VPC.
func (a Addresses) Network(x Network) Entity {
	m := a.about(x.Home, networkName(x.Home.Slug, x.Name), x.Home.Slug+" "+x.Name+" network", a.NetworkPage(x.Home.Slug, x.Name), x.State)
	m.Tags = tags("slipway", "network", string(x.Class), x.Region)
	m.Labels[regionLabel] = x.Region
	x.Stack.note(m.Annotations, x.Region)
	return Entity{apiVersion, "Resource", m, resourceSpec{Type: "network", Owner: x.Home.owner(), System: x.Home.system(),
		DependsOn: []string{resource(accountName(x.Home.Slug, string(x.Class)))}}}
}

// Environment is a blueprint instance.
func (a Addresses) Environment(e Environment) Entity {
	slug := e.Home.Slug
	m := a.about(e.Home, environmentName(slug, e.ID, e.Name), slug+" / "+e.Name, a.EnvironmentPage(slug, e.Name), e.State)
	m.Description = text("A "+string(e.Stage)+" environment of "+slug+" in "+e.Region+", from the blueprint "+e.Blueprint+".", 500)
	m.Tags = tags("slipway", "environment", string(e.Stage), e.Region, e.Blueprint)
	m.Labels[stageLabel], m.Labels[regionLabel] = string(e.Stage), e.Region
	if link, ok := web(e.Host); ok {
		m.Links = append(m.Links, link)
	}
	if a.EnvironmentFrame != nil {
		m.Annotations[embedURL] = a.Public + a.EnvironmentFrame(slug, e.Name)
	}
	e.Stack.note(m.Annotations, e.Region)
	if e.Stack.ARN != "" {
		m.Annotations[costTags] = models.TagTenant + "=" + slug + "," + models.TagEnvironment + "=" + e.Name
	}
	switch len(e.ECS) {
	case 0:
	case 1:
		m.Annotations[ecsARN] = e.ECS[0]
	default:
		m.Annotations[ecsTags] = models.TagObject + "=" + e.ID
	}
	on := []string{resource(accountName(slug, string(e.Stage.Class())))}
	if e.Network != "" {
		on = append(on, resource(networkName(slug, e.Network)))
	}
	return Entity{apiVersion, "Resource", m, resourceSpec{Type: "environment", Owner: e.Home.owner(), System: e.Home.system(), DependsOn: on}}
}

// Component is a service. It depends on the environments that it runs in, and on its pipelines: said this way round, Backstage's usual page
// of a Component lists them beside the environments, and the page of a pipeline names the service that needs it.
func (a Addresses) Component(s Service) Entity {
	slug := s.Home.Slug
	m := a.about(s.Home, Name(s.ID, slug, s.Name), s.Name, a.ServicePage(slug, s.Name), s.State)
	m.Description = text("A service of "+slug+".", 500)
	m.Tags = tags("slipway", "service")
	if s.Repository != "" {
		m.Annotations[ecrARN] = s.Repository
	}
	if s.Account != "" {
		m.Annotations[costTags] = models.TagTenant + "=" + slug
	}
	if arn := s.shown(); arn != "" {
		m.Annotations[ecsARN] = arn
	}
	spec := componentSpec{Type: "service", Lifecycle: s.lifecycle(), Owner: s.Home.owner(), System: s.Home.system()}
	for _, r := range s.Runs {
		spec.DependsOn = append(spec.DependsOn, resource(environmentName(slug, r.ID, r.Name)))
	}
	for _, d := range s.Deliveries {
		spec.DependsOn = append(spec.DependsOn, resource(pipelineName(slug, d.ID, d.Name)))
	}
	a.delivered(m.Annotations, s.Deliveries)
	return Entity{apiVersion, "Component", m, spec}
}

// lifecycle follows where a service runs.
func (s Service) lifecycle() string {
	if s.State == models.Deleting {
		return "deprecated"
	}
	for _, r := range s.Runs {
		if r.Stage == models.Production {
			return "production"
		}
	}
	return "experimental"
}

// shown is the ECS service that stands for a service: the only one there is, or the only one in production. The plugin takes one, and its
// tags are those of environments.
func (s Service) shown() string {
	var all, live []string
	for _, r := range s.Runs {
		all = append(all, r.ECS...)
		if r.Stage == models.Production {
			live = append(live, r.ECS...)
		}
	}
	switch {
	case len(all) == 1:
		return all[0]
	case len(live) == 1:
		return live[0]
	}
	return ""
}

// about is what resources and components have in common.
func (a Addresses) about(home Home, name, title, page string, state models.ObjectState) Metadata {
	return Metadata{Name: name, Title: text(title, 200), Labels: map[string]string{stateLabel: string(state)},
		Annotations: map[string]string{viewURL: a.Public + page, tenantNote: home.Slug}, Links: []Link{a.link(page, "In Slipway", "dashboard")}}
}

// note names the stack in the words of Backstage's AWS catalogue.
func (s Stack) note(annotations map[string]string, region string) {
	if s.ARN == "" {
		return
	}
	annotations[awsARN], annotations[awsType], annotations[awsName], annotations[awsPlace] = s.ARN, "AWS::CloudFormation::Stack", s.Name, region
}

var hostName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$`)

// web is the link to where an environment answers; a name that is none gives no link.
func web(host string) (Link, bool) {
	if len(host) > 253 || !hostName.MatchString(host) {
		return Link{}, false
	}
	return Link{URL: "https://" + host + "/", Title: "Where it answers", Icon: "externalLink"}, true
}
