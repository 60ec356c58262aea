package crash

import (
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// TestMain passes the same three points each time it is asked to, until it survives.
func TestMain(m *testing.M) {
	if file := os.Getenv("SLIPWAY_TEST_CRASH_LOG"); file != "" {
		hook := At(file, []string{"run"}, slog.Default())
		hook("plan", "plan", "after-intent-commit")
		for _, point := range []string{"after-intent-commit", "after-aws-call", "after-intent-commit", "after-outcome-commit"} {
			hook("run", "create", point)
		}
		fmt.Println("survived")
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestEachPointIsHitOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "crash.log")
	for round := range 4 {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), "SLIPWAY_TEST_CRASH_LOG="+file)
		out, err := cmd.Output()
		killed := err != nil && cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL
		if survived := string(out) == "survived\n"; survived != (round == 3) || killed == survived {
			t.Fatalf("round %d: %q, %v", round, out, err)
		}
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if want := "run create after-intent-commit\nrun create after-aws-call\nrun create after-outcome-commit\n"; string(content) != want {
		t.Errorf("got %q", content)
	}
}
