package aws

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	orgtypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"slipway/provisioners"
)

// answered is an error as the SDK gives it: AWS answered with a status, a request id and an error.
func answered(status int, api error) error {
	return &awshttp.ResponseError{RequestID: "req-1", ResponseError: &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status}}, Err: api}}
}

func generic(code, message string) error {
	return &smithy.GenericAPIError{Code: code, Message: message}
}

func TestJudge(t *testing.T) {
	const denial = "User: arn:aws:sts::222222222222:assumed-role/slipway-org/slw-1 is not authorized to perform: organizations:MoveAccount on resource: x because no identity-based policy allows it"
	ask := func(s string) *string { return &s }
	for name, tc := range map[string]struct {
		err    error
		waited time.Duration
		fresh  bool
		want   verdict
		says   string // in the failure or the words of the wait
	}{
		"throttled":                       {err: answered(400, generic("ThrottlingException", "Rate exceeded")), want: retry},
		"throttled, cloudformation":       {err: answered(400, generic("Throttling", "Rate exceeded")), want: retry},
		"throttled, organizations":        {err: answered(400, &orgtypes.TooManyRequestsException{Message: ask("slow")}), want: retry},
		"5xx with a code":                 {err: answered(500, generic("InternalFailure", "oops")), want: retry},
		"5xx with an unknown code":        {err: answered(503, generic("SomethingNew", "oops")), want: retry},
		"5xx without AWS's own words":     {err: answered(502, errors.New("bad gateway")), want: retry},
		"no answer":                       {err: errors.New("read: connection reset by peer"), want: retry},
		"deadline":                        {err: fmt.Errorf("send: %w", context.DeadlineExceeded), want: retry},
		"session ended":                   {err: answered(403, generic("ExpiredToken", "expired")), want: retry},
		"denied for good":                 {err: answered(400, generic("AccessDeniedException", denial)), want: final, says: "Slipway may not do organizations:MoveAccount in account 111111111111."},
		"denied while fresh":              {err: answered(400, generic("AccessDenied", denial)), fresh: true, want: wait, says: "roles everywhere"},
		"denied explicitly while fresh":   {err: answered(403, generic("AccessDenied", "... with an explicit deny in a service control policy")), fresh: true, want: final},
		"not switched on while fresh":     {err: answered(403, generic("OptInRequired", "not subscribed")), fresh: true, want: wait, says: "switch on"},
		"not switched on for good":        {err: answered(403, generic("SubscriptionRequiredException", "not subscribed")), want: final},
		"unknown key while fresh":         {err: answered(403, generic("InvalidClientTokenId", "no")), fresh: true, want: wait},
		"unknown key for good":            {err: answered(403, generic("InvalidClientTokenId", "no")), want: final},
		"another change":                  {err: answered(400, &orgtypes.ConcurrentModificationException{}), want: wait, says: "another change"},
		"another change for too long":     {err: answered(400, &orgtypes.ConcurrentModificationException{}), waited: 31 * time.Minute, want: final, says: "waited for it for 31m0s"},
		"organization set up":             {err: answered(400, &orgtypes.FinalizingOrganizationException{}), waited: time.Hour, want: wait, says: "can take an hour"},
		"organization not set up":         {err: answered(400, &orgtypes.FinalizingOrganizationException{}), waited: 3 * time.Hour, want: final},
		"too many accounts":               {err: answered(400, &orgtypes.ConstraintViolationException{Reason: orgtypes.ConstraintViolationExceptionReasonAccountNumberLimitExceeded}), want: final, says: "may not have any more accounts"},
		"accounts too fast":               {err: answered(400, &orgtypes.ConstraintViolationException{Reason: orgtypes.ConstraintViolationExceptionReasonAccountCreationRateLimitExceeded}), want: wait},
		"some other limit":                {err: answered(400, &orgtypes.ConstraintViolationException{}), want: final, says: "A limit of AWS is reached."},
		"validation":                      {err: answered(400, generic("ValidationError", "Template error")), want: final, says: "did not accept"},
		"a code nobody has seen":          {err: answered(400, generic("BrandNewException", "hm")), want: final, says: "AWS refused the call."},
		"an operation that does not exit": {err: answered(400, generic("UnknownOperationException", "hm")), want: final},
	} {
		t.Run(name, func(t *testing.T) {
			err := judge(callError(tc.err, "Organizations", "MoveAccount", "111111111111", "eu-west-1"), tc.waited, tc.fresh)
			var w provisioners.Wait
			var f provisioners.Final
			got, words := retry, ""
			switch {
			case errors.As(err, &w):
				got, words = wait, w.Words
				if w.Words == "" {
					t.Errorf("waits for nothing: %+v", w)
				}
			case errors.As(err, &f):
				got, words = final, f.Failure.What+f.Failure.Cause
				if f.Failure.Owner == "" || f.Failure.Next == "" || strings.Contains(f.Failure.Next+f.Failure.What, "{") {
					t.Errorf("nobody knows what to do: %+v", f.Failure)
				}
			}
			if got != tc.want || !strings.Contains(words, tc.says) {
				t.Errorf("got %d %q, want %d %q", got, words, tc.want, tc.says)
			}
		})
	}
}

func TestFailureNamesTheMissingPermission(t *testing.T) {
	err := judge(callError(answered(400, generic("AccessDeniedException", "User: arn:aws:sts::111111111111:assumed-role/slipway-org/slw-x is not authorized to perform: organizations:MoveAccount on resource: y")),
		"Organizations", "MoveAccount", "111111111111", "eu-west-1"), 0, false)
	f, ok := isFinal(err)
	if !ok {
		t.Fatalf("got %v", err)
	}
	if f.Failure.Code != "AccessDeniedException" || f.Failure.RequestID != "req-1" || f.Failure.Owner != platform ||
		!strings.Contains(f.Failure.Next, "Allow organizations:MoveAccount to slipway-org") || !strings.Contains(f.Failure.Cause, "is not authorized") {
		t.Errorf("got %+v", f.Failure)
	}
}

// TestTableIsComplete walks every row: whatever AWS says, a person reads what happened, who acts and what to do.
func TestTableIsComplete(t *testing.T) {
	rows := map[string]meaning{"no answer": noAnswer, "5xx": brokenAWS, "4xx": refused}
	for code, m := range codes {
		rows[code] = m
	}
	for reason, m := range reasons {
		rows[reason] = m
	}
	for reason, m := range creationFailures {
		rows["creation "+string(reason)] = m
	}
	for _, reason := range orgtypes.CreateAccountFailureReason("").Values() {
		if _, ok := creationFailures[reason]; !ok && !strings.Contains(string(reason), "GOVCLOUD") && !strings.Contains(string(reason), "INVALID_IDENTITY") {
			t.Errorf("nothing is said about a creation that failed with %s", reason)
		}
	}
	for name, m := range rows {
		if m.what == "" || m.owner == "" || m.next == "" || (m.verdict == wait || m.fresh) && m.while == "" {
			t.Errorf("%s: %+v", name, m)
		}
	}
}
