// Package delivery does the background work of pipelines: it watches executions, and leads promotions from the gates to CodePipeline's answer.
// All of it is journaled like runs, one call at a time, so that any worker goes on where another died.
package delivery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"slipway/models"
	"slipway/provisioners"
)

const (
	dueAtOnce = 200 // of one sweep; the next goes on
	maxTries  = 3   // calls of a look, or of an order, that may fail for reasons that pass by themselves
)

// Reader looks at a pipeline. One call's worth; the look goes on with Next as the cursor.
type Reader interface {
	ReadPipeline(ctx context.Context, p models.Pipeline, cursor json.RawMessage) (models.PipelineReading, error)
}

// Scanner asks ECR what it found in an image, by its digest, in the account of the service.
type Scanner interface {
	ScanImage(ctx context.Context, s models.Service, digest string) (models.ImageScan, error)
}

// Answerer tells CodePipeline what became of a promotion. It reads the token anew. What CodePipeline no longer waits for is AnswerLate or
// AnswerGone, not an error; the same answer twice is AnswerSent.
type Answerer interface {
	AnswerApproval(ctx context.Context, p models.Pipeline, externalID, environment, key string, approve bool, summary string) (models.AnswerState, string, error)
}

// Steerer does what a person asked of an execution. The order's id makes it one, however often it is done.
type Steerer interface {
	Steer(ctx context.Context, p models.Pipeline, o models.PipelineOrder) error
}

// Cloud is all of AWS that the work needs.
type Cloud interface {
	Reader
	Scanner
	Answerer
	Steerer
}

// Unreadable is an error that knows what it means for a reader.
type Unreadable interface {
	error
	Gap() models.ReadGap
}

// Book is where pipelines and promotions are kept. What ends a call is written in one transaction with how the job goes on.
type Book interface {
	StartDue(ctx context.Context, limit int) (int, error)
	Watched(ctx context.Context, job models.Job) (models.WatchLook, error)
	KeepReading(ctx context.Context, job models.Job, pipelineID string, reading models.PipelineReading, next models.NextCall) error
	EndOrder(ctx context.Context, job models.Job, order models.PipelineOrder, failure string, next models.NextCall) error
	Promotion(ctx context.Context, job models.Job) (models.PromotionLook, error)
	Lead(ctx context.Context, job models.Job, found models.PromotionFound, pauses models.PromotionPauses) error
	PutOffAnswer(ctx context.Context, job models.Job, words string, next models.NextCall) error
	End(ctx context.Context, job models.Job, next models.NextCall) error
}

// Delivery is the work on pipelines and promotions.
type Delivery struct {
	Book    Book
	Cloud   Cloud
	Clock   models.Clock
	Logger  *slog.Logger
	Address func(requestID string) string // of a request's page, for what CodePipeline is told
	Pauses  models.PromotionPauses
}

// Works are the kinds of background work that it does.
func (d *Delivery) Works() map[models.JournalKind]provisioners.Work {
	return map[models.JournalKind]provisioners.Work{models.WatchWork: d.Watch, models.PromoteWork: d.Promote}
}

// Sweep wakes what is due.
func (d *Delivery) Sweep(ctx context.Context) error {
	for {
		n, err := d.Book.StartDue(ctx, dueAtOnce)
		if err != nil || n < dueAtOnce {
			return err
		}
	}
}

// gapOf says what an error means for whoever looks at the page. What nobody knows the meaning of may pass by itself.
func gapOf(what string, err error) models.ReadGap {
	var known Unreadable
	if errors.As(err, &known) {
		g := known.Gap()
		if g.What == "" {
			g.What = what
		}
		return g
	}
	words, _, _ := strings.Cut(err.Error(), "\n")
	if errors.Is(err, context.DeadlineExceeded) {
		words = "AWS did not answer in time."
	}
	return models.ReadGap{What: what, Kind: models.GapUnavailable, Words: words}
}

// Promote leads a promotion one step on: asks ECR or tells CodePipeline when that is due, and then goes as far as Slipway's own rows let it.
func (d *Delivery) Promote(ctx context.Context, turn *provisioners.Turn) error {
	job := turn.Job()
	look, err := d.Book.Promotion(ctx, job)
	if models.KindOf(err) == models.NotFound {
		turn.Rest()
		return d.Book.End(ctx, job, models.NextCall{Done: true})
	}
	if err != nil {
		return err
	}
	found, step := models.PromotionFound{}, "lead"
	switch {
	case look.Answer:
		step = "answer"
		if found, err = d.answer(ctx, turn, look); err != nil {
			return d.putOff(ctx, turn, look, err)
		}
	case look.Scan:
		step = "scan"
		if found, err = d.scan(ctx, turn, look); err != nil {
			return err
		}
	}
	turn.Crash("promote", step, "after-aws-call")
	turn.Rest()
	if err := d.Book.Lead(ctx, job, found, d.Pauses); err != nil {
		return err
	}
	turn.Crash("promote", step, "after-outcome-commit")
	return nil
}

