package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// sqlcProject is where queries are compiled against a folder of migrations.
type sqlcProject struct {
	root, config string
	// out are the folders that sqlc writes Go into, below root.
	out []string
	// urlVariable is the environment variable that names the database for vet; empty where the configuration has none.
	urlVariable string
	command     []string
}

// findSqlc looks for a sqlc.yaml in the folders above a folder of migrations that has it as its schema. There need not be one:
// then why says what was found.
func findSqlc(dir string) (project *sqlcProject, why string, err error) {
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, "", err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return nil, "", err
	}
	for root := filepath.Dir(dir); ; root = filepath.Dir(root) {
		for _, name := range []string{"sqlc.yaml", "sqlc.yml", "sqlc.json"} { // JSON is YAML
			data, err := os.ReadFile(filepath.Join(root, name))
			if errors.Is(err, os.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, "", fmt.Errorf("read the configuration of sqlc: %w", err)
			}
			project, err := readSqlc(root, name, data, dir)
			return project, filepath.Join(root, name) + " has another schema", err
		}
		if _, err := os.Stat(filepath.Join(root, ".git")); err == nil || root == filepath.Dir(root) {
			return nil, "no sqlc.yaml above the folder", nil
		}
	}
}

var variable = regexp.MustCompile(`^\$\{(\w+)\}$`)

func readSqlc(root, name string, data []byte, dir string) (*sqlcProject, error) {
	type query struct {
		Schema   any
		Database struct{ URI string }
		Gen      struct{ Go struct{ Out string } }
		Path     string // of version 1
	}
	var config struct{ SQL, Packages []query }
	if err := yaml.Unmarshal(data, &config); err != nil {
		return nil, fmt.Errorf("read %s: %w", filepath.Join(root, name), err)
	}
	project := &sqlcProject{root: root, config: filepath.Join(root, name)}
	for _, sql := range append(config.SQL, config.Packages...) {
		paths, isList := sql.Schema.([]any)
		if !isList {
			paths = []any{sql.Schema}
		}
		for _, path := range paths {
			text, _ := path.(string)
			if strings.ContainsAny(filepath.Base(text), "*?[") {
				text = filepath.Dir(text)
			}
			schema, err := filepath.EvalSymlinks(filepath.Join(root, text))
			if text == "" || err != nil || schema != dir {
				continue
			}
			if out := cmp.Or(sql.Gen.Go.Out, sql.Path); out != "" {
				project.out = append(project.out, out)
			}
			if match := variable.FindStringSubmatch(sql.Database.URI); match != nil {
				project.urlVariable = match[1]
			}
			project.command = sqlcCommand(root)
		}
	}
	if project.command == nil {
		return nil, nil // queries of another schema
	}
	return project, nil
}

// sqlcCommand is how a project runs sqlc: as a tool of its own modules, or the one on the PATH.
func sqlcCommand(root string) []string {
	for _, module := range []string{"tools/go.mod", "go.mod"} {
		if text, err := os.ReadFile(filepath.Join(root, module)); err == nil && strings.Contains(string(text), "github.com/sqlc-dev/sqlc/cmd/sqlc") {
			return []string{"go", "tool", "-modfile=" + module, "sqlc"}
		}
	}
	return []string{"sqlc"}
}

// run runs a command of sqlc and returns what it printed; ok tells whether it was content. Where sqlc cannot be started, err says so.
func (p *sqlcProject) run(ctx context.Context, env []string, args ...string) (output string, ok bool, err error) {
	cmd := exec.CommandContext(ctx, p.command[0], append(append([]string{}, p.command[1:]...), args...)...)
	cmd.Dir = p.root
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return string(out), true, nil
	case errors.As(err, &exit):
		return strings.TrimSpace(string(out)), false, nil
	default:
		return "", false, fmt.Errorf("%s has this folder as its schema, and sqlc cannot be started: %w; install sqlc", p.config, err)
	}
}

// sqlcStatements adds the statements that sqlc has written into Go, by the name of their constants.
func sqlcStatements(generated fs.FS, into map[string]string) error {
	names, err := fs.Glob(generated, "*.go")
	if err != nil {
		return err
	}
	for _, name := range names {
		source, err := fs.ReadFile(generated, name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, source, 0)
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			constants, ok := decl.(*ast.GenDecl)
			if !ok || constants.Tok != token.CONST {
				continue
			}
			for _, spec := range constants.Specs {
				value := spec.(*ast.ValueSpec)
				literal, ok := value.Values[0].(*ast.BasicLit)
				if !ok || literal.Kind != token.STRING {
					continue
				}
				if text, err := strconv.Unquote(literal.Value); err == nil && strings.HasPrefix(text, "-- name:") {
					into[value.Names[0].Name] = text
				}
			}
		}
	}
	return nil
}
