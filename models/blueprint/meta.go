package blueprint

import "slices"

// Kind says what a blueprint builds, and so by which form it is ordered.
type Kind string

// The kinds. Support blueprints are ordered through the objects they serve (a service, a hosted zone), never by a form of
// their own.
const (
	KindBaseline    Kind = "baseline"
	KindNetwork     Kind = "network"
	KindEnvironment Kind = "environment"
	KindSupport     Kind = "support"
)

// Kinds lists the kinds in the order of the catalogue page.
func Kinds() []Kind { return []Kind{KindEnvironment, KindNetwork, KindSupport, KindBaseline} }

// What a blueprint can stand on (Meta.Needs). NeedsZone also means that it is not offered without a base domain.
const (
	NeedsNetwork = "network"
	NeedsZone    = "zone"
	NeedsService = "service"
)

// Meta is what meta.yaml says about a template.
type Meta struct {
	ID           string            `yaml:"id"`
	Version      string            `yaml:"version"`
	Kind         Kind              `yaml:"kind"`
	Title        string            `yaml:"title"`
	Description  string            `yaml:"description"`
	Icon         string            `yaml:"icon"` // a Lucide name
	Stages       []string          `yaml:"stages"`
	Needs        []string          `yaml:"needs"`
	UpgradeFrom  []string          `yaml:"upgradeFrom"`
	UpgradeNotes string            `yaml:"upgradeNotes"`
	Breaking     bool              `yaml:"breaking"`
	Deprecated   string            `yaml:"deprecated"` // why, for people; not offered for new orders
	Inputs       map[string]any    `yaml:"inputs"`     // JSON Schema of what people choose
	Given        map[string]string `yaml:"given"`      // template parameter to where Slipway takes it from (GivenSources)
	Outputs      map[string]string `yaml:"outputs"`    // output to its words
	Endpoints    []string          `yaml:"endpoints"`  // outputs that are links
	Secrets      []string          `yaml:"secrets"`    // logical ids of secrets that a person must fill in AWS
	Gates        []Gate            `yaml:"gates"`
	Cost         Cost              `yaml:"cost"`
	Controls     []Control         `yaml:"controls"`
}

// Gate is a security gate of the platform guide, and how the blueprint meets it.
type Gate struct {
	Gate string `yaml:"gate"`
	How  string `yaml:"how"`
}

// Cost is what the estimator cannot read from the template.
type Cost struct {
	Usage        map[string]map[string]string `yaml:"usage"` // size to usage key to a quantity per month, a decimal number
	Fixed        []CostLine                   `yaml:"fixed"`
	NotEstimated []CostLine                   `yaml:"notEstimated"`
}

// CostLine is one thing a blueprint costs. Price is a key of the price file and Quantity a decimal number; both are empty
// where nothing is estimated.
type CostLine struct {
	Resource string `yaml:"resource"`
	Price    string `yaml:"price"`
	Quantity string `yaml:"quantity"`
	Note     string `yaml:"note"`
}

// Control is a published best practice that a resource of the template meets.
type Control struct {
	ID       string `yaml:"id"`
	Resource string `yaml:"resource"`
	Title    string `yaml:"title"`
}

// Offers says whether the blueprint can be ordered for a stage.
func (m Meta) Offers(stage string) bool { return slices.Contains(m.Stages, stage) }

// UpgradesFrom says whether an environment of the named version can be upgraded to this one.
func (m Meta) UpgradesFrom(version string) bool { return slices.Contains(m.UpgradeFrom, version) }
