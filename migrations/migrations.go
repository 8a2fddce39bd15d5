// Package migrations holds the schema: numbered goose files, each with an Up and a Down, and their effects.
package migrations

import "embed"

// FS holds every migration at its root, named NNNNN_verb_object.sql, and what it does to the catalog in effects/NNNNN.json.
//
//go:embed *.sql effects
var FS embed.FS
