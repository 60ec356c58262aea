package models

import (
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/shopspring/decimal"
)

// ObjectType names a kind of thing that requests make and change.
type ObjectType string

// The object types built so far.
const (
	TenantObject   ObjectType = "tenant"
	AccountObject  ObjectType = "account"
	ContentsObject ObjectType = "contents" // all that a tenant's accounts hold, under the tenant's id; only ever locked
)

// ObjectState is where a tenant, account, environment or other object stands.
type ObjectState string

// Object states. Only runs move them.
const (
	Creating ObjectState = "creating"
	Ready    ObjectState = "ready"
	Changing ObjectState = "changing"
	Broken   ObjectState = "broken"
	Deleting ObjectState = "deleting"
	Deleted  ObjectState = "deleted"
)

// Class says which stages an account accepts: nonprod takes dev and staging, prod takes prod.
type Class string

// The account classes, in the order in which a run makes them.
const (
	NonProd Class = "nonprod"
	Prod    Class = "prod"
)

// Classes lists the account classes in order.
func Classes() []Class { return []Class{NonProd, Prod} }

// Tenant is a team: its groups, cost centre, monthly budget and accounts.
type Tenant struct {
	ID             string
	Slug           string // immutable, never reused
	DisplayName    string
	Description    string
	OwnerGroup     string
	DeveloperGroup string
	ViewerGroup    string
	CostCentre     string
	Budget         decimal.Decimal // USD per month
	State          ObjectState
	RequestID      string           // the request that made it
	Estimate       *decimal.Decimal // USD per month by the plan that made it; nil when not known
	CreatedAt      time.Time
	UpdatedAt      time.Time
	ClosingAt      time.Time // since when nothing new may be asked for, because a run closes it; zero: it is open
	Accounts       []Account
}

// Account is an AWS account bound to a tenant. Its row exists from the moment the run means to create it.
type Account struct {
	ID         string
	TenantID   string
	Class      Class
	Name       string // as AWS Organizations shows it
	Email      string // never used twice, not even after closing
	AWSID      string // 12 digits; empty until AWS said it
	CreateID   string // id of AWS's creation status (car-...); empty before
	State      ObjectState
	AWSState   string    // AWS's own word: PENDING_ACTIVATION, ACTIVE, SUSPENDED, PENDING_CLOSURE, CLOSED
	AWSStateAt time.Time // when AWS said so
	OU         string    // organizational unit id it was last seen in
	BaselineAt time.Time // when the baseline stack was last seen complete
	CreatedAt  time.Time
	Late       bool      // arrived after its run had given up on it
	Enrolled   bool      // it was there before Slipway: name and e-mail address are its own
	ByHand     bool      // its roles come from a stack that a person deployed and keeps up to date (ManualStack)
	ClosedAt   time.Time // when AWS took its closing; zero: it is open
}

// TenantInputs is what the tenant form asks for; the same validator serves blur, submit and store.
type TenantInputs struct {
	Slug           string          `json:"slug"`
	DisplayName    string          `json:"display_name"`
	Description    string          `json:"description"`
	OwnerGroup     string          `json:"owner_group"`
	DeveloperGroup string          `json:"developer_group"`
	ViewerGroup    string          `json:"viewer_group"`
	CostCentre     string          `json:"cost_centre"`
	Budget         decimal.Decimal `json:"budget"`
	Classes        []Class         `json:"classes"`
	Enrol          []AccountInputs `json:"enrol,omitempty"` // classes whose account is not made, but enrolled
}

