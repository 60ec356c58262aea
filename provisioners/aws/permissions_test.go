package aws

import (
	"context"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// unasked are calls that no role of the table needs a permission for: STS answers everybody who they are, and the hub's own role
// assumes the others, watches the stack set and keeps templates and heads (deploy/aws/hub.yaml; /admin/platform makes those calls).
var unasked = []string{"sts.GetCallerIdentity", "sts.AssumeRole", "cloudformation.ListStackInstances", "cloudformation.DescribeStackSet", "s3.PutObject", "s3.GetObject",
	"s3.HeadBucket", "s3.GetObjectLockConfiguration"}

// calls are the SDK operations of a row.
func (p permission) operations() []string {
	if p.calls != "" {
		return strings.Fields(p.calls)
	}
	service, op, _ := strings.Cut(p.action, ":")
	return []string{strings.ReplaceAll(service, "-", "") + "." + op}
}

// TestPermissionsCoverTheSource reads which SDK operations this package calls, and wants a row for each.
func TestPermissionsCoverTheSource(t *testing.T) {
	t.Parallel()
	covered, wanted := map[string]bool{}, map[string]bool{}
	for _, p := range permissions() {
		for _, op := range p.operations() {
			covered[op], wanted[op] = true, wanted[op] || p.only != "people"
		}
	}
	called := sourceCalls(t)
	if len(called) < 60 {
		t.Fatalf("only %d calls were found: %v", len(called), called)
	}
	for _, op := range called {
		if !covered[op] && !slices.Contains(unasked, op) {
			t.Errorf("%s is called and no row of permissions() says what it is needed for", op)
		}
	}
	for op, is := range wanted {
		if is && !slices.Contains(called, op) {
			t.Errorf("a row of permissions() names %s, which nothing calls", op)
		}
	}
}

var inputName = regexp.MustCompile(`^([A-Z][A-Za-z0-9]+)Input$`)

// sourceCalls finds every SDK.OperationInput literal outside of tests.
func sourceCalls(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		f, err := parser.ParseFile(gotoken.NewFileSet(), name, src, 0)
		if err != nil {
			t.Fatal(err)
		}
		sdks := map[string]string{} // name in the file to service
		for _, i := range f.Imports {
			path := strings.Trim(i.Path.Value, `"`)
			if service, ok := strings.CutPrefix(path, "github.com/aws/aws-sdk-go-v2/service/"); ok && !strings.Contains(service, "/") {
				as := service
				if i.Name != nil {
					as = i.Name.Name
				}
				sdks[as] = service
			}
		}
		ast.Inspect(f, func(n ast.Node) bool {
			s, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			pkg, ok := s.X.(*ast.Ident)
			if m := inputName.FindStringSubmatch(s.Sel.Name); ok && m != nil && sdks[pkg.Name] != "" {
				found[sdks[pkg.Name]+"."+m[1]] = true
			}
			return true
		})
	}
	return slices.Sorted(maps.Keys(found))
}

// sdkNames are the SDK's packages where the simulator's log has the IAM prefix.
var sdkNames = map[string]string{"elasticloadbalancing": "elasticloadbalancingv2", "tag": "resourcegroupstaggingapi", "ce": "costexplorer", "sso": "ssoadmin", "logs": "cloudwatchlogs"}

// covers holds the calls that Slipway's roles made in a simulated world against the table: each by the role that has the row.
func (w *world) covers() {
	conn, err := pgx.Connect(context.Background(), w.db)
	if err != nil {
		w.t.Errorf("look at the calls that were made: %v", err)
		return
	}
	defer conn.Close(context.Background())
	rows, err := conn.Query(context.Background(), `SELECT DISTINCT substring(principal FROM 'assumed-role/slipway-([a-z]+)/slw-'), service, op FROM calls WHERE principal LIKE '%assumed-role/slipway-%/slw-%'`)
	if err != nil {
		w.t.Error(err)
		return
	}
	defer rows.Close()
	for rows.Next() {
		var role, service, op string
		if err := rows.Scan(&role, &service, &op); err != nil {
			w.t.Error(err)
			return
		}
		if known := sdkNames[service]; known != "" {
			service = known
		}
		call := strings.ReplaceAll(service, "-", "") + "." + op
		if slices.Contains([]string{"sts.GetCallerIdentity", "sts.AssumeRole"}, call) {
			continue
		}
		if !slices.ContainsFunc(permissions(), func(p permission) bool { return p.role == role && slices.Contains(p.operations(), call) }) {
			w.t.Errorf("slipway-%s has called %s: permissions() has no row of that role for it", role, call)
		}
	}
}

// TestPermissionsAreGranted wants the templates to grant each row by a statement of their own, so that there is one to add back.
func TestPermissionsAreGranted(t *testing.T) {
	t.Parallel()
	c := (&world{t: t, url: "http://127.0.0.1:1"}).clients(asWorker, func(o *Options) {
		o.BaseDomain, o.DNSZoneID, o.ArtifactsBucket, o.OUSuspended = "apps.example.com", "Z0DEMOBASEDOMAIN0001", "artifacts", "ou-demo-suspend1"
	})
	i := installation{root: "r-demo", parameters: map[string]string{"OrganizationId": "o-demo123456", "HubAccountId": "222222222222", "ExternalId": externalID, "AllowedRegions": "eu-west-1,eu-central-1",
		"ArtifactsBucket": "artifacts"}}
	for role, where := range map[string]struct {
		text       []byte
		account    string
		parameters map[string]string
	}{readRole: {c.SetUp.Spoke, accountID, i.parameters}, deployRole: {c.SetUp.Spoke, accountID, i.parameters}, execRole: {c.SetUp.Spoke, accountID, i.parameters},
		orgRole: {c.SetUp.Org, "111111111111", i.platformParameters(c)}, dnsRole: {c.SetUp.DNS, "222222222222", i.platformParameters(c)}} {
		want, err := c.declare("the template", where.text, where.account, where.parameters)
		if err != nil {
			t.Fatal(err)
		}
		k := roleCheck{Clients: c, account: where.account, role: role, want: &want, rooted: true, fill: c.filler(i, where.account, role)}
		if len(k.rows()) == 0 {
			t.Errorf("%s has no rows", role)
		}
		for _, p := range k.rows() {
			if _, ok := want.roles[role].allows().granting(p.action, k.fill.Replace(p.resource), p.with); !ok {
				t.Errorf("no statement of slipway-%s grants %s on %s with %v", role, p.action, k.fill.Replace(p.resource), p.with)
			}
		}
	}
}
