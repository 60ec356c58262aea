package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"slipway/models"
)

const (
	usualPage = 50
	maxPage   = 200
	maxSearch = 200
	maxCount  = 10_000
	batch     = 1000    // rows of one query of an export
	maxExport = 100_000 // rows of one export
)

// column is something a list can be sorted by. It is never null.
type column struct {
	expr string
	kind string // text, numeric or timestamptz
}

// listing is one kind of list: what it reads, how it may be sorted and what identifies a row. Only from is read to find the
// rows of a page; wide is joined to those alone.
type listing[R any] struct {
	with    string // common table expressions of columns and wide
	columns string
	from    string
	wide    string
	id      string // the column that decides between equals
	sorts   map[string]column
	usual   string // the sort when none is asked for
}

// conditions narrow a list; all of them hold.
type conditions struct {
	where []string
	args  []any
}

func (c *conditions) add(where string, args ...any) {
	c.where = append(c.where, where)
	c.args = append(c.args, args...)
}

// search asks for a text in any of the expressions, whatever wildcards it holds.
func (c *conditions) search(text string, exprs ...string) error {
	if text = strings.TrimSpace(text); text == "" {
		return nil
	}
	if len(text) > maxSearch {
		return models.Errorf(models.Invalid, "Search for at most %d characters.", maxSearch)
	}
	either := make([]string, len(exprs))
	for i, e := range exprs {
		either[i] = e + ` ILIKE ?`
		c.args = append(c.args, containing(text))
	}
	c.where = append(c.where, "("+strings.Join(either, " OR ")+")")
	return nil
}

// containing is the pattern of texts that hold this one, whatever wildcards are in it.
func containing(text string) string {
	return "%" + strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text) + "%"
}

func (c conditions) sql() string {
	if len(c.where) == 0 {
		return "TRUE"
	}
	return strings.Join(c.where, " AND ")
}

// filter is one way to narrow a list from the address.
type filter func(c *conditions, value string) error

// narrow applies the query's filters; what the list does not know is an error, so that nobody believes in a filter that is none.
func narrow(c *conditions, q models.ListQuery, known map[string]filter) error {
	for _, name := range slices.Sorted(maps.Keys(q.Filters)) { // one text for one combination: statements are prepared
		f, ok := known[name]
		text := q.Filters[name]
		switch {
		case !ok:
			return models.Errorf(models.Invalid, "This list has no filter %q.", clip(name))
		case text == "":
			continue
		case len(text) > maxSearch:
			return models.Errorf(models.Invalid, "The filter %q is too long.", name)
		}
		if err := f(c, text); err != nil {
			return err
		}
	}
	return nil
}

// oneOf is a filter by a closed set of words.
func oneOf[T ~string](expr string, allowed []T) filter {
	return func(c *conditions, text string) error {
		if !slices.Contains(allowed, T(text)) {
			return models.Errorf(models.Invalid, "The filter knows no %q.", clip(text))
		}
		c.add(expr+` = ?`, text)
		return nil
	}
}

// equals is a filter by exact value.
func equals(expr string) filter {
	return func(c *conditions, text string) error {
		c.add(expr+` = ?`, text)
		return nil
	}
}

// keyed is a row with its place in the list.
type keyed[R any] struct {
	Row     R `gorm:"embedded"`
	SortKey string
	RowID   string
}

// page is the order and the part of a list that a query asks for.
type page struct {
	sort     string
	col      column
	down     bool // descending
	back     bool // the page before, read backwards
	at       cursor
	hasPlace bool
	limit    int
}

func (l listing[R]) page(q models.ListQuery) (page, error) {
	p := page{sort: q.Sort, limit: q.Limit}
	if p.sort == "" {
		p.sort = l.usual
	}
	name, down := strings.CutPrefix(p.sort, "-")
	col, ok := l.sorts[name]
	if !ok {
		return p, models.Errorf(models.Invalid, "This list cannot be sorted by %q.", clip(name))
	}
	p.col, p.down = col, down
	if p.limit <= 0 {
		p.limit = usualPage
	}
	p.limit = min(p.limit, maxPage)
	place := q.After
	if q.Before != "" {
		place, p.back = q.Before, true
	}
	if q.After != "" && q.Before != "" {
		return p, errCursor
	}
	if place == "" {
		return p, nil
	}
	var err error
	p.at, err = parseCursor(place, p.sort, col)
	p.hasPlace = true
	return p, err
}

