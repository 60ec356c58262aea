package catalog

import (
	"regexp"
	"slices"
	"strings"

	"slipway/models"
)

// Delivery is what moves a pipeline, in the words by which it is found elsewhere.
type Delivery struct {
	ID         string              `json:"id"`
	Name       string              `json:"name"`
	Kind       models.PipelineKind `json:"kind"`
	Repository string              `json:"repository"` // of the source: owner/name, or empty
	Stack      Stack               `json:"stack"`
	Line       string              `json:"line"`    // name of the pipeline in CodePipeline; empty: none, or none yet
	Project    string              `json:"project"` // name of the project in CodeBuild; empty: it builds nothing there
}

// Target is an environment that a pipeline delivers to.
type Target struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Pipeline delivers a service.
type Pipeline struct {
	Delivery
	Home    Home
	Service string
	Class   models.Class // of the account it is in
	Region  string       // empty before it is known
	State   models.ObjectState
	Targets []Target // in the order of its stages
}

// Pipeline is a pipeline. It depends on what it delivers to, stage after stage, and on the account it is in.
func (a Addresses) Pipeline(p Pipeline) Entity {
	slug := p.Home.Slug
	m := a.about(p.Home, pipelineName(slug, p.ID, p.Name), slug+" / "+p.Name+" pipeline", a.PipelinePage(slug, p.Name), p.State)
	m.Tags = tags("slipway", "pipeline", string(p.Kind), p.Region)
	if p.Region != "" {
		m.Labels[regionLabel] = p.Region
	}
	p.Stack.note(m.Annotations, p.Region)
	a.delivered(m.Annotations, []Delivery{p.Delivery})
	if site := a.site(p.Delivery); site != "" {
		m.Links = append(m.Links, Link{URL: site, Title: "Repository", Icon: "github"})
	}
	var to, on []string
	for _, t := range p.Targets {
		to, on = append(to, t.Name), append(on, resource(environmentName(slug, t.ID, t.Name)))
	}
	m.Description = text(p.says(to), 500)
	on = append(on, resource(accountName(slug, string(p.Class))))
	return Entity{apiVersion, "Resource", m, resourceSpec{Type: "pipeline", Owner: p.Home.owner(), System: p.Home.system(), DependsOn: on}}
}

func (p Pipeline) says(to []string) string {
	words := "Delivers " + p.Service
	if p.Repository != "" {
		words += " from " + p.Repository
	}
	if len(to) > 0 { // a stage whose environment expired is none
		words += " to " + strings.Join(to, ", then to ")
	}
	return words + "."
}

// delivered says where AWS and GitHub show what pipelines do: of each kind only where there is one to show, as the plugins take one.
func (a Addresses) delivered(annotations map[string]string, all []Delivery) {
	var lines, builds, slugs, sites []string
	for _, d := range all {
		lines, builds = append(lines, d.lineARN()), append(builds, d.buildARN())
		if site := a.site(d); site != "" {
			slugs, sites = append(slugs, d.Repository), append(sites, "url:"+site+"/")
		}
	}
	// The plugins ask the host of the source location, and where there is none that of the file they read: Slipway's.
	for name, values := range map[string][]string{lineARN: lines, buildARN: builds, gitHubSlug: slugs, sourceNote: sites} {
		if one := only(values); one != "" {
			annotations[name] = one
		}
	}
}

// only is the one value there is beside empty ones; empty when there is none, or several.
func only(values []string) string {
	values = slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(values))), func(s string) bool { return s == "" })
	if len(values) != 1 {
		return ""
	}
	return values[0]
}

var (
	gitHubRepository = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*/[A-Za-z0-9_.-]*[A-Za-z0-9_-][A-Za-z0-9_.-]*$`) // a name of dots alone is none
	resourceName     = regexp.MustCompile(`^[A-Za-z0-9.@_-]{1,255}$`)
)

// site is the address of the repository whose workflow a pipeline is; empty for every other kind.
func (a Addresses) site(d Delivery) string {
	if d.Kind != models.GitHubActions || a.GitHub == "" || !gitHubRepository.MatchString(d.Repository) {
		return ""
	}
	return a.GitHub + "/" + d.Repository
}

func (d Delivery) lineARN() string { return d.arn("codepipeline", d.Line, d.Line) }

func (d Delivery) buildARN() string { return d.arn("codebuild", d.Project, "project/"+d.Project) }

// arn is the ARN of something that the stack has made and named. CloudFormation gives both by name alone; the form of their ARNs is fixed,
// and partition, region and account are those of the stack's own.
func (d Delivery) arn(service, name, resource string) string {
	part := strings.SplitN(d.Stack.ARN, ":", 6)
	if d.Kind != models.CodePipeline || !resourceName.MatchString(name) || len(part) != 6 || part[0] != "arn" || part[2] != "cloudformation" {
		return ""
	}
	return strings.Join([]string{part[0], part[1], service, part[3], part[4], resource}, ":")
}
