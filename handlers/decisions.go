package handlers

import (
	"context"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/form"
	"slipway/handlers/visit"
	"slipway/models"
	"slipway/views/urls"
)

// Decisions takes what people say of a request: approve, reject, ask for changes, plan again, cancel, comment.
type Decisions struct {
	Store interface {
		Decide(ctx context.Context, a models.Actor, id, hash string, d models.Decision, reason string) error
		PlanAgain(ctx context.Context, a models.Actor, id string) error
		CancelRequest(ctx context.Context, a models.Actor, id string) error
	}
	Glass interface {
		BreakGlass(ctx context.Context, a models.Actor, id, hash, reason string, signedIn time.Time) error
	}
	Talk interface {
		Comment(ctx context.Context, a models.Actor, id, key, body string) error
	}
}

type decisionForm struct {
	Hash   string `form:"plan_hash"`
	Reason string `form:"reason"`
	Seen   string `form:"seen"` // the box beside deletes and replacements; the browser asks for it

	CSRF string `form:"_csrf"`
	Key  string `form:"_key"`
}

// Approve handles POST /requests/:id/approve.
func (h *Decisions) Approve(c *fiber.Ctx) error { return h.decide(c, models.Approve) }

// Reject handles POST /requests/:id/reject.
func (h *Decisions) Reject(c *fiber.Ctx) error { return h.decide(c, models.Reject) }

// AskForChanges handles POST /requests/:id/changes.
func (h *Decisions) AskForChanges(c *fiber.Ctx) error { return h.decide(c, models.AskForChanges) }

func (h *Decisions) decide(c *fiber.Ctx, d models.Decision) error {
	in, err := form.Decode[decisionForm](c)
	if err != nil {
		return err
	}
	if err := h.Store.Decide(c.UserContext(), actor(c), c.Params("id"), in.Hash, d, strings.TrimSpace(in.Reason)); err != nil {
		return err
	}
	return redirect(c, urls.Request(c.Params("id")))
}

// BreakGlass handles POST /requests/:id/break-glass: approved by one admin alone.
func (h *Decisions) BreakGlass(c *fiber.Ctx) error {
	in, err := form.Decode[decisionForm](c)
	if err != nil {
		return err
	}
	if err := h.Glass.BreakGlass(c.UserContext(), actor(c), c.Params("id"), in.Hash, in.Reason, visit.Of(c).FreshAt); err != nil {
		return err
	}
	return redirect(c, urls.Request(c.Params("id")))
}

type bareForm struct {
	CSRF string `form:"_csrf"`
	Key  string `form:"_key"`
}

// PlanAgain handles POST /requests/:id/replan.
func (h *Decisions) PlanAgain(c *fiber.Ctx) error { return h.move(c, h.Store.PlanAgain) }

// Cancel handles POST /requests/:id/cancel.
func (h *Decisions) Cancel(c *fiber.Ctx) error { return h.move(c, h.Store.CancelRequest) }

func (h *Decisions) move(c *fiber.Ctx, do func(context.Context, models.Actor, string) error) error {
	if _, err := form.Decode[bareForm](c); err != nil {
		return err
	}
	if err := do(c.UserContext(), actor(c), c.Params("id")); err != nil {
		return err
	}
	return redirect(c, urls.Request(c.Params("id")))
}

type commentForm struct {
	Body string `form:"body"`

	CSRF string `form:"_csrf"`
	Key  string `form:"_key"`
}

// Comment handles POST /requests/:id/comments.
func (h *Decisions) Comment(c *fiber.Ctx) error {
	in, err := form.Decode[commentForm](c)
	if err != nil {
		return err
	}
	if err := h.Talk.Comment(c.UserContext(), actor(c), c.Params("id"), in.Key, strings.TrimSpace(in.Body)); err != nil {
		return err
	}
	return redirect(c, urls.Request(c.Params("id")))
}
