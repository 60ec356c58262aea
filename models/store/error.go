package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/puddle/v2"
	"gorm.io/gorm"

	"slipway/models"
)

var errNoConnection = errors.New("no database connection")

// Taken is all that a live check says of a name somebody else has.
const Taken = "taken"

// constraints maps what the database refuses to what a person can do about it.
var constraints = map[string]*models.Error{
	"names_taken":                  {Kind: models.Invalid, Message: "Some fields need another look.", Fields: map[string]string{"slug": Taken}},
	"tenants_slug_key":             {Kind: models.Invalid, Message: "Some fields need another look.", Fields: map[string]string{"slug": Taken}},
	"approvals_four_eyes":          {Kind: models.Forbidden, Message: "You asked for this yourself, so somebody else must decide."},
	"approvals_once":               {Kind: models.Conflict, Message: "You have approved this plan already."},
	"role_mappings_group_name_key": {Kind: models.Conflict, Message: "This group has that role already."},
}

// translate says what a failure means to a person. It is the one place where the database's errors are known.
func translate(err error) error {
	var (
		known *models.Error
		pg    *pgconn.PgError
		down  net.Error
	)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return err
	case errors.Is(err, gorm.ErrRecordNotFound), errors.Is(err, sql.ErrNoRows), errors.Is(err, pgx.ErrNoRows):
		return models.Wrap(models.NotFound, err, "There is nothing here, or it is not yours to see.")
	case errors.As(err, &pg):
		return refused(pg, err)
	case errors.Is(err, errNoConnection), errors.Is(err, puddle.ErrClosedPool), errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone),
		errors.Is(err, net.ErrClosed), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.Is(err, context.DeadlineExceeded),
		errors.Is(err, context.Canceled), errors.As(err, &down), pgconn.SafeToRetry(err), pgconn.Timeout(err):
		return unavailable(err)
	}
	return err
}

func unavailable(err error) error {
	return models.Wrap(models.Unavailable, err, "The database does not answer in time. Try again in a moment; nothing you sent was lost half-way.")
}

func refused(pg *pgconn.PgError, err error) error {
	if e, ok := constraints[pg.ConstraintName]; ok {
		return &models.Error{Kind: e.Kind, Message: e.Message, Fields: e.Fields, Err: err}
	}
	switch pg.Code {
	case "22P02": // not a UUID: an id that nobody has
		return models.Wrap(models.NotFound, err, "There is nothing here, or it is not yours to see.")
	case "22021", "22P05":
		return models.Wrap(models.Invalid, err, "Some characters cannot be stored. Remove them and try again.")
	case "22003":
		return models.Wrap(models.Invalid, err, "A number is too large.")
	case "23505":
		return models.Wrap(models.Conflict, err, "Somebody else did this at the same time. Load the page again.")
	case "23503":
		return models.Wrap(models.Conflict, err, "This refers to something that is gone. Load the page again.")
	case "40001", "40P01", "55P03", "57014", "25P03", "25P04":
		return unavailable(err)
	}
	switch pg.Code[:2] {
	case "08", "28", "53", "57", "58": // connection, password, resources, shutdown, system
		return unavailable(err)
	}
	return err
}
