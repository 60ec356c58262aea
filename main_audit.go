package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/urfave/cli/v3"

	"slipway/models"
	"slipway/models/store"
	"slipway/provisioners/aws"
	"slipway/web/config"
)

// mostFindings is how many anchors that do not hold are told one by one.
const mostFindings = 5

func auditCommand() *cli.Command {
	return &cli.Command{
		Name: "audit", Usage: "examine the audit log",
		Commands: []*cli.Command{{
			Name: "verify", Usage: "check the hash chain from its first entry, and the anchors in SLIPWAY_AUDIT_ANCHOR_BUCKET; exit code 1 when something does not hold",
			Flags: []cli.Flag{
				&cli.StringSliceFlag{Name: "anchor", Usage: "head kept elsewhere, as seq:hash: finds a cut or rewritten tail"},
				&cli.BoolFlag{Name: "no-bucket", Usage: "leave the anchors in the bucket out"},
				&cli.TimestampFlag{Name: "since", Usage: "only anchors in the bucket that were kept since: after a restore, the older ones tell of what was lost", Config: cli.TimestampConfig{Layouts: []string{time.RFC3339, time.DateOnly}}},
			},
			Action: verifyAudit,
		}},
	}
}

func verifyAudit(ctx context.Context, cmd *cli.Command) error {
	c, err := config.Load(environ(), "audit")
	if err != nil {
		return err
	}
	var anchors []models.Anchor
	for _, text := range cmd.StringSlice("anchor") {
		head, err := models.ParseAnchor(text)
		if err != nil {
			return err
		}
		anchors = append(anchors, head.Anchor())
	}
	var wrong []error
	var bucket *aws.Anchors
	if c.AWS.AnchorBucket != "" && !cmd.Bool("no-bucket") {
		if bucket, err = aws.OpenAnchors(ctx, c.AWS.Endpoint, c.AWS.Region, c.AWS.AnchorBucket, nil); err != nil {
			return err
		}
		kept, strange, err := bucket.List(ctx)
		if err != nil {
			return err
		}
		for _, key := range strange {
			wrong = append(wrong, fmt.Errorf("%s in the bucket is no audit head", key))
		}
		since := cmd.Timestamp("since")
		anchors = append(anchors, slices.DeleteFunc(kept, func(a models.Anchor) bool { return a.At.Before(since) })...)
	}
	s, err := store.Open(ctx, store.Options{URL: c.Database.URL.Reveal(), Connections: 2})
	if err != nil {
		return err
	}
	defer s.Close()
	report, err := s.Verify(ctx, anchors...)
	if err != nil {
		return err
	}
	doubts, err := certain(ctx, bucket, report.Doubts)
	if err != nil {
		return err
	}
	if wrong = append(wrong, found(report, doubts)...); len(wrong) > 0 {
		return errors.Join(wrong...)
	}
	fmt.Println("The chain holds.")
	return nil
}

// certain reads the anchors whose sums differ: only what they hold decides.
func certain(ctx context.Context, bucket *aws.Anchors, doubts []models.Doubt) (sure []models.Doubt, err error) {
	for _, d := range doubts {
		if d.Anchor.Version != "" && d.Chain.Seq > 0 && len(sure) <= mostFindings {
			text, err := bucket.Read(ctx, d.Anchor)
			if err != nil {
				return nil, err
			}
			if text == d.Chain.AnchorText() {
				continue
			}
		}
		sure = append(sure, d)
	}
	return sure, nil
}

// found prints what verifying found and returns what is wrong.
func found(report models.AuditReport, doubts []models.Doubt) (wrong []error) {
	fmt.Printf("%d entries are sealed, %d are not yet", report.Sealed, report.Unsealed)
	if report.Unsealed > 0 {
		fmt.Printf(" (the oldest for %s)", report.UnsealedAge.Round(time.Second))
	}
	fmt.Println(".")
	if report.Head.Seq > 0 {
		fmt.Printf("Head: %s, sealed %s.\n", report.Head, report.Head.At.UTC().Format(time.RFC3339))
	}
	fmt.Printf("%d anchors were compared.\n", report.Anchors)
	if report.BrokenAt > 0 {
		wrong = append(wrong, fmt.Errorf("entry %d does not verify: %s", report.BrokenAt, report.Broken))
	}
	if report.Gap > 0 {
		wrong = append(wrong, fmt.Errorf("entry %d is missing", report.Gap))
	}
	for i, d := range doubts {
		if i == mostFindings {
			return append(wrong, fmt.Errorf("%d further anchors do not hold", len(doubts)-i))
		}
		wrong = append(wrong, errors.New(d.String()))
	}
	return wrong
}
