package models

import (
	"time"

	"github.com/shopspring/decimal"
)

// When a day that AWS may still change is read again.
const (
	restated    = 4                  // days back from today: read in each round
	reread      = 15 * time.Minute   // a round that is asked for right after another reads nothing twice
	rereadEnded = 3 * 24 * time.Hour // of a month that has ended and is not final
	rereadOpen  = 7 * 24 * time.Hour // of the month that goes on
)

// CostDayKnown is what is known of reading one day.
type CostDayKnown struct {
	Day       time.Time
	Estimated bool
	ReadAt    time.Time // wall time
}

// CostPiece is a stretch of days within one month that is read at once.
type CostPiece struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"` // the day after its last
}

// Split halves a piece that is too much for one call; false: it is one day.
func (p CostPiece) Split() (older, newer CostPiece, ok bool) {
	days := int(p.To.Sub(p.From).Hours() / 24)
	if days < 2 {
		return p, p, false
	}
	middle := p.From.AddDate(0, 0, days/2)
	return CostPiece{p.From, middle}, CostPiece{middle, p.To}, true
}

// CostPieces says which days a round reads, newest first, so that a round cut short by the daily cap has the newest: the last days, which
// AWS restates; days of months that are not final, now and then; and what was never read of the last thirteen months. Today is never
// among them: it is not over.
func CostPieces(wall time.Time, known []CostDayKnown) []CostPiece {
	today, ended := DayOf(wall), MonthOf(wall)
	have := map[time.Time]CostDayKnown{}
	for _, k := range known {
		have[DayOf(k.Day)] = k
	}
	var pieces []CostPiece
	for day := today.AddDate(0, 0, -1); !day.Before(FirstCostDay(wall)); day = day.AddDate(0, 0, -1) {
		k, read := have[day]
		age := wall.Sub(k.ReadAt)
		switch {
		case !read:
		case !k.Estimated:
			continue
		case age < reread:
			continue
		case !day.Before(today.AddDate(0, 0, -restated)):
		case day.Before(ended) && age < rereadEnded, !day.Before(ended) && age < rereadOpen:
			continue
		}
		if n := len(pieces) - 1; n >= 0 && pieces[n].From.Equal(day.AddDate(0, 0, 1)) && MonthOf(pieces[n].From).Equal(MonthOf(day)) {
			pieces[n].From = day
			continue
		}
		pieces = append(pieces, CostPiece{day, day.AddDate(0, 0, 1)})
	}
	return pieces
}

// CostCallPrice is what AWS charges for one page of Cost Explorer's answer, in USD.
var CostCallPrice = decimal.New(1, -2)

// CostMeter is what was paid on one UTC day for asking what things cost, and what may be.
type CostMeter struct {
	Day     time.Time
	Calls   int
	Spent   decimal.Decimal
	Cap     decimal.Decimal
	Refused time.Time // wall time at which the cap first refused a call; zero: it did not
}
