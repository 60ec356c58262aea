//go:build dev

package main

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"slipway/dev/postgres/pgtest"
	"slipway/models"
	"slipway/models/blueprint"
	"slipway/models/store"
	"slipway/web/config"
)

// writeTopic puts a version of a small blueprint into a directory.
func writeTopic(t *testing.T, dir, version, template string) {
	t.Helper()
	meta := "id: topic\nversion: " + version + "\nkind: environment\ntitle: Topic\ndescription: A topic.\nstages: [dev]\n"
	folder := filepath.Join(dir, "topic", version)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"template.yaml": template, "meta.yaml": meta} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestBlueprintsDirectory changes the directory under a running process: a new version is offered, a broken one replaces nothing
// and is logged once, a hidden one is no longer offered.
func TestBlueprintsDirectory(t *testing.T) {
	_, url := pgtest.Database(t, store.Migrate)
	s, err := store.Open(t.Context(), store.Options{URL: url, Connections: 4})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	dir := t.TempDir()
	var log bytes.Buffer
	r := &running{store: s, clock: &models.ShiftedClock{}}
	r.config.Engine = config.Engine{BlueprintsDir: dir}
	r.log = slog.New(slog.NewTextHandler(&log, nil))
	if err := r.openCatalogue(); err != nil {
		t.Fatal(err)
	}
	if r.costs, err = r.estimator(); err != nil {
		t.Fatal(err)
	}
	if err := r.keepBlueprints(t.Context()); err != nil {
		t.Fatal(err)
	}
	system := models.System("test", "")
	if v, err := s.OfferedBlueprint(t.Context(), system, "tenant-baseline"); err != nil || v.Version != baselineVersion {
		t.Errorf("what is shipped: %+v, %v", v, err)
	}
	template := "Resources: {Topic: {Type: AWS::SNS::Topic, Properties: {KmsMasterKeyId: alias/aws/sns}}}\n"
	write := func(version, template string) { writeTopic(t, dir, version, template) }
	look := func(version string, state blueprint.State) {
		t.Helper()
		if _, err := r.lookAtBlueprints(t.Context()); err != nil {
			t.Fatal(err)
		}
		b, err := s.Blueprint(t.Context(), system, "topic")
		if err != nil {
			t.Fatal(err)
		}
		if v, ok := b.Find(version); !ok || v.State != state {
			t.Errorf("topic %s is %q, want %q", version, v.State, state)
		}
	}
	write("1.0.0", template)
	look("1.0.0", blueprint.Offered)
	write("1.1.0", strings.Replace(template, "KmsMasterKeyId", "Kms", 1))
	look("1.1.0", blueprint.Refused)
	look("1.0.0", blueprint.Offered)
	write("1.0.0", template+"# edited in place\n")
	look("1.0.0", blueprint.Offered)
	if n := strings.Count(log.String(), "version=1.1.0"); n != 2 { // once when it came, once when the directory changed
		t.Errorf("the broken folder was logged %d times: %s", n, &log)
	}
	if !strings.Contains(log.String(), "topic@1.0.0 was read before with other content") {
		t.Errorf("the version that was edited in place is not in the log: %s", &log)
	}
	if err := os.WriteFile(filepath.Join(dir, "hidden.yaml"), []byte("- {blueprint: topic, reason: it leaks}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	look("1.0.0", blueprint.Hidden)
	ended, stop := context.WithCancel(t.Context())
	stop()
	write("2.0.0", template)
	if _, err := r.lookAtBlueprints(ended); err == nil {
		t.Error("a report that could not be kept was taken as kept")
	}
	look("2.0.0", blueprint.Hidden)
}

func TestBlueprintsDirectoryMissing(t *testing.T) {
	r := &running{}
	r.config.Engine = config.Engine{BlueprintsDir: filepath.Join(t.TempDir(), "nothing")}
	if err := r.openCatalogue(); err == nil {
		t.Error("a directory that is not there does not stop the start")
	}
}

func TestBlueprintCheckCommand(t *testing.T) {
	if err := root().Run(t.Context(), []string{"slipway", "blueprint", "check", "--guard", t.TempDir(), "provisioners/blueprints/tenant-baseline/1.0.0"}); err != nil && !strings.Contains(err.Error(), "have errors") {
		t.Error(err)
	}
	for _, args := range [][]string{{}, {"a", "b"}, {filepath.Join(t.TempDir(), "nothing")}} {
		if err := root().Run(t.Context(), append([]string{"slipway", "blueprint", "check"}, args...)); err == nil {
			t.Errorf("check %v passed", args)
		}
	}
}
