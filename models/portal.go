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
