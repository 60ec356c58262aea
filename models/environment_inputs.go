package models

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

var (
	objectNameForm = regexp.MustCompile(`^[a-z][a-z0-9-]{1,19}$`)
	imageForm      = regexp.MustCompile(`^[a-z0-9][a-z0-9._:/-]{0,254}@sha256:[0-9a-f]{64}$`)
	reservedNames  = map[string]bool{"new": true, "network": true, "zone": true}
	vpcForm        = regexp.MustCompile(`^vpc-[0-9a-f]{8,17}$`)
	subnetForm     = regexp.MustCompile(`^subnet-[0-9a-f]{8,17}$`)
)

// ValidObjectName says what is wrong with the name of an environment or service; empty when nothing is.
func ValidObjectName(name, example string) string {
	switch {
	case name == "":
		return fmt.Sprintf("Give it a short name, for example %s.", example)
	case reservedNames[name]:
		return fmt.Sprintf("%q is reserved. Choose another name.", name)
	case objectNameForm.MatchString(name) && !strings.HasSuffix(name, "-") && !strings.Contains(name, "--"):
		return ""
	}
	return "Use 2 to 20 lower case letters, digits and single hyphens, starting with a letter."
}

// ValidImage says what is wrong with an image; empty when nothing is. No image at all is fine.
func ValidImage(image string) string {
	if image == "" || imageForm.MatchString(image) {
		return ""
	}
	return "Name the image by its digest: repository@sha256: and 64 hex digits. Tags can move, digests cannot."
}

// EnvironmentInputs is what requests about environments ask for; each kind reads its own part.
type EnvironmentInputs struct {
	Name         string            `json:"name,omitempty"`          // create
	Stage        Stage             `json:"stage,omitempty"`         // create
	Region       string            `json:"region,omitempty"`        // create
	Blueprint    string            `json:"blueprint,omitempty"`     // create
	Version      string            `json:"version,omitempty"`       // create, upgrade
	Digest       string            `json:"digest,omitempty"`        // set by the store: the version's content
	Service      string            `json:"service,omitempty"`       // create: name; may be one whose request is still open
	Image        string            `json:"image,omitempty"`         // create, deploy
	Inputs       map[string]string `json:"inputs,omitempty"`        // create, update, upgrade: the blueprint's own
	Usage        map[string]string `json:"usage,omitempty"`         // create, update: changes to the usage assumption
	Days         int               `json:"days,omitempty"`          // create, extend, wake: life from now; 0 in prod: no end
	EmptyBuckets bool              `json:"empty_buckets,omitempty"` // create: expiry may; delete: this request does
	Until        string            `json:"until,omitempty"`         // accept: day, 2006-01-02
	Reason       string            `json:"reason,omitempty"`        // accept
	Confirm      string            `json:"confirm,omitempty"`       // delete by a person: the name, typed
	Retain       []string          `json:"retain,omitempty"`        // delete of a stack that could not be deleted: logical ids that stay in the account
	Skip         []string          `json:"skip,omitempty"`          // recover: logical ids that the roll-back passes over

	// Set by the store when it is submitted, never typed.
	AccountID string   `json:"account_id,omitempty"` // row of the account that the stage decides
	NetworkID string   `json:"network_id,omitempty"` // empty: the blueprint needs none
	ServiceID string   `json:"service_id,omitempty"`
	Needs     []string `json:"needs,omitempty"` // what the blueprint stands on: network, zone, service
	Base      string   `json:"base,omitempty"`  // change kinds: digest of the version that it is made with now

	Promotion *PromotionFacts `json:"promotion,omitempty"` // deploy: what brings the image here; nil: a person, past every pipeline
}

// Validate says what is wrong with what people type, by form field; nil when nothing is. The blueprint's own inputs are validated by
// its schema, and whether a day or digest fits by who knows the environment.
func (in EnvironmentInputs) Validate(kind RequestKind, regions []string) error {
	bad := map[string]string{}
	put := func(field, msg string) {
		if msg != "" && bad[field] == "" {
			bad[field] = msg
		}
	}
	switch kind {
	case CreateEnvironment:
		put("name", ValidObjectName(in.Name, "orders-dev"))
		put("stage", oneOfWords(string(in.Stage), []string{string(Dev), string(Staging), string(Production)}, "Choose dev, staging or prod."))
		put("region", oneOfWords(in.Region, regions, "Choose one of the allowed regions: "+strings.Join(regions, ", ")+"."))
		if in.Blueprint == "" {
			put("blueprint", "Choose a golden path.")
		}
		put("image", ValidImage(in.Image))
		put("days", lifeOf(in.Days, in.Stage != Production))
	case DeployEnvironment:
		if in.Image == "" {
			put("image", "Name the image to deploy: repository@sha256: and 64 hex digits.")
		}
		put("image", ValidImage(in.Image))
	case ExtendEnvironment, WakeEnvironment:
		put("days", lifeOf(in.Days, kind == ExtendEnvironment))
	case AcceptDrift:
		put("reason", textField(in.Reason, 1, 500, "Say why the difference may stay."))
		if _, err := time.Parse(time.DateOnly, in.Until); err != nil {
			put("until", "Give the day until which it may stay, like 2026-12-31.")
		}
	case UpgradeEnvironment:
		if in.Version == "" {
			put("version", "Choose the version to upgrade to.")
		}
	}
	if len(in.Inputs) > maxInputs || len(in.Usage) > maxInputs {
		put("inputs", "These are more answers than a blueprint can ask for.")
	}
	for name, v := range in.Inputs {
		if len(v) > maxInputLength {
			put(name, fmt.Sprintf("At most %d characters.", maxInputLength))
		}
	}
	return InvalidFields(bad)
}

