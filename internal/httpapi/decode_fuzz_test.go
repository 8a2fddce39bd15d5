package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"testing"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"

	"portaldb/internal/blob"
	"portaldb/internal/portal"
)

// fuzzed are the bodies of all operations that take JSON, by the operation's id.
var fuzzed = map[string]func() body{
	"claim-submissions": func() body { return new(claim) },
	"create-audits":     func() body { return new(newAudits) },
	"create-link":       func() body { return new(newLink) },
	"create-submission": func() body { return new(newSubmission) },
	"extend-lease":      func() body { return new(heartbeat) },
	"update-submission": func() body { return new(submissionUpdate) },
}

// fuzzedForms are the operations that take a form.
var fuzzedForms = map[string]func(*portal.Files, *http.Request) error{
	"create-file": func(files *portal.Files, r *http.Request) error {
		form := form{files: files}
		defer form.discard()
		return form.read(r.Context(), r)
	},
}

// TestFuzz_Complete fails when an operation takes a body that the fuzz tests leave out, or that they decode into something
// else than it does.
func TestFuzz_Complete(t *testing.T) {
	t.Parallel()
	api := New(Config{Logger: slog.New(slog.DiscardHandler), Files: &portal.Files{}}).huma.OpenAPI()
	text, err := json.Marshal(api)
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Paths map[string]map[string]struct {
			OperationID string
			RequestBody *struct {
				Content map[string]struct{ Schema any }
			}
		}
	}
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	found := 0
	for path, operations := range document.Paths {
		for method, op := range operations {
			if op.RequestBody == nil {
				continue
			}
			for mediaType, media := range op.RequestBody.Content {
				found++
				if mediaType != "application/json" {
					if fuzzedForms[op.OperationID] == nil {
						t.Errorf("%s %s takes %s, which FuzzForms leaves out: fuzzedForms takes %q", method, path, mediaType, op.OperationID)
					}
					continue
				}
				newBody := fuzzed[op.OperationID]
				if newBody == nil {
					t.Errorf("%s %s takes a body that FuzzBodies leaves out: fuzzed takes %q", method, path, op.OperationID)
					continue
				}
				var want any
				described, err := json.Marshal(api.Components.Schemas.Schema(reflect.TypeOf(newBody()).Elem(), true, ""))
				if err == nil {
					err = json.Unmarshal(described, &want)
				}
				if err != nil {
					t.Fatal(err)
				}
				if !reflect.DeepEqual(want, media.Schema) {
					t.Errorf("%s takes %v, FuzzBodies decodes %T: %v", op.OperationID, media.Schema, newBody(), want)
				}
			}
		}
	}
	if found != len(fuzzed)+len(fuzzedForms) {
		t.Errorf("%d operations take a body, the fuzz tests know %d", found, len(fuzzed)+len(fuzzedForms))
	}
}

// checkRefusal fails when an error is no message for a caller.
func checkRefusal(t *testing.T, what string, err error, message string) {
	t.Helper()
	if err != nil && (message == "" || len(message) > 200 || !utf8.ValidString(message)) {
		t.Errorf("%s: %q is no message", what, message)
	}
}

// FuzzBodies decodes bodies into all that a body can be.
func FuzzBodies(f *testing.F) {
	for _, seed := range []string{
		`{"kind": "dfd", "version": "1", "payload": {"numero": 1.50}}`, `{"status": "done", "error": null, "result": []}`,
		`[{"kind": "dfd", "action": "a", "meta": {"sid": "x"}}, {}]`, `{"a": "\ud83d\ude00\u0000"}`, `{"kind": 1e400000}`, `[[[[`, "\xff", `{"kind": "a", "kind": "b"}`, "", "null",
		`{"kinds": ["dfd", "etp"], "worker": "w1", "limit": 10, "lease_seconds": 60}`, `{"kinds": "dfd", "worker": null, "limit": 1.5}`,
		`{"worker": "w1", "lease_seconds": 9223372036854775808}`, `{"expires": "1d", "secret": "s", "actor_cpf": null}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for id, newBody := range fuzzed {
			err := unmarshal(data, newBody())
			if err == nil && !json.Valid(data) {
				t.Errorf("%s takes what is no JSON: %q", id, data)
			}
			if err != nil {
				checkRefusal(t, id, err, err.Error())
			}
		}
	})
}

// oneRow is a database in which every change finds its row.
type oneRow struct{ portal.Primary }

func (oneRow) Exec(context.Context, string, ...any) (pgconn.CommandTag, error) {
	return pgconn.NewCommandTag("UPDATE 1"), nil
}

// rootless is a store that no database knows.
type rootless struct{ blob.Store }

func (rootless) Roots() []blob.Root { return nil }

// FuzzForms reads bodies as forms, whose boundary is x, and stores the file in them.
func FuzzForms(f *testing.F) {
	const file = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"relatório.pdf\"\r\nContent-Type: application/pdf\r\n\r\n%PDF\r\n"
	const ttl = "--x\r\nContent-Disposition: form-data; name=\"ttl\"\r\n\r\n1d\r\n"
	const most = "--x\r\nContent-Disposition: form-data; name=\"max_downloads\"\r\n\r\n99999999999\r\n"
	for _, seed := range []string{
		file + "--x--\r\n", ttl + file + "--x--\r\n", file + ttl + "--x--\r\n", file + file + "--x--", most + file + "--x--", file, "--x", "", "--x--\r\n",
		"--x\r\n\r\n\r\n--x--", "--x\r\nContent-Disposition: form-data; name=\"secret\"\r\n\r\n\xff\x00\r\n--x--",
		"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"../\xff\"\r\n\r\n\r\n--x--", "--x\r\nContent-Disposition: \"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=\r\n--x--",
	} {
		f.Add([]byte(seed))
	}
	store, err := blob.Open(blob.Config{Root: f.TempDir()})
	if err != nil {
		f.Fatal(err)
	}
	files := portal.NewFiles(oneRow{}, nil, portal.FilesConfig{Store: rootless{store}, MaxSize: 1 << 20})
	f.Fuzz(func(t *testing.T, data []byte) {
		for id, read := range fuzzedForms {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", bytes.NewReader(data))
			r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
			err := read(files, r)
			checkRefusal(t, id, err, portal.ErrorMessage(err))
			if err != nil && portal.ErrorCode(err) == portal.CodeInternal {
				t.Errorf("%s: the service fails: %v", id, err)
			}
		}
	})
}
