package store

import (
	"strings"
	"sync"
	"testing"
)

func TestChangedRulesAreAuditedOnce(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	for _, digest := range []string{"aaaa", "aaaa", "bbbb"} {
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if err := s.RulesInForce(t.Context(), digest, "rules.yaml"); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
	rows, err := s.pool.Query(t.Context(), `SELECT before::text || ' ' || after::text FROM audit_entries WHERE action = 'rules.change' ORDER BY at, id`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var said []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		said = append(said, line)
	}
	if len(said) != 2 || !strings.Contains(said[1], "aaaa") || !strings.Contains(said[1], "bbbb") {
		t.Errorf("got %q", said)
	}
}
