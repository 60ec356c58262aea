package models

import (
	"fmt"
	"strings"
	"time"
)

// MayNot says in words why a request of the kind makes no sense for the environment as it is; empty when it does. Pages offer what
// may be asked for, the store refuses the rest.
func (e Environment) MayNot(kind RequestKind, now time.Time) string {
	switch e.State {
	case Deleted:
		return fmt.Sprintf("%s is deleted.", e.Name)
	case Deleting:
		if kind != DeleteEnvironment {
			return fmt.Sprintf("%s is being deleted.", e.Name)
		}
	case Creating:
		return fmt.Sprintf("%s is still being created.", e.Name)
	}
	stuck := e.Stack.Status == "UPDATE_ROLLBACK_FAILED"
	switch kind {
	case RecoverEnvironment:
		if !stuck {
			return fmt.Sprintf("The stack of %s needs no recovery.", e.Name)
		}
		return ""
	case DeleteEnvironment, ExtendEnvironment, AcceptDrift:
	default:
		if stuck {
			return fmt.Sprintf("The stack of %s stands between two versions since a roll-back failed. Recover it first.", e.Name)
		}
		if strings.HasPrefix(e.Stack.Status, "ROLLBACK_") || e.Stack.Status == "DELETE_FAILED" || e.Stack.StackID == "" {
			return fmt.Sprintf("The stack of %s never came up. Retry its run, or delete it.", e.Name)
		}
	}
	switch {
	case kind == HibernateEnvironment && e.Hibernated:
		return fmt.Sprintf("%s sleeps already.", e.Name)
	case kind == WakeEnvironment && !e.Hibernated:
		return fmt.Sprintf("%s is awake.", e.Name)
	case kind == DeployEnvironment && e.ServiceID == "":
		return fmt.Sprintf("%s runs no image.", e.Name)
	case kind == ExtendEnvironment && e.ExpiresAt.IsZero():
		return fmt.Sprintf("%s has no end.", e.Name)
	}
	return ""
}

// Expired tells whether the environment's time is over.
func (e Environment) Expired(now time.Time) bool {
	return !e.ExpiresAt.IsZero() && !now.Before(e.ExpiresAt)
}
