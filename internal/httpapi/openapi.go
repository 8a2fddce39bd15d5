package httpapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"portaldb/internal/portal"
)

const aboutAPI = `The portal's submissions, audit events and temporary files, over HTTP.

Every request but those for health, metrics, this description and links to files bears a token: "Authorization: Bearer pdb_...". A token
has a role: reader, writer, which includes it, or admin, which includes both. To change a token without a gap, create the
new one, hand it out, and revoke the old one: both are good until then, and for up to 10 seconds the revoked one may be
taken by a process that has just seen it.

Failures are problem documents (RFC 9457) whose "code" never changes its meaning; a path that does not exist is answered
with 404 and "not_found", a method that a path does not take with 405, "unsupported" and Allow. HEAD is answered wherever
GET is. Answers to GET have an ETag: send it back as If-None-Match, and the answer is 304 while nothing has changed.
Answers of 1 KiB and more are compressed for those who accept zstd or gzip.`

// examples are what fields and parameters of a name look like; Type.name is for a name that means something else there,
// and nil leaves an optional field out.
var examples = map[string]any{ //nolint:gosec // none of them is a secret
	"Accept":                  "application/octet-stream",
	"action":                  "submitted",
	"active":                  true,
	"actor_cpf":               "00000000191",
	"actor_email":             "ana@example.org",
	"actor_nome":              "Ana Souza",
	"at":                      "2026-01-31T12:00:00Z",
	"Audit.id":                4711,
	"Audit.meta":              map[string]any{"sid": "0b0e6b0c-6f0e-4f4b-9f0a-3d1f5d1c2b3a"},
	"content_type":            "application/pdf",
	"count":                   42,
	"created":                 1,
	"created_by":              "reports",
	"created_at":              "2026-01-31T12:00:00Z",
	"cursor":                  "eyJsIjo1MH0",
	"deleted":                 false,
	"deleted_at":              nil,
	"download":                "1",
	"downloads":               3,
	"expired":                 false,
	"expires":                 "7d",
	"expires_at":              "2026-02-07T12:00:00Z",
	"file":                    "the bytes",
	"File.id":                 "Zm9vLWJhcl9iYX",
	"filename":                "relatório.pdf",
	"link":                    "0b0e6b0c-6f0e-4f4b-9f0a-3d1f5d1c2b3a",
	"max_downloads":           10,
	"MadeLink.url":            "/s/TQW7C2K4N5X6Y7Z2A3B4C5D6E7",
	"NewLink.secret":          nil,
	"NewLink.actor_cpf":       nil,
	"owner_id":                "00000000191",
	"owner_name":              "Ana Souza",
	"protected":               false,
	"Range":                   "bytes=0-",
	"revoked_at":              nil,
	"secret":                  "correct horse",
	"sha256":                  "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
	"size":                    9,
	"token":                   "TQW7C2K4N5X6Y7Z2A3B4C5D6E7",
	"ttl":                     "7d",
	"X-File-Secret":           "correct horse",
	"day":                     "2026-01-31",
	"detail":                  "kind is required",
	"error":                   "the document has no number",
	"field":                   "numero",
	"format":                  "csv",
	"id":                      "0b0e6b0c-6f0e-4f4b-9f0a-3d1f5d1c2b3a",
	"If-Match":                `"3q2-7wAAAAAAAAAAAAAA"`,
	"If-None-Match":           `W/"3q2-7wAAAAAAAAAAAAAAAA"`,
	"kind":                    "dfd",
	"item":                    "dfd",
	"object":                  "0b0e6b0c-6f0e-4f4b-9f0a-3d1f5d1c2b3a",
	"kinds":                   []any{"dfd"},
	"lease_until":             "2026-01-31T12:01:00Z",
	"submission_id":           "0b0e6b0c-6f0e-4f4b-9f0a-3d1f5d1c2b3a",
	"lease_seconds":           60,
	"limit":                   50,
	"location":                "body.kind",
	"message":                 "is required",
	"meta":                    map[string]any{"sid": "0b0e6b0c-6f0e-4f4b-9f0a-3d1f5d1c2b3a"},
	"next_cursor":             "eyJsIjo1MH0",
	"offset":                  0,
	"payload":                 map[string]any{"numero": "12/2026"},
	"q":                       "souza",
	"queue":                   true,
	"request_id":              "TQW7C2K4N5X6Y7Z2A3B4C5D6E7",
	"result":                  map[string]any{"protocolo": "2026.0042"},
	"session_id":              "5f0c",
	"sid":                     "0b0e6b0c-6f0e-4f4b-9f0a-3d1f5d1c2b3a",
	"since":                   "2026-01-01T00:00:00Z",
	"status":                  "queued",
	"HealthBody.status":       "ok",
	"title":                   "Bad Request",
	"total":                   42,
	"tz":                      portal.DefaultTimeZone,
	"unique_payload":          []any{"numero"},
	"until":                   "2027-01-01T00:00:00Z",
	"updated_at":              "2026-01-31T12:00:00Z",
	"user_id":                 "17",
	"value":                   "12/2026",
	"NewSubmission.result":    nil,
	"NewSubmission.status":    "queued",
	"SubmissionUpdate.status": "done",
	"SubmissionUpdate.error":  nil,
	"version":                 "1.0",
	"worker":                  "worker-1",
}

