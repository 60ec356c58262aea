package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"slipway/models"
)

// CI is what workflows do with tokens of their own. Whatever a token does not allow leaves nothing behind but an audit entry.
type CI struct{ s *Store }

// CI gives the store's methods for workflows.
func (s *Store) CI() CI { return CI{s} }

// Refuse audits a token that was not believed at all. doing says what it was sent for.
func (c CI) Refuse(ctx context.Context, actor models.Actor, token models.CIToken, doing string, refused *models.CIRefused) error {
	object := about{Type: "ci"}
	if refused.Pipeline != "" {
		object = about{string(models.PipelineObject), refused.Pipeline, refused.Name, refused.TenantID}
	}
	why := refused.Audit
	if why == "" {
		why = refused.Err.Message
	}
	detail := map[string]any{"code": refused.Code, "reason": clipped(why, longestMessage)}
	for name, claim := range map[string]string{"repository": token.Repository, "repository_id": token.RepositoryID, "owner_id": token.OwnerID, "ref": token.Ref, "run": token.RunID, "event": token.Event} {
		if claim != "" {
			detail[name] = clip(claim)
		}
	}
	return c.s.tx(ctx, func(t *tx) error {
		row := t.entry(actor, "ci.refused", object)
		if token.Repository != "" {
			row.Actor = clip(token.Who())
		}
		return t.deny(models.CIComponent+"@"+actor.Address, row, doing, refused.Code+":"+refused.Pipeline, detail)
	})
}

// judge says what a token may not do for a pipeline whose numbers match; nil when it may.
type judge func(models.CIToken, models.Pipeline) *models.CIRefused

// act finds the pipeline that a token may act for, spends the token and does what was asked, in one transaction. What is refused is
// audited in another, as the first is gone with all that it wrote.
func (c CI) act(ctx context.Context, actor models.Actor, token models.CIToken, doing, which string, may judge, fn func(t *tx, by models.Actor, p models.Pipeline) error) error {
	err := c.s.tx(ctx, func(t *tx) error {
		p, err := t.pipelineOf(token, which, may)
		if err != nil {
			return err
		}
		if err := t.spend(token); err != nil {
			return err
		}
		by := models.System(clip(token.Who()), "")
		by.RequestID, by.Address = actor.RequestID, actor.Address
		return fn(t, by, p)
	})
	var refused *models.CIRefused
	if errors.As(err, &refused) {
		if err := c.Refuse(ctx, actor, token, doing, refused); err != nil {
			return err
		}
	}
	return err
}

// spend remembers a token until it would have ended; one that is known already is refused.
func (t *tx) spend(token models.CIToken) error {
	sum := sha256.Sum256([]byte(token.Issuer + "\n" + token.ID))
	res := t.db.Exec(`INSERT INTO ci_tokens (id, expires_at) VALUES (?, ?) ON CONFLICT DO NOTHING`, hex.EncodeToString(sum[:]), token.ExpiresAt)
	if res.Error != nil {
		return fmt.Errorf("remember the token: %w", res.Error)
	}
	if res.RowsAffected == 0 {
		return models.CIRefusal(models.Unauthenticated, models.CIReplayed, "This token was used already. Each call needs a token of its own: ask for a new one.")
	}
	return nil
}

// mostOfOneRepository bounds how many pipelines of one repository are looked at.
const mostOfOneRepository = 200

func (t *tx) ciPipelines(kind models.PipelineKind, where string, args ...any) ([]models.Pipeline, error) {
	rows, err := many[pipelineRow](t.db, `SELECT `+pipelineColumns+` FROM `+pipelineJoined+` WHERE p.kind = ? AND p.state <> 'deleted' AND `+where+` ORDER BY t.slug, p.name LIMIT ?`,
		append(append([]any{kind}, args...), mostOfOneRepository)...)
	if err != nil {
		return nil, fmt.Errorf("find the pipelines of a repository: %w", err)
	}
	var all []models.Pipeline
	for _, r := range rows {
		p, err := r.model()
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// pipelineOf finds the pipeline that a token may act for: by the numbers of repository and owner, never by their names.
func (t *tx) pipelineOf(token models.CIToken, which string, may judge) (models.Pipeline, error) {
	none := models.Pipeline{}
	all, err := t.ciPipelines(token.Kind, `p.repository_id = ?`, token.RepositoryID)
	if err != nil {
		return none, err
	}
	mine := slices.DeleteFunc(slices.Clone(all), func(p models.Pipeline) bool { return p.Source.OwnerID != token.OwnerID })
	switch {
	case len(all) == 0:
		return none, t.strangers(token, which)
	case len(mine) == 0:
		return none, otherNumber(token, pick(all, which))
	}
	named := slices.DeleteFunc(slices.Clone(mine), func(p models.Pipeline) bool { return !isNamed(p, which) })
	switch {
	case len(named) == 0:
		return none, models.CIRefusal(models.Forbidden, models.CINoPipeline, "No pipeline %s delivers the repository %s. Its page shows its whole name: tenant/name.", clip(which), token.Repository)
	case len(named) > 1:
		return none, models.InvalidFields(map[string]string{"pipeline": "Several pipelines deliver this repository. Name the one that is meant, as its page does: tenant/name."})
	}
	if refused := may(token, named[0]); refused != nil {
		return none, refused
	}
	return named[0], nil
}

func isNamed(p models.Pipeline, which string) bool {
	return which == "" || which == p.Name || which == p.TenantSlug+"/"+p.Name
}

// pick is the pipeline that was named, or the first.
func pick(all []models.Pipeline, which string) models.Pipeline {
	if i := slices.IndexFunc(all, func(p models.Pipeline) bool { return isNamed(p, which) }); i >= 0 {
		return all[i]
	}
	return all[0]
}

// strangers refuses a repository whose number no pipeline has. When its name is that of a pipeline's, it was registered again by
// somebody else, and the tenant learns of it from the audit log.
func (t *tx) strangers(token models.CIToken, which string) error {
	alike, err := t.ciPipelines(token.Kind, `lower(p.repository) = ?`, strings.ToLower(token.Repository))
	if err != nil {
		return err
	}
	if len(alike) > 0 {
		return otherNumber(token, pick(alike, which))
	}
	return models.CIRefusal(models.Forbidden, models.CINoPipeline, "No pipeline delivers the repository %s (number %s, of owner %s).", token.Repository, token.RepositoryID, token.OwnerID)
}

// otherNumber refuses what bears a pipeline's name, or one of its numbers, and is something else.
func otherNumber(token models.CIToken, p models.Pipeline) *models.CIRefused {
	r := models.CIRefusal(models.Forbidden, models.CIOtherNumber,
		"A pipeline delivers a repository of this name, but not this one: it has the number %s, of owner %s. The name was registered again by somebody else, or the repository has another owner now. Nothing was taken from it.",
		token.RepositoryID, token.OwnerID)
	r.Audit = fmt.Sprintf("The names match, the numbers do not: the pipeline is for repository %s of owner %s, the token is of repository %s of owner %s. %s was registered again by somebody else, or has another owner now.",
		p.Source.RepositoryID, p.Source.OwnerID, token.RepositoryID, token.OwnerID, token.Repository)
	r.TenantID, r.Pipeline, r.Name = p.TenantID, p.ID, p.TenantSlug+"/"+p.Name
	return r
}