// rows reads the first limit rows of a page.
func (l listing[R]) rows(ctx context.Context, s *Store, c conditions, p page, limit int) ([]keyed[R], error) {
	query, args := l.query(c, p, limit)
	rows, err := many[keyed[R]](s.read(ctx), query, args...)
	if err != nil {
		return nil, translate(fmt.Errorf("read the list: %w", err))
	}
	return rows, nil
}

// query finds the rows of a page by what is narrow and then reads all columns of those.
func (l listing[R]) query(c conditions, p page, limit int) (string, []any) {
	direction, beyond := "ASC", ">"
	if p.down != p.back {
		direction, beyond = "DESC", "<"
	}
	args := slices.Clone(c.args)
	where := c.sql()
	if p.hasPlace {
		where += fmt.Sprintf(` AND (%s, %s) %s (?::%s, ?::uuid)`, p.col.expr, l.id, beyond, p.col.kind)
		args = append(args, p.at.Value, p.at.ID)
	}
	order := fmt.Sprintf(`ORDER BY %s %s, %s %s`, p.col.expr, direction, l.id, direction)
	return fmt.Sprintf(`%s SELECT %s, k.sort_key, k.row_id FROM (SELECT (%s)::text AS sort_key, %s AS row_id FROM %s WHERE %s %s LIMIT %d) k
		CROSS JOIN %s %s WHERE %s = k.row_id %s`, l.with, l.columns, p.col.expr, l.id, l.from, where, order, limit, l.from, l.wide, l.id, order), args
}

// read gives one page of the list with the cursors of its neighbours and the count: two queries, whatever the number of rows.
func (l listing[R]) read(ctx context.Context, s *Store, c conditions, q models.ListQuery) (list models.List[R], err error) {
	p, err := l.page(q)
	if err != nil {
		return list, err
	}
	rows, err := l.rows(ctx, s, c, p, p.limit+1)
	if err != nil {
		return list, err
	}
	more := len(rows) > p.limit
	rows = rows[:min(len(rows), p.limit)]
	if p.back {
		slices.Reverse(rows)
	}
	for _, r := range rows {
		list.Rows = append(list.Rows, r.Row)
	}
	if n := len(rows); n > 0 {
		first, last := rows[0], rows[n-1]
		if p.back && more || !p.back && p.hasPlace {
			list.Prev = cursor{p.sort, first.SortKey, first.RowID}.String()
		}
		if p.back || more {
			list.Next = cursor{p.sort, last.SortKey, last.RowID}.String()
		}
	}
	list.Total, err = countUpTo(ctx, s, l.from, c)
	return list, err
}

// countUpTo counts exactly up to 10,000 and says 10,001 beyond.
func countUpTo(ctx context.Context, s *Store, from string, c conditions) (int, error) {
	type counted struct{ N int }
	n, err := one[counted](s.read(ctx), fmt.Sprintf(`SELECT count(*) AS n FROM (SELECT 1 FROM %s WHERE %s LIMIT %d) c`, from, c.sql(), maxCount+1), c.args...)
	if err != nil {
		return 0, translate(fmt.Errorf("count the list: %w", err))
	}
	return n.N, nil
}

// each hands all filtered rows to fn, up to the limit of an export, in short queries: a slow reader holds no connection. The
// export is audited before its first row leaves.
func (l listing[R]) each(ctx context.Context, s *Store, actor models.Actor, name string, c conditions, q models.ListQuery, fn func(R) error) error {
	if _, err := l.page(q); err != nil { // a bad cursor is bad here, too, although a file begins at the beginning
		return err
	}
	q.After, q.Before = "", ""
	p, err := l.page(q)
	if err != nil {
		return err
	}
	err = s.tx(ctx, func(t *tx) error {
		return t.audit(actor, "export."+name, about{Type: "list", ID: name}, nil, map[string]any{"search": q.Search, "filters": q.Filters, "sort": p.sort})
	})
	if err != nil {
		return err
	}
	for left := maxExport; left > 0; {
		rows, err := l.rows(ctx, s, c, p, min(batch, left))
		if err != nil {
			return err
		}
		for _, r := range rows {
			if err := fn(r.Row); err != nil {
				return err
			}
		}
		if len(rows) < batch {
			return nil
		}
		left -= len(rows)
		last := rows[len(rows)-1]
		p.at, p.hasPlace = cursor{p.sort, last.SortKey, last.RowID}, true
	}
	return nil
}
