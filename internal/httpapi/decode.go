package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
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

// unmarshal decodes the body of a request into v, which is a body and keeps parts of a copy of data. Its errors tell names,
// not values.
func unmarshal(data []byte, v any) error {
	if err := checkJSON(data); err != nil {
		return err
	}
	if !json.Valid(data) {
		return malformed(data)
	}
	return v.(body).decode(bytes.Clone(data)) // huma uses its buffer again
}

// malformed says where data is not JSON, without quoting it.
func malformed(data []byte) error {
	var value json.RawMessage
	err := json.NewDecoder(bytes.NewReader(data)).Decode(&value)
	if err == nil {
		return errors.New("must be a single JSON value")
	}
	if broken, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("is not valid JSON at byte %d", broken.Offset)
	}
	return errors.New("is not valid JSON")
}

// decodeObject reads an object, and each of its members into what field returns for its name, which is nil if there is
// no such field. data is valid JSON. Other than by encoding/json, names are taken only as they are spelled, and only once.
func decodeObject(data []byte, field func(name string) any) error {
	data = trim(data)
	if data[0] != '{' {
		return errors.New("must be an object")
	}
	seen := make([]string, 0, 16)
	for data = trim(data[1:]); data[0] != '}'; data = following(data) {
		var quoted, value []byte
		quoted, data = next(data)
		value, data = next(trim(trim(data)[1:])) // behind the colon
		var name string
		if err := decodeValue(quoted, &name); err != nil {
			return err
		}
		target := field(name)
		switch {
		case target == nil:
			return fmt.Errorf("%s is not known", printable(name))
		case slices.Contains(seen, name):
			return fmt.Errorf("%s must be given once", name)
		}
		seen = append(seen, name)
		if err := decodeValue(value, target); err != nil {
			if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
				return fmt.Errorf("%s must be %s", name, describe(wrong.Type))
			}
			return fmt.Errorf("%s is malformed", name)
		}
	}
	return nil
}

// decodeValue is json.Unmarshal of valid JSON, fast for what most fields are. A json.RawMessage becomes a part of value.
func decodeValue(value []byte, target any) error {
	plain := value[0] == '"' && bytes.IndexByte(value, '\\') < 0
	switch target := target.(type) {
	case *json.RawMessage:
		*target = value
		return nil
	case *string:
		if plain {
			*target = string(value[1 : len(value)-1])
			return nil
		}
	case **string:
		if plain {
			text := string(value[1 : len(value)-1])
			*target = &text
			return nil
		}
	}
	return json.Unmarshal(value, target)
}

// elements returns the elements of an array, as parts of data, which is valid JSON.
func elements(data []byte) [][]byte {
	var all [][]byte
	for data = trim(trim(data)[1:]); data[0] != ']'; data = following(data) {
		var element []byte
		element, data = next(data)
		all = append(all, element)
	}
	return all
}

// next returns the value that valid JSON begins with, and what follows it.
func next(data []byte) (value, rest []byte) {
	depth := 0
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '"':
			for i++; data[i] != '"'; i++ {
				if data[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			depth++
			continue
		case '}', ']':
			depth--
			if depth < 0 { // of what the value is in
				return data[:i], data[i:]
			}
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return data[:i], data[i:]
			}
			continue
		default: // a number or a word goes on until something else comes
			continue
		}
		if depth == 0 {
			return data[:i+1], data[i+1:]
		}
	}
	return data, nil
}

// following returns what comes behind the comma, if one is next, or else the closing bracket.
func following(data []byte) []byte {
	data = trim(data)
	if data[0] == ',' {
		data = trim(data[1:])
	}
	return data
}

func trim(data []byte) []byte { return bytes.TrimLeft(data, " \t\r\n") }

// beginsArray says whether the JSON value is an array, if it is one at all.
func beginsArray(data []byte) bool {
	data = trim(data)
	return len(data) > 0 && data[0] == '['
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
// deep nesting and huge numbers. Whether the text is JSON otherwise is for others to say. Of an array it names the element.
func checkJSON(data []byte) error {
	element, err := findUnkept(data)
	if err != nil && beginsArray(data) {
		return fmt.Errorf("[%d]: %w", element, err)
	}
	return err
}

// findUnkept does the work of checkJSON. element counts the commas before the fault, outside of all but one bracket.
func findUnkept(data []byte) (element int, err error) {
	isUTF8 := utf8.Valid(data)
	depth := 0
	for i := 0; i < len(data); i++ {
		switch data[i] {
		case '"':
			end, err := checkString(data[i+1:])
			if err != nil {
				return element, err
			}
			if !isUTF8 && !utf8.Valid(data[i:min(i+end+1, len(data))]) {
				return element, errNotUTF8
			}
			i += end
		case '{', '[':
			depth++
			if depth > maxDepth {
				return element, fmt.Errorf("must not be nested more than %d deep", maxDepth)
			}
		case '}', ']':
			depth--
		case ',':
			if depth == 1 {
				element++
			}
		case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
			end := i + 1
			for end < len(data) && strings.IndexByte("0123456789+-.eE", data[end]) >= 0 {
				end++
			}
			if !fitsNumber(string(data[i:min(end, i+maxNumber+1)])) {
				return element, fmt.Errorf("must not contain a number that is too large: at most %d digits, and exponents up to %d", maxNumber, maxExponent)
			}
			i = end - 1
		}
	}
	if !isUTF8 {
		return element, errNotUTF8
	}
	return element, nil
}

var errNotUTF8 = errors.New("must be UTF-8")

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
