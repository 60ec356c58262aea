package catalog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"slipway/models"
)

// judged is what Backstage's validators say of one document.
type judged struct {
	Ref    string
	Error  string
	Entity struct {
		Metadata struct {
			Title, Description string
			Annotations        map[string]string
		}
	}
}

// judge has Backstage's own validators read documents.
func judge(t *testing.T, document []byte) []judged {
	t.Helper()
	folder := os.Getenv("SLIPWAY_TEST_CATALOG_MODEL")
	if folder == "" {
		t.Fatal("SLIPWAY_TEST_CATALOG_MODEL is not set: run the tests with make test, which installs Backstage's validators")
	}
	cmd := exec.CommandContext(t.Context(), "node", filepath.Join(folder, "validate.mjs"))
	var wrong bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(document), &wrong
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("validate: %v\n%s", err, wrong.String())
	}
	var all []judged
	for line := range bytes.Lines(out) {
		var j judged
		if err := json.Unmarshal(line, &j); err != nil {
			t.Fatal(err)
		}
		all = append(all, j)
	}
	return all
}

func addresses() Addresses {
	two := func(kind string) func(string, string) string {
		return func(slug, name string) string { return "/tenants/" + slug + "/" + kind + "/" + url.PathEscape(name) }
	}
	one := func(slug string) string { return "/tenants/" + slug }
	return Addresses{Public: "https://slipway.example.com", TenantPage: one, RequestsPage: one, AccountPage: two("accounts"), NetworkPage: two("networks"), EnvironmentPage: two("environments"),
		ServicePage: two("services"), PipelinePage: two("pipelines"), GitHub: "https://github.com", EnvironmentFrame: two("frames"), TenantFrame: one}
}

// hostile are texts that have broken readers of YAML, or of names.
var hostile = []string{
	"", " ", "-", "a", "A", "---", "...", "~", "null", "NULL", "yes", "no", "on", "true", "0", "0x1F", "0o17", "017", "1_000", "1e3", ".inf", "NaN", "2026-11-26", "12:30:45", "=", "<<", "!!binary x", "!x y",
	"&a b", "*a", "%YAML 1.2", "@x", "`x`", "# comment", "a # b", "a: b", "{a: b}", "[a]", "- a", "? a", "| \n  a", "> a", "\"", "'", "\\", "\\u0000", "a\nb", "a\r\nb", "\ttab", "a\x00b", "\xff\xfe", "\u0085x", "\u2028x",
	"\ufeffbom", "\u202egnp.exe", "🚀", "🚀🚀", "ß", "İ", "日本語", "$text: https://evil.example", "$json", "${{ secrets.X }}", "{{ 7*7 }}", "javascript:alert(1)", "<script>alert(1)</script>", "../../etc/passwd", "a/b", "a b",
	"--a", "a--b", "a.b", "a-", ".a", "__proto__", "constructor", strings.Repeat("a", 63), strings.Repeat("a", 64), strings.Repeat("x", 200), strings.Repeat("🚀", 200), strings.Repeat("ab ", 2000),
	"a: &a [x,x]\nb: &b [*a,*a,*a]\nc: [*b,*b,*b]", "slipway-platform-admins", "group-0123456789ab", "Payments Owners", "payments owners", "payments-owners", "PAYMENTS-OWNERS",
}

// organization is everything with hostile texts in every place that a text can be.
func organization() []Entity {
	a := addresses()
	var all []Entity
	var groups []Group
	for i, s := range hostile {
		if s != "" {
			groups = append(groups, Group{Name: s, Of: []Role{{Slug: s, Role: models.Owner}}, All: 7})
		}
		slug, id := fmt.Sprintf("tenant-%d", i), fmt.Sprintf("0190b9a0-0000-7000-8000-%012d", i)
		home := Home{slug, orElse(s, "x")}
		all = append(all, a.System(Tenant{ID: id, Slug: slug, DisplayName: s, Description: s, OwnerGroup: home.OwnerGroup, State: models.Ready, HasAccount: true}),
			a.User(Person{ID: id, Subject: s, Name: s, Email: "a@example.com", Groups: []string{home.OwnerGroup}, Admin: i%2 == 0}),
			a.Account(Account{ID: id, Home: home, Class: models.NonProd, AWSID: "111122223333", State: models.Ready}),
			a.Network(Network{ID: id, Home: home, Class: models.NonProd, Region: "eu-west-1", Name: "nonprod-eu-west-1", State: models.Ready, Stack: Stack{Name: "slw", ARN: "arn:aws:x"}}),
			a.Environment(Environment{ID: id, Home: home, Name: s, Stage: models.Dev, Region: "eu-west-1", Blueprint: s, Host: s, State: models.Ready, Network: "nonprod-eu-west-1", ECS: []string{"arn:x"}}),
			a.Component(Service{ID: id, Home: home, Name: s, State: models.Ready, Repository: "arn:aws:ecr:x", Runs: []Runs{{ID: id, Name: s, Stage: models.Dev}},
				Deliveries: []Delivery{{ID: id, Name: s, Kind: models.GitHubActions, Repository: s}}}))
		for _, kind := range models.PipelineKinds() {
			all = append(all, a.Pipeline(Pipeline{Delivery: Delivery{ID: id + string(kind), Name: s + string(kind), Kind: kind, Repository: s, Stack: Stack{Name: "slw", ARN: aStack}, Line: s, Project: s}, Home: home,
				Service: s, Class: models.NonProd, Region: "eu-west-1", State: models.Ready, Targets: []Target{{ID: id, Name: s}}}))
		}
	}
	return slices.Concat(a.GroupsFile(groups), all, a.Root(Index{Tenants: []string{"payments", "storefront"}, People: []string{"a"}}))
}

// TestBackstageTakesEverything has its validators read an organization whose every text is hostile, as YAML and as JSON.
func TestBackstageTakesEverything(t *testing.T) {
	all := organization()
	document, err := YAML(all)
	if err != nil {
		t.Fatal(err)
	}
	list, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	for form, content := range map[string][]byte{"YAML": document, "JSON": list} {
		got := judge(t, content)
		if len(got) != len(all) {
			t.Fatalf("%s: %d documents of %d entities", form, len(got), len(all))
		}
		seen := map[string]bool{}
		for i, j := range got {
			e := all[i]
			if j.Error != "" {
				t.Errorf("%s: %s %s: %s", form, e.Kind, e.Metadata.Name, j.Error)
			}
			if seen[j.Ref] {
				t.Errorf("%s: %s is there twice", form, j.Ref)
			}
			seen[j.Ref] = true
			if j.Entity.Metadata.Title != e.Metadata.Title || j.Entity.Metadata.Description != e.Metadata.Description {
				t.Errorf("%s: %s was read as %q %q", form, j.Ref, j.Entity.Metadata.Title, j.Entity.Metadata.Description)
			}
			for name, value := range e.Metadata.Annotations {
				if j.Entity.Metadata.Annotations[name] != value {
					t.Errorf("%s: %s: %s was read as %q", form, j.Ref, name, j.Entity.Metadata.Annotations[name])
				}
			}
		}
	}
}

// TestJudgeRefuses: the validators are really asked.
func TestJudgeRefuses(t *testing.T) {
	bad := map[string]func(*Entity){
		"a space in the name": func(e *Entity) { e.Metadata.Name = "a b" }, "64 characters": func(e *Entity) { e.Metadata.Name = strings.Repeat("a", 64) },
		"a capital in a tag": func(e *Entity) { e.Metadata.Tags = []string{"A"} }, "a script link": func(e *Entity) { e.Metadata.Links = []Link{{"javascript:alert(1)", "x", "web"}} },
		"no owner": func(e *Entity) { e.Spec = map[string]string{} }, "a placeholder": func(e *Entity) { e.Spec = map[string]any{"owner": "x", "y": map[string]string{"$text": "x"}} },
	}
	names := slices.Sorted(maps.Keys(bad))
	var all []Entity
	for _, name := range names {
		e := addresses().System(Tenant{Slug: "payments", OwnerGroup: "x"})
		bad[name](&e)
		all = append(all, e)
	}
	b, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	for i, j := range judge(t, b) {
		if j.Error == "" {
			t.Errorf("%s was taken", names[i])
		}
	}
}

