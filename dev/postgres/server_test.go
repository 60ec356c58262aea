package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// TestMain runs the test binary as a parent that gets killed, when asked to.
func TestMain(m *testing.M) {
	if dir := os.Getenv("SLIPWAY_TEST_PARENT_OF"); dir != "" {
		s, err := Start(context.Background(), Options{Dir: dir})
		fmt.Println("started", err, s != nil && s.Guest)
		select {} // until killed
	}
	os.Exit(m.Run())
}

func folder(t *testing.T) string {
	dir, err := os.MkdirTemp("", "slipway-pg-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "pg")
}

func ask(t *testing.T, url, query string) (answer string, err error) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		return "", err
	}
	defer conn.Close(t.Context())
	return answer, conn.QueryRow(t.Context(), query).Scan(&answer)
}

func TestDatabasesAreSeparate(t *testing.T) {
	s, err := Start(t.Context(), Options{Dir: folder(t)})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time changes nothing
		if err := s.Databases(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for who, allowed := range map[[2]string]bool{
		{"slipway_owner", "slipway"}: true, {"slipway_app", "slipway"}: true, {"slipway_sim", "slipway_awssim"}: true,
		{"slipway_sim", "slipway"}: false, {"slipway_app", "slipway_awssim"}: false,
	} {
		if _, err := ask(t, s.URL(who[0], who[1]), `SELECT current_user::text`); (err == nil) != allowed {
			t.Errorf("%s in %s: %v, want allowed: %t", who[0], who[1], err, allowed)
		}
	}
	if _, err := ask(t, s.URL("slipway_app", "slipway"), `CREATE TABLE x (id int)`); err == nil || !strings.Contains(err.Error(), "permission denied") {
		t.Errorf("DDL by the app role: %v", err)
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
}

func TestSurvivesKilledParent(t *testing.T) {
	dir := folder(t)
	parent := exec.CommandContext(t.Context(), os.Args[0])
	parent.Env = append(os.Environ(), "SLIPWAY_TEST_PARENT_OF="+dir)
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	said := make([]byte, 100)
	n, _ := out.Read(said)
	if got := string(said[:n]); got != "started <nil> false\n" {
		t.Fatalf("the parent said %q", got)
	}
	guest, err := Start(t.Context(), Options{Dir: dir})
	if err != nil || !guest.Guest {
		t.Fatalf("while the owner lives: %v, guest %t", err, guest != nil && guest.Guest)
	}
	if _, err := ask(t, guest.URL("postgres", "postgres"), `CREATE TABLE kept AS SELECT 1`); err != nil && !errors.Is(err, pgx.ErrNoRows) {
		t.Fatal(err)
	}
	_ = parent.Process.Signal(syscall.SIGKILL)
	_ = parent.Wait()
	start := time.Now()
	s, err := Start(t.Context(), Options{Dir: dir})
	if err != nil || s.Guest {
		t.Fatalf("after the owner's death: %v", err)
	}
	t.Logf("again after %v", time.Since(start))
	if _, err := ask(t, s.URL("postgres", "postgres"), `SELECT 'x'::text FROM kept`); err != nil {
		t.Errorf("data is lost: %v", err)
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
}

func TestStalePidFile(t *testing.T) {
	dir := folder(t)
	s, err := Start(t.Context(), Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	stale := fmt.Sprintf("%d\n%s/data\n1\n5432\n\n\n\nready   \n", os.Getpid(), dir) // a recycled pid: alive, but not PostgreSQL's
	if err := os.WriteFile(filepath.Join(dir, "data", "postmaster.pid"), []byte(stale), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err = Start(t.Context(), Options{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
}

func TestRefusedFolders(t *testing.T) {
	if _, err := Start(t.Context(), Options{Dir: filepath.Join(t.TempDir(), strings.Repeat("long", 30))}); err == nil || !strings.Contains(err.Error(), "too long") {
		t.Errorf("long path: %v", err)
	}
	if os.Geteuid() != 0 {
		return
	}
	closed, err := os.MkdirTemp("", "slipway-closed-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(closed)
	if _, err := Start(t.Context(), Options{Dir: filepath.Join(closed, "pg")}); err == nil || !strings.Contains(err.Error(), "may not enter "+closed) {
		t.Errorf("folder that the lent user may not enter: %v", err)
	}
}