// answer tells CodePipeline. An answer that could not be given until CodePipeline gave up by itself is late.
func (d *Delivery) answer(ctx context.Context, turn *provisioners.Turn, look models.PromotionLook) (found models.PromotionFound, err error) {
	p := look.Promotion
	if p.Approval == nil {
		return models.PromotionFound{Answer: models.AnswerGone, Words: "There is nobody to tell."}, nil
	}
	err = turn.Call(ctx, "answer", "answer", func(ctx context.Context) (err error) {
		found.Answer, found.Words, err = d.Cloud.AnswerApproval(ctx, look.Pipeline, look.ExternalID, p.Environment, p.Approval.Key, p.Approves(), d.summary(p))
		return err
	})
	if err != nil && !turn.Lost(ctx, err) && !p.Approval.Until.IsZero() && d.Clock.Wall().After(p.Approval.Until) {
		return models.PromotionFound{Answer: models.AnswerLate, Words: "CodePipeline's time was over before it could be told: " + gapOf("the approval", err).Words}, nil
	}
	if err == nil && found.Answer != models.AnswerSent && found.Answer != models.AnswerLate && found.Answer != models.AnswerGone {
		return found, fmt.Errorf("the answer to CodePipeline came back as %q", found.Answer)
	}
	return found, err
}

// longestSummary is how long the summary of an approval may be, in bytes: one less than the characters that CodePipeline takes, so that
// nobody on the way cuts the address at its end.
const longestSummary = 511

// summary is what CodePipeline shows beside the answer: what became of it, and where to read on.
func (d *Delivery) summary(p models.Promotion) string {
	words := p.Reason
	address := ""
	if p.RequestID != "" && d.Address != nil {
		address = " " + d.Address(p.RequestID)
	}
	if room := longestSummary - len(address); len(words) > room {
		words = strings.ToValidUTF8(words[:room], "")
	}
	return strings.TrimSpace(words + address)
}

// putOff tries an answer again later, for as long as CodePipeline may wait.
func (d *Delivery) putOff(ctx context.Context, turn *provisioners.Turn, look models.PromotionLook, err error) error {
	if turn.Lost(ctx, err) {
		return provisioners.ErrStale
	}
	job := turn.Job()
	gap := gapOf("the approval", err)
	d.Logger.WarnContext(ctx, "CodePipeline could not be told", "promotion", job.ObjectID, "pipeline", look.Pipeline.ID, "tries", job.Attempts+1, "err", err)
	turn.Rest()
	return d.Book.PutOffAnswer(ctx, job, "CodePipeline could not be told yet: "+gap.Words, models.NextCall{Delay: turn.BackOff(job.Attempts), Attempts: job.Attempts + 1})
}

// scan asks ECR. What cannot be read is a result, too: the gate waits and says why. What ECR says of another digest is no answer.
func (d *Delivery) scan(ctx context.Context, turn *provisioners.Turn, look models.PromotionLook) (models.PromotionFound, error) {
	var scan models.ImageScan
	digest := look.Promotion.Digest()
	err := turn.Call(ctx, "scan", "scan", func(ctx context.Context) (err error) {
		scan, err = d.Cloud.ScanImage(ctx, look.Service, digest)
		return err
	})
	if err != nil && turn.Lost(ctx, err) {
		return models.PromotionFound{}, provisioners.ErrStale
	}
	if err == nil && scan.Digest != digest {
		err = fmt.Errorf("ECR was asked about another image than it answered for")
	}
	if err != nil {
		d.Logger.WarnContext(ctx, "image scan not read", "promotion", turn.Job().ObjectID, "digest", digest, "err", err)
		scan = models.ImageScan{Digest: digest, State: models.ScanUnreadable, Words: gapOf("the image scan", err).Words}
	}
	scan.ReadAt = d.Clock.Wall()
	return models.PromotionFound{Scan: &scan}, nil
}

// DefaultPauses are for production.
func DefaultPauses() models.PromotionPauses {
	return models.PromotionPauses{Scan: 15 * time.Second, Other: 5 * time.Minute}
}
