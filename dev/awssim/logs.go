package awssim

import (
	"context"
	"net/http"
	"time"
)

// logGroupEffect refuses to remove a log group that is protected.
func logGroupEffect(_ context.Context, _ *Call, _ *cfnStack, r *cfnResource, verb string, _ time.Time) error {
	if verb == "delete" && yes(r.Properties["DeletionProtectionEnabled"]) {
		return refuse(http.StatusBadRequest, "ValidationException", "Log group %s cannot be deleted because deletion protection is enabled.", r.Physical)
	}
	return nil
}
