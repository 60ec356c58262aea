package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/playwright-community/playwright-go"
	"go.yaml.in/yaml/v3"
)

// TestBackstageTakesTheDemoOrganization has an admin make a token, reads the catalogue as Backstage does, and has Backstage's own validators
// look at every entity in it.
func TestBackstageTakesTheDemoOrganization(t *testing.T) {
	folder := os.Getenv("SLIPWAY_TEST_CATALOG_MODEL")
	if folder == "" {
		t.Fatal("SLIPWAY_TEST_CATALOG_MODEL is not set: run the tests with make test, which installs Backstage's validators")
	}
	a := sharedApp(t)
	v := newVisitor(t, a, desk).signIn("admin")
	delivered(t, v)
	v.open("/admin/backstage")
	v.fill("name", "demo "+t.Name()[:20])
	v.click(*playwright.AriaRoleButton, "Make")
	token, err := v.page.Locator("#catalog-token").InnerText()
	v.ok(err)
	v.axe("/admin/backstage")
	base := a.url + "/backstage/t/" + token
	root := catalogue(t, base+"/catalog-info.yaml")
	documents := [][]byte{root}
	for d := yaml.NewDecoder(bytes.NewReader(root)); ; {
		var location struct{ Spec struct{ Targets []string } }
		if err := d.Decode(&location); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		for _, target := range location.Spec.Targets {
			documents = append(documents, catalogue(t, base+strings.TrimPrefix(target, ".")))
		}
	}
	arns := map[string]string{"aws.amazon.com/aws-codepipeline-arn": ":slw-payments-checkout", "aws.amazon.com/aws-codebuild-project-arn": ":project/slw-payments-checkout"}
	moved := map[string]map[string]string{"resource:default/payments.pipeline.checkout": arns, "component:default/payments.checkout": arns}
	kinds := map[string]int{}
	cmd := exec.CommandContext(t.Context(), "node", filepath.Join(folder, "validate.mjs"))
	cmd.Stdin, cmd.Stderr = bytes.NewReader(bytes.Join(documents, []byte("---\n"))), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(out) {
		var j struct {
			Ref, Error string
			Entity     struct {
				Metadata struct{ Annotations map[string]string }
			}
		}
		if err := json.Unmarshal(line, &j); err != nil || j.Error != "" {
			t.Errorf("%s %s %v", j.Ref, j.Error, err)
		}
		kind, _, _ := strings.Cut(j.Ref, ":")
		kinds[kind]++
		for note, end := range moved[j.Ref] {
			if arn := j.Entity.Metadata.Annotations[note]; !strings.HasPrefix(arn, "arn:aws:") || !strings.HasSuffix(arn, end) {
				t.Errorf("%s has %s: %q", j.Ref, note, arn)
			}
		}
		delete(moved, j.Ref)
	}
	for ref := range moved {
		t.Errorf("no %s in the demo organization", ref)
	}
	for _, kind := range []string{"location", "group", "user", "system", "resource"} {
		if kinds[kind] == 0 {
			t.Errorf("no %s in the demo organization: %v", kind, kinds)
		}
	}
}

// catalogue reads a document as Backstage's reader does.
func catalogue(t *testing.T, address string) []byte {
	t.Helper()
	res, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %v", address, res.Status, err)
	}
	return body
}
