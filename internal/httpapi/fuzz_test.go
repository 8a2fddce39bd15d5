package httpapi_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"portaldb/internal/httpapi"
)

// nastyMark is in every nasty value that can hold it, and must not come back in a problem.
const nastyMark = "52998224725"

// nastyTexts are what a parameter must bear.
var nastyTexts = map[string]string{
	"empty": "", "blank": " ", "NUL": nastyMark + "\x00", "not UTF-8": nastyMark + "\xff\xfe", "half surrogate": nastyMark + "\xed\xa0\x80",
	"escaped half surrogate": `"` + nastyMark + `\ud800"`, "huge": strings.Repeat(nastyMark, 3000), "negative": "-1", "large": "99999999999999999999",
	"exponent": "1e400000", "not a number": "NaN", "text": nastyMark, "time": "9999-12-31T23:59:59-23:59", "no such day": "2026-02-30T00:00:00Z",
	"year 0": "0000-01-01T00:00:00Z", "deep": strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000), "JSON": `{"a": "` + nastyMark + `"}`,
	"broken JSON": `{"` + nastyMark, "commas": ",,,", "percent": "%", "quote": `'"` + nastyMark, "SQL": "'; DROP TABLE submissions; --", "dots": "..", "slash": "a/b",
	"line": nastyMark + "\r\nX: y", "bidi": "\u202e" + nastyMark, "pattern": "%_\\",
}

// nastyValues are what a field must bear, as they stand in the body.
var nastyValues = map[string]string{
	"null": "null", "true": "true", "zero": "0", "negative": "-" + nastyMark, "fraction": "1.5", "exponent": "1e400000", "large": strings.Repeat("9", 2000),
	"empty": `""`, "text": `"` + nastyMark + `"`, "huge": `"` + strings.Repeat(nastyMark, 100_000) + `"`, "NUL": `"` + nastyMark + `\u0000"`, "raw NUL": "\"\x00\"",
	"half surrogate": `"\ud800` + nastyMark + `"`, "other half": `"` + nastyMark + `\udc00"`, "not UTF-8": "\"" + nastyMark + "\xff\"", "raw half": "\"\xed\xa0\x80\"",
	"array": "[]", "object": "{}", "nested": `[{"a": [null, "` + nastyMark + `"]}]`, "deep": strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000),
	"deep objects": strings.Repeat(`{"a":`, 50_000) + "1" + strings.Repeat("}", 50_000), "unclosed": `"` + nastyMark, "nothing": "", "bare": nastyMark + "x",
	"many": "[" + strings.Repeat(`"`+nastyMark+`",`, 20_000) + "1]", "control": "\"\x01\"",
}

// nastyBodies are whole bodies.
var nastyBodies = map[string]string{
	"empty": "", "null": "null", "text": `"` + nastyMark + `"`, "number": nastyMark, "empty object": "{}", "empty array": "[]", "array of null": "[null]",
	"nested array": "[[]]", "broken": `{"` + nastyMark, "two": "{} {}", "byte order mark": "\ufeff{}", "NUL": "\x00", "not UTF-8": "\xff" + nastyMark,
	"deep": strings.Repeat("[", 1_000_000), "blank": strings.Repeat(" ", 100_000), "too long": strings.Repeat(" ", httpapi.MaxBody+1),
	"too many": "[" + strings.Repeat("{},", 20_000) + "{}]",
}

