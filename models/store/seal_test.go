package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"slipway/models"
)

// write makes n audit entries in one transaction.
func write(t testing.TB, s *Store, n int) {
	t.Helper()
	err := s.tx(t.Context(), func(tx *tx) error {
		for i := range n {
			what := about{"thing", "1", "Ä <b> \u2028 thing", ""}
			if err := tx.audit(models.System("test", ""), "test.write", what, nil, map[string]any{"n": i, "f": 0.1, "big": 1 << 60, "s": "ü\"\\"}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// sealAll runs a sealer until nothing is left unsealed.
func sealAll(t testing.TB, s *Store) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	ended := make(chan error, 1)
	go func() { ended <- s.Seal(ctx, SealOptions{Every: 5 * time.Millisecond}) }()
	defer func() {
		cancel()
		<-ended
	}()
	eventually(t, "everything is sealed", func() bool {
		return count(t, s, `SELECT count(*) FROM audit_entries e WHERE NOT EXISTS (SELECT FROM audit_seals s WHERE s.entry_id = e.id)`) == 0
	})
}

// eventually asks every few milliseconds until it is so, for at most ten seconds.
func eventually(t testing.TB, what string, so func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !so() {
		select {
		case <-deadline:
			t.Fatalf("never came true: %s", what)
		case <-tick.C:
		}
	}
}

func verify(t testing.TB, s *Store, heads ...models.AuditHead) models.AuditReport {
	t.Helper()
	var anchors []models.Anchor
	for _, h := range heads {
		anchors = append(anchors, h.Anchor())
	}
	r, err := s.Verify(t.Context(), anchors...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// tamper changes what the application's role cannot: only the owner of the tables, or worse, could.
func tamper(t testing.TB, ownerURL, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), ownerURL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func TestSealedChainVerifies(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	write(t, s, 25)
	if r := verify(t, s); r.Unsealed != 25 || !r.OK() {
		t.Errorf("before sealing: %+v", r)
	}
	sealAll(t, s)
	first := verify(t, s)
	if !first.OK() || first.Sealed != 25 || first.Head.Seq != 25 || first.Unsealed != 0 {
		t.Fatalf("after sealing: %+v", first)
	}
	write(t, s, 5)
	sealAll(t, s) // a second sealer goes on where the first ended
	if r := verify(t, s, first.Head); !r.OK() || r.Head.Seq != 30 {
		t.Errorf("after the second sealer: %+v", r)
	}
}

func TestVerifyFindsTampering(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		sql    string
		broken int64
		gap    int64
		anchor string
	}{
		"entry changed":        {sql: `UPDATE audit_entries SET actor = 'somebody else' WHERE id = (SELECT entry_id FROM audit_seals WHERE seq = 7)`, broken: 7},
		"value changed":        {sql: `UPDATE audit_entries SET after = '{"n": 999}' WHERE id = (SELECT entry_id FROM audit_seals WHERE seq = 3)`, broken: 3},
		"seal removed":         {sql: `DELETE FROM audit_seals WHERE seq = 4`, gap: 4, broken: 5},
		"tail cut":             {sql: `DELETE FROM audit_seals WHERE seq > 8`, anchor: "was cut off"},
		"head rewritten":       {sql: `UPDATE audit_seals SET hash = sha256('x') WHERE seq = 10`, broken: 10, anchor: "rewritten"},
		"entry and seal moved": {sql: `UPDATE audit_seals SET seq = 11 WHERE seq = 10`, gap: 10, anchor: ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, owner := open(t)
			write(t, s, 10)
			sealAll(t, s)
			head := verify(t, s).Head
			tamper(t, owner, tc.sql)
			r := verify(t, s, head)
			said := ""
			if len(r.Doubts) > 0 {
				said = r.Doubts[0].String()
			}
			if r.BrokenAt != tc.broken || r.Gap != tc.gap || !strings.Contains(said, tc.anchor) || (tc.anchor == "") != (said == "") {
				t.Errorf("got %+v, want %+v", r, tc)
			}
			if r.OK() {
				t.Error("a changed chain verifies")
			}
		})
	}
}

// A whole tail that is recomputed holds in itself: only the anchor tells.
func TestAnchorFindsARecomputedTail(t *testing.T) {
	t.Parallel()
	s, owner := open(t)
	write(t, s, 6)
	sealAll(t, s)
	head := verify(t, s).Head
	tamper(t, owner, `DELETE FROM audit_seals WHERE seq > 2; UPDATE audit_entries SET actor = 'somebody else' WHERE id NOT IN (SELECT entry_id FROM audit_seals)`)
	sealAll(t, s)
	if r := verify(t, s); !r.OK() {
		t.Errorf("the recomputed chain does not hold in itself: %+v", r)
	}
	if r := verify(t, s, head); len(r.Doubts) != 1 || r.OK() {
		t.Errorf("the anchor does not tell: %+v", r)
	}
	write(t, s, 6) // the chain grows on, and its newest anchors are of the forged one
	sealAll(t, s)
	newest := verify(t, s).Head
	if r := verify(t, s, newest); !r.OK() {
		t.Errorf("an anchor of the forged chain: %+v", r)
	}
	if r := verify(t, s, head, newest); len(r.Doubts) != 1 || r.Doubts[0].Anchor.Seq != 6 || r.Doubts[0].Chain.Seq != 6 || r.Anchors != 2 {
		t.Errorf("the older anchor does not tell: %+v", r)
	}
}

func TestApplicationCannotChangeTheLog(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	write(t, s, 1)
	for _, sql := range []string{`UPDATE audit_entries SET actor = 'x'`, `DELETE FROM audit_entries`, `UPDATE audit_seals SET seq = 2`, `DELETE FROM audit_seals`, `TRUNCATE audit_seals`} {
		if _, err := s.pool.Exec(t.Context(), sql); err == nil || !strings.Contains(err.Error(), "permission denied") {
			t.Errorf("%s: got %v, want permission denied", sql, err)
		}
	}
}

// An entry whose transaction commits after younger ones were sealed is sealed all the same.
func TestLateCommitIsSealed(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Seal(ctx, SealOptions{Every: 5 * time.Millisecond}) }()
	defer func() { cancel(); <-ended }()
	err := s.tx(t.Context(), func(late *tx) error {
		if err := late.audit(models.System("test", ""), "test.late", about{}, nil, nil); err != nil {
			return err
		}
		write(t, s, 3)
		eventually(t, "the younger are sealed", func() bool { return count(t, s, `SELECT count(*) FROM audit_seals`) == 3 })
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the late one is sealed", func() bool { return count(t, s, `SELECT count(*) FROM audit_seals`) == 4 })
	if r := verify(t, s); !r.OK() || r.Unsealed != 0 {
		t.Errorf("got %+v", r)
	}
}

func TestTwoSealersKeepOneChain(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 3)
	for range 3 {
		go func() { ended <- s.Seal(ctx, SealOptions{Every: time.Millisecond, Batch: 7}) }()
	}
	for range 10 {
		write(t, s, 20)
	}
	eventually(t, "everything is sealed", func() bool { return count(t, s, `SELECT count(*) FROM audit_seals`) == 200 })
	cancel()
	for range 3 {
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("sealer ended with %v", err)
		}
	}
	if r := verify(t, s); !r.OK() || r.Head.Seq != 200 {
		t.Errorf("got %+v", r)
	}
}

func TestHeadIsAnchored(t *testing.T) {
	t.Parallel()
	s, _ := open(t, func(o *Options) { o.Logger = slog.New(slog.DiscardHandler) })
	write(t, s, 3)
	ctx, cancel := context.WithCancel(t.Context())
	heads := make(chan models.AuditHead, 100)
	ended := make(chan error, 1)
	go func() {
		ended <- s.Seal(ctx, SealOptions{Every: time.Millisecond, AnchorEvery: time.Millisecond, Anchor: func(_ context.Context, h models.AuditHead) error {
			select {
			case heads <- h:
			default:
			}
			return errors.New("the bucket is away") // sealing goes on
		}})
	}()
	head := <-heads
	cancel()
	<-ended
	parsed, err := models.ParseAnchor(head.String())
	if err != nil || parsed.Seq != 3 {
		t.Fatalf("anchor %s reads back as %+v, %v", head, parsed, err)
	}
	if r := verify(t, s, parsed); !r.OK() {
		t.Errorf("got %+v", r)
	}
}

// BenchmarkAudit measures entries per second, in transactions of one entry by eight writers, with and without a sealer beside them.
func BenchmarkAudit(b *testing.B) {
	for _, sealing := range []bool{false, true} {
		b.Run(fmt.Sprintf("sealer=%t", sealing), func(b *testing.B) {
			s, _ := open(b)
			ctx, cancel := context.WithCancel(b.Context())
			defer cancel()
			if sealing {
				go func() { _ = s.Seal(ctx, SealOptions{}) }()
			}
			b.SetParallelism(4)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					err := s.tx(ctx, func(t *tx) error {
						return t.audit(models.System("bench", ""), "bench.write", about{"thing", "1", "thing", ""}, nil, map[string]any{"n": 1})
					})
					if err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "entries/s")
			if sealing {
				b.StopTimer()
				left := count(b, s, `SELECT count(*) FROM audit_entries e WHERE NOT EXISTS (SELECT FROM audit_seals s WHERE s.entry_id = e.id)`)
				b.ReportMetric(float64(left), "unsealed")
			}
		})
	}
}