// queryExamples are for parameters that are written otherwise than fields of their name.
var queryExamples = map[string]any{
	"count":   "exact",
	"payload": `{"numero": "12/2026"}`,
	"status":  []any{"queued"},
}

// parameterExample returns an example of a parameter.
func parameterExample(name string, schema *huma.Schema) any {
	if value, ok := queryExamples[name]; ok && (schema.Type == huma.TypeArray) == (name == "status") {
		return value
	}
	if value, ok := examples[name]; ok {
		return value
	}
	if len(schema.Enum) > 0 {
		return schema.Enum[0]
	}
	return nil
}

// explanations say of each code what leads to it.
var explanations = map[portal.Code]string{
	portal.CodeConflict:           "What is asked for does not go with what is there.",
	portal.CodeForbidden:          "The token's role does not include this, or a file's secret is missing or wrong.",
	portal.CodeGone:               "It was there once.",
	portal.CodeInternal:           "The service failed; its log has the details under the request's id.",
	portal.CodeInvalid:            "The request is wrong; detail and errors say where.",
	portal.CodeNotFound:           "It does not exist.",
	portal.CodePreconditionFailed: "It has changed since it was read: If-Match does not hold.",
	portal.CodeTooLarge:           "The body is too long.",
	portal.CodeTooMany:            "Too many wrong tokens came from this address, which good ones do not suffer for; too many exports are under way; or too many wrong secrets were tried.",
	portal.CodeUnauthenticated:    "There is no token, or one that is not known, has expired or was revoked.",
	portal.CodeUnavailable:        "The database cannot be reached, is too busy, or took too long; the same request may succeed later.",
	portal.CodeUnsupported:        "The body is not of the media type that is taken, or is compressed; or the file in it is of a type that is not allowed.",
}

// newDocument returns the description of the API without its operations.
func newDocument(version string) *huma.OpenAPI {
	registry := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	document := &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info:    &huma.Info{Title: "portaldb", Version: version, Description: aboutAPI},
		Components: &huma.Components{
			Schemas:         registry,
			Responses:       map[string]*huma.Response{},
			SecuritySchemes: map[string]*huma.SecurityScheme{"token": {Type: "http", Scheme: "bearer"}},
			Headers: map[string]*huma.Header{
				"X-Request-Id": {Description: "The request's id: as it was sent, if it has up to 64 letters, digits, dots, dashes and underscores.", Schema: &huma.Schema{Type: huma.TypeString}},
			},
		},
		OnAddOperation: []huma.AddOpFunc{completeOperation},
	}
	return document
}

// responseName is that of the component for a status.
func responseName(status int) string { return strings.ReplaceAll(http.StatusText(status), " ", "") }

// problemResponse describes the answer for a code.
func problemResponse(registry huma.Registry, code portal.Code) *huma.Response {
	status := statuses[code]
	response := &huma.Response{
		Description: fmt.Sprintf("%s `code` is `%s`.", explanations[code], code),
		Headers:     map[string]*huma.Header{"X-Request-Id": {Ref: "#/components/headers/X-Request-Id"}},
		Content: map[string]*huma.MediaType{"application/problem+json": {
			Schema: registry.Schema(reflect.TypeFor[problem](), true, ""),
			Example: map[string]any{
				"title": http.StatusText(status), "status": status, "code": code,
				"detail": strings.ToLower(explanations[code][:1]) + strings.TrimSuffix(explanations[code][1:], "."), "request_id": examples["request_id"],
			},
		}},
	}
	text := &huma.Schema{Type: huma.TypeString}
	switch code {
	case portal.CodeUnauthenticated: // and CodeForbidden, where it is the token's role
		response.Headers["WWW-Authenticate"] = &huma.Header{Description: "What kind of token is needed.", Schema: text}
	case portal.CodeTooMany:
		response.Headers["Retry-After"] = &huma.Header{Description: "How many seconds to wait.", Schema: &huma.Schema{Type: huma.TypeInteger}}
	}
	return response
}

