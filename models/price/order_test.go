package price

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"slipway/models"
	"slipway/models/blueprint"
)

func shippedVersion(t testing.TB, name, version string) blueprint.Version {
	t.Helper()
	dir := filepath.Join("../../provisioners/blueprints", name, version)
	v := blueprint.Version{Name: name, Version: version}
	var err error
	if v.Template, err = os.ReadFile(filepath.Join(dir, blueprint.TemplateFile)); err != nil {
		t.Fatal(err)
	}
	if v.Source, err = os.ReadFile(filepath.Join(dir, blueprint.MetaFile)); err != nil {
		t.Fatal(err)
	}
	if v.Meta, err = blueprint.ReadMeta(v.Source); err != nil {
		t.Fatal(err)
	}
	return v
}

// TestEveryShippedBlueprintHasAnEstimate before anything of an order is answered, for every stage it is offered for.
func TestEveryShippedBlueprintHasAnEstimate(t *testing.T) {
	l := shippedList(t)
	dirs, err := filepath.Glob("../../provisioners/blueprints/*/*/meta.yaml")
	if err != nil || len(dirs) == 0 {
		t.Fatal(err, len(dirs))
	}
	free := map[string]bool{"connection": true, "github-actions": true, "workflow-identity": true} // AWS asks nothing for roles and whom they trust
	for _, d := range dirs {
		v := shippedVersion(t, filepath.Base(filepath.Dir(filepath.Dir(d))), filepath.Base(filepath.Dir(d)))
		stages := []models.Stage{""}
		for _, s := range v.Meta.Stages {
			stages = append(stages, models.Stage(s))
		}
		for _, s := range stages {
			if s == "" && v.Meta.Kind == blueprint.KindEnvironment {
				continue
			}
			e, err := l.EstimateOrder(v, Order{Region: l.Origin, Stage: s, Image: true})
			if err != nil {
				t.Errorf("%s for %q: %v", v.Ref(), s, err)
			} else if !e.Monthly().IsPositive() && !free[v.Meta.ID] {
				t.Errorf("%s for %q costs %s", v.Ref(), s, e.Monthly())
			}
		}
	}
}

func TestEstimateOrder(t *testing.T) {
	l, v := shippedList(t), shippedVersion(t, "ecs-web-service", "1.0.0")
	monthly := func(o Order) string {
		t.Helper()
		o.Region, o.Stage = l.Origin, models.Dev
		e, err := l.EstimateOrder(v, o)
		if err != nil {
			t.Fatal(err)
		}
		return e.Monthly().StringFixed(2)
	}
	small := monthly(Order{Image: true})
	for name, o := range map[string]Order{
		"without an image nothing runs": {},
		"a size of its own":             {Image: true, Inputs: map[string]string{"Size": "L"}},
		"an amount of its own":          {Image: true, Usage: map[string]string{"logs_ingested_gb": "500"}},
	} {
		if got := monthly(o); got == small {
			t.Errorf("%s: costs %s as well", name, got)
		}
	}
	if got := monthly(Order{Image: true, Usage: map[string]string{"logs_ingested_gb": " "}}); got != small {
		t.Errorf("an empty amount changes %s to %s", small, got)
	}
}

func TestEstimateOrderRefusesByField(t *testing.T) {
	l, v := shippedList(t), shippedVersion(t, "ecs-web-service", "1.0.0")
	for field, o := range map[string]Order{
		"Port":             {Inputs: map[string]string{"Port": "80"}},
		"Bogus":            {Inputs: map[string]string{"Bogus": "1"}},
		"logs_ingested_gb": {Usage: map[string]string{"logs_ingested_gb": "1e99"}},
		"moon_phases":      {Usage: map[string]string{"moon_phases": "1"}},
	} {
		o.Region, o.Stage = l.Origin, models.Dev
		_, err := l.EstimateOrder(v, o)
		if fields := models.Fields(err); fields[field] == "" {
			t.Errorf("%s: %v, %v", field, fields, err)
		}
	}
	v.Template = []byte(strings.Replace(string(v.Template), "Resources:", "Sources:", 1))
	if _, err := l.EstimateOrder(v, Order{Region: l.Origin, Stage: models.Dev}); err == nil || models.Fields(err) != nil {
		t.Errorf("a template that cannot be read: %v", err)
	}
}
