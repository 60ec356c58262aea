package aws

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"slipway/models"
	"slipway/provisioners"
)

// verdict is what an error of AWS means for the step that met it.
type verdict int

// The verdicts. There is no other place that decides them.
const (
	retry verdict = iota // passes by itself: try again with back-off, counted
	wait                 // AWS is not ready yet: ask again later, not counted, until a limit
	final                // no repetition cures it
)

// CallError is one AWS call that did not work, with what a person needs to look it up.
type CallError struct {
	Service, Op string
	Account     string // account it was made in, or about
	Region      string
	Code        string // AWS's error code; empty when no answer came
	Reason      string // Organizations' own closer word
	Message     string
	RequestID   string
	Status      int
	Err         error
}

// Error is for the log and the run's log: no secret is ever in an AWS error.
func (e *CallError) Error() string {
	if e.Code == "" {
		return fmt.Sprintf("%s %s in account %s: no answer: %v", e.Service, e.Op, e.Account, innermost(e.Err))
	}
	return fmt.Sprintf("%s %s in account %s: %s: %s", e.Service, e.Op, e.Account, e.Code, e.Message)
}

// innermost is what really happened, without what the layers above say of it.
func innermost(err error) error {
	for next := err; next != nil; next = errors.Unwrap(next) {
		err = next
	}
	return err
}

// Unwrap gives the SDK's own error.
func (e *CallError) Unwrap() error { return e.Err }

// Describe is what a person reads when the tries are used up.
func (e *CallError) Describe() models.Failure {
	m := e.meaning()
	return models.Failure{What: e.fill(m.what), Cause: e.cause(), Code: e.Code, RequestID: e.RequestID, Owner: m.owner, Next: e.fill(m.next)}
}

func (e *CallError) cause() string {
	said := e.Message
	switch {
	case e.Code == "" && errors.Is(e.Err, context.DeadlineExceeded):
		said = "no answer in time"
	case e.Code == "":
		said = "the connection was lost before an answer came"
	}
	return fmt.Sprintf("%s %s in account %s: %s.", e.Service, e.Op, e.Account, strings.TrimRight(clip(said, 400), ". "))
}

// fill puts the call's own words into a sentence of the table.
func (e *CallError) fill(s string) string {
	return strings.NewReplacer("{action}", e.action(), "{account}", e.Account, "{region}", e.Region, "{role}", e.role()).Replace(s)
}

var (
	notAuthorized = regexp.MustCompile(`not authorized to perform: ([A-Za-z0-9-]+:[A-Za-z0-9*]+)`)
	assumedRole   = regexp.MustCompile(`assumed-role/([A-Za-z0-9+=,.@_-]+)/`)
)

// action is the permission that AWS says is missing, or else the call.
func (e *CallError) action() string {
	if m := notAuthorized.FindStringSubmatch(e.Message); m != nil {
		return m[1]
	}
	return strings.ToLower(e.Service) + ":" + e.Op
}

func (e *CallError) role() string {
	if m := assumedRole.FindStringSubmatch(e.Message); m != nil {
		return m[1]
	}
	return "the role Slipway works with"
}

func (e *CallError) meaning() meaning {
	if m, ok := reasons[e.Reason]; ok && e.Reason != "" {
		return m
	}
	if m, ok := codes[e.Code]; ok {
		return m
	}
	switch {
	case e.Code == "":
		return noAnswer
	case e.Status >= 500:
		return brokenAWS
	}
	return refused
}

// verdict classifies the error. fresh says that the account or role it met is so new that AWS may not know it everywhere yet.
func (e *CallError) verdict(fresh bool) verdict {
	m := e.meaning()
	if m.fresh {
		if fresh && !strings.Contains(e.Message, "explicit deny") {
			return wait
		}
		return final
	}
	return m.verdict
}

// is tells whether err is an AWS error with one of the codes.
func is(err error, codes ...string) bool {
	var e *CallError
	if !errors.As(err, &e) {
		return false
	}
	for _, c := range codes {
		if e.Code == c {
			return true
		}
	}
	return false
}

// waitLimit is how long one step of one attempt waits for what AWS is not ready for.
const waitLimit = 30 * time.Minute

// judge turns an error of a call into what the engine understands: a Wait, a Final, or itself to be tried again.
func judge(err error, waited time.Duration, fresh bool) error {
	var e *CallError
	if err == nil || !errors.As(err, &e) {
		return err
	}
	m := e.meaning()
	switch v := e.verdict(fresh); {
	case v == final:
		return provisioners.Final{Failure: e.Describe(), Err: err}
	case v == wait && waited > max(waitLimit, m.limit):
		f := e.Describe()
		f.Cause = fmt.Sprintf("%s Slipway has waited for it for %s.", f.Cause, waited.Round(time.Second))
		return provisioners.Final{Failure: f, Err: err}
	case v == wait:
		return provisioners.Wait{For: "AWS", Words: e.fill(m.while), Delay: m.delay}
	}
	return e // without the SDK's words around it
}

// callError reads the SDK's error into our own; nil stays nil.
func callError(err error, service, op, account, region string) error {
	if err == nil {
		return nil
	}
	e := &CallError{Service: service, Op: op, Account: account, Region: region, Err: err}
	var nested *CallError
	if errors.As(err, &nested) {
		return err // assuming the role was refused: that call says more
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		e.Code, e.Message = api.ErrorCode(), api.ErrorMessage()
	}
	var res *awshttp.ResponseError
	if errors.As(err, &res) {
		e.RequestID, e.Status = res.ServiceRequestID(), res.HTTPStatusCode()
	}
	e.Reason = reasonOf(err)
	if e.Code == "" && e.Status >= 400 {
		e.Code, e.Message = fmt.Sprintf("HTTP%d", e.Status), "an answer that is no AWS error"
	}
	return e
}

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "…"
	}
	return s
}
