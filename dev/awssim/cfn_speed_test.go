package awssim

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cfn "github.com/aws/aws-sdk-go-v2/service/cloudformation"
	cfntypes "github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/jackc/pgx/v5"

	"slipway/dev/postgres/pgtest"
)

// queryCount counts what a simulator asks of its database, those in batches too.
type queryCount struct{ n atomic.Int64 }

func (q *queryCount) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	q.n.Add(1)
	return ctx
}
func (q *queryCount) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}
func (q *queryCount) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	return ctx
}
func (q *queryCount) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) { q.n.Add(1) }
func (q *queryCount) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData)     {}

// largeTemplate is a stack of n topics, each standing on the one before it but two.
func largeTemplate(n int, value string) string {
	var b strings.Builder
	b.WriteString("Resources:\n")
	for i := range n {
		fmt.Fprintf(&b, "  T%d: {Type: AWS::SNS::Topic, Properties: {DisplayName: %s}", i, value)
		if i >= 3 {
			fmt.Fprintf(&b, ", DependsOn: T%d", i-3)
		}
		b.WriteString("}\n")
	}
	return b.String()
}

// TestQueriesPerCall keeps what a call costs apart from how large its stack is, and what an
// operation costs in proportion to it.
func TestQueriesPerCall(t *testing.T) {
	t.Parallel()
	const mostPerCall, mostPerResource = 14, 16
	q := &queryCount{}
	url, _ := pgtest.Database(t, freshWorld)
	s := newStackTest(t, openTraced(t, url, 1000, q))
	for _, size := range []int{60, 240} {
		name := aws.String(fmt.Sprintf("slw-%d", size))
		s.changeSet(*name, "one", largeTemplate(size, "a"), cfntypes.ChangeSetTypeCreate)
		q.n.Store(0)
		s.execute(*name, "one")
		if n := q.n.Load(); n > int64(size+2*mostPerCall) {
			t.Errorf("to begin with %d resources took %d queries", size, n)
		}
		q.n.Store(0)
		calls := 0
		eventually(t, "the stack is complete", func() bool { calls++; return s.stack(*name).StackStatus == "CREATE_COMPLETE" })
		if n := q.n.Load(); n > int64(size*mostPerResource+calls*mostPerCall) {
			t.Errorf("%d resources took %d queries in %d calls", size, n, calls)
		}
		for what, call := range map[string]func(context.Context) error{
			"DescribeStacks": func(ctx context.Context) error {
				_, err := s.cfn.DescribeStacks(ctx, &cfn.DescribeStacksInput{StackName: name})
				return err
			},
			"DescribeStackEvents": func(ctx context.Context) error {
				_, err := s.cfn.DescribeStackEvents(ctx, &cfn.DescribeStackEventsInput{StackName: name})
				return err
			},
			"DescribeEvents": func(ctx context.Context) error {
				_, err := s.cfn.DescribeEvents(ctx, &cfn.DescribeEventsInput{StackName: name, Filters: &cfntypes.EventFilter{FailedEvents: aws.Bool(true)}})
				return err
			},
			"ListStackResources": func(ctx context.Context) error {
				_, err := s.cfn.ListStackResources(ctx, &cfn.ListStackResourcesInput{StackName: name})
				return err
			},
			"DescribeChangeSet": func(ctx context.Context) error {
				_, err := s.cfn.DescribeChangeSet(ctx, &cfn.DescribeChangeSetInput{StackName: name, ChangeSetName: aws.String("one"), IncludePropertyValues: aws.Bool(true)})
				return err
			},
		} {
			q.n.Store(0)
			if err := call(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := q.n.Load(); n > mostPerCall || n == 0 {
				t.Errorf("%s of %d resources took %d queries, more than %d", what, size, n, mostPerCall)
			}
		}
		s.want(*name, "CREATE_COMPLETE")
	}
}
