// Package price estimates what plans cost per month from a dated list of prices with a source per row. Amounts are decimals in USD;
// what has no fixed price is named, never guessed.
package price

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/shopspring/decimal"
)

// MaxBytes bounds a price file.
const MaxBytes = 4 << 20

// HoursPerMonth is how many hours a month has in estimates, as AWS's own calculator counts.
const HoursPerMonth = 730

//go:embed prices.json
var shipped []byte

// Default is the price file that comes with Slipway.
func Default() []byte { return slices.Clone(shipped) }

// Row is one price: of one unit of one thing in one region, with who said so and when.
type Row struct {
	Key    string          `json:"key"`
	Region string          `json:"region"` // Global where it is the same everywhere
	Unit   string          `json:"unit"`   // month and hour are fixed; any other unit is usage
	Price  decimal.Decimal `json:"price"`
	Source string          `json:"source"`
	Date   string          `json:"date"` // day of the source, 2006-01-02
}

// List is a loaded price file. It never changes.
type List struct {
	Date     string // newest day among its rows
	Origin   string // region whose prices stand in, by name, where a region has none of its own
	Digest   string // SHA-256 of the file, lower case hex
	Rows     []Row
	byRegion map[[2]string]Row
}

type file struct {
	Origin string `json:"origin"`
	Rows   []Row  `json:"rows"`
}

// Load reads a price file and names every mistake.
func Load(src []byte) (*List, error) {
	if len(src) > MaxBytes {
		return nil, fmt.Errorf("the price file has %d bytes, more than %d", len(src), MaxBytes)
	}
	d := json.NewDecoder(bytes.NewReader(src))
	d.DisallowUnknownFields()
	var f file
	if err := d.Decode(&f); err != nil {
		return nil, fmt.Errorf("the price file is not as expected: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("the price file goes on after its end")
	}
	sum := sha256.Sum256(src)
	l := &List{Origin: f.Origin, Digest: hex.EncodeToString(sum[:]), Rows: f.Rows, byRegion: map[[2]string]Row{}}
	var wrong []error
	if f.Origin == "" || len(f.Rows) == 0 {
		wrong = append(wrong, errors.New("the price file needs an origin region and rows"))
	}
	for i, r := range f.Rows {
		if err := l.add(r); err != nil {
			wrong = append(wrong, fmt.Errorf("row %d (%s, %s): %w", i+1, r.Key, r.Region, err))
		}
	}
	if len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	return l, nil
}

func (l *List) add(r Row) error {
	at := [2]string{r.Key, r.Region}
	_, twice := l.byRegion[at]
	_, err := time.Parse(time.DateOnly, r.Date)
	switch {
	case r.Key == "" || r.Region == "" || r.Unit == "" || r.Source == "":
		return errors.New("key, region, unit and source are needed")
	case r.Price.IsNegative():
		return fmt.Errorf("the price %s is below zero", r.Price)
	case err != nil:
		return fmt.Errorf("date %q is not a day like 2026-11-24", r.Date)
	case twice:
		return errors.New("this price is there twice")
	}
	l.byRegion[at] = r
	l.Date = max(l.Date, r.Date)
	return nil
}

// perMonth is the monthly amount of one unit; not ok for what is paid by use.
func (r Row) perMonth() (decimal.Decimal, bool) {
	switch r.Unit {
	case "month":
		return r.Price, true
	case "hour":
		return r.Price.Mul(decimal.NewFromInt(HoursPerMonth)), true
	}
	return decimal.Zero, false
}

// Line is what quantity units of a price cost per month in a region; not ok when the file has no fixed price there.
func (l *List) Line(key, region string, quantity decimal.Decimal) (decimal.Decimal, bool) {
	r, ok := l.byRegion[[2]string{key, region}]
	if !ok {
		return decimal.Zero, false
	}
	m, ok := r.perMonth()
	return m.Mul(quantity), ok
}
