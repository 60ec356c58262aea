package urls

import "net/url"

// Addresses of what stops new runs.
const (
	Freezes   = "/admin/freezes"
	AddFreeze = "/admin/freezes/add"
)

// LiftFreeze ends a freeze before its time.
func LiftFreeze(id string) string { return Freezes + "/" + url.PathEscape(id) + "/lift" }

func freezeLinks() []Link {
	return []Link{{"GET", Freezes}, {"POST", AddFreeze}, {"POST", LiftFreeze("0190b9a0-0000-7000-8000-000000000001")}}
}
