package postgres

import (
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// What a forgetful server is kept in: memory, where there is plenty of it. A database is some thousand files, and making and dropping one
// takes a third of the time there.
const (
	memory     = "/dev/shm"
	memoryFree = 4 << 30 // bytes; a run of all tests keeps well below one gigabyte at a time
)

// Scratch makes a folder for a forgetful server, whose own folder is to be "pg" in it. What earlier processes that were killed left of that
// prefix goes first.
func Scratch(prefix string) (string, error) {
	sweep(memory, prefix)
	sweep(os.TempDir(), prefix)
	base := ""
	var fs syscall.Statfs_t
	if err := syscall.Statfs(memory, &fs); err == nil && fs.Bavail*uint64(fs.Bsize) >= memoryFree {
		base = memory
	}
	dir, err := os.MkdirTemp(base, prefix)
	if err != nil {
		return "", err
	}
	return dir, os.Chmod(dir, 0o711) // root lends the server another user, who must get through
}

// sweep removes what nobody holds any more.
func sweep(base, prefix string) {
	folders, _ := filepath.Glob(filepath.Join(base, prefix+"*"))
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
