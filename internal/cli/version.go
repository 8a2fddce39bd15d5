package cli

import (
	"fmt"
	"runtime"

	"portaldb/internal/schema"
	"portaldb/migrations"
)

// version is the program's version, set by the linker.
var version = "dev"

type versionCommand struct{}

// Help is the long help.
func (versionCommand) Help() string {
	return `Examples:

    portaldb version
    portaldb version --json`
}

// Run prints the program's version and that of its migrations.
func (versionCommand) Run(a *app) error {
	files, err := schema.Files(migrations.FS)
	if err != nil {
		return err
	}
	latest := files[len(files)-1].Version
	return a.print(
		map[string]any{"version": version, "migrations": latest, "go": runtime.Version()},
		fmt.Sprintf("portaldb %s, migrations up to %d, %s\n", version, latest, runtime.Version()))
}
