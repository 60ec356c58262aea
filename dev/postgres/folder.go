package postgres

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is whom PostgreSQL runs as: nil means ourselves. It refuses to run as root, so root lends it another user.
func account() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(err1, err2); err != nil {
			return nil, fmt.Errorf("ids of the user %s: %w", name, err)
		}
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("PostgreSQL does not run as root, and there is neither a user postgres nor a user nobody to run it as")
}

func prepareFolder(dir string, who *syscall.Credential) error {
	if len(filepath.Join(dir, ".s.PGSQL.5432")) > maxSocketPath {
		return fmt.Errorf("the path %s is too long for a unix socket: set SLIPWAY_DATA_DIR to a shorter one", dir)
	}
	parents := os.FileMode(0o700)
	if who != nil {
		if err := searchable(dir, who); err != nil {
			return err
		}
		parents = 0o711
	}
	if err := os.MkdirAll(filepath.Dir(dir), parents); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	if who != nil {
		return os.Chown(dir, int(who.Uid), int(who.Gid))
	}
	return nil
}

// searchable refuses a folder below one that the lent user may not enter, such as /root.
func searchable(dir string, who *syscall.Credential) error {
	for parent := filepath.Dir(dir); parent != "/"; parent = filepath.Dir(parent) {
		info, err := os.Stat(parent)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o001 == 0 {
			return fmt.Errorf("PostgreSQL runs as uid %d here and may not enter %s: set SLIPWAY_DATA_DIR to a folder elsewhere, such as /var/lib/slipway", who.Uid, parent)
		}
	}
	return nil
}

// DefaultDir is the data folder of a checkout: one each, so that two checkouts never share a database.
func DefaultDir(checkout string) (string, error) {
	name := fmt.Sprintf("%x", sha256.Sum256([]byte(checkout)))[:8]
	if os.Geteuid() == 0 {
		return filepath.Join("/var/lib/slipway", name), nil
	}
	if base := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(base) {
		return filepath.Join(base, "slipway", name), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("find a data folder: %w: set SLIPWAY_DATA_DIR", err)
	}
	return filepath.Join(home, ".local", "share", "slipway", name), nil
}
