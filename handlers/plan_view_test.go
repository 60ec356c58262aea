package handlers

import (
	"fmt"
	"testing"

	"slipway/models"
)

// TestPlanFoldsOnlyTheHarmless: many additions stand behind one row, and nothing that changes or takes away ever does.
func TestPlanFoldsOnlyTheHarmless(t *testing.T) {
	p := models.PlanPart{Name: "Account payments-prod", Blueprint: "tenant-baseline@1.0.0"}
	add := func(action models.Action, kind string, n int) {
		for i := range n {
			p.Changes = append(p.Changes, models.Change{Action: action, LogicalID: fmt.Sprintf("%s%d", kind, i), Type: kind})
		}
	}
	add(models.Exists, "Inherited policy", 1)
	add(models.Add, "AWS::KMS::Key", foldOver+1)
	add(models.Add, "Alternate contact", foldOver)
	add(models.Modify, "AWS::SNS::Topic", foldOver+3)
	add(models.Delete, "AWS::S3::Bucket", foldOver+4)
	v := folded(foldByService(planPart("part-1", p)), p.Blueprint)
	if len(v.Folds) != 1 || len(v.Folds[0].Changes) != foldOver+1 || v.Folds[0].Title != "6 resources of tenant-baseline@1.0.0" {
		t.Errorf("folded: %+v", v.Folds)
	}
	if len(v.There) != 1 {
		t.Errorf("there already: %+v", v.There)
	}
	count := map[models.Action]int{}
	for _, ch := range v.Changes {
		count[ch.Action]++
	}
	if count[models.Delete] != foldOver+4 || count[models.Modify] != foldOver+3 || count[models.Add] != foldOver || v.Changes[0].Action != models.Delete {
		t.Errorf("standing by themselves: %v, first %s", count, v.Changes[0].Action)
	}
}
