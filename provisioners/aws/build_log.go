package aws

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"slipway/models"
)

// Bounds of a page of a build's log. AWS answers with at most a megabyte.
const (
	logEvents     = 500
	logLines      = 1000
	logLine       = 2000 // characters
	linesPerEvent = 20
	maxToken      = 1024
)

var (
	streamForm = regexp.MustCompile(`^[^:*\x00-\x1f]{1,512}$`)
	// escapes are what terminals take as commands: colours, movements, titles, links.
	escapes = regexp.MustCompile("\x1b(?:\\[[0-?]*[ -/]*[@-~]|[\\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\\\)?|[ -/]*[0-~])|[\u0080-\u009f]")
)

// BuildLog reads a part of the log of a pipeline's build, from where an earlier part ended. It is shown to people as it comes, so it is text
// and nothing else, and no build can make a page of it long.
func (c *Clients) BuildLog(ctx context.Context, p models.Pipeline, group, stream, next string) (models.LogPage, error) {
	own := p.Stack.Outputs["LogGroupName"]
	if own == "" || group != own || !streamForm.MatchString(stream) || len(next) > maxToken {
		return models.LogPage{}, models.Errorf(models.NotFound, "There is no such log.")
	}
	page := models.LogPage{Next: next, Link: c.logLink(p.Stack.Region, group, stream)}
	look := policy(statement{Action: []string{"logs:GetLogEvents"}, Resource: []string{fmt.Sprintf("arn:%s:logs:%s:%s:log-group:%s:*", c.partition, p.Stack.Region, p.Stack.Account, group)}})
	api := cloudwatchlogs.NewFromConfig(c.spoke(p.Stack.Account, p.Stack.Region, "read", look, who{job: pageJob}))
	out, err := api.GetLogEvents(ctx, &cloudwatchlogs.GetLogEventsInput{LogGroupName: &group, LogStreamName: &stream, NextToken: nonEmpty(next), StartFromHead: sdk.Bool(true), Limit: sdk.Int32(logEvents)})
	if is(err, "ResourceNotFoundException") { // a build that has not begun to write
		page.Whole = true
		return page, nil
	}
	if err != nil {
		g, ok := answerGap("the log", "CloudWatch Logs", err)
		if !ok {
			return page, err
		}
		page.Gap = &g
		return page, nil
	}
	page.Lines = linesOf(out.Events)
	token := sdk.ToString(out.NextForwardToken)
	page.Whole = token == "" || token == next
	if token != "" {
		page.Next = token
	}
	return page, nil
}

// linesOf makes lines of events. What does not fit is cut and says so; the link leads to all of it.
func linesOf(events []logtypes.OutputLogEvent) []models.LogLine {
	var all []models.LogLine
	for _, e := range events {
		at := time.UnixMilli(sdk.ToInt64(e.Timestamp)).UTC()
		rest, n := strings.TrimRight(sdk.ToString(e.Message), "\r\n"), 0
		for more := true; more; n++ {
			if n == linesPerEvent || len(all) == logLines {
				if len(all) > 0 {
					all[len(all)-1].Cut = true
				}
				break
			}
			var line string
			line, rest, more = strings.Cut(rest, "\n")
			text, cut := logText(line)
			all = append(all, models.LogLine{Number: len(all) + 1, At: at, Text: text, Cut: cut})
		}
	}
	return all
}

// logText is a line without what would act on a terminal or a page, and so long at most.
func logText(line string) (string, bool) {
	const most = 16 * logLine // bytes that are looked at
	cut := len(line) > most
	if cut {
		line = line[:most]
	}
	line = strings.TrimRight(line, "\r")
	if i := strings.LastIndexByte(line, '\r'); i >= 0 { // a progress bar: its last state counts
		line = line[i+1:]
	}
	line = escapes.ReplaceAllString(strings.ToValidUTF8(line, "\ufffd"), "")
	line = strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, line)
	if utf8.RuneCountInString(line) > logLine {
		return string([]rune(line)[:logLine]), true
	}
	return line, cut
}

// logLink is AWS's own page of a log. Its part behind the hash is escaped twice, with a dollar for the percent.
func (c *Clients) logLink(region, group, stream string) string {
	twice := func(s string) string {
		return strings.ReplaceAll(url.QueryEscape(url.QueryEscape(s)), "%", "$")
	}
	return fmt.Sprintf("%s/cloudwatch/home?region=%s#logsV2:log-groups/log-group/%s/log-events/%s", c.consoleOf(region), region, twice(group), twice(stream))
}
