package httpapi_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"portaldb/internal/httpapi"
	"portaldb/internal/portal"
	"portaldb/internal/postgres"
)

// object is a JSON object.
type object = map[string]any

// description is GET /openapi.json as a client reads it.
type description struct {
	text     []byte
	root     object
	mu       sync.Mutex
	compiler *jsonschema.Compiler
}

// operation is one of those that are described.
type operation struct {
	id, method, path string
	role             portal.Role // "" if no token is needed
	parameters       []object
	body             object // the media type
	bodyType         string // its name
	bodyPointer      string
	responses        map[int]object
	pointers         map[int]string
}

func describe(t testing.TB, b *bundle) *description {
	t.Helper()
	got := b.request(t, "GET", "/openapi.json", "", "Authorization", "")
	if got.status != 200 || got.header.Get("Content-Type") != "application/openapi+json" {
		t.Fatalf("status %d, %s", got.status, got.header.Get("Content-Type"))
	}
	root, err := jsonschema.UnmarshalJSON(bytes.NewReader(got.body))
	if err != nil {
		t.Fatal(err)
	}
	d := &description{text: got.body, root: root.(object), compiler: jsonschema.NewCompiler()}
	d.compiler.AssertFormat()
	if err := d.compiler.AddResource("openapi.json", root); err != nil {
		t.Fatal(err)
	}
	return d
}

// follow returns what a reference refers to, and where that is.
func (d *description) follow(node object, pointer string) (object, string) {
	ref, ok := node["$ref"].(string)
	if !ok {
		return node, pointer
	}
	var at any = d.root
	for part := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		at = at.(object)[part]
	}
	return at.(object), ref[1:]
}

func (d *description) operations() []operation {
	var all []operation
	paths := d.root["paths"].(object)
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		for _, method := range slices.Sorted(maps.Keys(paths[path].(object))) {
			node := paths[path].(object)[method].(object)
			pointer := "/paths/" + strings.ReplaceAll(path, "/", "~1") + "/" + method
			op := operation{
				id: node["operationId"].(string), method: strings.ToUpper(method), path: path,
				responses: map[int]object{}, pointers: map[int]string{},
			}
			if security, ok := node["security"].([]any); ok {
				op.role = portal.Role(security[0].(object)["token"].([]any)[0].(string))
			}
			parameters, _ := node["parameters"].([]any)
			for _, parameter := range parameters {
				op.parameters = append(op.parameters, parameter.(object))
			}
			if request, ok := node["requestBody"].(object); ok {
				for name, media := range request["content"].(object) { // one
					op.body, op.bodyType = media.(object), name
				}
				op.bodyPointer = pointer + "/requestBody/content/" + strings.ReplaceAll(op.bodyType, "/", "~1")
			}
			for status, response := range node["responses"].(object) {
				n, _ := strconv.Atoi(status)
				op.responses[n], op.pointers[n] = d.follow(response.(object), pointer+"/responses/"+status)
			}
			all = append(all, op)
		}
	}
	return all
}

// validate compares JSON with the schema at a place in the document.
func (d *description) validate(pointer string, content []byte) error {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(content))
	if err != nil {
		return err
	}
	d.mu.Lock()
	schema, err := d.compiler.Compile("openapi.json#" + strings.ReplaceAll(pointer, "{", "%7B"))
	d.mu.Unlock()
	if err != nil {
		return err
	}
	return schema.Validate(value)
}

