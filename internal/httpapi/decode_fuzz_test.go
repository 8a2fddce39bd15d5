package httpapi

import (
	"encoding/json"
	"testing"
	"unicode/utf8"
)

// FuzzBodies decodes bodies into all that a body can be.
func FuzzBodies(f *testing.F) {
	for _, seed := range []string{
		`{"kind": "dfd", "version": "1", "payload": {"numero": 1.50}}`, `{"status": "done", "error": null, "result": []}`,
		`[{"kind": "dfd", "action": "a", "meta": {"sid": "x"}}, {}]`, `{"a": "\ud83d\ude00\u0000"}`, `{"kind": 1e400000}`, `[[[[`, "\xff", `{"kind": "a", "kind": "b"}`, "", "null",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, target := range []body{new(newSubmission), new(submissionUpdate), new(newAudits)} {
			err := unmarshal(data, target)
			switch {
			case err == nil && !json.Valid(data):
				t.Errorf("%T takes what is no JSON: %q", target, data)
			case err != nil && (len(err.Error()) > 200 || !utf8.ValidString(err.Error())):
				t.Errorf("%T: %q is no message", target, err)
			}
		}
	})
}
