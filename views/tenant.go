package views

import (
	"fmt"

	"slipway/models"
	"slipway/views/ui"
)

// Tenant is a tenant's page: what is true of it now, and how old that knowledge is.
type Tenant struct {
	Slug        string
	Name        string
	Description string
	State       models.ObjectState
	CostCentre  string
	Made        ui.When

	RequestID     string   // the request that makes or made it
	RequestNumber string   // REQ-1847
	RunID         string   // its run; empty before it first ran
	Progress      string   // while creating: "Step 4 of 9: Wait for access"
	Failure       *Failure // while broken: why
	CanRetry      bool     // this person may retry the run

	ClosingSince  ui.When // nothing new may be asked for since then; zero: it is open
	ClosingID     string  // the request that closes or closed it
	ClosingNumber string
	ClosingRun    string
	Receipt       *Receipt    // of its end
	NowRun        string      // the run that changes it now
	MayEdit       bool        // this person may change what people read of it
	Actions       []ui.Action // what may be asked for about the tenant itself

	Accounts []AccountCard
	Access   PeoplesAccess
	Holds    Holds
	Health   *HealthPanel  // of its environments; nil while it has none
	Members  []MemberGroup // owner, developer, viewer, in this order

	Budget       string   // "$2,500"
	Estimate     string   // "$118.24"; empty when not known
	Share        float64  // percent of the budget
	Left         string   // "$2,381.76 of the budget left", or "$40.00 over it"
	PriceNote    string   // "list prices of 20 Nov 2026, eu-west-1"
	NotEstimated []string // what the estimate leaves out

	Requests []RequestRow // latest few
	Runs     []RunRow     // latest few
	Activity []ui.Entry   // latest audit entries about it
	SeesAll  bool         // this person may open the audit log
}

// AccountCard is one AWS account of a tenant.
type AccountCard struct {
	Name       string // as AWS Organizations shows it
	Class      models.Class
	AWSID      string // 12 digits; empty until AWS said it
	Email      string
	State      models.ObjectState // Slipway's view
	AWSState   string             // AWS's own word; empty while it was not asked
	AWSStateAt ui.When            // how old that knowledge is
	OU         string             // organizational unit it was last seen in; empty: not known
	Baseline   ui.When            // when the baseline stack was last seen complete; zero: never
	Late       bool               // arrived after its run had given up on it
	Enrolled   bool               // it was there before Slipway
	MoveURL    string             // where its move is asked for; empty: it cannot be, or not by this person
	Health     *AccountHealth     // how Slipway's roles in it stand; nil: there are none to look at

	Reinstatable ui.When // AWS can open it again until then; zero: it was never closed
	Gone         bool    // that time is over
}

// MemberGroup is a role of the tenant with the group that grants it and who of it has signed in.
type MemberGroup struct {
	Role   models.TenantRole
	Group  string
	People []PersonSeen
	More   int // people beyond those listed
}

// holds tells whether the page lists what the tenant's accounts hold.
func (t Tenant) holds() bool {
	return t.State != "" && t.State != models.Creating && t.State != models.Deleted
}

func (t Tenant) accountCount() string {
	if t.State == models.Deleted {
		return countOrNone(len(t.Accounts))
	}
	return fmt.Sprintf("%d of %d ready", t.ready(), len(t.Accounts))
}

func (t Tenant) ready() int {
	n := 0
	for _, a := range t.Accounts {
		if a.State == models.Ready {
			n++
		}
	}
	return n
}

// Holds is what a tenant's accounts hold: networks, services and environments, and what to ask for next.
type Holds struct {
	Networks     []NetworkRow
	Services     []ServiceRow
	ServicesAll  int
	Environments []EnvironmentRow
	EnvsAll      int
	Pipelines    []PipelineRow
	PipelinesAll int
	Connections  []ConnectionRow
	MayAsk       bool // this person may ask for them
}

// NetworkRow is one network of a tenant.
type NetworkRow struct {
	Name       string
	State      models.ObjectState
	CIDR       string
	Registered bool
	Monthly    string
}

// next says what to do first, while something is missing to begin with.
func (h Holds) next() string {
	switch {
	case !h.MayAsk:
		return ""
	case len(h.Networks) == 0:
		return "Order a network first: environments of an account and region live on it. An environment can be ordered meanwhile and waits for it."
	case h.EnvsAll == 0:
		return "The network is there. Order the first environment; a service for it can be asked for in the same form."
	}
	return ""
}

func (n NetworkRow) words() string {
	if n.Registered {
		return commas("registered VPC", n.CIDR)
	}
	return commas(n.CIDR, n.Monthly)
}

func holdsKind(first bool) ui.Button {
	if first {
		return ui.Primary
	}
	return ui.Quiet
}