var (
	slugForm       = regexp.MustCompile(`^[a-z][a-z0-9-]{2,19}$`)
	costCentreForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9 ._/-]{0,39}$`)
	slugNotAllowed = regexp.MustCompile(`[^a-z0-9-]+`)
	reservedSlugs  = map[string]bool{"new": true, "platform": true, "slipway": true}
)

// MaxBudget bounds a tenant's monthly budget, in USD.
var MaxBudget = decimal.NewFromInt(10_000_000)

// ValidSlug says what is wrong with a tenant's slug; empty when nothing is.
func ValidSlug(slug string) string {
	switch {
	case slug == "":
		return "Give the tenant a short name, for example payments."
	case reservedSlugs[slug]:
		return fmt.Sprintf("%q is reserved. Choose another name.", slug)
	case slugForm.MatchString(slug) && !strings.HasSuffix(slug, "-") && !strings.Contains(slug, "--"):
		return ""
	}
	if better := strings.Trim(slugNotAllowed.ReplaceAllString(strings.ToLower(slug), "-"), "-"); slugForm.MatchString(better) && better != slug {
		return fmt.Sprintf("Use %q: only lower case letters, digits and single hyphens are possible in account names and addresses.", better)
	}
	return "Use 3 to 20 lower case letters, digits and single hyphens, starting with a letter."
}

// Validate says what is wrong, by form field; nil when the inputs can become a request. groups is the configured form of group names.
func (in TenantInputs) Validate(groups *regexp.Regexp) error {
	bad := map[string]string{}
	put := func(field, msg string) {
		if msg != "" && bad[field] == "" {
			bad[field] = msg
		}
	}
	put("slug", ValidSlug(in.Slug))
	put("display_name", textField(in.DisplayName, 1, 60, "Give the tenant a name people know it by."))
	put("description", textField(in.Description, 0, 500, ""))
	for field, msg := range validGroups(in.OwnerGroup, in.DeveloperGroup, in.ViewerGroup, groups) {
		put(field, msg)
	}
	if !costCentreForm.MatchString(in.CostCentre) {
		put("cost_centre", "Give the cost centre as finance writes it, for example CC-4100.")
	}
	put("budget", validBudget(in.Budget))
	put("classes", validClasses(in.Classes))
	put("enrol", in.validEnrol())
	return InvalidFields(bad)
}

// validGroups says what is wrong with a tenant's groups, by form field.
func validGroups(owner, developer, viewer string, groups *regexp.Regexp) map[string]string {
	bad := map[string]string{}
	for field, g := range map[string]string{"owner_group": owner, "developer_group": developer, "viewer_group": viewer} {
		switch {
		case g == "":
			bad[field] = "Name a group of your identity provider."
		case len(g) > 256 || groups != nil && !groups.MatchString(g):
			bad[field] = fmt.Sprintf("%q does not look like a group here. Group names match %s.", clip(g, 60), groups)
		}
	}
	put := func(field, msg string) {
		if bad[field] == "" {
			bad[field] = msg
		}
	}
	if owner != "" && owner == developer {
		put("developer_group", "Each role needs a group of its own, or nobody could tell owners from developers.")
	}
	if developer != "" && developer == viewer {
		put("viewer_group", "Each role needs a group of its own, or nobody could tell owners from developers.")
	}
	if owner != "" && owner == viewer {
		put("viewer_group", "Each role needs a group of its own, or nobody could tell owners from viewers.")
	}
	return bad
}

func validBudget(b decimal.Decimal) string {
	switch {
	case b.Sign() <= 0:
		return "Give a monthly budget above zero, in US dollars."
	case b.Exponent() > 20 || b.Exponent() < -20: // to compare 1e999999999 would take all memory
		return "Write the budget in plain digits, for example 4000."
	case b.GreaterThan(MaxBudget):
		return "A budget above $10,000,000 a month is not possible here."
	case b.Exponent() < -2 && !b.Equal(b.Round(2)):
		return "Give at most two digits after the point."
	}
	return ""
}

func validClasses(classes []Class) string {
	seen := map[Class]bool{}
	for _, c := range classes {
		if c != NonProd && c != Prod {
			return "Choose nonprod, prod or both."
		}
		if seen[c] {
			return "Name each account class once."
		}
		seen[c] = true
	}
	if len(seen) == 0 {
		return "Choose at least one account: nonprod, prod or both."
	}
	return ""
}

func textField(s string, low, high int, empty string) string {
	n := utf8.RuneCountInString(strings.TrimSpace(s))
	switch {
	case n < low:
		return empty
	case n > high:
		return fmt.Sprintf("At most %d characters; this has %d.", high, n)
	case strings.ContainsFunc(s, func(r rune) bool {
		return r < ' ' && r != '\n' && r != '\r' && r != '\t' || r == utf8.RuneError || r == 0x7f
	}):
		return "Remove the control characters."
	}
	return ""
}

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "…"
	}
	return s
}
