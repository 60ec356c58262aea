package main

import (
	"context"
	"fmt"
	"time"

	"github.com/urfave/cli/v3"

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
