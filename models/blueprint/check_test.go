package blueprint

import (
	"os"
	"path/filepath"
	"testing"
)

// TestShippedTemplates holds every template of the repository to its own checks.
func TestShippedTemplates(t *testing.T) {
	root := filepath.Join("..", "..")
	var files []string
	for _, pattern := range []string{"deploy/aws/*.yaml", "provisioners/blueprints/*/*/template.yaml"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(found) == 0 {
			t.Fatalf("no template matches %s (%v)", pattern, err)
		}
		files = append(files, found...)
	}
	for _, name := range files {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		tpl, err := Parse(src)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, p := range tpl.Check() {
			t.Errorf("%s: %s", name, p)
		}
	}
}
