package store

import (
	"context"
	"errors"
	"testing"
	"time"

	"slipway/models"

	"github.com/riverqueue/river"
)

func TestTransactionCommitsRowsJobsAndNotificationsTogether(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	if err := s.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	failed := errors.New("changed my mind")
	for name, end := range map[string]error{"rolled back": failed, "committed": nil} {
		err := s.tx(t.Context(), func(w *tx) error {
			if err := w.audit(models.System("test", ""), "test."+name, about{}, nil, map[string]any{"client_secret": "hush", "n": 1}); err != nil {
				return err
			}
			if _, err := s.river.InsertTx(w.ctx, w.pgx, models.WakeArgs{JournalID: name}, &river.InsertOpts{}); err != nil {
				return err
			}
			if err := w.notify("journal"); err != nil {
				return err
			}
			return end
		})
		if !errors.Is(err, end) {
			t.Errorf("%s: got %v, want %v", name, err, end)
		}
	}
	var entries, jobs int64
	var after string
	if err := s.pool.QueryRow(t.Context(), `SELECT count(*), max(after::text) FROM audit_entries`).Scan(&entries, &after); err != nil {
		t.Fatal(err)
	}
	if err := s.pool.QueryRow(t.Context(), `SELECT count(*) FROM river_job`).Scan(&jobs); err != nil {
		t.Fatal(err)
	}
	if entries != 1 || jobs != 1 {
		t.Errorf("got %d entries and %d jobs, want one of each", entries, jobs)
	}
	if after != `{"n": 1, "client_secret": "(masked)"}` {
		t.Errorf("the audit entry holds %s", after)
	}
}

func TestTransactionRefusesToNest(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	err := s.tx(t.Context(), func(w *tx) error {
		return s.tx(w.ctx, func(*tx) error { return nil })
	})
	if err == nil {
		t.Error("a second transaction was opened inside the first")
	}
	err = s.tx(t.Context(), func(w *tx) error { return w.db.Transaction(nil) })
	if err == nil {
		t.Error("gorm opened a transaction of its own")
	}
}

// TestBrokenConnectionIsLeftAlone cancels transactions amid a query. Its connection is given back and closed at once, so that nothing may be
// done with it afterwards: the race detector would see it.
func TestBrokenConnectionIsLeftAlone(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	for range 30 {
		ctx, cancel := context.WithCancel(t.Context())
		err := s.tx(ctx, func(w *tx) error {
			if err := w.db.Exec(`SELECT 1`).Error; err != nil {
				return err
			}
			time.AfterFunc(2*time.Millisecond, cancel)
			if _, err := many[string](w.db, `SELECT pg_sleep(60)::text`); err == nil {
				return errors.New("the query was not cancelled")
			}
			_, err := many[string](w.db, `SELECT '1'`) // finds it broken
			return err
		})
		cancel()
		if err == nil {
			t.Fatal("a transaction whose connection broke is committed")
		}
	}
	if n, err := one[int](s.read(t.Context()), `SELECT 1`); n != 1 || err != nil {
		t.Errorf("the store is of no use afterwards: %d %v", n, err)
	}
}
