// Package ci answers workflows of source hosts: they register builds, post evidence and ask for promotions, each call with a token that the
// host signed for the run. Bodies and answers are JSON; docs/ci.md describes them.
package ci

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/form"
	"slipway/handlers/visit"
	"slipway/models"
)

// MaxBody is how large the body of evidence may be: its file in base64, and what is said of it.
const MaxBody = models.MaxEvidence*4/3 + 64<<10

// API answers whoever has a token.
type API struct {
	Tokens interface {
		Check(ctx context.Context, raw string) (models.CIToken, error)
	}
	Store interface {
		RegisterBuild(ctx context.Context, a models.Actor, token models.CIToken, in models.BuildReport) (models.CIBuild, bool, error)
		PostEvidence(ctx context.Context, a models.Actor, token models.CIToken, in models.EvidenceReport) (models.CIEvidence, error)
		Refuse(ctx context.Context, a models.Actor, token models.CIToken, doing string, refused *models.CIRefused) error
	}
	Promotions interface {
		AskPromotion(ctx context.Context, a models.Actor, token models.CIToken, in models.PromotionReport) (models.CIAnswer, error)
		Promotion(ctx context.Context, a models.Actor, token models.CIToken, id string) (models.CIAnswer, error)
	}
	Page func(tenant, id string) string // whole address of a promotion's page
}

// caller finds out whose run it is. What is not believed is audited and refused before anything of the body is read.
func (h *API) caller(c *fiber.Ctx) (models.Actor, models.CIToken, error) {
	known := visit.Of(c).Actor
	actor := models.System(models.CIComponent, "")
	actor.RequestID, actor.Address = known.RequestID, known.Address
	scheme, raw, _ := strings.Cut(c.Get(fiber.HeaderAuthorization), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		raw = ""
	}
	token, err := h.Tokens.Check(c.UserContext(), raw)
	var refused *models.CIRefused
	if errors.As(err, &refused) {
		c.Set(fiber.HeaderWWWAuthenticate, `Bearer realm="slipway ci"`)
		if err := h.Store.Refuse(c.UserContext(), actor, models.CIToken{}, c.Method()+" "+c.Route().Path, refused); err != nil {
			return actor, token, err
		}
	}
	return actor, token, err
}

// Register handles POST /api/v1/ci/builds.
func (h *API) Register(c *fiber.Ctx) error {
	actor, token, err := h.caller(c)
	if err != nil {
		return err
	}
	in, err := form.JSON[models.BuildReport](c)
	if err != nil {
		return err
	}
	build, added, err := h.Store.RegisterBuild(c.UserContext(), actor, token, in)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if added {
		status = http.StatusCreated
	}
	return c.Status(status).JSON(build)
}

// Evidence handles POST /api/v1/ci/evidence.
func (h *API) Evidence(c *fiber.Ctx) error {
	actor, token, err := h.caller(c)
	if err != nil {
		return err
	}
	in, err := form.JSON[models.EvidenceReport](c)
	if err != nil {
		return err
	}
	evidence, err := h.Store.PostEvidence(c.UserContext(), actor, token, in)
	if err != nil {
		return err
	}
	return c.Status(http.StatusCreated).JSON(evidence)
}

// promotion is what a workflow reads of one, with the page on which people see it.
type promotion struct {
	models.CIAnswer
	Address string `json:"address"`
}

// Ask handles POST /api/v1/ci/promotions: what was asked for is led on, and told at the address of Promotion.
func (h *API) Ask(c *fiber.Ctx) error {
	actor, token, err := h.caller(c)
	if err != nil {
		return err
	}
	in, err := form.JSON[models.PromotionReport](c)
	if err != nil {
		return err
	}
	answer, err := h.Promotions.AskPromotion(c.UserContext(), actor, token, in)
	if err != nil {
		return err
	}
	return c.Status(http.StatusAccepted).JSON(promotion{answer, h.Page(answer.TenantSlug, answer.ID)})
}

// Promotion handles GET /api/v1/ci/promotions/:promotion.
func (h *API) Promotion(c *fiber.Ctx) error {
	actor, token, err := h.caller(c)
	if err != nil {
		return err
	}
	answer, err := h.Promotions.Promotion(c.UserContext(), actor, token, c.Params("promotion"))
	if err != nil {
		return err
	}
	return c.JSON(promotion{answer, h.Page(answer.TenantSlug, answer.ID)})
}