func TestName(t *testing.T) {
	for name, tc := range map[string]struct {
		parts []string
		want  string // a pattern
	}{
		"plain":           {[]string{"payments"}, `^payments$`},
		"joined":          {[]string{"payments", "env", "orders-dev"}, `^payments\.env\.orders-dev$`},
		"capitals":        {[]string{"GG AWS Owners"}, `^gg-aws-owners-[0-9a-f]{12}$`},
		"nothing left":    {[]string{"🚀"}, `^x-[0-9a-f]{12}$`},
		"longest":         {[]string{strings.Repeat("a", 63)}, `^a{63}$`},
		"too long":        {[]string{strings.Repeat("a", 64)}, `^a{50}-[0-9a-f]{12}$`},
		"a dot in a part": {[]string{"a.b", "c"}, `^a\.b\.c-[0-9a-f]{12}$`},
		"as if hashed":    {[]string{"x-0123456789ab"}, `^x-0123456789ab-[0-9a-f]{12}$`},
		"reserved":        {[]string{PlatformGroup}, `^slipway-platform-admins-[0-9a-f]{12}$`},
	} {
		if got := Name("id", tc.parts...); !regexp.MustCompile(tc.want).MatchString(got) {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// TestNamesDoNotDependOnOthers: whatever else there is, and in whatever order, each group keeps its name, and no two have one.
func TestNamesDoNotDependOnOthers(t *testing.T) {
	first := map[string]string{}
	for range 5 {
		rand.Shuffle(len(hostile), func(i, j int) { hostile[i], hostile[j] = hostile[j], hostile[i] })
		taken := map[string]string{}
		for _, s := range hostile {
			name := GroupName(s)
			if other, ok := taken[name]; ok {
				t.Errorf("%q and %q are both %s", s, other, name)
			}
			if before, ok := first[s]; ok && before != name {
				t.Errorf("%q is %s, and was %s", s, name, before)
			}
			taken[name], first[s] = s, name
		}
	}
	if GroupName("payments-owners") != "payments-owners" || GroupName("Payments Owners") == GroupName("payments owners") {
		t.Error("names are not what links rely on")
	}
}

// TestOneAnnotationOfEachPair: with both of a pair the AWS plugins show nothing.
func TestOneAnnotationOfEachPair(t *testing.T) {
	a, home := addresses(), Home{"payments", "owners"}
	for name, tc := range map[string]struct {
		ecs  []string
		want string
	}{
		"none": {nil, ""}, "one": {[]string{"arn:one"}, ecsARN}, "several": {[]string{"arn:one", "arn:two"}, ecsTags},
	} {
		m := a.Environment(Environment{ID: "id", Home: home, Name: "dev", Stage: models.Dev, ECS: tc.ecs}).Metadata
		for _, note := range []string{ecsARN, ecsTags} {
			if _, has := m.Annotations[note]; has != (note == tc.want) {
				t.Errorf("%s: %s is there: %v", name, note, has)
			}
		}
	}
	dev, prod := Runs{Name: "dev", Stage: models.Dev, ECS: []string{"arn:dev"}}, Runs{Name: "prod", Stage: models.Production, ECS: []string{"arn:prod"}}
	for want, runs := range map[string][]Runs{"": nil, "arn:dev": {dev}, "arn:prod": {dev, prod}} {
		if got := a.Component(Service{Home: home, Name: "shop", Runs: runs}).Metadata.Annotations[ecsARN]; got != want {
			t.Errorf("a service in %v shows %q, want %q", runs, got, want)
		}
	}
	if m := a.System(Tenant{Slug: "payments"}).Metadata; m.Annotations[costTags] != "" {
		t.Error("a tenant without an account says where its cost is")
	}
}

// TestNothingIsNotSent: an empty document would have Backstage delete all it knows.
func TestNothingIsNotSent(t *testing.T) {
	if b, err := YAML(nil); err == nil {
		t.Errorf("rendered %q", b)
	}
	if got := addresses().Root(Index{}); len(got) == 0 {
		t.Error("a root without a Location")
	}
	if got := addresses().GroupsFile(nil); len(got) != 1 {
		t.Errorf("%d groups without tenants", len(got))
	}
}
