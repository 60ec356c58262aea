package models

// ListQuery is what every list takes from the address: search, filters, sort and a keyset cursor.
type ListQuery struct {
	Search  string
	Filters map[string]string
	Sort    string // column name; "-" in front for descending
	After   string // opaque cursor of the last row of the page before
	Before  string // opaque cursor of the first row of the page after
	Limit   int    // rows of one page; the store caps it
}

// List is one page of rows with the cursors of its neighbours; an empty cursor means there is none.
type List[T any] struct {
	Rows  []T
	Prev  string
	Next  string
	Total int // exact up to 10,000, then 10,001 stands for "more"
}
