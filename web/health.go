package web

import (
	"context"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"slipway/models"
)

const readyTime = 3 * time.Second

// healthy says that the process answers. It touches nothing: a restart cures no database.
func healthy(c *fiber.Ctx) error { return plain(c, http.StatusOK, "ok\n") }

// ready tells the load balancer whether to send requests here.
func (a *App) ready(c *fiber.Ctx) error {
	if a.draining.Load() {
		return plain(c, http.StatusServiceUnavailable, "draining\n")
	}
	ctx, cancel := context.WithTimeout(c.UserContext(), readyTime)
	defer cancel()
	if err := a.opts.Ready(ctx); err != nil {
		a.opts.Logger.WarnContext(ctx, "not ready", "err", err)
		return plain(c, http.StatusServiceUnavailable, NotReady(err))
	}
	return plain(c, http.StatusOK, "ready\n")
}

// NotReady is what /readyz says: only what was written for people, because anybody may ask here. The rest is in the log.
func NotReady(err error) string {
	if models.KindOf(err) != models.Unavailable {
		return "not ready\n"
	}
	return "not ready: " + models.Message(err) + "\n"
}

func plain(c *fiber.Ctx, status int, text string) error {
	c.Set(fiber.HeaderContentType, fiber.MIMETextPlainCharsetUTF8)
	return c.Status(status).SendString(text)
}
