package blueprint

import (
	"regexp"
	"slices"
	"strings"
)

// GivenSources are the values Slipway itself gives to a template. Behind network., zone., service., workflows. and baseline. stands the
// name of an output of that stack; the closed names are listed. pipeline.stage.N and pipeline.timeout.N are of the N-th environment that a
// pipeline delivers to; empty, and the longest time-out, where there is none.
var GivenSources = []string{
	"tenant.slug", "tenant.cost_centre", "class",
	"environment.name", "environment.stage", "environment.host", "object.name",
	"image", "hibernated", "peer.account",
	"service.name", "service.RepositoryArn", "service.RepositoryName", "service.RepositoryUri", "service.KeyArn",
	"network.cidr", "network.VpcId", "network.VpcCidr", "network.PublicSubnetIds", "network.PrivateSubnetIds", "network.AvailabilityZones",
	"zone.name", "zone.HostedZoneId", "zone.ZoneName", "zone.NameServers",
	"connection.provider", "workflows.issuer", "workflows.ProviderArn",
	"pipeline.source", "pipeline.connection", "pipeline.repository", "pipeline.repository_id", "pipeline.owner_id", "pipeline.branch", "pipeline.paths", "pipeline.tag", "pipeline.paused",
	"pipeline.stage.1", "pipeline.stage.2", "pipeline.stage.3", "pipeline.stage.4", "pipeline.stage.5",
	"pipeline.timeout.1", "pipeline.timeout.2", "pipeline.timeout.3", "pipeline.timeout.4", "pipeline.timeout.5",
}

var baselineSource = regexp.MustCompile(`^baseline\.[A-Za-z0-9]{1,64}$`)

// IsGivenSource says whether Slipway knows a source.
func IsGivenSource(source string) bool {
	return slices.Contains(GivenSources, source) || baselineSource.MatchString(source)
}

// sourceNeeds is what a blueprint must stand on to be given a source; empty when every one can have it.
func sourceNeeds(source string) string {
	object, _, _ := strings.Cut(source, ".")
	switch {
	case source == "network.cidr" || source == "zone.name": // what the object itself gets when it is made
		return ""
	case object == "network" || object == "zone" || object == "service":
		return object
	case source == "environment.host":
		return NeedsZone
	}
	return ""
}
