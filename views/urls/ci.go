package urls

import "net/url"

// Addresses of what workflows call with their own tokens.
const (
	CIBuilds     = "/api/v1/ci/builds"
	CIEvidence   = "/api/v1/ci/evidence"
	CIPromotions = "/api/v1/ci/promotions"
)

// CIPromotion is what a workflow reads a promotion at.
func CIPromotion(id string) string { return CIPromotions + "/" + url.PathEscape(id) }

func ciLinks() []Link {
	return []Link{{"POST", CIBuilds}, {"POST", CIEvidence}, {"POST", CIPromotions}, {"GET", CIPromotion("x")}}
}
