package web

import (
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"

	"slipway/models"
	"slipway/static"
)

const (
	forEver = "public, max-age=31536000, immutable"
	askOnce = "public, no-cache" // kept, but asked about each time
)

// asset serves an embedded file: for ever under an address that changes with its content, packed where it pays.
func (a *App) asset(c *fiber.Ctx) error {
	name := c.Params("name")
	f := static.Lookup(name)
	if f == nil {
		return models.Errorf(models.NotFound, "There is no such file.")
	}
	c.Set(fiber.HeaderCacheControl, askOnce)
	if static.Immutable(name, c.Query("v")) {
		c.Set(fiber.HeaderCacheControl, forEver)
	}
	c.Set(fiber.HeaderVary, fiber.HeaderAcceptEncoding)
	body, tag := f.Body, f.ETag
	if accepts := c.Get(fiber.HeaderAcceptEncoding); strings.Contains(accepts, "gzip") && f.Gzip() != nil {
		body, tag = f.Gzip(), strings.TrimSuffix(f.ETag, `"`)+`-gzip"`
		c.Set(fiber.HeaderContentEncoding, "gzip")
	}
	c.Set(fiber.HeaderETag, tag)
	if match := c.Get(fiber.HeaderIfNoneMatch); match == "*" || strings.Contains(match, tag) {
		c.Response().Header.Del(fiber.HeaderContentEncoding)
		return c.SendStatus(http.StatusNotModified)
	}
	c.Set(fiber.HeaderContentType, f.Type)
	return c.Send(body)
}
