package aws

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/costexplorer"
	cetypes "github.com/aws/aws-sdk-go-v2/service/costexplorer/types"
	"github.com/shopspring/decimal"

	"slipway/models"
)

// costPages bounds what one call of a round reads of each cut: what is more is read in smaller pieces.
const costPages = 8

// CostBook knows which days were read, and whether one more call may be paid for.
type CostBook interface {
	KnownDays(ctx context.Context, source models.CostSource) ([]models.CostDayKnown, error)
	TakeCall(ctx context.Context) (bool, error)
}

// Costs reads AWS Cost Explorer: by account and service, by account and environment, and credits, refunds and tax by account. It groups by
// two keys at most, so that account, service and environment are not to be had at once without a paid call per account; two cuts of the
// same money are, and they must come to the same.
type Costs struct {
	clients *Clients
	book    CostBook
}

// NewCosts makes the collector of costs.
func NewCosts(c *Clients, book CostBook) *Costs { return &Costs{c, book} }

// Info says what the collector reads.
func (c *Costs) Info() models.CollectorInfo {
	return models.CollectorInfo{Name: models.CostCollector, Title: "Costs", Words: "Costs of all accounts by day, service and environment, from AWS Cost Explorer. AWS charges $0.01 for each page.",
		Source: "cost_explorer", Every: models.CostCollectEvery, Scope: models.OverOrganization}
}

// errTooLong says that a piece has more pages than one call reads.
var errTooLong = errors.New("the piece has too many pages")

// Collect reads one piece of the days that are due.
func (c *Costs) Collect(ctx context.Context, target models.CollectTarget) (models.Reading, error) {
	wall := c.clients.Clock.Wall()
	pieces, err := c.pieces(ctx, target, wall)
	if err != nil {
		return models.Reading{}, err
	}
	out := models.Reading{Source: string(models.CostExplorer), At: wall}
	if len(pieces) == 0 {
		return out, nil
	}
	piece, rest := pieces[0], pieces[1:]
	read := costRead{clients: c.clients, book: c.book, piece: piece, days: map[time.Time]bool{}}
	err = read.all(ctx)
	if older, newer, can := piece.Split(); errors.Is(err, errTooLong) && can {
		out.At, out.Metered = time.Time{}, read.calls
		return out, goOn(&out, append([]models.CostPiece{newer, older}, rest...))
	}
	if err != nil {
		return models.Reading{}, err
	}
	out.From, out.To, out.Metered, out.Gaps = piece.From, piece.To, read.calls, read.differences()
	out.Costs = read.reading()
	return out, goOn(&out, rest)
}

// pieces are what is left of the round, or what it is to read.
func (c *Costs) pieces(ctx context.Context, target models.CollectTarget, wall time.Time) (pieces []models.CostPiece, err error) {
	if len(target.Cursor) > 0 {
		if err := json.Unmarshal(target.Cursor, &pieces); err != nil {
			return nil, fmt.Errorf("read where the round goes on: %w", err)
		}
		return pieces, nil
	}
	known, err := c.book.KnownDays(ctx, models.CostExplorer)
	if err != nil {
		return nil, err
	}
	return models.CostPieces(wall, known), nil
}

func goOn(out *models.Reading, pieces []models.CostPiece) (err error) {
	if len(pieces) > 0 {
		out.Next, err = json.Marshal(pieces)
	}
	return err
}

// The record types that are told apart from usage, as Cost Explorer names them.
var apart = map[string]models.ChargeCategory{"Credit": models.Credit, "Refund": models.Refund, "Tax": models.Tax}

// costRead reads one piece.
type costRead struct {
	clients *Clients
	book    CostBook
	piece   models.CostPiece
	days    map[time.Time]bool // those that AWS has answered for; true: it may still change them
	rows    []models.CostRow
	calls   int
}

// all makes the three cuts.
func (r *costRead) all(ctx context.Context) error {
	special := cetypes.Expression{Dimensions: &cetypes.DimensionValues{Key: cetypes.DimensionRecordType, Values: []string{"Credit", "Refund", "Tax"}}}
	usage := cetypes.Expression{Not: &special}
	for _, cut := range []struct {
		filter cetypes.Expression
		by     cetypes.GroupDefinition
		row    func(row *models.CostRow, key string)
	}{
		{usage, dimension(cetypes.DimensionService), func(row *models.CostRow, key string) {
			row.Cut, row.Category, row.Service = models.ByService, models.Usage, key
		}},
		{usage, cetypes.GroupDefinition{Type: cetypes.GroupDefinitionTypeTag, Key: sdk.String(models.TagEnvironment)}, func(row *models.CostRow, key string) {
			_, value, _ := strings.Cut(key, "$")
			row.Cut, row.Category, row.Environment = models.ByEnvironment, models.Usage, value
		}},
		{special, dimension(cetypes.DimensionRecordType), func(row *models.CostRow, key string) {
			row.Cut, row.Category = models.ByService, apart[key]
		}},
	} {
		if err := r.cut(ctx, cut.filter, cut.by, cut.row); err != nil {
			return err
		}
	}
	return nil
}

