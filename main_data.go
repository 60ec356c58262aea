package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/urfave/cli/v3"

	"slipway/models"
	"slipway/models/store"
	"slipway/web/config"
)

func migrateCommand() *cli.Command {
	return &cli.Command{
		Name: "migrate", Usage: "bring the database up to date, as its owner; serve never does",
		Flags: []cli.Flag{&cli.BoolFlag{Name: "reindex", Value: true, Usage: "rebuild the job queue's indexes afterwards"}},
		Action: func(ctx context.Context, cmd *cli.Command) error {
			c, err := config.Load(environ(), "migrate")
			if err != nil {
				return err
			}
			started := time.Now()
			if err := store.Migrate(ctx, c.Database.MigrateURL.Reveal()); err != nil {
				return err
			}
			if cmd.Bool("reindex") {
				if err := store.Reindex(ctx, c.Database.MigrateURL.Reveal()); err != nil {
					return err
				}
			}
			fmt.Printf("The database has schema %d (took %s).\n", store.SchemaVersion(), time.Since(started).Round(time.Millisecond))
			return nil
		},
	}
}

func auditCommand() *cli.Command {
	return &cli.Command{
		Name: "audit", Usage: "examine the audit log",
		Commands: []*cli.Command{{
			Name: "verify", Usage: "check the hash chain from its first entry; exit code 1 when it does not hold",
			Flags:  []cli.Flag{&cli.StringFlag{Name: "anchor", Usage: "head kept elsewhere, as seq:hash: finds a cut or rewritten tail"}},
			Action: verifyAudit,
		}},
	}
}

func verifyAudit(ctx context.Context, cmd *cli.Command) error {
	c, err := config.Load(environ(), "audit")
	if err != nil {
		return err
	}
	var anchor models.AuditHead
	if text := cmd.String("anchor"); text != "" {
		if anchor, err = models.ParseAnchor(text); err != nil {
			return err
		}
	}
	s, err := store.Open(ctx, store.Options{URL: c.Database.URL.Reveal(), Connections: 2})
	if err != nil {
		return err
	}
	defer s.Close()
	report, err := s.Verify(ctx, anchor)
	if err != nil {
		return err
	}
	fmt.Printf("%d entries are sealed, %d are not yet", report.Sealed, report.Unsealed)
	if report.Unsealed > 0 {
		fmt.Printf(" (the oldest for %s)", report.UnsealedAge.Round(time.Second))
	}
	fmt.Println(".")
	if report.Head.Seq > 0 {
		fmt.Printf("Head: %s, sealed %s.\n", report.Head, report.Head.At.UTC().Format(time.RFC3339))
	}
	var wrong []error
	if report.BrokenAt > 0 {
		wrong = append(wrong, fmt.Errorf("entry %d does not verify: %s", report.BrokenAt, report.Broken))
	}
	if report.Gap > 0 {
		wrong = append(wrong, fmt.Errorf("entry %d is missing", report.Gap))
	}
	if report.AnchorWrong != "" {
		wrong = append(wrong, errors.New(report.AnchorWrong))
	}
	if len(wrong) > 0 {
		return errors.Join(wrong...)
	}
	fmt.Println("The chain holds.")
	return nil
}
