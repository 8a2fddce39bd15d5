package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"portaldb/internal/schema"
)

type newCommand struct {
	Name string `arg:"" help:"Verb and object: add_users_nickname."`
	Dir  string `default:"migrations" placeholder:"DIR" help:"The folder of migrations."`
}

// Help is the long help.
func (newCommand) Help() string {
	return `Writes the next number with an empty Up and an empty Down. up refuses the file until both halves have a statement.

Examples:

    portaldb new add_users_nickname
    portaldb new index_submissions_version --dir migrations`
}

var migrationName = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)+$`)

const template = `-- +goose Up
-- Why:
-- Locks:
-- Down:

-- +goose Down
`

// Run writes the file.
func (c newCommand) Run(a *app) error {
	if !migrationName.MatchString(c.Name) || len(c.Name) > 100 {
		return usageError{"a migration is named by verb and object, in lower case and joined by _, at most 100 letters: add_users_nickname"}
	}
	if info, err := os.Stat(c.Dir); err != nil || !info.IsDir() {
		return usageError{fmt.Sprintf("there is no folder %s here: run this in the project's root, or name the folder with --dir", c.Dir)}
	}
	files, err := schema.Files(os.DirFS(c.Dir))
	if err != nil {
		return err
	}
	number := files[len(files)-1].Version + 1
	path := filepath.Join(c.Dir, fmt.Sprintf("%05d_%s.sql", number, c.Name))
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return fmt.Errorf("write the migration: %w", err)
	}
	if _, err := file.WriteString(template); err != nil {
		file.Close()
		return fmt.Errorf("write %s: %w", path, err)
	}
	if err := file.Close(); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return a.print(map[string]any{"version": number, "file": path}, path+"\n")
}
