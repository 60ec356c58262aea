package ui

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/shopspring/decimal"
)

// When is a moment on a page. Ago, when set, is shown in its place; the moment itself is in the title.
type When struct {
	At  time.Time // zero: nothing is shown
	Ago string
}

// At shows the moment itself.
func At(t time.Time) When { return When{At: t} }

// Ago shows how long a moment is past.
func Ago(now, t time.Time) When {
	if t.IsZero() {
		return When{}
	}
	if d := now.Sub(t); d >= time.Second {
		return When{At: t, Ago: rough(d) + " ago"}
	}
	return When{At: t, Ago: "just now"}
}

// Age shows how long something lasts already.
func Age(now, t time.Time) When {
	if t.IsZero() {
		return When{}
	}
	return When{At: t, Ago: rough(now.Sub(t))}
}

// In shows how far ahead a moment is, or how long it is past.
func In(now, t time.Time) When {
	if t.IsZero() {
		return When{}
	}
	if d := t.Sub(now); d >= time.Second {
		return When{At: t, Ago: "in " + rough(d)}
	}
	return Ago(now, t)
}

// rough writes an age: nobody wants the seconds of something 14 minutes old.
func rough(d time.Duration) string {
	switch d = max(d, 0); {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d m", int(d.Minutes()))
	case d < 24*time.Hour && int(d.Minutes())%60 == 0:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return Span(d)
}

func (w When) text(format string) string {
	switch {
	case w.Ago != "":
		return w.Ago
	case format == "clock":
		return w.At.UTC().Format("15:04:05")
	case format == "day":
		return w.At.UTC().Format("2 Jan 2006")
	}
	return w.UTC()
}

func (w When) format(format string) string {
	if w.Ago != "" {
		return "ago"
	}
	return format
}

// ISO is the moment for machines.
func (w When) ISO() string { return w.At.UTC().Format(time.RFC3339Nano) }

// UTC is the moment in full, labelled.
func (w When) UTC() string { return w.At.UTC().Format("2 Jan 2006, 15:04 UTC") }

func (w When) utcExact() string { return w.At.UTC().Format("2 Jan 2006, 15:04:05 UTC") }

// Span writes a duration with its two largest units: 0.8 s, 48 s, 2 m 14 s, 2 h 06 m, 1 d 3 h, 12 d.
func Span(d time.Duration) string {
	d = max(d, 0)
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 20*time.Minute:
		return fmt.Sprintf("%d m %02d s", int(d.Minutes()), int(d.Seconds())%60)
	case d < time.Hour:
		return fmt.Sprintf("%d m", int(d.Minutes()))
	case d < 24*time.Hour:
		return fmt.Sprintf("%d h %02d m", int(d.Hours()), int(d.Minutes())%60)
	case d < 7*24*time.Hour && int(d.Hours())%24 > 0:
		return fmt.Sprintf("%d d %d h", int(d.Hours())/24, int(d.Hours())%24)
	}
	return fmt.Sprintf("%d d", int(d.Hours())/24)
}

// USD writes an amount with its cents: $1,234.50.
func USD(d decimal.Decimal) string {
	if d.IsNegative() {
		return "−$" + group(d.Neg().StringFixed(2))
	}
	return "$" + group(d.StringFixed(2))
}

// Dollars writes an amount without cents when it has none: $2,500.
func Dollars(d decimal.Decimal) string {
	if d.IsInteger() && !d.IsNegative() {
		return "$" + group(d.StringFixed(0))
	}
	return USD(d)
}

// Delta writes a difference with its sign: +$4.10, −$412.75, $0.00.
func Delta(d decimal.Decimal) string {
	if d.Round(2).IsPositive() {
		return "+" + USD(d)
	}
	return USD(d)
}

// Count writes a number with thousands apart.
func Count(n int) string {
	if n < 0 {
		return "−" + group(fmt.Sprint(-n))
	}
	return group(fmt.Sprint(n))
}

// Plural writes a count with its word: 1 tenant, 4 tenants.
func Plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Count(n) + " " + many
}

func group(digits string) string {
	whole, cents, _ := strings.Cut(digits, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if cents != "" {
		return whole + "." + cents
	}
	return whole
}

// AccountNumber writes the 12 digits of an AWS account in groups of four, as people read them out.
func AccountNumber(id string) string {
	if len(id) != 12 {
		return id
	}
	return id[:4] + "-" + id[4:8] + "-" + id[8:]
}

// Short cuts a hash to what people compare.
func Short(hash string) string {
	if len(hash) > 8 {
		return hash[:8]
	}
	return hash
}

// Initials are the first letters of a name's first and last word.
func Initials(name string) string {
	words := strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	if len(words) == 0 {
		return "?"
	}
	first, _ := utf8.DecodeRuneInString(words[0])
	if len(words) == 1 {
		return string(unicode.ToUpper(first))
	}
	last, _ := utf8.DecodeRuneInString(words[len(words)-1])
	return string([]rune{unicode.ToUpper(first), unicode.ToUpper(last)})
}
