package main

import (
	"slipway/handlers/stream"
	"slipway/web"
)

// routes is the route table: what each address answers with. web adds sign-in, static files and health.
func (r *running) routes(*stream.Hub) []web.Route {
	return r.extra
}
