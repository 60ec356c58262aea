package aws

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"slipway/models"
)

// wire is an address that answers calls as a test says, to see what goes over the line.
type wire struct {
	*httptest.Server
	mu     sync.Mutex
	asked  []string // operations in order
	agents []string
	bodies []string
	hosts  []string
}

func newWire(t *testing.T, answer func(n int, op string, w http.ResponseWriter, r *http.Request)) *wire {
	t.Helper()
	w := &wire{}
	w.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("read request: %v", err)
		}
		op := r.Header.Get("X-Amz-Target")
		if strings.Contains(string(body), "Action=AssumeRole") {
			op = "AssumeRole"
		}
		w.mu.Lock()
		w.asked, w.agents, w.bodies, w.hosts = append(w.asked, op), append(w.agents, r.UserAgent()), append(w.bodies, string(body)), append(w.hosts, r.Host)
		n := 0
		for _, a := range w.asked {
			if a == op {
				n++
			}
		}
		w.mu.Unlock()
		if op == "AssumeRole" {
			fmt.Fprintf(rw, `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>ASIA%d</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>%s</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
				n, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
			return
		}
		answer(n, op, rw, r)
	}))
	t.Cleanup(w.Close)
	return w
}

func (w *wire) count(op string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, a := range w.asked {
		if strings.Contains(a, op) {
			n++
		}
	}
	return n
}

func clientsAt(t *testing.T, url string, change func(*Options)) *Clients {
	t.Helper()
	o := Options{Endpoint: url, Region: "eu-west-1", Regions: []string{"eu-west-1", "eu-central-1"}, ExternalID: "slipway-demo-external-id",
		OrgRoleARN: "arn:aws:iam::111111111111:role/slipway/platform/slipway-org", Credentials: credentials.NewStaticCredentialsProvider("AKIASIMHUBWORKER0001", "s", ""),
		OUs: map[models.Class]string{models.NonProd: "ou-demo-nonprod01", models.Prod: "ou-demo-prod0001"}, Version: "1.2 3", Pace: 10000, Clock: &models.ShiftedClock{}}
	if change != nil {
		change(&o)
	}
	c, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *Clients) describe(ctx context.Context, w who) error {
	_, err := organizationsClient(c.org(w, lookAtOrganization)).DescribeOrganization(ctx, &organizations.DescribeOrganizationInput{})
	return err
}

func TestSessionsAreNeverShared(t *testing.T) {
	w := newWire(t, func(_ int, _ string, rw http.ResponseWriter, _ *http.Request) { fmt.Fprint(rw, `{}`) })
	c := clientsAt(t, w.URL, nil)
	for _, who := range []who{{person: "p1", job: "r1"}, {person: "p1", job: "r1"}, {person: "p2", job: "r1"}, {person: "p1", job: "r2"},
		{person: "p1", job: "r1", purpose: planCleanup}, {person: "p1", job: "r1", approve: true}} {
		if err := c.describe(t.Context(), who); err != nil {
			t.Fatal(err)
		}
	}
	if n := w.count("AssumeRole"); n != 5 {
		t.Errorf("%d sessions were opened, want 5", n)
	}
	first := w.bodies[0]
	for _, want := range []string{"ExternalId=slipway-demo-external-id", "SourceIdentity=p1", "RoleSessionName=slw-r1", "Tags.member.1.Key=slipway%3Aaccount", "Tags.member.1.Value=111111111111",
		"Tags.member.2.Key=slipway%3Arun", "Policy=%7B"} {
		if !strings.Contains(first, want) {
			t.Errorf("%q is not in %s", want, first)
		}
	}
	if !strings.Contains(w.agents[0], "slipway/1.2-3") {
		t.Errorf("user agent %q", w.agents[0])
	}
}

func TestNamesForSTS(t *testing.T) {
	for in, want := range map[string]string{"": "slipway", "x": "slipway", "aws:root": "slipway", "Zoë Ü|1": "Zo-----1", "0192f0a0-1111-7000-8000-000000000001": "0192f0a0-1111-7000-8000-000000000001",
		strings.Repeat("a", 90): strings.Repeat("a", 64)} {
		if got := sourceIdentity(in); got != want && !(in == "aws:root" && got == "aws-root") && !(strings.HasPrefix(in, "Zo") && len(got) <= 64 && !strings.ContainsAny(got, " |ëÜ")) {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
	if got := sessionName(strings.Repeat("b", 90)); len(got) != 64 {
		t.Errorf("session name %q", got)
	}
}

func TestExpiredTokenIsRenewedOnce(t *testing.T) {
	w := newWire(t, func(n int, _ string, rw http.ResponseWriter, _ *http.Request) {
		if n == 1 {
			rw.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(rw, `{"__type":"ExpiredTokenException","message":"expired"}`)
			return
		}
		fmt.Fprint(rw, `{}`)
	})
	c := clientsAt(t, w.URL, nil)
	if err := c.describe(t.Context(), who{person: "p1", job: "r1"}); err != nil {
		t.Fatal(err)
	}
	if a, d := w.count("AssumeRole"), w.count("DescribeOrganization"); a != 2 || d != 2 {
		t.Errorf("%d sessions, %d calls", a, d)
	}
}

func TestRetriesAreBoundedAndCounted(t *testing.T) {
	w := newWire(t, func(_ int, _ string, rw http.ResponseWriter, _ *http.Request) {
		rw.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(rw, `{"__type":"TooManyRequestsException","Type":"X","Message":"slow down"}`)
	})
	reg := prometheus.NewRegistry()
	c := clientsAt(t, w.URL, func(o *Options) { o.Meter = reg })
	err := c.describe(t.Context(), who{person: "p1"})
	var e *CallError
	if !errors.As(err, &e) || e.Code != "TooManyRequestsException" || e.Op != "DescribeOrganization" || e.verdict(false) != retry {
		t.Fatalf("got %v", err)
	}
	if n := w.count("DescribeOrganization"); n != 3 {
		t.Errorf("%d attempts", n)
	}
	if got := testutil.ToFloat64(c.metrics.throttles.WithLabelValues("111111111111", "Organizations", "DescribeOrganization")); got != 3 {
		t.Errorf("%v throttles were counted", got)
	}
	for range 2 { // with AssumeRole; what could not be written down is there again
		counts := c.TakeCalls()
		i := slices.IndexFunc(counts, func(n models.AccountCalls) bool { return n.Account == "111111111111" })
		if i < 0 || counts[i].Calls != 4 || counts[i].Throttles != 3 {
			t.Errorf("counted for every replica: %+v", counts)
		}
		if again := c.TakeCalls(); len(again) != 0 {
			t.Errorf("counted twice: %+v", again)
		}
		c.ReturnCalls(counts)
	}
}

func TestCallsOfTooManyAccountsAreOne(t *testing.T) {
	var n callCounts
	for i := range maxAccountLabels + 50 {
		n.called(fmt.Sprintf("%012d", i), i%2 == 0)
		n.called(fmt.Sprintf("%012d", i), false)
	}
	if other := n.counts["other"]; len(n.counts) != maxAccountLabels+1 || other.Calls != 100 || other.Throttles != 25 {
		t.Errorf("%d accounts are told apart, others %+v", len(n.counts), other)
	}
}

func TestCreationsGoOutOnce(t *testing.T) {
	w := newWire(t, func(_ int, op string, rw http.ResponseWriter, _ *http.Request) {
		conn, _, err := rw.(http.Hijacker).Hijack()
		if err != nil {
			t.Errorf("hijack: %v", err)
			return
		}
		if err := conn.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	c := clientsAt(t, w.URL, nil)
	_, err := Vendor{Clients: c}.Start(t.Context(), vendingOf("a1"))
	var e *CallError
	if !errors.As(err, &e) || e.Code != "" || e.verdict(false) != retry {
		t.Fatalf("got %v", err)
	}
	if n := w.count("CreateAccount"); n != 1 {
		t.Errorf("CreateAccount went out %d times", n)
	}
}

func TestCallsHaveADeadline(t *testing.T) {
	done := make(chan struct{})
	w := newWire(t, func(_ int, _ string, _ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-done:
		}
	})
	defer close(done)
	c := clientsAt(t, w.URL, func(o *Options) { o.Timeout = 50 * time.Millisecond })
	began := time.Now()
	err := c.describe(t.Context(), who{person: "p1"})
	var e *CallError
	if !errors.As(err, &e) || e.Code != "" || !strings.Contains(e.Describe().Cause, "no answer in time") {
		t.Fatalf("got %v: %+v", err, e)
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("it took %s", took)
	}
}

func TestRateLimitPerAccount(t *testing.T) {
	l := newLimits(0.001) // slowly, so that no bucket fills up again meanwhile
	for range burst {
		if err := l.take(t.Context(), "111111111111", "eu-west-1", "Organizations", "MoveAccount"); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := l.take(ctx, "111111111111", "eu-west-1", "Organizations", "MoveAccount"); err == nil {
		t.Error("a third write in a row went out at once")
	}
	for _, other := range [][3]string{{"222222222222", "eu-west-1", "MoveAccount"}, {"111111111111", "eu-central-1", "MoveAccount"}, {"111111111111", "eu-west-1", "ListRoots"}} {
		if err := l.take(t.Context(), other[0], other[1], "Organizations", other[2]); err != nil {
			t.Errorf("%v waits for another's bucket: %v", other, err)
		}
	}
}

func TestAccountInHostNameStaysAtTheEndpoint(t *testing.T) {
	w := newWire(t, func(_ int, _ string, rw http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(rw, `<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>`)
	})
	c := clientsAt(t, w.URL, nil)
	out, err := s3control.NewFromConfig(c.spoke("333333333333", "eu-west-1", "deploy", setAccessBlock, who{person: "p1"})).GetPublicAccessBlock(t.Context(),
		&s3control.GetPublicAccessBlockInput{AccountId: sdk.String("333333333333")})
	if err != nil || !sdk.ToBool(out.PublicAccessBlockConfiguration.BlockPublicAcls) {
		t.Fatalf("got %+v, %v", out, err)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"no clock":       func(o *Options) { o.Clock = nil },
		"no external id": func(o *Options) { o.ExternalID = "" },
		"no role":        func(o *Options) { o.OrgRoleARN = "slipway-org" },
		"bad endpoint":   func(o *Options) { o.Endpoint = "localhost:4577" },
	} {
		o := Options{Endpoint: "http://127.0.0.1:1", Region: "eu-west-1", ExternalID: "x", OrgRoleARN: "arn:aws:iam::111111111111:role/r", Clock: &models.ShiftedClock{}}
		change(&o)
		if _, err := New(t.Context(), o); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func TestSessionPoliciesFit(t *testing.T) {
	c := clientsAt(t, "http://127.0.0.1:1", nil)
	for name, p := range map[string]string{"look": lookAtOrganization, "create": createAccounts, "move": moveAccounts, "contacts": setContacts, "identity": identity, "ebs": setEncryption,
		"s3": setAccessBlock, "password": setPasswords, "budget": c.setBudget(budgetName("a-tenant-of-20-chars")), "stack": c.deployStack("333333333333", "ap-southeast-1", "slw-a-tenant-of-20-chars-baseline")} {
		if len(p) > policyLength || strings.Contains(p, `"Deny"`) {
			t.Errorf("%s: %s", name, p)
		}
	}
	if p := policy(statement{Action: []string{strings.Repeat("x", policyLength)}}); !strings.Contains(p, `"Deny"`) {
		t.Error("a policy that does not fit allows something")
	}
}
