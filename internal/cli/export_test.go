package cli

import (
	"io"

	"portaldb/internal/portal"
)

// FsckProgress is what `files fsck` tells on stderr while it compares.
func FsckProgress(stderr io.Writer) func(portal.FsckProgress) {
	return (&app{stderr: stderr}).fsckProgress()
}
