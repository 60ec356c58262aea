//go:build dev

package main

import (
	"context"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"slipway/models"
	"slipway/web"
)

// clockRoutes answers POST /dev/clock, which moves product time forward (field by, such as 24h), and lets this process
// follow the clock wherever it was moved.
func clockRoutes(ctx context.Context, r *running) []web.Route {
	go r.store.FollowClock(ctx, r.changes)
	return []web.Route{{Method: http.MethodPost, Path: "/dev/clock", Kind: web.Dev, Handler: func(c *fiber.Ctx) error {
		by, err := time.ParseDuration(c.FormValue("by"))
		if err != nil {
			return models.InvalidFields(map[string]string{"by": "Say how far, such as 90m or 24h."})
		}
		within, cancel := context.WithTimeout(c.UserContext(), 10*time.Second)
		defer cancel()
		offset, err := r.store.MoveClock(within, models.System("dev-clock", ""), by)
		if err != nil {
			return err
		}
		return c.JSON(map[string]string{"offset": offset.String(), "now": r.clock.Now().Format(time.RFC3339)})
	}}}
}
