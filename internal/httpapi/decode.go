package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxDepth is how deeply arrays and objects may be nested: less than what PostgreSQL and the usual parsers bear, more
// than what anybody means.
const maxDepth = 200

// body is what the JSON body of a request is decoded into.
type body interface {
	decode(data []byte) error
}

// unmarshal decodes the body of a request into v, which is a body. Its errors tell names, not values.
func unmarshal(data []byte, v any) error {
	if err := checkJSON(data); err != nil {
		return err
	}
	return v.(body).decode(data)
}

// decodeObject reads an object, and each of its members into what field returns for its name, which is nil if there is
// no such field. Other than by encoding/json, names are taken only as they are spelled, and only once.
func decodeObject(data []byte, field func(name string) any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	token, err := decoder.Token()
	if err != nil {
		return syntax(err)
	}
	if token != json.Delim('{') {
		return errors.New("must be an object")
	}
	seen := make(map[string]bool)
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return syntax(err)
		}
		name := token.(string)
		target := field(name)
		switch {
		case target == nil:
			return fmt.Errorf("%s is not known", printable(name))
		case seen[name]:
			return fmt.Errorf("%s must be given once", name)
		}
		seen[name] = true
		if err := decoder.Decode(target); err != nil {
			if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
				return fmt.Errorf("%s must be %s", name, describe(wrong.Type))
			}
			return syntax(err)
		}
	}
	if _, err := decoder.Token(); err != nil { // the closing brace
		return syntax(err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("must be a single JSON value")
	}
	return nil
}

// beginsArray says whether the JSON value is an array, if it is one at all.
func beginsArray(data []byte) bool {
	data = bytes.TrimLeft(data, " \t\r\n")
	return len(data) > 0 && data[0] == '['
}

// syntax says where the JSON is broken, without quoting it.
func syntax(err error) error {
	if broken, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("is not valid JSON at byte %d", broken.Offset)
	}
	return errors.New("is not valid JSON")
}

func describe(t reflect.Type) string {
	if t.Kind() == reflect.String {
		return "text"
	}
	return "a " + t.Kind().String()
}

// maxNumber and maxExponent bound a number: jsonb writes 1e131071 out in full, so a short text would take gigabytes.
const (
	maxNumber   = 1000
	maxExponent = 400
)

// checkJSON refuses what PostgreSQL would not keep as it is: bytes that are not UTF-8, U+0000, halves of surrogate pairs,
// deep nesting and huge numbers. Whether the text is JSON otherwise is for others to say.
func checkJSON(data []byte) error {
	if !utf8.Valid(data) {
		return errors.New("must be UTF-8")
	}
	depth := 0
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '"':
			end, err := checkString(data[i+1:])
			if err != nil {
				return err
			}
			i += end
		case '{', '[':
			depth++
			if depth > maxDepth {
				return fmt.Errorf("must not be nested more than %d deep", maxDepth)
			}
		case '}', ']':
			depth--
		case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
			end := i + 1
			for end < len(data) && strings.IndexByte("0123456789+-.eE", data[end]) >= 0 {
				end++
			}
			if !fitsNumber(string(data[i:min(end, i+maxNumber+1)])) {
				return fmt.Errorf("must not contain a number that is too large: at most %d digits, and exponents up to %d", maxNumber, maxExponent)
			}
			i = end - 1
		}
	}
	return nil
}

// fitsNumber says whether a number is short enough written out.
func fitsNumber(text string) bool {
	if len(text) > maxNumber {
		return false
	}
	at := strings.IndexAny(text, "eE")
	if at < 0 {
		return true
	}
	exponent, err := strconv.Atoi(text[at+1:])
	return err == nil && -maxExponent <= exponent && exponent <= maxExponent
}

// checkString checks what follows the opening quote of a string. It returns how much there is up to and with the closing
// quote.
func checkString(data []byte) (int, error) {
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '"':
			return i + 1, nil
		case '\\':
			i++
			switch r := escaped(data[i:]); {
			case r < 0:
			case r == 0:
				return 0, errors.New("must not contain U+0000")
			case r >= 0xDC00 && r <= 0xDFFF:
				return 0, errHalfPair
			case r >= 0xD800 && r <= 0xDBFF:
				low := -1
				if i+5 < len(data) && data[i+5] == '\\' {
					low = escaped(data[i+6:])
				}
				if low < 0xDC00 || low > 0xDFFF {
					return 0, errHalfPair
				}
				i += 6
			}
		}
	}
	return len(data), nil
}

var errHalfPair = errors.New("must not contain half of a surrogate pair")

// escaped returns the number in uXXXX, with which data begins, or -1 if it does not.
func escaped(data []byte) int {
	if len(data) < 5 || data[0] != 'u' {
		return -1
	}
	n, err := strconv.ParseUint(string(data[1:5]), 16, 16)
	if err != nil {
		return -1
	}
	return int(n)
}
