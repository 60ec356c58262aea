package ui

// Col heads a column. With a SortURL it is a link; Dir is ascending or descending on the column sorted by.
type Col struct {
	Label   string
	SortURL string
	Dir     string
	Num     bool // numbers stand to the right
	Hidden  bool // the label is for screen readers only
	Drop    bool // left out below 1280 px, back in the cards of a phone
}

// Filter is one field over a list. The address holds its value.
type Filter struct {
	Name    string
	Label   string
	Kind    string // search, text, date or select
	Value   string
	Options []Option // of a select; the first is the neutral one
}

// Option is one choice of a select.
type Option struct{ Value, Label string }

// Filters is the form over a list. It works by GET, so every view has an address.
type Filters struct {
	URL    string
	Label  string // "Filter tenants"
	Fields []Filter
	Keep   []Pair // hidden parameters that stay, such as sort
	Set    bool   // some filter is set: Clear is offered
}

// Pager leads to the neighbouring pages of a keyset list. An empty address means there is none.
type Pager struct {
	Label  string // "1 to 50 of 263"
	Prev   string
	Next   string
	ByTime bool // newest first: the words are Newer and Older
}

func (p Pager) words() (prev, next string) {
	if p.ByTime {
		return "Newer", "Older"
	}
	return "Previous", "Next"
}

func ariaSort(dir string) bool { return dir == "ascending" || dir == "descending" }

func sortIcon(dir string) Icon {
	if dir == "ascending" {
		return IconArrowUp
	}
	return IconArrowDown
}
