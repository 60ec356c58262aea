package handlers

import (
	"net/url"
	"strings"

	"slipway/handlers/visit"
	"slipway/models"
	"slipway/views/urls"
)

// backTo keeps an address only when it is a draft of an order, which is where services, networks and connections are asked for on the way.
func backTo(address string) string {
	address = visit.Local(address)
	if strings.HasPrefix(address, urls.NewEnvironment+"?draft=") || strings.HasPrefix(address, urls.NewPipeline+"?draft=") {
		return address
	}
	return ""
}

// comeBack is where a request leads that was sent on the way to something else: there, with what it will make; else to its own page.
func comeBack(back string, req models.Request, field, value string) string {
	u, err := url.Parse(backTo(back))
	if err != nil || u.Path == "" {
		return urls.Request(req.ID)
	}
	q := u.Query()
	if field != "" {
		q.Set(field, value)
	}
	u.RawQuery = q.Encode()
	return u.String()
}
