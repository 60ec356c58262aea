package awssim

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/smithy-go"
)

// module finds the folder of an SDK service module, whose own tests left snapshots there.
func module(t *testing.T, service string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/aws/aws-sdk-go-v2/service/"+service).Output()
	if err != nil {
		t.Fatalf("find module of %s: %v", service, err)
	}
	return strings.TrimSpace(string(out))
}

// snapshot reads a request that the SDK itself serialised: request line, headers, body.
func snapshot(t *testing.T, path string) (*http.Request, []byte) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	line, rest, ok := strings.Cut(string(raw), "\n")
	method, target, ok2 := strings.Cut(line, " ")
	if !ok || !ok2 {
		t.Fatalf("%s: no request line", path)
	}
	head, body, _ := strings.Cut(strings.TrimPrefix(rest, "\n"), "\n\n")
	r, err := http.NewRequestWithContext(t.Context(), method, "http://sim"+target, nil)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	lines := bufio.NewScanner(strings.NewReader(head))
	for lines.Scan() {
		if name, value, ok := strings.Cut(lines.Text(), ": "); ok {
			r.Header.Set(name, value)
		}
	}
	return r, []byte(body)
}

// refusedUnions are the members that are unions or documents, which the decoder does not read.
var refusedUnions = map[string]string{"SimulatePrincipalPolicy": "PolicyExclusionList"}

// TestRequestSnapshots decodes what the SDK's own tests recorded, for every operation the
// simulator has: no member may be unknown, and none may get lost.
func TestRequestSnapshots(t *testing.T) {
	t.Parallel()
	s := &Sim{services: services()}
	byService := map[string][]operation{}
	for _, op := range operations() {
		byService[op.service] = append(byService[op.service], op)
	}
	// s3 snapshots bind every header there is; the few that are kept are tested by its client.
	for _, name := range []string{"sts", "iam", "cloudformation", "ec2", "organizations", "servicequotas", "acm", "cloudwatch", "ecr", "ecs", "elasticloadbalancing", "kms", "route53", "secretsmanager", "tag", "sso", "identitystore", "logs"} {
		dir := filepath.Join(module(t, moduleOf(name)), "request_snapshot")
		for _, op := range byService[name] {
			t.Run(name+"/"+op.name, func(t *testing.T) {
				r, body := snapshot(t, filepath.Join(dir, op.name+".request.snap"))
				call, err := s.decode(r, s.services[signingOf(name)], name, body)
				if err != nil {
					t.Fatal(err)
				}
				if call.op != op.name {
					t.Errorf("operation %q", call.op)
				}
				in := reflect.New(op.in)
				union := refusedUnions[op.name] // refused by name when somebody sends it
				delete(call.tree, union)
				if err := (binder{ec2: name == "ec2"}).bind(call.tree, in.Elem(), ""); err != nil {
					t.Fatal(err)
				}
				if empty := emptyMembers(in.Elem(), ""); len(empty) > 0 && strings.Join(empty, " ") != union {
					t.Errorf("members that got lost: %v", empty)
				}
			})
		}
	}
}

// signingOf and moduleOf are what an IAM prefix signs with, and the SDK's name for it.
func signingOf(prefix string) string {
	if name := map[string]string{"cloudwatch": "monitoring", "tag": "tagging"}[prefix]; name != "" {
		return name
	}
	return prefix
}

func moduleOf(prefix string) string {
	if name := map[string]string{"elasticloadbalancing": "elasticloadbalancingv2", "tag": "resourcegroupstaggingapi", "sso": "ssoadmin", "logs": "cloudwatchlogs"}[prefix]; name != "" {
		return name
	}
	return prefix
}

// emptyMembers names the members a snapshot filled but the decoder did not; the SDK fills
// every one, only structures that hold themselves end somewhere.
func emptyMembers(v reflect.Value, path string) (names []string) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return []string{path}
		}
		return emptyMembers(v.Elem(), path)
	case reflect.Slice, reflect.Map:
		if v.Len() == 0 {
			return []string{path}
		}
		if v.Kind() == reflect.Slice {
			return emptyMembers(v.Index(0), path+"[]")
		}
	case reflect.Struct:
		if v.Type() == timeType {
			return nil
		}
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && f.Name != "ResultMetadata" {
				names = append(names, emptyMembers(v.Field(i), join(path, f.Name))...)
			}
		}
	case reflect.String:
		if v.String() == "" {
			return []string{path}
		}
	}
	return names
}

// TestResponseSnapshots fills the SDK's Output structs from its recorded answers, encodes
// them as the simulator does, and expects the recorded bytes back.
func TestResponseSnapshots(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"organizations", "servicequotas", "acm", "ecr", "ecs", "kms", "secretsmanager", "tag", "logs"} {
		dir := filepath.Join(module(t, moduleOf(name)), "response_snapshot")
		for _, op := range operations() {
			if op.service != name {
				continue
			}
			t.Run(name+"/"+op.name, func(t *testing.T) {
				raw, err := os.ReadFile(filepath.Join(dir, op.name+".response.snap"))
				if err != nil {
					t.Fatal(err)
				}
				_, want, _ := bytes.Cut(raw, []byte("\n\n"))
				tree, err := decodeJSON(want)
				if err != nil {
					t.Fatal(err)
				}
				withoutUnions(tree)
				out := reflect.New(op.out)
				if err := (binder{}).bind(tree, out.Elem(), ""); err != nil {
					t.Fatal(err)
				}
				if _, ok := out.Interface().(smithy.Serializable); !ok {
					t.Fatalf("%s is not written by its schema", op.out)
				}
				got, err := jsonBody(out.Interface(), false)
				if err != nil {
					t.Fatal(err)
				}
				if reencoded, err := decodeJSON(got); err != nil || !reflect.DeepEqual(reencoded, tree) {
					t.Errorf("got  %s\nwant %s (%v)", got, want, err)
				}
			})
		}
	}
}

// withoutUnions drops the members of recorded answers that are unions or documents, which the decoder of
// calls does not read; the simulator answers none.
func withoutUnions(tree any) {
	switch x := tree.(type) {
	case map[string]any:
		for _, name := range []string{"serviceConnectConfiguration", "gpuSharingStrategy", "sharingStrategy", "hookDetails"} {
			delete(x, name)
		}
		for _, v := range x {
			withoutUnions(v)
		}
	case []any:
		for _, v := range x {
			withoutUnions(v)
		}
	}
}

// TestErrorSnapshots checks that the simulator's JSON errors have the form of recorded ones.
func TestErrorSnapshots(t *testing.T) {
	t.Parallel()
	s := &Sim{services: services()}
	raw, err := os.ReadFile(filepath.Join(module(t, "organizations"), "response_snapshot", "ConstraintViolationException.error.snap"))
	if err != nil {
		t.Fatal(err)
	}
	_, want, _ := bytes.Cut(raw, []byte("\n\n"))
	w := &recorder{header: http.Header{}}
	s.writeError(w, &Call{Service: "organizations"}, s.services["organizations"], &APIError{Status: 409, Code: "ConstraintViolationException", Message: "__Message__", Reason: "ACCOUNT_NUMBER_LIMIT_EXCEEDED"})
	a, err := decodeJSON(w.body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	b, err := decodeJSON(want)
	if err != nil || !reflect.DeepEqual(a, b) {
		t.Errorf("got %s, want %s (%v)", w.body.String(), want, err)
	}
}

type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }

var _ io.Writer = (*recorder)(nil)
