package catalog

// Entity is one entry of the catalogue. Every map has keys that are written in this package: a key that somebody typed could be one that
// Backstage obeys ($text has it fetch an address).
type Entity struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Metadata   Metadata `json:"metadata"`
	Spec       any      `json:"spec"`
}

// Metadata is what all kinds have.
type Metadata struct {
	Name        string            `json:"name"`
	Title       string            `json:"title,omitempty"`
	Description string            `json:"description,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Tags        []string          `json:"tags,omitempty"`
	Links       []Link            `json:"links,omitempty"`
}

// Link leads out of Backstage. Icons are those that it has by itself; it shows a globe for any other.
type Link struct {
	URL   string `json:"url"`
	Title string `json:"title"`
	Icon  string `json:"icon"`
}

type (
	locationSpec struct {
		Targets []string `json:"targets"`
	}
	profile struct {
		DisplayName string `json:"displayName,omitempty"`
		Email       string `json:"email,omitempty"`
	}
	groupSpec struct {
		Type     string   `json:"type"`
		Profile  profile  `json:"profile"`
		Children []string `json:"children"` // required, empty too
	}
	userSpec struct {
		Profile  profile  `json:"profile"`
		MemberOf []string `json:"memberOf"` // required, empty too
	}
	systemSpec struct {
		Owner string `json:"owner"`
		Type  string `json:"type"`
	}
	resourceSpec struct {
		Type      string   `json:"type"`
		Owner     string   `json:"owner"`
		System    string   `json:"system"`
		DependsOn []string `json:"dependsOn,omitempty"`
	}
	componentSpec struct {
		Type      string   `json:"type"`
		Lifecycle string   `json:"lifecycle"`
		Owner     string   `json:"owner"`
		System    string   `json:"system"`
		DependsOn []string `json:"dependsOn,omitempty"`
	}
)

const apiVersion = "backstage.io/v1alpha1"

func (h Home) owner() string  { return "group:default/" + GroupName(h.OwnerGroup) }
func (h Home) system() string { return "system:default/" + Name(h.Slug, h.Slug) }

// GroupName is the name of the entity of an identity provider's group.
func GroupName(group string) string { return Name("group/"+group, group) }

func accountName(slug, class string) string {
	return Name(slug+"/account/"+class, slug, "account", class)
}
func networkName(slug, network string) string {
	return Name(slug+"/network/"+network, slug, "network", network)
}
func environmentName(slug, id, name string) string { return Name(id, slug, "env", name) }
func pipelineName(slug, id, name string) string    { return Name(id, slug, "pipeline", name) }

func resource(name string) string { return "resource:default/" + name }
