package urls

import "net/url"

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

func backstageLinks() []Link {
	return []Link{{"GET", AdminBackstage}, {"POST", AddCatalogToken}, {"POST", RevokeCatalogToken}, {"GET", Catalog}, {"GET", CatalogEntities}, {"GET", CatalogBy("token")}}
}
