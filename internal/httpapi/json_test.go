package httpapi

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// TestAppendJSON compares what is appended with what encoding/json makes of the same.
func TestAppendJSON(t *testing.T) {
	t.Parallel()
	text := rapid.String()
	maybe := rapid.Ptr(text, true)
	moment := rapid.Map(rapid.Int64Range(-62135596800_000000, 253402300799_000000), func(n int64) time.Time { return time.UnixMicro(n).UTC() })
	raw := rapid.SampledFrom([]json.RawMessage{nil, json.RawMessage("null"), json.RawMessage(`{"a":[1.50,"<"]}`)})
	rapid.Check(t, func(r *rapid.T) {
		page := &submissionPage{Items: []submission{}, NextCursor: rapid.SampledFrom([]string{"", "abc"}).Draw(r, "cursor")}
		trail := &auditPage{Items: []audit{}}
		if rapid.Bool().Draw(r, "counted") {
			page.Total = new(rapid.Int64().Draw(r, "total"))
			trail.Total = page.Total
		}
		for range rapid.IntRange(0, 3).Draw(r, "items") {
			page.Items = append(page.Items, submission{
				ID: text.Draw(r, "id"), Kind: text.Draw(r, "kind"), Version: text.Draw(r, "version"),
				ActorCPF: maybe.Draw(r, "cpf"), ActorNome: maybe.Draw(r, "nome"), ActorEmail: maybe.Draw(r, "email"),
				Payload: raw.Draw(r, "payload"), Status: text.Draw(r, "status"), Result: raw.Draw(r, "result"), Error: maybe.Draw(r, "error"),
				CreatedAt: moment.Draw(r, "created"), UpdatedAt: moment.Draw(r, "updated"),
			})
			trail.Items = append(trail.Items, audit{
				rapid.Int64().Draw(r, "id"), moment.Draw(r, "at"),
				maybe.Draw(r, "cpf"), maybe.Draw(r, "nome"),
				text.Draw(r, "kind"), text.Draw(r, "action"), raw.Draw(r, "meta"),
			})
		}
		for _, answer := range []any{page, trail} {
			var got, want bytes.Buffer
			if err := marshal(&got, answer); err != nil {
				r.Fatal(err)
			}
			encoder := json.NewEncoder(&want)
			encoder.SetEscapeHTML(false)
			if err := encoder.Encode(answer); err != nil {
				r.Fatal(err)
			}
			expected := strings.Replace(want.String(), `"next_cursor":""`, `"next_cursor":null`, 1)
			if got.String() != expected {
				r.Fatalf("%s\nwant\n%s", &got, expected)
			}
		}
	})
}

func TestAppendString_NotUTF8(t *testing.T) {
	t.Parallel()
	if got := string(appendString(nil, "a\xffb\xc3")); got != `"a\ufffdb\ufffd"` {
		t.Errorf("%s", got)
	}
}

// FuzzUnmarshal proves of whatever is taken that it is JSON which a database can keep, and that it is an object with
// fields that are known.
func FuzzUnmarshal(f *testing.F) {
	for _, seed := range []string{
		`{"kind": "dfd", "version": "1", "payload": {"a": [1, "x"]}, "result": null}`,
		`{"kind": "\ud83d\ude00", "payload": "\\u0000"}`,
		`{"kind": "\u0000"}`, `{"kind": "\ud83d"}`, `{"payload": "\\\u0000"}`, `{"kind": "`, `[{"kind": "a"}]`, `{"a`, `"\`, `"\ud83d\`, `{}{}`, `{"id":1}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var created newSubmission
		var updated submissionUpdate
		var events newAudits
		for _, target := range []body{&created, &updated, &events} {
			if unmarshal(data, target) != nil {
				continue
			}
			if !json.Valid(data) || !utf8.Valid(data) {
				t.Errorf("%T takes %q", target, data)
			}
			var value any
			decoder := json.NewDecoder(bytes.NewReader(data))
			decoder.UseNumber()
			if err := decoder.Decode(&value); err != nil {
				t.Fatal(err)
			}
			if hasZero(value) {
				t.Errorf("%T takes U+0000 in %q", target, data)
			}
		}
	})
}

func hasZero(value any) bool {
	switch value := value.(type) {
	case string:
		return strings.ContainsRune(value, 0)
	case []any:
		for _, element := range value {
			if hasZero(element) {
				return true
			}
		}
	case map[string]any:
		for name, member := range value {
			if hasZero(name) || hasZero(member) {
				return true
			}
		}
	}
	return false
}

// TestOpenAPI proves that the description of the API can be written, and names every parameter that is read.
func TestOpenAPI(t *testing.T) {
	t.Parallel()
	a := New(Config{})
	text, err := json.Marshal(a.huma.OpenAPI())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"/v1/submissions/{id}"`, `"problem+json`[1:], `"next_cursor"`, `"actor_email"`, `"oneOf"`, `"writer"`} {
		if !bytes.Contains(text, []byte(strings.Trim(want, `"`))) {
			t.Errorf("the description has no %s: %s", want, text)
		}
	}
}
