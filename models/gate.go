package models

import (
	"fmt"
	"time"
)

// Gate is a named check before a stage. Names are stored and used by workflows: never rename one.
type Gate string

// The gates, in the order of the guide: infrastructure first, then the workload.
const (
	GateBuild      Gate = "build"
	GateLint       Gate = "lint"
	GateGuard      Gate = "guard"
	GateStatic     Gate = "static-analysis"
	GateDependency Gate = "dependencies"
	GateScan       Gate = "image-scan"
	GateSecrets    Gate = "secrets"
	GateSBOM       Gate = "sbom"
	GateSignature  Gate = "signature"
	GateDynamic    Gate = "dynamic-test"
)

// GateInfo says what a gate is about.
type GateInfo struct {
	Gate  Gate
	Title string
	Words string // what it says when it passes, for people
	Own   bool   // Slipway checks it itself; otherwise CI posts evidence
}

var gates = []GateInfo{
	{GateBuild, "Build", "The build that made the image passed.", true},
	{GateLint, "Template lint", "The template of the environment's blueprint has no mistake.", true},
	{GateGuard, "Policy checks", "The template keeps the rules of CloudFormation Guard.", true},
	{GateStatic, "Static analysis", "CI found nothing in the source.", false},
	{GateDependency, "Dependencies", "CI found no known vulnerability in what the source depends on.", false},
	{GateScan, "Image scan", "ECR found no more vulnerabilities in the image than the stage allows.", true},
	{GateSecrets, "Secrets", "CI found no secret in the repository.", false},
	{GateSBOM, "Bill of materials", "CI listed what is in the image.", false},
	{GateSignature, "Signature", "CI signed the image.", false},
	{GateDynamic, "Dynamic test", "CI tested the running image from outside.", false},
}

// Gates lists all gates in order.
func Gates() []GateInfo { return append([]GateInfo(nil), gates...) }

// GateOf finds a gate by its name.
func GateOf(g Gate) (GateInfo, bool) {
	for _, info := range gates {
		if info.Gate == g {
			return info, true
		}
	}
	return GateInfo{}, false
}

// GateState is how a gate stands for one image and one stage. None is ever skipped silently.
type GateState string

// The states of a gate.
const (
	GatePass    GateState = "pass"
	GateFail    GateState = "fail"
	GateWaived  GateState = "waived" // it fails or waits, and somebody lets it pass
	GateWaiting GateState = "waiting"
	GateUnset   GateState = "not_configured"
)

// GateResult is what one gate says of one image for one stage.
type GateResult struct {
	Gate     Gate      `json:"gate"`
	State    GateState `json:"state"`
	Words    string    `json:"words"`             // with the numbers, for people
	At       time.Time `json:"at,omitzero"`       // wall time of what it is judged by
	Evidence string    `json:"evidence,omitzero"` // id of the evidence
	Waiver   *Waiver   `json:"waiver,omitempty"`
}

// Severity of a finding, as ECR names it.
type Severity string

// The severities, worst first.
const (
	Critical Severity = "CRITICAL"
	High     Severity = "HIGH"
	Medium   Severity = "MEDIUM"
	Low      Severity = "LOW"
)

// Severities lists those that have a limit, worst first.
func Severities() []Severity { return []Severity{Critical, High, Medium, Low} }

// NoLimit lets any number of findings of a severity pass.
const NoLimit = -1

const maxFindings = 10000

// ScanLimits is how many findings of each severity the image scan lets pass; NoLimit: any number. The zero value lets none pass.
type ScanLimits struct {
	Critical int `json:"critical"`
	High     int `json:"high"`
	Medium   int `json:"medium"`
	Low      int `json:"low"`
}

// DefaultScan is what forms begin with.
func DefaultScan() ScanLimits { return ScanLimits{Medium: NoLimit, Low: NoLimit} }

// Of is the limit of a severity; those without one of their own are not limited.
func (l ScanLimits) Of(s Severity) int {
	switch s {
	case Critical:
		return l.Critical
	case High:
		return l.High
	case Medium:
		return l.Medium
	case Low:
		return l.Low
	}
	return NoLimit
}

