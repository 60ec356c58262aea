//go:build !linux

package postgres

import "syscall"

// dieWithParent does nothing: the next start stops the orphan.
func dieWithParent(*syscall.SysProcAttr) {}
