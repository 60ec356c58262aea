package handlers

import (
	"context"

	"slipway/models"
)

func (h *house) Pipelines(context.Context, models.Actor, models.ListQuery) (models.List[models.PipelineRow], error) {
	if h.empty {
		return models.List[models.PipelineRow]{}, nil
	}
	return models.List[models.PipelineRow]{Rows: []models.PipelineRow{{TenantSlug: "payments", Name: "orders", ServiceName: "orders"}}, Total: 3}, nil
}

func (h *house) Connections(context.Context, models.Actor, string) ([]models.Connection, error) {
	if h.empty {
		return nil, nil
	}
	return []models.Connection{{Name: "github", Provider: models.GitHub}}, nil
}
