package blueprints

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"slipway/models/blueprint"
)

// place writes files below a folder.
func place(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func look(t testing.TB, c *Catalogue) (blueprint.Report, bool) {
	t.Helper()
	r, changed, err := c.Directory()
	if err != nil {
		t.Fatal(err)
	}
	return r, changed
}

// said is every problem of a report, by folder.
func said(r blueprint.Report) string {
	var out []string
	for _, f := range r.Folders {
		for _, p := range f.Problems {
			out = append(out, f.Name+"@"+f.Version+" "+p.String())
		}
	}
	return strings.Join(out, "\n")
}

// TestDirectory reads a directory again and again: a change is seen, what is as it was is not reported.
func TestDirectory(t *testing.T) {
	dir := t.TempDir()
	place(t, dir, map[string]string{"topic/1.0.0/template.yaml": topicTemplate, "topic/1.0.0/meta.yaml": topicMeta, "README.md": "ours", ".git/config": "x", "topic/NOTES.md": "x"})
	c := catalogue(t, dir)
	r, changed := look(t, c)
	if !changed || len(r.Folders) != 1 || !r.Folders[0].Sound() || r.KeepHidden || said(r) != "" {
		t.Fatalf("first look: %t, %+v", changed, r)
	}
	if checks := r.Folders[0].Checks; len(checks) != 3 || checks[0].State != blueprint.CheckPassed || checks[1].State != blueprint.CheckNotRun {
		t.Errorf("checks: %+v", checks)
	}
	if _, changed := look(t, c); changed {
		t.Error("the second look says that something changed")
	}
	c.Forget()
	if _, changed := look(t, c); !changed {
		t.Error("what was forgotten is not reported again")
	}
	place(t, dir, map[string]string{"topic/1.0.0/template.yaml": strings.Replace(topicTemplate, "TopicName", "TopicNome", 1), "hidden.yaml": "- {blueprint: topic@1.0.0, reason: it leaks}\n- {blueprint: network, reason: ours is better}\n"})
	r, changed = look(t, c)
	if !changed || r.Folders[0].Sound() || !strings.Contains(said(r), "topic@1.0.0 template.yaml:7: error: Resources.Topic.Properties.TopicNome: unknown property") {
		t.Errorf("a broken template: %t, %s", changed, said(r))
	}
	if len(r.Hidden) != 2 || r.Hidden[0] != (blueprint.HiddenEntry{Name: "topic", Version: "1.0.0", Reason: "it leaks"}) || r.Hidden[1].Version != "" {
		t.Errorf("hidden: %+v", r.Hidden)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Directory(); err == nil {
		t.Error("a directory that is gone was read")
	}
}

func TestNoDirectory(t *testing.T) {
	c := catalogue(t, "")
	if r, changed := look(t, c); !changed || len(r.Folders) != 0 {
		t.Errorf("without a directory: %t, %+v", changed, r)
	}
	if _, changed := look(t, c); changed {
		t.Error("without a directory something changed")
	}
}

// TestHostileDirectory reports each thing that is not what it should be by name, and reads nothing outside.
func TestHostileDirectory(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	place(t, outside, map[string]string{"1.0.0/template.yaml": topicTemplate, "1.0.0/meta.yaml": topicMeta, "secret": "swordfish"})
	place(t, dir, map[string]string{
		"topic/1.0.0/template.yaml": topicTemplate, "topic/1.0.0/meta.yaml": topicMeta, "topic/latest/meta.yaml": topicMeta, "hidden.yml": "[]",
		"<script>/1.0.0/meta.yaml": topicMeta, "wide/1.0.0/meta.yaml": topicMeta, "wide/1.0.0/template.yaml": topicTemplate, "wide/1.0.0/run.sh": "rm -rf /",
		"large/1.0.0/template.yaml": strings.Repeat("#", blueprint.MaxBytes+1), "large/1.0.0/meta.yaml": topicMeta, "fifo/1.0.0/meta.yaml": topicMeta,
		strings.Repeat("n", 200) + "\x01\xff/1.0.0/meta.yaml": topicMeta,
	})
	for link, to := range map[string]string{"away": outside, "topic/2.0.0": outside + "/1.0.0", "topic/1.0.0/template.yaml.bak": "nowhere", "round": "round", "up": ".."} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "linked/1.0.0"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside+"/secret", filepath.Join(dir, "linked/1.0.0/meta.yaml")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "fifo/1.0.0/template.yaml"), 0o755); err != nil {
		t.Fatal(err)
	}
	r, _ := look(t, catalogue(t, dir))
	got := said(r)
	for _, want := range []string{
		`away@ error: is a link that points outside`, `up@ error: is a link that points outside`, `topic@2.0.0 error: is a link that points outside`, `round@ error: cannot be read`,
		`linked@1.0.0 meta.yaml: error: is a link that points outside`, `topic@latest error: "latest" is no folder of a version`, `hidden.yml@ error: is not known here`,
		`<script>@ error: "<script>" is no name of a blueprint`, `wide@1.0.0 run.sh: error: is not known`, `large@1.0.0 template.yaml: error: has 1048577 bytes`,
		`fifo@1.0.0 template.yaml: error: is not a plain file`, `topic@1.0.0 template.yaml.bak: error: is not known`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not said", want)
		}
	}
	if strings.Contains(got, "swordfish") {
		t.Error("a file outside was read")
	}
	for _, f := range r.Folders {
		if f.Sound() {
			t.Errorf("%s %s was taken", f.Name, f.Version)
		}
		if strings.ContainsFunc(f.Name, func(r rune) bool { return r < ' ' || r == 0xfffd }) || len(f.Name) > 100 {
			t.Errorf("the name %q cannot be shown", f.Name)
		}
	}
	if t.Failed() {
		t.Log(got)
	}
}

func TestLinkInside(t *testing.T) {
	dir := t.TempDir()
	place(t, dir, map[string]string{"..data/topic/1.0.0/template.yaml": topicTemplate, "..data/topic/1.0.0/meta.yaml": topicMeta})
	if err := os.Symlink("..data/topic", filepath.Join(dir, "topic")); err != nil {
		t.Fatal(err)
	}
	if r, _ := look(t, catalogue(t, dir)); len(r.Folders) != 1 || !r.Folders[0].Sound() {
		t.Errorf("a link as mounted volumes have them: %+v", r.Folders)
	}
}

func TestHiddenFile(t *testing.T) {
	for text, want := range map[string]string{
		"":                                  "",
		"- {blueprint: topic, reason: x}":   "",
		"- {blueprint: topic}":              "without a reason",
		"- {blueprint: Topic, reason: x}":   "neither a name",
		"- {blueprint: topic@1, reason: x}": "neither a name",
		"- {blueprnt: topic, reason: x}":    "hidden.yaml:1: error: field blueprnt not found",
		"topic":                             "hidden.yaml:1: error",
	} {
		dir := t.TempDir()
		place(t, dir, map[string]string{"hidden.yaml": text})
		r, _ := look(t, catalogue(t, dir))
		if r.KeepHidden != (want != "") || !strings.Contains(said(r), want) || want == "" && len(r.Folders) > 0 {
			t.Errorf("%q: keeps %t, says %q", text, r.KeepHidden, said(r))
		}
	}
}
