package views

import "slipway/views/ui"

// Pools are the address pools that networks get their blocks from.
type Pools struct {
	Rows    []PoolRow
	Form    PoolForm
	Region  []ui.Option // allowed regions
	MayAdd  bool        // admins; auditors only read
	Refused string      // why a pool could not be removed; may be empty
}

// PoolRow is one pool with who holds blocks of it.
type PoolRow struct {
	ID       string
	Region   string
	Block    string
	Size     int
	Note     string
	Used     int
	Capacity int
	By       string
	At       ui.When
	Uses     []PoolUse
}

// PoolUse is one block and the network that holds it.
type PoolUse struct {
	Block   string
	Tenant  string
	Network string
	Since   ui.When
}

// PoolForm adds a pool.
type PoolForm struct {
	Region string `form:"region"`
	Block  string `form:"block"`
	Size   string `form:"size"`
	Note   string `form:"note"`

	CSRF string `form:"_csrf"`
	Key  string `form:"_key"`

	Errors map[string]string `form:"-"`
}

func (d Pools) fields() []ui.Field {
	f := d.Form
	all := []ui.Field{
		{Name: "region", Label: "Region", Kind: "select", Value: f.Region, Options: d.Region},
		{Name: "block", Label: "Block", Hint: "Private IPv4 addresses, for example 10.64.0.0/14. Blocks of a region do not overlap.", Value: f.Block, Mono: true, Max: 40},
		{Name: "size", Label: "Size of one network", Hint: "Prefix length, 16 to 24. A /20 has 4,096 addresses.", Value: f.Size, Mode: "numeric", Prefix: "/", Max: 3},
		{Name: "note", Label: "Note", Hint: "Where it is routed, who gave it.", Value: f.Note, Optional: true, Max: 200},
	}
	for i := range all {
		all[i].ID, all[i].Error = all[i].Name, f.Errors[all[i].Name]
	}
	return all
}

func (r PoolRow) bar() ui.Bar {
	share := 0.0
	if r.Capacity > 0 {
		share = 100 * float64(r.Used) / float64(r.Capacity)
	}
	tone := "1"
	switch {
	case r.Used >= r.Capacity:
		tone = "fail"
	case share > 80:
		tone = "warn"
	}
	return ui.Bar{Label: ui.Count(r.Used) + " of " + ui.Count(r.Capacity) + " blocks of " + r.Block + " are used", Segs: []ui.Seg{{Width: share, Tone: tone}}}
}
