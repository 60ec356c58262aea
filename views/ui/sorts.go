package ui

import (
	"net/url"
	"strings"
)

// Sort is one column's link and, on the column sorted by, its direction.
type Sort struct{ URL, Dir string }

// Sorts are the sortable columns by key.
type Sorts map[string]Sort

// SortLinks makes the links of the given columns for a list at address with its current query.
// Sorting by the same column again turns it round; a new column starts ascending, and at the first page.
func SortLinks(address string, query url.Values, current string, columns ...string) Sorts {
	key, down := strings.CutPrefix(current, "-")
	sorts := Sorts{}
	for _, c := range columns {
		q := url.Values{}
		for name, values := range query {
			if name != "after" && name != "before" && len(values) > 0 && values[0] != "" {
				q.Set(name, values[0])
			}
		}
		s := Sort{}
		switch {
		case c != key:
			q.Set("sort", c)
		case down:
			q.Set("sort", c)
			s.Dir = "descending"
		default:
			q.Set("sort", "-"+c)
			s.Dir = "ascending"
		}
		s.URL = address + "?" + q.Encode()
		sorts[c] = s
	}
	return sorts
}
