package httpapi

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the page
	"encoding/base64"
	"encoding/json"
	"html/template"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

//go:embed docs.html
var docsHTML string

//go:embed docs.css
var docsCSS string

// docsPolicy lets the page use its own style sheet and nothing else: it runs no script and asks for nothing.
var docsPolicy = func() string {
	sum := sha256.Sum256([]byte(docsCSS))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}()

// docsPage returns the description of the API as a page.
func docsPage(document *huma.OpenAPI) ([]byte, error) {
	page, err := template.New("docs").Funcs(template.FuncMap{
		"json": func(v any) (string, error) {
			if text, ok := v.(string); ok {
				return text, nil
			}
			text, err := json.MarshalIndent(v, "", "  ")
			return string(text), err
		},
		"type":       typeText,
		"paragraphs": func(text string) []string { return strings.Split(text, "\n\n") },
		"response": func(r *huma.Response) *huma.Response {
			if r.Ref == "" {
				return r
			}
			return document.Components.Responses[r.Ref[strings.LastIndexByte(r.Ref, '/')+1:]]
		},
		"requires": func(s *huma.Schema, name string) bool { return slices.Contains(s.Required, name) },
		"css":      func() template.CSS { return template.CSS(docsCSS) }, //nolint:gosec // a file of ours
	}).Parse(docsHTML)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = page.Execute(&out, map[string]any{
		"Document":   document,
		"Operations": operations(document),
		"Schemas":    document.Components.Schemas.Map(),
	})
	return out.Bytes(), err
}

// operations returns what the document describes, by path and method.
func operations(document *huma.OpenAPI) []*huma.Operation {
	var all []*huma.Operation
	for _, item := range document.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if op != nil {
				all = append(all, op)
			}
		}
	}
	order := map[string]int{http.MethodGet: 0, http.MethodPost: 1, http.MethodPut: 2, http.MethodPatch: 3, http.MethodDelete: 4}
	slices.SortFunc(all, func(a, b *huma.Operation) int {
		if byPath := strings.Compare(a.Path, b.Path); byPath != 0 {
			return byPath
		}
		return order[a.Method] - order[b.Method]
	})
	return all
}

// typeText says in a few words what a schema takes.
func typeText(s *huma.Schema) string {
	var text string
	switch {
	case s == nil:
		return ""
	case s.Ref != "":
		return s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]
	case len(s.OneOf) > 0:
		var parts []string
		for _, one := range s.OneOf {
			parts = append(parts, typeText(one))
		}
		return strings.Join(parts, " or ")
	case s.Type == huma.TypeArray:
		text = "array of " + typeText(s.Items)
	case s.Type == "":
		text = "any JSON"
	default:
		text = s.Type
	}
	if s.Format != "" {
		text += " (" + s.Format + ")"
	}
	if s.Nullable {
		text += " or null"
	}
	return text
}
