package cli

import (
	"context"

	"portaldb/internal/schema"
)

// drill does a rollback on a copy.
func (a *app) drill(_ context.Context, _ *schema.Engine, _ schema.RollbackRequest) error {
	return usageError{"--drill is not there yet"}
}