// TestOpenAPI_Inputs sends nasty values in every parameter and every field: the service never fails, and no problem
// holds what was sent.
func TestOpenAPI_Inputs(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.addExamples(t)
	d := describe(t, b)
	for _, op := range d.operations() {
		if op.role == "" && op.id != "open-link" {
			continue
		}
		t.Run(op.id, func(t *testing.T) {
			sent := 0
			try := func(what, target, body string, header ...string) {
				t.Helper()
				sent++
				got := op.send(t, b, target, body, header...)
				if got.status >= 500 {
					t.Errorf("%s: status %d: %.300s", what, got.status, got.body)
				}
				if got.status >= 400 && (bytes.Contains(got.body, []byte(nastyMark)) || len(got.body) > 2000) {
					t.Errorf("%s: the problem holds what was sent: %.300s", what, got.body)
				}
				d.check(t, op, got)
			}
			example := op.exampleBody()
			path, _, _ := strings.Cut(op.target(), "?")
			for _, p := range op.parameters {
				name := p["name"].(string)
				for kind, value := range nastyTexts {
					what := fmt.Sprintf("%s: %s", name, kind)
					switch p["in"] {
					case "path":
						if value == "" || value == ".." { // another path
							continue
						}
						try(what, strings.Replace(op.path, "{"+name+"}", url.PathEscape(value), 1), example)
					case "query":
						escaped := name + "=" + url.QueryEscape(value)
						try(what, path+"?"+escaped, example)
						try(what+" after a good one", path+"?"+name+"="+url.QueryEscape(textOf(p["example"]))+"&"+escaped, example)
					case "header":
						if !strings.ContainsAny(value, "\x00\r\n") && len(value) < 50_000 { // which the client does not send
							try(what, op.target(), example, name, value)
						}
					}
				}
			}
			for kind, value := range nastyTexts {
				if op.method == "GET" {
					try("unknown parameter: "+kind, path+"?"+url.QueryEscape(value)+"x="+nastyMark, "")
				}
			}
			if op.body == nil {
				return
			}
			for kind, body := range nastyBodies {
				try("body: "+kind, op.target(), body)
			}
			if op.bodyType == formType {
				for name := range op.body["example"].(object) {
					for kind, value := range nastyTexts {
						try(fmt.Sprintf("%s: %s", name, kind), op.target(), formBody("file", "x", name, value))
						try(fmt.Sprintf("%s, before the file: %s", name, kind), op.target(), formBody(name, value, "file", "x"))
					}
				}
				return
			}
			schema, _ := d.follow(op.body["schema"].(object), "")
			if one, ok := schema["oneOf"].([]any); ok {
				schema, _ = d.follow(one[0].(object), "")
			}
			fields := map[string]string{}
			for name, value := range op.body["example"].(object) {
				text, err := json.Marshal(value)
				if err != nil {
					t.Fatal(err)
				}
				fields[name] = string(text)
			}
			for name := range schema["properties"].(object) {
				for kind, value := range nastyValues {
					changed := maps.Clone(fields)
					changed[name] = value
					try(fmt.Sprintf("%s: %s", name, kind), op.target(), bodyOf(changed))
					try(fmt.Sprintf("%s twice: %s", name, kind), op.target(), strings.TrimSuffix(bodyOf(fields), "}")+`, "`+name+`": `+value+"}")
				}
				without := maps.Clone(fields)
				delete(without, name)
				try(name+": left out", op.target(), bodyOf(without))
				try(name+": in other case", op.target(), strings.Replace(bodyOf(fields), `"`+name+`"`, `"`+strings.ToUpper(name)+`"`, 1))
				try(name+": in an array", op.target(), "["+bodyOf(fields)+`, {"`+name+`": "`+nastyMark+`"}]`)
			}
			for kind, value := range nastyValues {
				try("unknown field: "+kind, op.target(), strings.TrimSuffix(bodyOf(fields), "}")+`, "no_such_field": `+value+"}")
			}
			t.Logf("%d requests", sent)
		})
	}
	if _, failures, failed := strings.Cut(b.log.String(), `"level":"ERROR"`); failed {
		t.Errorf("the service failed: %.2000s", failures)
	}
}

// bodyOf returns an object of fields that are JSON, or are meant to be.
func bodyOf(fields map[string]string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		parts = append(parts, `"`+name+`": `+fields[name])
	}
	return "{" + strings.Join(parts, ", ") + "}"
}