// check compares an answer with what is described of its status.
func (d *description) check(t testing.TB, op operation, got answer) {
	t.Helper()
	response, ok := op.responses[got.status]
	if !ok {
		t.Errorf("%s: status %d is not described: %.300s", op.id, got.status, got.body)
		return
	}
	headers, _ := response["headers"].(object)
	for name := range headers {
		if got.header.Get(name) == "" {
			t.Errorf("%s: %d without %s", op.id, got.status, name)
		}
	}
	contents, _ := response["content"].(object)
	if len(contents) == 0 {
		if len(got.body) > 0 {
			t.Errorf("%s: %d has a body: %.300s", op.id, got.status, got.body)
		}
		return
	}
	mediaType, _, _ := strings.Cut(got.header.Get("Content-Type"), ";")
	media, ok := contents[mediaType].(object)
	if !ok && !strings.Contains(mediaType, "json") {
		media, ok = contents["*/*"].(object)
	}
	if !ok {
		t.Errorf("%s: %d is %s, which is not described", op.id, got.status, mediaType)
		return
	}
	bodies := [][]byte{got.body}
	if mediaType == "application/x-ndjson" {
		bodies = bytes.Split(bytes.TrimSuffix(got.body, []byte("\n")), []byte("\n"))
	}
	if strings.HasSuffix(mediaType, "json") && mediaType != "application/openapi+json" {
		pointer := op.pointers[got.status] + "/content/" + strings.ReplaceAll(mediaType, "/", "~1") + "/schema"
		for _, body := range bodies {
			if err := d.validate(pointer, body); err != nil {
				t.Errorf("%s: %d: %v: %.300s", op.id, got.status, err, body)
			}
		}
	}
	if mediaType == "application/problem+json" {
		wantProblem(t, got, got.status, portal.Code(media["example"].(object)["code"].(string)))
	}
}

// call sends a request with the operation's own examples. Parameters that are not needed are left out.
func (op operation) call(t testing.TB, b *bundle, header ...string) answer {
	t.Helper()
	return op.send(t, b, op.target(), op.exampleBody(), header...)
}

