package catalog

import (
	"fmt"
	"strings"

	"slipway/models"
)

// PlatformGroup is the group of the platform's admins. It is always there, so that no answer about a whole installation is ever empty.
const PlatformGroup = "slipway-platform-admins"

// Annotations of Slipway's own.
const (
	embedURL     = "slipway.dev/embed-url" // complete, as frames of Backstage take it
	embedCostURL = "slipway.dev/embed-costs-url"
	viewURL      = "backstage.io/view-url"
	sourceNote   = "backstage.io/source-location"
	tenantNote   = "slipway.dev/tenant"
	stateLabel   = "slipway.dev/state"
	stageLabel   = "slipway.dev/stage"
	regionLabel  = "slipway.dev/region"
)

// Annotations of the AWS plugins. Of each pair, one by ARN and one by tags, an entity carries one at most: with both, the plugins show nothing.
const (
	ecsARN   = "aws.amazon.com/amazon-ecs-service-arn"
	ecsTags  = "aws.amazon.com/amazon-ecs-service-tags"
	ecrARN   = "aws.amazon.com/amazon-ecr-arn"
	lineARN  = "aws.amazon.com/aws-codepipeline-arn"
	buildARN = "aws.amazon.com/aws-codebuild-project-arn"
	costTags = "aws.amazon.com/cost-insights-tags"
	awsARN   = "aws.amazon.com/arn"
	awsType  = "aws.amazon.com/resource-type"
	awsID    = "aws.amazon.com/resource-id"
	awsName  = "aws.amazon.com/name"
	awsPlace = "aws.amazon.com/region"
)

// gitHubSlug is what the GitHub plugins look for.
const gitHubSlug = "github.com/project-slug"

// Addresses are where things are seen in Slipway: paths, and the public address they stand on.
type Addresses struct {
	Public          string // scheme and host
	TenantPage      func(slug string) string
	AccountPage     func(slug, class string) string
	NetworkPage     func(slug, name string) string
	EnvironmentPage func(slug, name string) string
	ServicePage     func(slug, name string) string
	PipelinePage    func(slug, name string) string
	RequestsPage    func(slug string) string
	GitHub          string // scheme and host of the repositories whose workflows deliver; empty: not known

	// Frames are what Backstage may show inside; nil: nothing.
	TenantFrame      func(slug string) string
	TenantCostFrame  func(slug string) string
	EnvironmentFrame func(slug, name string) string
}

func (a Addresses) link(path, title, icon string) Link {
	return Link{URL: a.Public + path, Title: title, Icon: icon}
}

// Platform is the group of the platform's admins.
func (a Addresses) Platform() Entity {
	return Entity{apiVersion, "Group", Metadata{Name: PlatformGroup, Title: "Slipway platform admins", Description: "Run Slipway and decide about requests.", Tags: tags("slipway")},
		groupSpec{Type: "team", Profile: profile{DisplayName: "Slipway platform admins"}, Children: []string{}}}
}

// Group is a group with a role in tenants.
func (a Addresses) Group(g Group) Entity {
	var of []string
	for _, r := range g.Of {
		of = append(of, fmt.Sprintf("%s of %s", r.Role, r.Slug))
	}
	words := strings.Join(of, ", ")
	if more := g.All - len(g.Of); more > 0 {
		words += fmt.Sprintf(" and %d more", more)
	}
	name := orElse(text(g.Name, 200), GroupName(g.Name))
	return Entity{apiVersion, "Group", Metadata{Name: GroupName(g.Name), Title: name, Description: text(words, 500), Tags: tags("slipway")},
		groupSpec{Type: "team", Profile: profile{DisplayName: name}, Children: []string{}}}
}

// User is a person. The name follows the identity provider's subject and carries a hash of the person: two providers may know one subject.
func (a Addresses) User(p Person) Entity {
	member := []string{}
	if p.Admin {
		member = append(member, "group:default/"+PlatformGroup)
	}
	for _, g := range p.Groups {
		member = append(member, "group:default/"+GroupName(g))
	}
	return Entity{apiVersion, "User", Metadata{Name: Hashed(p.ID, p.Subject), Title: text(p.Name, 200), Tags: tags("slipway")},
		userSpec{Profile: profile{DisplayName: text(p.Name, 200), Email: text(p.Email, 254)}, MemberOf: member}}
}

// System is a tenant.
func (a Addresses) System(t Tenant) Entity {
	home := Home{t.Slug, t.OwnerGroup}
	m := Metadata{Name: Name(t.Slug, t.Slug), Title: orElse(text(t.DisplayName, 200), t.Slug), Description: text(t.Description, 2000), Tags: tags("slipway", "tenant"),
		Labels: map[string]string{stateLabel: string(t.State)}, Annotations: map[string]string{viewURL: a.Public + a.TenantPage(t.Slug), tenantNote: t.Slug},
		Links: []Link{a.link(a.TenantPage(t.Slug), "Tenant in Slipway", "dashboard"), a.link(a.RequestsPage(t.Slug), "Requests", "catalog")}}
	if t.HasAccount {
		m.Annotations[costTags] = models.TagTenant + "=" + t.Slug
	}
	if a.TenantFrame != nil {
		m.Annotations[embedURL] = a.Public + a.TenantFrame(t.Slug)
	}
	if a.TenantCostFrame != nil {
		m.Annotations[embedCostURL] = a.Public + a.TenantCostFrame(t.Slug)
	}
	return Entity{apiVersion, "System", m, systemSpec{Owner: home.owner(), Type: "tenant"}}
}
