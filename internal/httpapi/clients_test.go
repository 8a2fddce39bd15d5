package httpapi_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"portaldb/internal/portal"
)

// TestClients generates a client from the description, compiles it, and has it make a round trip. It needs Node, and fetches
// the generators.
func TestClients(t *testing.T) {
	t.Parallel()
	for language, steps := range map[string][]string{
		"go": {
			"go tool oapi-codegen -generate types,client -package api -o api/api.go openapi.json",
			"go vet .",
			"go run . URL TOKEN",
		},
		"typescript": {
			"npm ci --no-audit --no-fund",
			"npx --no-install openapi-typescript openapi.json --default-non-nullable=false --output schema.ts",
			"npx --no-install tsc",
			"node out/roundtrip.js URL TOKEN",
		},
	} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "clients", language))); err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(filepath.Join(dir, "api"), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "openapi.json"), describe(t, b).text, 0o600); err != nil {
				t.Fatal(err)
			}
			last := ""
			for _, step := range steps {
				args := strings.Fields(strings.NewReplacer("URL", b.url, "TOKEN", b.tokens[portal.RoleWriter]).Replace(step))
				cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
				cmd.Dir = dir
				output, err := cmd.CombinedOutput()
				if err != nil {
					t.Fatalf("%s: %v\n%s", step, err, output)
				}
				last = string(output)
			}
			if !strings.Contains(last, "round trip") {
				t.Errorf("the client said %q", last)
			}
		})
	}
}