// target is the path with its parameters.
func (op operation) target() string {
	path := op.path
	query := url.Values{}
	for _, p := range op.parameters {
		switch {
		case p["in"] == "path":
			path = strings.Replace(path, "{"+p["name"].(string)+"}", url.PathEscape(textOf(p["example"])), 1)
		case p["in"] == "query" && p["required"] == true:
			query.Set(p["name"].(string), textOf(p["example"]))
		case op.id == "get-stats" && (p["name"] == "since" || p["name"] == "until"): // which would be now, and never the same
			query.Set(p["name"].(string), textOf(p["example"]))
		}
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return path
}

func (op operation) send(t testing.TB, b *bundle, target, body string, header ...string) answer {
	t.Helper()
	if op.role == "" {
		header = append([]string{"Authorization", ""}, header...)
	}
	if op.bodyType == formType {
		header = append([]string{"Content-Type", formType + "; boundary=" + formBoundary}, header...)
	}
	return b.request(t, op.method, target, body, header...)
}

func (op operation) exampleBody() string {
	if op.body == nil {
		return ""
	}
	if op.bodyType == formType {
		var parts []string
		for name, value := range op.body["example"].(object) {
			parts = append(parts, name, fmt.Sprint(value))
		}
		return formBody(parts...)
	}
	text, err := json.Marshal(op.body["example"])
	if err != nil {
		panic(err)
	}
	return string(text)
}

// textOf is an example as it stands in a URL.
func textOf(example any) string {
	if list, ok := example.([]any); ok {
		return textOf(list[0])
	}
	return fmt.Sprint(example)
}

// TestOpenAPI_Document holds the document against the specification, and its examples against its schemas.
func TestOpenAPI_Document(t *testing.T) {
	t.Parallel()
	b := setup(t)
	d := describe(t, b)

	document, err := openapi3.NewLoader().LoadFromData(d.text)
	if err != nil {
		t.Fatal(err)
	}
	if err := document.Validate(t.Context()); err != nil {
		t.Error(err)
	}

	got := b.request(t, "GET", "/openapi.yaml", "", "Authorization", "")
	var fromYAML, fromJSON any
	if err := yaml.Unmarshal(got.body, &fromYAML); err != nil || got.header.Get("Content-Type") != "application/openapi+yaml" {
		t.Fatalf("%v, %s", err, got.header.Get("Content-Type"))
	}
	again, err := json.Marshal(fromYAML)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(again, &fromYAML); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(d.text, &fromJSON); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(fromYAML, fromJSON) {
		t.Error("the YAML says something else than the JSON")
	}

	example := func(where, pointer string, node object) {
		t.Helper()
		value, ok := node["example"]
		if !ok {
			t.Errorf("%s has no example: var examples takes one", where)
			return
		}
		text, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.validate(pointer+"/schema", text); err != nil {
			t.Errorf("%s: the example %s is none: %v", where, text, err)
		}
	}
	paths := 0
	for _, op := range d.operations() {
		paths++
		pointer := "/paths/" + strings.ReplaceAll(op.path, "/", "~1") + "/" + strings.ToLower(op.method)
		for i, p := range op.parameters {
			example(fmt.Sprintf("%s: parameter %s", op.id, p["name"]), fmt.Sprintf("%s/parameters/%d", pointer, i), p)
		}
		if op.body != nil {
			example(op.id+": the body", op.bodyPointer, op.body)
		}
		for status, response := range op.responses {
			contents, _ := response["content"].(object)
			for mediaType, media := range contents {
				example(fmt.Sprintf("%s: %d", op.id, status), op.pointers[status]+"/content/"+strings.ReplaceAll(mediaType, "/", "~1"), media.(object))
			}
			if response["description"] == "" {
				t.Errorf("%s: %d is not explained", op.id, status)
			}
		}
	}
	if paths < 13 {
		t.Errorf("%d operations", paths)
	}
}

// TestOpenAPI_Answers makes every operation answer with every status that is described of it, and compares each answer
// with its description.
func TestOpenAPI_Answers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.addExamples(t)
	d := describe(t, b)
	notReady := func(cfg *httpapi.Config) {
		cfg.Ready = func(ctx context.Context) error { return errors.New("not now") }
	}
	limited := setup(t, func(cfg *httpapi.Config) { cfg.WrongTokens = 1 })
	wrong := "Bearer pdb_" + strings.Repeat("x", 43)
	limited.request(t, "GET", "/v1/stats", "", "Authorization", wrong)

	broken := setup(t)
	broken.exec(t, "ALTER TABLE service.api_tokens RENAME TO elsewhere")
	broken.exec(t, "ALTER TABLE service.file_links RENAME TO elsewhere_too")

	lost := setup(t, notReady, func(cfg *httpapi.Config) {
		db, err := postgres.Open(t.Context(), postgres.Config{URL: "postgres://nobody@127.0.0.1:1/nothing"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(db.Close)
		cfg.Service = portal.New(db.Primary(), db.Reads())
		cfg.Files = portal.NewFiles(db.Primary(), db.Reads(), portal.FilesConfig{})
	})
	small := setupFiles(t, func(cfg *portal.FilesConfig) { cfg.MaxSize = 3 })
	b.addFile(t, "protected_____", "x", "secret_hash", legacyHash("s3cret"))
	b.addFile(t, "deleted_______", "x", "deleted_at", time.Now())
	b.addFile(t, "attacked______", "x", "secret_hash", legacyHash("s3cret"))
	b.exec(t, "INSERT INTO service.file_attempts (scope, key, failures) VALUES ('item', 'attacked______', 1000000)")
	content := func(id string) string { return "/v1/files/" + id + "/content" }
	signed := func(id string) string { return "/s/" + legacyLink(id, time.Now().Add(time.Hour)) }

	// What cannot be provoked the same way everywhere.
	special := map[string]func(operation) answer{
		"503 metrics": func(op operation) answer { return busyMetrics(t, op) },
		"200 create-submission": func(op operation) answer {
			op.call(t, b)
			return op.call(t, b)
		},
		"201 create-submission": func(op operation) answer {
			return op.send(t, b, op.path, `{"kind": "dfd", "version": "1", "payload": {}}`)
		},
		"409 extend-lease": func(op operation) answer { return op.send(t, b, op.target(), `{"worker": "another"}`) },
		"409 create-submission": func(op operation) answer {
			return op.send(t, b, op.path, strings.Replace(op.exampleBody(), `"dfd"`, `"etp"`, 1))
		},
		"409 update-submission": func(op operation) answer { return op.send(t, b, op.target(), `{"status": "queued"}`) },
		"400 create-file":       func(op operation) answer { return op.send(t, b, op.path, formBody("file", "x", "ttl", "2d")) },
		"413 create-file":       func(op operation) answer { return op.call(t, small) },
		"400 list-links":        func(op operation) answer { return op.send(t, b, op.target()+"?no_such_parameter=1", "") },
		"410 create-link":       func(op operation) answer { return op.send(t, b, "/v1/files/deleted_______/links", "{}") },
		"410 delete-file":       func(op operation) answer { return op.call(t, b) },
		"404 revoke-link":       func(op operation) answer { return op.send(t, b, "/v1/files/nowhere/links/nowhere", "") },
		"400 revoke-link": func(op operation) answer {
			return op.send(t, b, strings.Replace(op.target(), "Zm9vLWJhcl9iYX", "%00", 1), "")
		},
		"403 get-file-content":  func(op operation) answer { return op.send(t, b, content("protected_____"), "") },
		"410 get-file-content":  func(op operation) answer { return op.send(t, b, content("deleted_______"), "") },
		"403 open-link":         func(op operation) answer { return op.send(t, b, signed("protected_____"), "") },
		"404 open-link":         func(op operation) answer { return op.send(t, b, "/s/nowhere", "") },
		"410 open-link":         func(op operation) answer { return op.send(t, b, signed("deleted_______"), "") },
		"429 open-link":         func(op operation) answer { return op.send(t, b, signed("attacked______"), "", "X-File-Secret", "x") },
		"412 update-submission": func(op operation) answer { return op.call(t, b, "If-Match", `"another"`) },
	}
	operations := d.operations()
	first := []string{"list", "extend-lease", "claim-submissions", "create-submission"} // the later, the earlier
	slices.SortStableFunc(operations, func(a, b operation) int {                        // what is created first can be claimed, changed and read then
		return cmp.Or(slices.Index(first, b.id)-slices.Index(first, a.id), strings.Compare(b.method[:2], a.method[:2]))
	})
	for _, op := range operations {
		for _, status := range slices.Sorted(maps.Keys(op.responses)) {
			var got answer
			provoke, ok := special[fmt.Sprintf("%d %s", status, op.id)]
			switch {
			case ok:
				got = provoke(op)
			case status == 206:
				got = op.call(t, b, "Range", "bytes=1-")
			case status < 300:
				got = op.call(t, b)
			case status == 416:
				got = op.call(t, b, "Range", "bytes=1000000-")
			case status == 412:
				got = op.call(t, b, "If-Match", `"another"`)
			case status == 304:
				got = op.call(t, b, "If-None-Match", op.call(t, b).header.Get("ETag"))
			case status == 400 && op.body != nil:
				got = op.send(t, b, op.target(), "{")
			case status == 400 && strings.Contains(op.path, "/{id}"):
				got = op.send(t, b, strings.Replace(op.path, "{id}", "%00", 1), "")
			case status == 400:
				got = op.send(t, b, strings.Split(op.target(), "?")[0]+"?no_such_parameter=1", "")
			case status == 401:
				got = op.call(t, b, "Authorization", "")
			case status == 403:
				got = op.call(t, b, "Authorization", "Bearer "+b.tokens[portal.RoleReader])
			case status == 404:
				got = op.send(t, b, strings.Replace(op.path, "{id}", "nowhere", 1), op.exampleBody())
			case status == 413:
				got = announce(t, b, op, httpapi.MaxBody+1)
			case status == 415:
				got = op.call(t, b, "Content-Type", "text/plain")
			case status == 429:
				got = op.call(t, limited, "Authorization", wrong)
			case status == 500:
				got = op.call(t, broken)
			case status == 503:
				got = op.call(t, lost)
			}
			if got.status != status {
				t.Errorf("%s does not answer %d as it says, but %d: %.300s", op.id, status, got.status, got.body)
				continue
			}
			d.check(t, op, got)
		}
		for _, p := range op.parameters {
			if p["in"] != "query" || p["required"] == true || p["name"] == "cursor" {
				continue
			}
			path, given, _ := strings.Cut(op.target(), "?")
			query, err := url.ParseQuery(given)
			if err != nil {
				t.Fatal(err)
			}
			query.Set(p["name"].(string), textOf(p["example"]))
			got := op.send(t, b, path+"?"+query.Encode(), op.exampleBody())
			if got.status != 200 {
				t.Errorf("%s with the example of %s: status %d: %.300s", op.id, p["name"], got.status, got.body)
			}
			d.check(t, op, got)
		}
		if op.method == "GET" {
			head := op
			head.method = "HEAD"
			if got, want := head.call(t, b), op.call(t, b); got.status != want.status || len(got.body) != 0 || got.header.Get("Content-Type") != want.header.Get("Content-Type") ||
				got.header.Get("ETag") != want.header.Get("ETag") {
				t.Errorf("HEAD of %s: status %d, %d bytes, %v", op.path, got.status, len(got.body), got.header)
			}
		}
	}
}

// busyMetrics keeps as many scrapes waiting as there may be.
func busyMetrics(t *testing.T, op operation) answer {
	t.Helper()
	entered, leave := make(chan struct{}, 100), make(chan struct{})
	b := setup(t, func(cfg *httpapi.Config) {
		cfg.Registry = prometheus.NewRegistry()
		cfg.Registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "slow"}, func() float64 {
			entered <- struct{}{}
			<-leave
			return 0
		}))
	})
	var scrapes sync.WaitGroup
	for range 4 {
		scrapes.Go(func() { op.call(t, b) })
	}
	for range 4 {
		<-entered
	}
	got := op.call(t, b)
	close(leave)
	scrapes.Wait()
	return got
}

