package awssim

import (
	"log/slog"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Options say which world to open.
type Options struct {
	DatabaseURL string
	Speed       float64 // divides every duration inside the simulator; 1 when zero
	Logger      *slog.Logger

	OrgTemplate, HubTemplate, SpokeTemplate []byte // deploy/aws, for the first seeding
	ExternalID                              string
}

// Sim is an open world. Its methods are safe for several goroutines and processes.
type Sim struct {
	opts  Options
	speed float64
	log   *slog.Logger
	pool  *pgxpool.Pool
	ops   map[string]operation // service + "." + operation
}
