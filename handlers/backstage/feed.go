// Package backstage answers Backstage: the catalogue as documents of YAML and as pages of JSON. Who reads is known by a token. Every answer
// is whole before its first byte is sent, and anything that fails is an error: Backstage takes an empty or short answer for the order to
// delete what is missing.
package backstage

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/gofiber/fiber/v2"

	"slipway/handlers/visit"
	"slipway/models"
	"slipway/models/catalog"
)

// TokenPrefix starts every token, so that one that strayed is known for what it is.
const TokenPrefix = "slwcat_"

var wellFormed = regexp.MustCompile(`^` + TokenPrefix + `[A-Za-z0-9_-]{43}$`)

// Feed answers whoever has a token.
type Feed struct {
	Store interface {
		CatalogIndex(context.Context, models.Actor) (catalog.Index, error)
		CatalogGroups(context.Context, models.Actor) ([]catalog.Group, error)
		CatalogPeople(ctx context.Context, a models.Actor, part string) ([]catalog.Person, error)
		CatalogTenant(ctx context.Context, a models.Actor, slug string) (catalog.File, error)
		CatalogSection(ctx context.Context, a models.Actor, at catalog.Cursor, limit int) (catalog.Batch, error)
	}
	Tokens interface {
		CatalogReader(ctx context.Context, a models.Actor, hash []byte) (models.CatalogToken, error)
		Denied(ctx context.Context, a models.Actor, route, objectType, objectID string) error
	}
	Addresses catalog.Addresses
}

// Hash is what is kept of a token.
func Hash(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// reader finds out who reads. In the path a bad token leads to nothing that is there; in the header it is refused.
func (h *Feed) reader(c *fiber.Ctx) (models.Actor, error) {
	known := visit.Of(c).Actor
	actor := models.System(models.CatalogComponent, "")
	actor.RequestID, actor.Address = known.RequestID, known.Address
	inPath := c.Params("token")
	scheme, token, _ := strings.Cut(c.Get(fiber.HeaderAuthorization), " ")
	switch {
	case inPath != "":
		token = inPath
	case !strings.EqualFold(scheme, "Bearer"):
		token = ""
	}
	if wellFormed.MatchString(token) {
		_, err := h.Tokens.CatalogReader(c.UserContext(), actor, Hash(token))
		if models.KindOf(err) != models.NotFound {
			return actor, err
		}
	}
	if err := h.Tokens.Denied(c.UserContext(), actor, c.Method()+" "+c.Route().Path, "catalog", ""); err != nil {
		return actor, err
	}
	if inPath != "" {
		return actor, models.Errorf(models.NotFound, "There is nothing at this address, or its token is no longer good. Platform admins make tokens on /admin/backstage.")
	}
	c.Set(fiber.HeaderWWWAuthenticate, `Bearer realm="slipway catalogue"`)
	return actor, models.Errorf(models.Unauthenticated, "The catalogue is read with a token: Authorization: Bearer slwcat_... Platform admins make tokens on /admin/backstage.")
}

// Root handles GET /backstage/catalog-info.yaml.
func (h *Feed) Root(c *fiber.Ctx) error {
	actor, err := h.reader(c)
	if err != nil {
		return err
	}
	index, err := h.Store.CatalogIndex(c.UserContext(), actor)
	if err != nil {
		return unfit(err)
	}
	return document(c, h.Addresses.Root(index))
}

// Groups handles GET /backstage/groups.yaml.
func (h *Feed) Groups(c *fiber.Ctx) error {
	actor, err := h.reader(c)
	if err != nil {
		return err
	}
	groups, err := h.Store.CatalogGroups(c.UserContext(), actor)
	if err != nil {
		return unfit(err)
	}
	return document(c, h.Addresses.GroupsFile(groups))
}

// People handles GET /backstage/people/:file.
func (h *Feed) People(c *fiber.Ctx) error {
	actor, err := h.reader(c)
	if err != nil {
		return err
	}
	part, ok := strings.CutSuffix(c.Params("file"), ".yaml")
	if !ok || len(part) != 1 || !strings.Contains(catalog.Buckets, part) {
		return errNoDocument
	}
	people, err := h.Store.CatalogPeople(c.UserContext(), actor, part)
	if err != nil {
		return unfit(err)
	}
	return document(c, h.Addresses.PeopleFile(people))
}

// Tenant handles GET /backstage/tenants/:file.
func (h *Feed) Tenant(c *fiber.Ctx) error {
	actor, err := h.reader(c)
	if err != nil {
		return err
	}
	slug, ok := strings.CutSuffix(c.Params("file"), ".yaml")
	if !ok || models.ValidSlug(slug) != "" {
		return errNoDocument
	}
	file, err := h.Store.CatalogTenant(c.UserContext(), actor, slug)
	if err != nil {
		return unfit(err)
	}
	return document(c, h.Addresses.TenantFile(file))
}

var errNoDocument = models.Errorf(models.NotFound, "The catalogue has no such document.")

// unfit keeps an outage from looking like a client's mistake: but for what is not there, whatever stands between the store and a whole
// answer is a 5xx.
func unfit(err error) error {
	switch models.KindOf(err) {
	case models.NotFound, models.Unavailable, models.Internal:
		return err
	}
	return fmt.Errorf("read the catalogue: %w", errors.New(err.Error()))
}

// document answers with entities as YAML.
func document(c *fiber.Ctx, all []catalog.Entity) error {
	body, err := catalog.YAML(all)
	if err != nil {
		return err
	}
	return whole(c, "text/yaml; charset=utf-8", body)
}

// whole sends a body that is complete, or says that the reader has it already.
func whole(c *fiber.Ctx, contentType string, body []byte) error {
	sum := sha256.Sum256(body)
	tag := `"` + hex.EncodeToString(sum[:16]) + `"`
	c.Set(fiber.HeaderETag, tag)
	if matches(c.Get(fiber.HeaderIfNoneMatch), tag) {
		return c.SendStatus(http.StatusNotModified)
	}
	c.Set(fiber.HeaderContentType, contentType)
	return c.Send(body)
}

// matches tells whether a list of tags holds one, weak or not.
func matches(header, tag string) bool {
	for one := range strings.SplitSeq(header, ",") {
		if one = strings.TrimPrefix(strings.TrimSpace(one), "W/"); one == tag || one == "*" {
			return true
		}
	}
	return false
}
