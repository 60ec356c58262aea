package aws

import (
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codepipeline/types"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"slipway/models"
)

// TestScanStates maps every state that ECR knows; one that it may know tomorrow lets nothing pass.
func TestScanStates(t *testing.T) {
	t.Parallel()
	want := map[ecrtypes.ScanStatus]models.ScanState{"COMPLETE": models.ScanComplete, "ACTIVE": models.ScanComplete, "IN_PROGRESS": models.ScanWaiting, "PENDING": models.ScanWaiting, "FAILED": models.ScanFailed,
		"UNSUPPORTED_IMAGE": models.ScanUnsupported, "SCAN_ELIGIBILITY_EXPIRED": models.ScanExpired, "FINDINGS_UNAVAILABLE": models.ScanUnreadable, "LIMIT_EXCEEDED": models.ScanFailed, "IMAGE_ARCHIVED": models.ScanFailed}
	for _, s := range ecrtypes.ScanStatus("").Values() {
		if got, known := scanState(s), want[s]; got != known {
			t.Errorf("%s: %s, want %s", s, got, known)
		}
	}
	if got := scanState("SOMETHING_NEW"); got != models.ScanFailed {
		t.Errorf("unknown: %s", got)
	}
}

// TestTriggers says of every trigger what people call it; the one at creation is nobody's push.
func TestTriggers(t *testing.T) {
	t.Parallel()
	r := pipelineReader{p: models.Pipeline{Source: models.PipelineSource{Kind: models.SourceConnection}}}
	for typ, want := range map[types.TriggerType]models.Trigger{types.TriggerTypeCreatePipeline: models.TriggerCreation, types.TriggerTypeStartPipelineExecution: models.TriggerManual, types.TriggerTypeWebhookV2: models.TriggerPush,
		types.TriggerTypeManualRollback: models.TriggerOther, "": models.TriggerOther} {
		got, by := r.trigger(types.PipelineExecutionSummary{Trigger: &types.ExecutionTrigger{TriggerType: typ, TriggerDetail: sdk.String("arn\n")}})
		if got != want || by != "arn" {
			t.Errorf("%s: %s by %q", typ, got, by)
		}
	}
	r.p.Source.Kind = models.SourceImage
	if got, _ := r.trigger(types.PipelineExecutionSummary{Trigger: &types.ExecutionTrigger{TriggerType: types.TriggerTypeCloudWatchEvent}}); got != models.TriggerImage {
		t.Errorf("a pushed image: %s", got)
	}
}