// documentFailures describes what else than success the operation answers. op.Errors are the statuses beside those
// that every operation of its kind has.
func documentFailures(op *huma.Operation, role portal.Role) {
	failures := op.Errors
	op.Errors = nil // huma would add its own
	if role != "" {
		failures = append(failures, http.StatusBadRequest, http.StatusUnauthorized, http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable)
		if strings.Contains(op.Path, "{") {
			failures = append(failures, http.StatusNotFound)
		}
		if role != portal.RoleReader {
			failures = append(failures, http.StatusForbidden)
		}
		if op.Method != http.MethodGet && op.Method != http.MethodDelete {
			failures = append(failures, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
		}
	}
	if op.Responses == nil {
		op.Responses = make(map[string]*huma.Response)
	}
	for _, status := range failures {
		op.Responses[strconv.Itoa(status)] = &huma.Response{Ref: "#/components/responses/" + responseName(status)}
	}
}

// completeOperation adds to what huma knows of an operation: examples, headers, 304, and the answers that it refers to.
func completeOperation(document *huma.OpenAPI, op *huma.Operation) {
	delete(op.Responses, "default")
	registry := document.Components.Schemas
	for code, status := range statuses {
		if op.Responses[strconv.Itoa(status)] != nil && document.Components.Responses[responseName(status)] == nil {
			document.Components.Responses[responseName(status)] = problemResponse(registry, code)
		}
	}
	for _, param := range op.Parameters {
		if param.In != "query" && param.Example == nil { // those in the query are shared, and have theirs
			param.Example = examples[param.Name]
			if param.Name == "id" && strings.HasPrefix(op.Path, "/v1/files/") {
				param.Example = examples["File.id"]
			}
		}
	}
	if body, ok := op.Metadata["body"].(*huma.RequestBody); ok { // if huma had seen it, it would read it
		op.RequestBody = body
	}
	if op.RequestBody != nil {
		addExamples(registry, op.RequestBody.Content)
	}
	for status, response := range op.Responses {
		if response.Ref != "" {
			continue
		}
		if status == "200" && op.DefaultStatus == http.StatusCreated { // both have what was made
			response.Content, response.Headers = op.Responses["201"].Content, maps.Clone(op.Responses["201"].Headers)
		}
		addExamples(registry, response.Content)
		if response.Headers == nil {
			response.Headers = make(map[string]*huma.Header)
		}
		response.Headers["X-Request-Id"] = &huma.Header{Ref: "#/components/headers/X-Request-Id"}
		if op.Method == http.MethodGet && status == "200" && (op.Security != nil && response.Content["application/json"] != nil || op.Metadata["kept"] == true) {
			response.Headers["ETag"] = &huma.Header{Description: "Names this answer, for If-None-Match.", Schema: &huma.Schema{Type: huma.TypeString}}
			op.Parameters = append(slices.Clip(op.Parameters), &huma.Param{
				Name: "If-None-Match", In: "header", Description: "ETags of answers that the caller has.",
				Schema: &huma.Schema{Type: huma.TypeString}, Example: examples["If-None-Match"],
			})
		}
	}
	if op.Method == http.MethodGet && op.Responses["200"] != nil && op.Responses["200"].Headers["ETag"] != nil {
		op.Responses["304"] = &huma.Response{
			Description: "The caller has it already, says If-None-Match.",
			Headers:     map[string]*huma.Header{"X-Request-Id": {Ref: "#/components/headers/X-Request-Id"}, "ETag": op.Responses["200"].Headers["ETag"]},
		}
	}
}

func addExamples(registry huma.Registry, content map[string]*huma.MediaType) {
	for mediaType, media := range content {
		if mediaType == "text/csv" {
			media.Example = "id;kind;status\r\n0b0e6b0c-6f0e-4f4b-9f0a-3d1f5d1c2b3a;dfd;queued\r\n"
		}
		if media.Example == nil && media.Schema != nil {
			media.Example = exampleOf(registry, media.Schema, "", "")
		}
	}
}

// exampleOf returns an example of what a schema describes: of the field of that name in the object of that type.
func exampleOf(registry huma.Registry, schema *huma.Schema, typeName, name string) any {
	if schema.Ref != "" {
		typeName = schema.Ref[strings.LastIndexByte(schema.Ref, '/')+1:]
		return exampleOf(registry, registry.SchemaFromRef(schema.Ref), typeName, name)
	}
	if len(schema.OneOf) > 0 {
		return exampleOf(registry, schema.OneOf[0], typeName, name)
	}
	if schema.Type == huma.TypeObject && len(schema.Properties) > 0 {
		object := make(map[string]any)
		for field, property := range schema.Properties {
			value := exampleOf(registry, property, typeName, field)
			if value != nil || slices.Contains(schema.Required, field) {
				object[field] = value
			}
		}
		return object
	}
	if len(schema.Examples) > 0 {
		return schema.Examples[0]
	}
	if value, ok := examples[typeName+"."+name]; ok {
		return value
	}
	if value, ok := examples[name]; ok {
		return value
	}
	switch schema.Type {
	case huma.TypeArray:
		return []any{exampleOf(registry, schema.Items, typeName, "item")}
	case huma.TypeBoolean:
		return false
	case huma.TypeInteger, huma.TypeNumber:
		return 1
	}
	if len(schema.Enum) > 0 {
		return schema.Enum[0]
	}
	return nil
}

// plainOperation is one that answers something else than JSON.
type plainOperation struct {
	id, path, summary, description, tag string
	contentType, example                string
	failures                            []int
	kept                                bool // the answer has an ETag
}

// handle adds an operation that huma takes no part in.
func (a *API) handle(op plainOperation, handler http.HandlerFunc) {
	described := &huma.Operation{
		OperationID: op.id, Method: http.MethodGet, Path: op.path, Summary: op.summary, Description: op.description, Tags: []string{op.tag},
		Errors:   op.failures,
		Metadata: map[string]any{"kept": op.kept},
	}
	documentFailures(described, "")
	described.Responses["200"] = &huma.Response{Description: "OK", Content: map[string]*huma.MediaType{
		op.contentType: {Schema: &huma.Schema{Type: huma.TypeString}, Example: op.example},
	}}
	a.huma.OpenAPI().AddOperation(described)
	a.mux.HandleFunc("GET "+op.path, handler)
}

// addDocument adds the operations that describe the API. They come last: what they answer is made once, when it is
// first asked for.
func (a *API) addDocument() {
	document := a.huma.OpenAPI()
	for _, form := range []struct {
		plainOperation
		make func() ([]byte, error)
	}{
		{plainOperation{
			id: "openapi-json", path: "/openapi.json", summary: "This description, as JSON", contentType: "application/openapi+json", example: `{"openapi": "3.1.0"}`,
		}, func() ([]byte, error) { return json.Marshal(document) }},
		{plainOperation{
			id: "openapi-yaml", path: "/openapi.yaml", summary: "This description, as YAML", contentType: "application/openapi+yaml", example: "openapi: 3.1.0\n",
		}, document.YAML},
		{plainOperation{
			id: "docs", path: "/docs", summary: "This description, for people", contentType: "text/html", example: "<!doctype html>",
		}, func() ([]byte, error) { return docsPage(document) }},
	} {
		form.tag, form.kept = "description", true
		made := sync.OnceValues(form.make)
		a.handle(form.plainOperation, func(w http.ResponseWriter, r *http.Request) {
			body, err := made()
			if err != nil {
				failure(exchangeOf(r.Context()), err).write(w)
				return
			}
			header := w.Header()
			header.Set("Content-Type", form.contentType)
			if form.contentType == "text/html" {
				header.Set("Content-Type", "text/html; charset=utf-8")
				header.Set("Content-Security-Policy", docsPolicy)
				header.Set("Referrer-Policy", "no-referrer")
				header.Set("X-Content-Type-Options", "nosniff")
			}
			header.Set("Cache-Control", "no-cache")
			writeAll(w, body)
		})
	}
}