// announce sends the headers of a request with a body of that length, and nothing of it.
func announce(t testing.TB, b *bundle, op operation, length int) answer {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(b.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n",
		op.method, op.target(), b.tokens[portal.RoleAdmin], length)
	return readAnswer(t, conn)
}

func readAnswer(t testing.TB, conn net.Conn) answer {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, content}
}

// TestOpenAPI_Tokens calls every operation with every token that will not do.
func TestOpenAPI_Tokens(t *testing.T) {
	t.Parallel()
	b := setup(t, func(cfg *httpapi.Config) { cfg.WrongTokens = 1_000_000 })
	token := func(name string) string {
		soon := time.Now().Add(time.Hour)
		_, secret, err := b.service.CreateToken(t.Context(), name, portal.RoleAdmin, &soon)
		if err != nil {
			t.Fatal(err)
		}
		return secret
	}
	revoked, expired := token("revoked"), token("expired")
	b.exec(t, "UPDATE service.api_tokens SET revoked_at = now() WHERE name = 'revoked'")
	b.exec(t, "UPDATE service.api_tokens SET expires_at = now() WHERE name = 'expired'")
	good := b.tokens[portal.RoleAdmin]

	b.addExamples(t)
	open := map[string]bool{"/s/{token}": true, "/healthz": true, "/readyz": true, "/metrics": true, "/openapi.json": true, "/openapi.yaml": true, "/docs": true}
	ranks := map[portal.Role]int{portal.RoleReader: 1, portal.RoleWriter: 2, portal.RoleAdmin: 3}
	d := describe(t, b)
	for _, op := range d.operations() {
		if open[op.path] != (op.role == "") {
			t.Errorf("%s %s: role %q", op.method, op.path, op.role)
		}
		for name, authorization := range map[string]string{
			"none": "", "empty": "Bearer ", "another scheme": "Basic " + good, "no scheme": good,
			"unknown": "Bearer pdb_" + strings.Repeat("x", 43), "cut off": "Bearer " + good[:len(good)-1], "longer": "Bearer " + good + "x",
			"two": "Bearer " + good + " " + good, "huge": "Bearer pdb_" + strings.Repeat("x", 30_000),
			"revoked": "Bearer " + revoked, "expired": "Bearer " + expired,
		} {
			got := op.call(t, b, "Authorization", authorization)
			if op.role == "" {
				if got.status != 200 {
					t.Errorf("%s with %s token: status %d", op.id, name, got.status)
				}
				continue
			}
			if got.status != 401 {
				t.Errorf("%s with %s token: status %d", op.id, name, got.status)
			}
			d.check(t, op, got)
		}
		for role, rank := range ranks {
			got := op.call(t, b, "Authorization", "Bearer "+b.tokens[role])
			if refused := rank < ranks[op.role]; refused != (got.status == 403) || got.status == 401 {
				t.Errorf("%s as %s: status %d", op.id, role, got.status)
			}
			d.check(t, op, got)
		}
	}
}
