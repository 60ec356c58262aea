package views

import (
	"slipway/models"
	"slipway/views/ui"
)

// Promotion is a promotion's page: what would come where, and what stands against it.
type Promotion struct {
	ID          string
	Tenant      string
	Pipeline    string
	Environment string
	Stage       models.Stage
	Service     string
	State       models.PromotionState
	Reason      string
	Rollback    bool
	Version     string
	Digest      string
	Was         string // version of what ran there; empty: nothing
	WasDigest   string
	Now         string // digest of what runs there now, when that is another one by now
	Commit      *ui.Pair
	Execution   *ExecutionBrief
	AskedBy     string
	Asked       ui.When
	Gates       []PromotionGate
	Scan        Scan
	Evidence    []EvidenceRow
	Freeze      *StageFreezeRow
	Request     *PromotionRequest
	Wait        *Waiting
	Until       ui.When // when CodePipeline gives up; zero: it does not wait
	Answer      string  // what CodePipeline was told, in words
	AnswerSaid  string  // what it answered, or why it was not told
	AnswerLate  bool
	Older       *ui.Pair // the promotion that must be answered first: version and address
	RejectURL   string   // empty: nothing to reject, or this person may not
	OlderReject string   // where the older one is rejected; empty: this person may not
	Moving      bool
}

// PromotionRequest is the request that a promotion brought about.
type PromotionRequest struct {
	URL    string
	Number string
	State  models.RequestState
}

// PromotionBrief is what a request says of the promotion that it carries out: approvers sign it.
type PromotionBrief struct {
	URL         string
	Pipeline    string
	PipeURL     string
	Environment string
	AskedBy     string
	Commit      string
	From        string // digest of what runs there when it was asked; empty: nothing
	To          string
	Rollback    bool
	Gates       []PromotionGate
	Counts      []GateCount
}
