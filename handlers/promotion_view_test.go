package handlers

import (
	"slices"
	"testing"
	"time"

	"slipway/models"
)

func TestQueueSaysWhatAPromotionBrings(t *testing.T) {
	t.Parallel()
	promotion := `{"image":"registry/orders@sha256:new","promotion":{"id":"p","pipeline":"shop","asker":"CodePipeline","commit":"4be0d1c2a4b6","was":"registry/orders@sha256:old",
		"gates":[{"gate":"build","state":"pass"},{"gate":"image-scan","state":"waived"},{"gate":"sbom","state":"not_configured"}]}}`
	row := func(kind models.ObjectType, inputs string) models.RequestRow {
		return models.RequestRow{Request: models.Request{ObjectType: kind, ObjectName: "orders-prod", Inputs: []byte(inputs)}, TenantSlug: "payments"}
	}
	got := queueRow(time.Now(), row(models.EnvironmentObject, promotion)).Promotion
	if got == nil || got.To != "sha256:new" || got.From != "sha256:old" || got.Commit != "4be0d1c2a4b6" || len(got.Counts) != 3 {
		t.Fatalf("%+v", got)
	}
	for name, r := range map[string]models.RequestRow{
		"a deployment past every pipeline": row(models.EnvironmentObject, `{"image":"registry/orders@sha256:new"}`),
		"inputs that cannot be read":       row(models.EnvironmentObject, `{"promotion":[]}`),
		"another object":                   row(models.ServiceObject, promotion),
	} {
		if got := queueRow(time.Now(), r).Promotion; got != nil {
			t.Errorf("%s brings %+v", name, got)
		}
	}
}

// TestFirstGates holds the gates that a new stage begins with: what Slipway checks itself and can know of the image.
func TestFirstGates(t *testing.T) {
	t.Parallel()
	for source, want := range map[models.SourceKind][]string{
		models.SourceConnection: {"build", "lint", "guard", "image-scan"},
		"":                      {"build", "lint", "guard", "image-scan"}, // GitHub Actions
		models.SourceImage:      {"lint", "guard", "image-scan"},
	} {
		if got := newStage(source).Gates; !slices.Equal(got, want) {
			t.Errorf("%q begins with %v, want %v", source, got, want)
		}
	}
}
