package pgtest

import (
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const folderPrefix = "slipway-pgtest-"

// sweep removes what earlier test binaries left: folders of servers whose owner is gone. A test binary ends without a
// word, so nobody could do it then.
func sweep() {
	folders, _ := filepath.Glob(filepath.Join(os.TempDir(), folderPrefix+"*"))
	for _, folder := range folders {
		lock, err := os.Open(filepath.Join(folder, "pg", "owner.lock"))
		if err != nil {
			continue // just being made, or another user's
		}
		if info, err := lock.Stat(); err != nil || time.Since(info.ModTime()) < time.Minute { // its owner may not have locked it yet
			_ = lock.Close()
			continue
		}
		free := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
		_, err = os.Stat(filepath.Join(folder, "pg", "data", "postmaster.pid"))
		if free && os.IsNotExist(err) {
			_ = os.RemoveAll(folder)
		}
		_ = lock.Close()
	}
}
