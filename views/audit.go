package views

import "slipway/views/ui"

// Audit is the list at /audit: who did what to what, when, from where.
type Audit struct {
	Facts   []ui.Fact // "sealed to entry 10,412, 1 s ago"
	Filters ui.Filters
	Rows    []AuditRow
	Pager   ui.Pager
	CSV     string
}

// AuditRow is one entry.
type AuditRow struct {
	ID        string // unique on the page
	At        ui.When
	Actor     string
	Role      string    // platform-admin, owner, system
	Action    string    // dotted verb: request.approve
	Denied    bool      // the attempt was refused
	Object    string    // "request REQ-1847"; may be empty
	ObjectURL string    // its page, when there is one
	Tenant    string    // slug; may be empty
	RequestID string    // HTTP request or run
	Address   string    // client address
	Seq       string    // "10,412" once sealed; empty before
	Hash      string    // of the seal; pages show its first digits
	Props     []ui.Prop // before and after, secrets masked
}