func (l ScanLimits) wrong() string {
	for _, s := range Severities() {
		if n := l.Of(s); n < NoLimit || n > maxFindings {
			return fmt.Sprintf("Give 0 to %d findings for each severity, or no limit.", maxFindings)
		}
	}
	return ""
}

// ScanState says how far ECR is with an image.
type ScanState string

// The states of a scan.
const (
	ScanWaiting     ScanState = "waiting"
	ScanComplete    ScanState = "complete"
	ScanFailed      ScanState = "failed"
	ScanUnsupported ScanState = "unsupported"
	ScanExpired     ScanState = "expired"
	ScanAbsent      ScanState = "absent"     // the image is not in the repository
	ScanUnreadable  ScanState = "unreadable" // AWS did not answer, or refused
)

// ImageScan is what ECR found in one image, by its digest.
type ImageScan struct {
	ServiceID string
	Digest    string
	Source    string // basic or inspector; empty: not known
	State     ScanState
	Counts    map[Severity]int
	Words     string    // AWS's own, when it is not complete
	ScannedAt time.Time // wall time; zero: not known
	ReadAt    time.Time // wall time
}

// Judge says how a scan stands against a stage's limits.
func (s ImageScan) Judge(l ScanLimits) (GateState, string) {
	switch s.State {
	case ScanComplete:
	case "", ScanWaiting, ScanUnreadable:
		return GateWaiting, "The image is not scanned yet. " + s.Words
	default:
		return GateFail, "ECR could not scan the image (" + string(s.State) + "). " + s.Words
	}
	state, words := GatePass, ""
	for _, sev := range Severities() {
		n, limit := s.Counts[sev], l.Of(sev)
		if n == 0 && limit == NoLimit {
			continue
		}
		allowed := "no limit"
		if limit != NoLimit {
			allowed = fmt.Sprintf("%d allowed", limit)
		}
		if limit != NoLimit && n > limit {
			state = GateFail
		}
		if words != "" {
			words += ", "
		}
		words += fmt.Sprintf("%d %s (%s)", n, lowerWord(sev), allowed)
	}
	return state, words
}

func lowerWord(s Severity) string {
	return map[Severity]string{Critical: "critical", High: "high", Medium: "medium", Low: "low"}[s]
}

// Evidence is what CI says of one image at one gate.
type Evidence struct {
	ID          string
	TenantID    string
	ServiceID   string
	PipelineID  string
	ExecutionID string
	Digest      string
	Gate        Gate
	Passed      bool
	Words       string
	URL         string // https
	FileName    string
	FileType    string
	FileSize    int
	PostedBy    string    // who the token was about, as the issuer says it
	PostedAt    time.Time // wall time
}

// MaxEvidence is how many bytes a file of evidence may have.
const MaxEvidence = 1 << 20

// MaxWaiver is how long a waiver may last, in product time.
const MaxWaiver = 30 * 24 * time.Hour

// Waiver lets a gate of one pipeline and environment pass until a moment.
type Waiver struct {
	ID            string    `json:"id"`
	PipelineID    string    `json:"-"`
	EnvironmentID string    `json:"-"`
	Environment   string    `json:"-"`
	Gate          Gate      `json:"gate"`
	Digest        string    `json:"digest,omitempty"` // empty: whatever image
	Reason        string    `json:"reason"`
	ByID          string    `json:"by_id"`
	By            string    `json:"by"`
	At            time.Time `json:"at"`    // product time
	Until         time.Time `json:"until"` // product time
	EndedAt       time.Time `json:"-"`     // taken back before its end; zero: it was not
	EndedBy       string    `json:"-"`
}

// Active tells whether the waiver counts for an image at a moment.
func (w Waiver) Active(digest string, now time.Time) bool {
	return w.EndedAt.IsZero() && now.Before(w.Until) && (w.Digest == "" || w.Digest == digest)
}

// Blocking lists the gates that keep an image from a stage.
func Blocking(results []GateResult) []GateResult {
	var in []GateResult
	for _, r := range results {
		if r.State == GateFail || r.State == GateWaiting {
			in = append(in, r)
		}
	}
	return in
}
