package store

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"slices"

	"slipway/models"
)

const resealBatch = 200

// Resealer opens what any key has sealed and seals with the first.
type Resealer interface {
	Sealer
	Tags() [][]byte // what values begin with, by key
}

// sealedColumns are all sealed values that live longer than a sign-in.
var sealedColumns = []struct{ table, column, use string }{
	{"sessions", "id_token", models.SealIDToken}, {"sessions", "refresh_token", models.SealRefreshToken},
	{"webhooks", "url", hookURLUse}, {"webhooks", "secret", hookSecretUse},
}

// Reseal seals with the first key what others have sealed, and says how many values that were. A value that no key opens is left as it
// is: KeyUse counts it. Any number of processes may call it; one that was changed meanwhile is left alone.
func (s *Store) Reseal(ctx context.Context, keys Resealer) (n int, err error) {
	for _, c := range sealedColumns {
		for after := "00000000-0000-0000-0000-000000000000"; after != ""; {
			var done int
			if done, after, err = s.resealSome(ctx, keys, c.table, c.column, c.use, after); err != nil {
				return n, fmt.Errorf("seal %s of %s anew: %w", c.column, c.table, err)
			}
			n += done
		}
	}
	return n, nil
}

// resealSome takes one batch after an id; it returns the last id of a full batch.
func (s *Store) resealSome(ctx context.Context, keys Resealer, table, column, use, after string) (n int, last string, err error) {
	err = s.tx(ctx, func(t *tx) error {
		n, last = 0, ""
		type row struct {
			ID     string
			Sealed []byte
		}
		rows, err := many[row](t.db, `SELECT id::text AS id, `+column+` AS sealed FROM `+table+` WHERE `+column+` IS NOT NULL
			AND substr(`+column+`, 1, ?) <> decode(?, 'hex') AND id > ?::uuid ORDER BY id LIMIT ?`, models.SealedTag, hex.EncodeToString(keys.Tags()[0]), after, resealBatch)
		if err != nil {
			return err
		}
		for _, r := range rows {
			plain, err := keys.Open(r.Sealed, use)
			if err != nil {
				continue
			}
			tag, err := t.pgx.Exec(t.ctx, `UPDATE `+table+` SET `+column+` = $1 WHERE id = $2 AND `+column+` = $3`, keys.Seal(plain, use), r.ID, r.Sealed)
			if err != nil {
				return err
			}
			n += int(tag.RowsAffected())
		}
		if len(rows) == resealBatch {
			last = rows[len(rows)-1].ID
		}
		return nil
	})
	return n, last, err
}

// KeyUse counts by which key the sealed values of the database are sealed.
func (s *Store) KeyUse(ctx context.Context, tags [][]byte) (models.KeyUse, error) {
	use := models.KeyUse{Keys: make([]int, len(tags))}
	type row struct {
		Tag []byte
		N   int
	}
	for _, c := range sealedColumns {
		rows, err := many[row](s.read(ctx), `SELECT CASE WHEN get_byte(`+c.column+`, 0) = ? THEN substr(`+c.column+`, 1, ?) END AS tag, count(*) AS n
			FROM `+c.table+` WHERE length(`+c.column+`) > 0 GROUP BY 1`, models.SealedVersion, models.SealedTag)
		if err != nil {
			return use, translate(fmt.Errorf("count the keys of %s.%s: %w", c.table, c.column, err))
		}
		for _, r := range rows {
			i := slices.IndexFunc(tags, func(tag []byte) bool { return bytes.Equal(tag, r.Tag) })
			switch {
			case r.Tag == nil:
				use.Older += r.N
			case i < 0:
				use.Foreign += r.N
			default:
				use.Keys[i] += r.N
			}
		}
	}
	type pending struct{ N int }
	p, err := one[pending](s.read(ctx), `SELECT count(*) AS n FROM sign_ins WHERE expires_at > ?`, s.clock.Wall())
	use.SignIns = p.N
	return use, translate(err)
}
