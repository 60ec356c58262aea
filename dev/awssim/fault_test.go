package awssim

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/budgets"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	orgtypes "github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// admin calls the admin API and decodes its answer.
func (w *world) admin(t *testing.T, method, path string, body, into any) int {
	t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, w.url+"/_slipway"+path, bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	res, err := browser.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if into != nil {
		if err := json.NewDecoder(res.Body).Decode(into); err != nil {
			t.Fatalf("%s %s: %v", method, path, err)
		}
	}
	return res.StatusCode
}

func TestRules(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	ctx := t.Context()
	org := organizations.NewFromConfig(w.as(asAdmin))
	ask := func() error { _, err := org.ListRoots(ctx, nil); return err }

	for action, want := range map[string]string{throttle: "TooManyRequestsException", error500: "ServiceException", accessDenied: "AccessDeniedException"} {
		if got := w.admin(t, "POST", "/rules", rule{Service: "organizations", Op: "ListRoots", Action: action, Nth: 2, Times: 1}, nil); got != http.StatusCreated {
			t.Fatalf("rule %s: %d", action, got)
		}
		for i, expect := range []string{"", want, ""} {
			if got := code(ask()); got != expect {
				t.Errorf("%s, call %d: got %q, want %q", action, i+1, got, expect)
			}
		}
	}
	var all []rule
	w.admin(t, "GET", "/rules", nil, &all)
	if len(all) != 3 || all[0].Fired != 1 || all[0].Seen != 2 {
		t.Errorf("rules: %+v", all)
	}
	if got := w.admin(t, "DELETE", "/rules", nil, nil); got != http.StatusNoContent {
		t.Errorf("clear: %d", got)
	}
	for _, bad := range []rule{{Action: "explode"}, {Action: delayed}, {Action: createFailed}, {Action: throttle, Probability: 2}, {Action: constraint, Service: "organizations"}} {
		if got := w.admin(t, "POST", "/rules", bad, nil); got != http.StatusBadRequest {
			t.Errorf("rule %+v: %d", bad, got)
		}
	}
	w.admin(t, "POST", "/rules", rule{Op: "ListRoots", Action: delayed, DelayMS: 60, Times: 1}, nil)
	start := time.Now()
	if err := ask(); err != nil || time.Since(start) < 60*time.Millisecond {
		t.Errorf("delay: %v after %v", err, time.Since(start))
	}
	w.admin(t, "POST", "/rules", rule{Op: "ListRoots", Action: timeout, DelayMS: 10, Times: 1}, nil)
	if err := ask(); err == nil || code(err) == "" || !strings.Contains(code(err), "not an API error") {
		t.Errorf("timeout: %v", err)
	}
}

// TestDropAfterCommit is the fault that finds doubled creations: the account is made, the
// caller never hears of it.
func TestDropAfterCommit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 20)
	ctx := t.Context()
	org := organizations.NewFromConfig(w.as(asAdmin))
	w.admin(t, "POST", "/rules", rule{Service: "organizations", Op: "CreateAccount", Match: "lost@example.com", Action: dropAfterCommit, Times: 1}, nil)
	_, err := org.CreateAccount(ctx, &organizations.CreateAccountInput{AccountName: aws.String("lost"), Email: aws.String("lost@example.com")})
	if err == nil {
		t.Fatal("the reply arrived")
	}
	out, err := org.ListCreateAccountStatus(ctx, &organizations.ListCreateAccountStatusInput{States: []orgtypes.CreateAccountState{"IN_PROGRESS", "SUCCEEDED"}})
	if err != nil || len(out.CreateAccountStatuses) != 1 || *out.CreateAccountStatuses[0].AccountName != "lost" {
		t.Fatalf("creations: %+v, %v", out, err)
	}
	waitForAccount(t, org, *out.CreateAccountStatuses[0].Id)
	var calls []call
	w.admin(t, "GET", "/calls?service=organizations&op=CreateAccount", nil, &calls)
	if len(calls) != 1 || !calls[0].Dropped || calls[0].ErrorCode != "" || calls[0].Account != demoManagement {
		t.Errorf("calls: %+v", calls)
	}
	var dump struct {
		Accounts []struct{ Email string } `json:"accounts"`
		Stacks   []struct{ Account, Name, Status string }
	}
	w.admin(t, "GET", "/world", nil, &dump)
	if len(dump.Stacks) != 3 || dump.Stacks[0].Name != "slipway-org" || dump.Stacks[0].Status != "CREATE_COMPLETE" {
		t.Errorf("stacks: %+v", dump.Stacks)
	}
	if n := len(dump.Accounts); n != 8 || dump.Accounts[7].Email != "lost@example.com" {
		t.Errorf("world: %+v", dump)
	}
}

func TestAccountCreationFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 500)
	org := organizations.NewFromConfig(w.as(asAdmin))
	w.admin(t, "POST", "/rules", rule{Action: createFailed, LogicalID: "CreateAccount", Match: "unlucky", Reason: "MISSING_PAYMENT_INSTRUMENT", Times: 1}, nil)
	out, err := org.CreateAccount(t.Context(), &organizations.CreateAccountInput{AccountName: aws.String("unlucky"), Email: aws.String("u1@example.com")})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the creation fails", func() bool {
		s, err := org.DescribeCreateAccountStatus(t.Context(), &organizations.DescribeCreateAccountStatusInput{CreateAccountRequestId: out.CreateAccountStatus.Id})
		return err == nil && s.CreateAccountStatus.FailureReason == orgtypes.CreateAccountFailureReasonMissingPaymentInstrument
	})
}

func TestProbabilityRepeats(t *testing.T) {
	r := rule{ID: 7, Nth: 1, Probability: 0.1, Seed: 42}
	fired := 0
	for n := range 10000 {
		r.Seen = int64(n)
		if r.due() {
			fired++
		}
	}
	if fired < 850 || fired > 1150 {
		t.Errorf("fired %d of 10000 at probability 0.1", fired)
	}
}

// TestRestart opens the same world twice: a restart loses nothing, and is seeded once.
func TestRestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 20)
	b := budgets.NewFromConfig(w.as(asAdmin))
	if _, err := b.CreateBudget(t.Context(), budgetInput("before", "10")); err != nil {
		t.Fatal(err)
	}
	again := openWorld(t, w.database, 20)
	got, err := budgets.NewFromConfig(again.as(asAdmin)).DescribeBudget(t.Context(), &budgets.DescribeBudgetInput{AccountId: aws.String(demoManagement), BudgetName: aws.String("before")})
	if err != nil || *got.Budget.BudgetLimit.Amount != "10" {
		t.Errorf("after the restart: %+v, %v", got, err)
	}
	if n := count(t, again, `SELECT count(*) FROM accounts`); n != 7 {
		t.Errorf("%d accounts after the restart", n)
	}
}

func TestAdminPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	if _, err := sts.NewFromConfig(w.as(asAdmin)).GetCallerIdentity(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	page := w.url + "/_slipway/"
	res, err := http.PostForm(page, url.Values{"action": {"throttle"}, "service": {"<sts>"}, "nth": {"1"}, "times": {"1"}, "probability": {"1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"&lt;sts&gt;", "GetCallerIdentity", "Log archive", "throttle"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the page lacks %q (%d, %s)", want, res.StatusCode, res.Request.URL)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), "POST", page, strings.NewReader("action=throttle"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	foreign, err := browser.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if err := foreign.Body.Close(); err != nil || foreign.StatusCode != http.StatusForbidden {
		t.Errorf("from another site: %d, %v", foreign.StatusCode, err)
	}
}

func TestListenOnLoopbackOnly(t *testing.T) {
	for addr, ok := range map[string]bool{"127.0.0.1:0": true, "localhost:0": true, "[::1]:0": true, "0.0.0.0:0": false, ":0": false, "10.0.0.1:0": false, "example.com:80": false} {
		l, err := Listen(context.Background(), addr)
		if l != nil {
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		}
		if ok != (err == nil) && !strings.Contains(addr, "::1") {
			t.Errorf("%s: %v", addr, err)
		}
	}
}

func TestAdminAsksForLocalhost(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	req, err := http.NewRequestWithContext(t.Context(), "GET", w.url+"/_slipway/world", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "evil.example.com"
	res, err := browser.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if err := res.Body.Close(); err != nil || res.StatusCode != http.StatusForbidden {
		t.Errorf("%d, %v", res.StatusCode, err)
	}
}
