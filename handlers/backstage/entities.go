package backstage

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/form"
	"slipway/models"
	"slipway/models/catalog"
)

const (
	usualEntities = 200
	mostEntities  = 1000
)

type entitiesParams struct {
	After string `form:"after"`
	Limit string `form:"limit"`
}

// entitiesPage is one page. Next is the after of the page that follows; null when this is the last.
type entitiesPage struct {
	Entities []catalog.Entity `json:"entities"`
	Next     *string          `json:"next"`
}

// Entities handles GET /backstage/entities: everything in one total order, a page at a time.
func (h *Feed) Entities(c *fiber.Ctx) error {
	actor, err := h.reader(c)
	if err != nil {
		return err
	}
	in, err := form.Query[entitiesParams](c)
	if err != nil {
		return err
	}
	limit := usualEntities
	if in.Limit != "" {
		limit, err = strconv.Atoi(in.Limit)
	}
	if err != nil || limit < 1 || limit > mostEntities {
		return models.Errorf(models.Invalid, "limit is 1 to %d.", mostEntities)
	}
	at, err := parseCursor(in.After)
	if err != nil {
		return err
	}
	page, err := h.page(c.UserContext(), actor, at, limit)
	if err != nil {
		return unfit(err)
	}
	body, err := json.Marshal(page)
	if err != nil {
		return fmt.Errorf("render the catalogue: %w", err)
	}
	return whole(c, fiber.MIMEApplicationJSONCharsetUTF8, body)
}

// page reads section after section until it is full. The platform's group stands before all else, so that the first page is never empty.
func (h *Feed) page(ctx context.Context, actor models.Actor, at *catalog.Cursor, limit int) (entitiesPage, error) {
	var page entitiesPage
	var last catalog.Cursor
	if at == nil {
		page.Entities = append(page.Entities, h.Addresses.Platform())
	} else {
		last = *at
	}
	for from := last; from.Section < catalog.Sections; from = (catalog.Cursor{Section: from.Section + 1}) {
		b, err := h.Store.CatalogSection(ctx, actor, from, limit-len(page.Entities)+1)
		if err != nil {
			return page, err
		}
		for _, item := range h.Addresses.Items(b) {
			if len(page.Entities) == limit {
				next := cursorText(last)
				page.Next = &next
				return page, nil
			}
			page.Entities, last = append(page.Entities, item.Entity), item.After
		}
	}
	if len(page.Entities) == 0 { // what followed was deleted since: nothing is missing
		page.Entities = []catalog.Entity{}
	}
	return page, nil
}

func cursorText(at catalog.Cursor) string {
	b, err := json.Marshal(at)
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

var errCursor = models.Errorf(models.Invalid, "This page of the catalogue does not exist. Start again without after.")

// parseCursor reads where a page begins; nil is the beginning.
func parseCursor(text string) (*catalog.Cursor, error) {
	if text == "" {
		return nil, nil
	}
	at, err := decodeCursor(text)
	if err != nil || strings.ContainsRune(at.Key+at.Sub, 0) || at.Section < 0 || at.Section >= catalog.Sections || at.Section == catalog.People && at.Key != "" && !models.ValidID(at.Key) {
		return nil, errCursor
	}
	return &at, nil
}

func decodeCursor(text string) (at catalog.Cursor, err error) {
	if len(text) > 2000 {
		return at, errors.New("too long")
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return at, err
	}
	return at, json.Unmarshal(b, &at)
}
