package urls

import (
	"net/url"
	"strings"
)

// Addresses of what Backstage reads, and where its tokens are made.
const (
	AdminBackstage     = "/admin/backstage"
	AddCatalogToken    = "/admin/backstage/tokens/add"
	RevokeCatalogToken = "/admin/backstage/tokens/revoke"
	Catalog            = "/backstage/catalog-info.yaml"
	CatalogEntities    = "/backstage/entities"
)

// RequestsOf are the requests of a tenant.
func RequestsOf(tenant string) string { return With(Requests, "tenant", tenant) }

// CatalogBy is the catalogue for a reader who cannot send a header: the token is in the path.
func CatalogBy(token string) string {
	return "/backstage/t/" + url.PathEscape(token) + "/catalog-info.yaml"
}

// Frames are what other sites show of Slipway. Each is a page's address with this before it.
const (
	frame          = "/embed"
	FrameApprovals = frame + Approvals
	Connect        = frame + "/connect" // the window that a frame opens
)

// FrameEnvironment is an environment in a frame.
func FrameEnvironment(tenant, name string) string { return frame + Environment(tenant, name) }

// FrameCosts is what a tenant costs, in a frame.
func FrameCosts(tenant string) string { return frame + TenantCosts(tenant) }

// FrameHealth is how a tenant's environments run, in a frame.
func FrameHealth(tenant string) string { return frame + Tenant(tenant) + "/health" }

// ConnectFrame is the window that takes its reader into the frame with a nonce; view is what that shows.
func ConnectFrame(nonce, view string) string { return With(Connect, "nonce", nonce, "view", view) }

// OutOfFrame is the page that shows the same as a frame.
func OutOfFrame(view string) string {
	path, _, _ := strings.Cut(Local(view), "?")
	page, ok := strings.CutPrefix(path, frame+"/")
	parts := strings.Split(page, "/")
	switch {
	case ok && len(parts) == 3 && "/"+parts[0] == Tenants && parts[2] == "health": // the page is the organization's, narrowed
		if tenant, err := url.PathUnescape(parts[1]); err == nil {
			return HealthOf(tenant)
		}
	case ok:
		return Local("/" + page)
	}
	return Home
}

func backstageLinks() []Link {
	return []Link{{"GET", AdminBackstage}, {"POST", AddCatalogToken}, {"POST", RevokeCatalogToken}, {"GET", Catalog}, {"GET", CatalogEntities}, {"GET", CatalogBy("token")},
		{"GET", FrameApprovals}, {"GET", FrameCosts("payments")}, {"GET", FrameHealth("payments")}, {"GET", FrameEnvironment("payments", "orders-dev")}, {"GET", Connect}, {"POST", Connect}}
}