func lifeOf(days int, needed bool) string {
	switch {
	case days == 0 && !needed:
		return ""
	case days < 1 || days > MaxLife:
		return fmt.Sprintf("Give 1 to %d days. Before the end you are warned and can extend it.", MaxLife)
	}
	return ""
}

func oneOfWords(s string, allowed []string, msg string) string {
	for _, a := range allowed {
		if s == a {
			return ""
		}
	}
	return msg
}

// NetworkInputs is what requests about networks ask for.
type NetworkInputs struct {
	Class   Class             `json:"class,omitempty"`
	Region  string            `json:"region,omitempty"`
	Pool    string            `json:"pool,omitempty"`    // create: id of the address pool; empty: the region's only one
	CIDR    string            `json:"cidr,omitempty"`    // set by the store: the block that was allocated
	Digest  string            `json:"digest,omitempty"`  // set by the store
	Version string            `json:"version,omitempty"` // update: empty keeps it
	Inputs  map[string]string `json:"inputs,omitempty"`  // the blueprint's own
	VPC     string            `json:"vpc,omitempty"`     // register
	Public  []string          `json:"public,omitempty"`  // register: subnet ids
	Private []string          `json:"private,omitempty"`
	Confirm string            `json:"confirm,omitempty"` // delete: the name, typed

	AccountID string `json:"account_id,omitempty"` // set by the store: row of the account
}

// Validate says what is wrong, by form field.
func (in NetworkInputs) Validate(kind RequestKind, regions []string) error {
	bad := map[string]string{}
	put := func(field, msg string) {
		if msg != "" && bad[field] == "" {
			bad[field] = msg
		}
	}
	if kind == CreateNetwork || kind == RegisterNetwork {
		put("class", oneOfWords(string(in.Class), []string{string(NonProd), string(Prod)}, "Choose nonprod or prod."))
		put("region", oneOfWords(in.Region, regions, "Choose one of the allowed regions: "+strings.Join(regions, ", ")+"."))
	}
	if kind == RegisterNetwork {
		if !vpcForm.MatchString(in.VPC) {
			put("vpc", "Give the id of the VPC, like vpc-0a1b2c3d4e5f67890.")
		}
		put("public", validSubnets(in.Public))
		put("private", validSubnets(in.Private))
		for _, s := range in.Private {
			for _, p := range in.Public {
				if s == p {
					put("private", "A subnet is public or private, not both: "+s+".")
				}
			}
		}
	}
	return InvalidFields(bad)
}

func validSubnets(ids []string) string {
	if len(ids) < 2 || len(ids) > 6 {
		return "Give two to six subnets, in different availability zones."
	}
	for i, id := range ids {
		if !subnetForm.MatchString(id) {
			return fmt.Sprintf("%q is no subnet id. They look like subnet-0a1b2c3d4e5f67890.", clip(id, 40))
		}
		for _, other := range ids[:i] {
			if id == other {
				return "Name each subnet once."
			}
		}
	}
	return ""
}

// ServiceInputs is what requests about services ask for.
type ServiceInputs struct {
	Name    string `json:"name,omitempty"`
	Digest  string `json:"digest,omitempty"`  // set by the store
	Empty   bool   `json:"empty,omitempty"`   // delete: images are deleted with it
	Confirm string `json:"confirm,omitempty"` // delete: the name, typed

	AccountID string `json:"account_id,omitempty"` // set by the store: row of the account its repository is in
}

// Validate says what is wrong, by form field.
func (in ServiceInputs) Validate(kind RequestKind) error {
	if kind != CreateService {
		return nil
	}
	return InvalidFields(onlyWrong("name", ValidObjectName(in.Name, "orders")))
}

func onlyWrong(field, msg string) map[string]string {
	if msg == "" {
		return nil
	}
	return map[string]string{field: msg}
}
