package models

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/shopspring/decimal"
)

// EnrolledAccount is the type of the change that binds an existing account, in plans. Two platform admins decide about it, whatever the
// rules file says.
const EnrolledAccount = "Enrolled AWS account"

// ManualStack is the stack with Slipway's roles in an account that the stack set does not reach. A person deploys it.
const ManualStack = "slipway-spoke-manual"

// ReinstateFor is how long AWS keeps a closed account: until then its support can open it again, after that it is gone.
const ReinstateFor = 90 * 24 * time.Hour

var awsIDForm = regexp.MustCompile(`^[0-9]{12}$`)

// AccountInputs ask for one more account of a tenant, or for an account to be moved.
type AccountInputs struct {
	Class Class  `json:"class"`
	AWSID string `json:"account,omitempty"` // enrol: 12 digits
	Move  bool   `json:"move,omitempty"`    // enrol: into the unit of its class; false: it stays where it is, and a person deploys the roles
}

// ChangeTenantInputs are what of a tenant has an effect outside Slipway.
type ChangeTenantInputs struct {
	OwnerGroup     string          `json:"owner_group"`
	DeveloperGroup string          `json:"developer_group"`
	ViewerGroup    string          `json:"viewer_group"`
	Budget         decimal.Decimal `json:"budget"`
}

// CloseTenantInputs ask for the end of a tenant.
type CloseTenantInputs struct {
	Confirm      string `json:"confirm"` // the slug, typed
	Reason       string `json:"reason"`
	EmptyBuckets bool   `json:"empty_buckets,omitempty"` // what is in its buckets may go
	Images       bool   `json:"images,omitempty"`        // what is in its repositories may go
}

// TenantFacts are what of a tenant is changed at once, without a request: they only say what people read.
type TenantFacts struct {
	DisplayName string
	Description string
	CostCentre  string // tags of what exists keep the old one until their next change
}

// ValidAWSID says what is wrong with an account id; empty when nothing is.
func ValidAWSID(id string) string {
	if awsIDForm.MatchString(id) {
		return ""
	}
	return "Give the account's 12 digits, without hyphens."
}

// Validate says what is wrong, by form field.
func (in AccountInputs) Validate(kind RequestKind) error {
	bad := map[string]string{}
	if msg := validClasses([]Class{in.Class}); msg != "" {
		bad["class"] = "Choose nonprod or prod."
	}
	if msg := ValidAWSID(in.AWSID); kind == EnrolAccount && msg != "" {
		bad["account"] = msg
	}
	return InvalidFields(bad)
}

// Validate says what is wrong, by form field. groups is the configured form of group names.
func (in ChangeTenantInputs) Validate(groups *regexp.Regexp) error {
	bad := validGroups(in.OwnerGroup, in.DeveloperGroup, in.ViewerGroup, groups)
	if msg := validBudget(in.Budget); msg != "" {
		bad["budget"] = msg
	}
	return InvalidFields(bad)
}

// Validate says what is wrong, by form field, for the tenant of a slug.
func (in CloseTenantInputs) Validate(slug string) error {
	bad := map[string]string{}
	if in.Confirm != slug {
		bad["confirm"] = fmt.Sprintf("Type %s to show that you mean this tenant.", slug)
	}
	if msg := textField(in.Reason, 1, 500, "Say why the tenant ends: its owners and approvers read it."); msg != "" {
		bad["reason"] = msg
	}
	return InvalidFields(bad)
}

// Validate says what is wrong, by form field.
func (f TenantFacts) Validate() error {
	bad := map[string]string{}
	put := func(field, msg string) {
		if msg != "" {
			bad[field] = msg
		}
	}
	put("display_name", textField(f.DisplayName, 1, 60, "Give the tenant a name people know it by."))
	put("description", textField(f.Description, 0, 500, ""))
	if !costCentreForm.MatchString(f.CostCentre) {
		put("cost_centre", "Give the cost centre as finance writes it, for example CC-4100.")
	}
	return InvalidFields(bad)
}

// Enrolled is the account that is enrolled for the class; not ok: a new one is made.
func (in TenantInputs) Enrolled(class Class) (AccountInputs, bool) {
	i := slices.IndexFunc(in.Enrol, func(a AccountInputs) bool { return a.Class == class })
	if i < 0 {
		return AccountInputs{}, false
	}
	return in.Enrol[i], true
}

func (in TenantInputs) validEnrol() string {
	seen := map[Class]bool{}
	ids := map[string]bool{}
	for _, a := range in.Enrol {
		msg := ValidAWSID(a.AWSID)
		switch {
		case msg != "":
			return msg
		case !slices.Contains(in.Classes, a.Class):
			return "Enrol accounts only for the classes that are chosen."
		case seen[a.Class] || ids[a.AWSID]:
			return "Each class takes one account, and each account one class."
		}
		seen[a.Class], ids[a.AWSID] = true, true
	}
	return ""
}

// MayNot says in words why a request of the kind makes no sense for the tenant as it is; empty when it does. Pages offer what may be
// asked for, the store refuses the rest. Accounts must be filled.
func (t Tenant) MayNot(kind RequestKind, class Class) string {
	living := slices.IndexFunc(t.Accounts, func(a Account) bool { return a.Class == class && a.State != Deleted })
	switch {
	case t.State == Deleted:
		return fmt.Sprintf("The tenant %s is closed.", t.Slug)
	case kind == CloseTenant:
		if t.State == Creating {
			return fmt.Sprintf("%s is still being made. Stop its run and take it back instead.", t.Slug)
		}
		return ""
	case !t.ClosingAt.IsZero():
		return fmt.Sprintf("The tenant %s is being closed, so nothing new can be asked for.", t.Slug)
	case t.State != Ready && t.State != Changing:
		return fmt.Sprintf("The tenant %s is %s. Ask again once it is ready.", t.Slug, t.State)
	case (kind == AddAccount || kind == EnrolAccount) && living >= 0 && t.Accounts[living].State != Creating:
		return fmt.Sprintf("%s has its %s account already: %s.", t.Slug, class, cmp.Or(t.Accounts[living].AWSID, t.Accounts[living].Name))
	case kind == MoveAccount && living < 0:
		return fmt.Sprintf("%s has no %s account.", t.Slug, class)
	case kind == MoveAccount && !t.Accounts[living].ByHand:
		return fmt.Sprintf("The %s account of %s gets its roles from the stack set already.", class, t.Slug)
	}
	return ""
}

// Reinstatable is until when AWS can open the account again; zero: it was never closed.
func (a Account) Reinstatable() time.Time {
	if a.ClosedAt.IsZero() {
		return time.Time{}
	}
	return a.ClosedAt.Add(ReinstateFor)
}

// AccountAccess is what IAM Identity Center gives one of the tenant's groups in one account.
type AccountAccess struct {
	AccountID     string // row of the account
	Role          TenantRole
	Group         string // as the identity provider calls it
	GroupID       string // as the identity store calls it; empty: it was never there
	PermissionSet string // ARN
	SetName       string // its name, which the access portal asks for; empty: never seen
	State         AccessState
	Detail        string // AWS's own words, or what to do
	At            time.Time
}

// AccessState is where an assignment stands.
type AccessState string

// The access states. Without IAM Identity Center there is no row at all, and pages say "not configured".
const (
	AccessWorking  AccessState = "working" // AWS was asked and has not ended
	AccessAssigned AccessState = "assigned"
	AccessFailed   AccessState = "failed"
	AccessRemoved  AccessState = "removed"
)
