package main

import (
	"net/http"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/ci"
	"slipway/models"
	"slipway/views/urls"
	"slipway/web"
	"slipway/web/auth"
)

// ciRoutes are what workflows call with tokens of their own.
func (r *running) ciRoutes() []web.Route {
	public := r.config.Server.PublicURL
	tokens := auth.NewCI(r.config.CI.GitHubIssuer, public, models.GitHubTokens(), r.clock, r.log.With("part", "ci"))
	keeps := r.store.CI()
	api := &ci.API{Tokens: tokens, Store: keeps, Promotions: keeps,
		Page: func(tenant, id string) string { return public + urls.Promotion(tenant, id) }}
	evidence := workflow(http.MethodPost, urls.CIEvidence, api.Evidence)
	evidence.Body = ci.MaxBody
	return []web.Route{
		workflow(http.MethodPost, urls.CIBuilds, api.Register),
		evidence,
		workflow(http.MethodPost, urls.CIPromotions, api.Ask),
		workflow(http.MethodGet, urls.CIPromotions+"/:promotion", api.Promotion),
	}
}

// workflow is what a run calls: by its token, never by a session.
func workflow(method, path string, handler fiber.Handler) web.Route {
	return web.Route{Method: method, Path: path, Kind: web.Bearer, Limit: web.LimitCI, Handler: handler}
}

// workflowFile is what a repository of GitHub Actions is given to deliver by a pipeline.
func (r *running) workflowFile(p models.Pipeline) string {
	return models.WorkflowFile(r.config.Server.PublicURL, p)
}