func dimension(d cetypes.Dimension) cetypes.GroupDefinition {
	return cetypes.GroupDefinition{Type: cetypes.GroupDefinitionTypeDimension, Key: sdk.String(string(d))}
}

// cut reads all pages of one question. Each is counted before it is asked, and asked once: a page that fails is paid for all the same.
func (r *costRead) cut(ctx context.Context, filter cetypes.Expression, by cetypes.GroupDefinition, name func(*models.CostRow, string)) error {
	api := costexplorer.NewFromConfig(r.clients.orgIn(who{}, readCosts, billing), func(o *costexplorer.Options) { o.Retryer = once() })
	in := &costexplorer.GetCostAndUsageInput{Granularity: cetypes.GranularityDaily, Metrics: []string{"UnblendedCost", "AmortizedCost"}, Filter: &filter,
		GroupBy:    []cetypes.GroupDefinition{dimension(cetypes.DimensionLinkedAccount), by},
		TimePeriod: &cetypes.DateInterval{Start: sdk.String(r.piece.From.Format(time.DateOnly)), End: sdk.String(r.piece.To.Format(time.DateOnly))}}
	for range costPages {
		taken, err := r.book.TakeCall(ctx)
		if err != nil {
			return err
		}
		if !taken {
			return errCapped
		}
		r.calls++
		out, err := api.GetCostAndUsage(ctx, in)
		if err != nil {
			return err
		}
		for _, result := range out.ResultsByTime {
			if err := r.day(result, name); err != nil {
				return err
			}
		}
		if sdk.ToString(out.NextPageToken) == "" {
			return nil
		}
		in.NextPageToken = out.NextPageToken
	}
	return errTooLong
}

// day takes one day's groups. A day is estimated when any of its answers was.
func (r *costRead) day(result cetypes.ResultByTime, name func(*models.CostRow, string)) error {
	day, err := time.Parse(time.DateOnly, sdk.ToString(result.TimePeriod.Start))
	if err != nil {
		return fmt.Errorf("read a day of Cost Explorer: %w", err)
	}
	r.days[day] = r.days[day] || result.Estimated
	for _, g := range result.Groups {
		if len(g.Keys) != 2 {
			return fmt.Errorf("costs of %s: AWS names %d keys of a group, not 2", day.Format(time.DateOnly), len(g.Keys))
		}
		row := models.CostRow{Day: day, Account: g.Keys[0]}
		name(&row, g.Keys[1])
		if row.Category == "" {
			return fmt.Errorf("costs of %s: AWS gives the record type %q, which was not asked for", day.Format(time.DateOnly), g.Keys[1])
		}
		if row.Billed, err = money(g.Metrics["UnblendedCost"]); err != nil {
			return err
		}
		if row.Effective, err = money(g.Metrics["AmortizedCost"]); err != nil {
			return err
		}
		r.rows = append(r.rows, row)
	}
	return nil
}

func (r *costRead) reading() *models.CostReading {
	out := &models.CostReading{Source: models.CostExplorer, Rows: r.rows}
	for day := r.piece.From; day.Before(r.piece.To); day = day.AddDate(0, 0, 1) {
		if estimated, answered := r.days[day]; answered {
			out.Days = append(out.Days, models.CostDayRead{Day: day, Estimated: estimated})
		}
	}
	return out
}

// alike is how far two cuts of the same money may be apart on a day.
var alike = decimal.New(1, -2)

// differences says on which days the two cuts do not come to the same: AWS has restated costs between two questions, or leaves some out.
func (r *costRead) differences() []models.ReadGap {
	sums := map[time.Time]decimal.Decimal{}
	for _, row := range r.rows {
		switch {
		case row.Cut == models.ByEnvironment:
			sums[row.Day] = sums[row.Day].Sub(row.Billed)
		case row.Category == models.Usage:
			sums[row.Day] = sums[row.Day].Add(row.Billed)
		}
	}
	var gaps []models.ReadGap
	for day := r.piece.From; day.Before(r.piece.To); day = day.AddDate(0, 0, 1) {
		if sum := sums[day]; sum.Abs().GreaterThan(alike) {
			gaps = append(gaps, models.ReadGap{What: "environments of " + day.Format("2 Jan 2006"), Kind: models.GapAbsent,
				Words: fmt.Sprintf("By environment, AWS names $%s less than by service. It is read again while the month is not final.", sum.StringFixed(2))})
		}
	}
	return gaps
}
