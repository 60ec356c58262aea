package models

import "net/url"

// PortalLink opens an account in the AWS console through the access portal, as what a permission set lets one be. The portal reads it
// from the part of its address that browsers keep to themselves. Empty without a portal, an account or the set's name.
func PortalLink(portal, account, set string) string {
	if portal == "" || account == "" || set == "" {
		return ""
	}
	return portal + "/#/console?" + url.Values{"account_id": {account}, "role_name": {set}}.Encode()
}

// PortalPage opens a page of the AWS console through the access portal, which signs the reader in to the account on the way. Without a portal,
// or a set, it is the page itself.
func PortalPage(portal, account, set, page string) string {
	through := PortalLink(portal, account, set)
	if through == "" || page == "" {
		return page
	}
	return through + "&" + url.Values{"destination": {page}}.Encode()
}
