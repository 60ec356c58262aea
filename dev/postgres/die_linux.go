package postgres

import "syscall"

// dieWithParent asks the kernel for a fast shutdown of the server when we are killed.
func dieWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGINT }
