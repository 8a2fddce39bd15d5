package httpapi

import (
	"encoding/json"
	"io"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"
)

// appender is an answer that writes itself: without reflection, and with the JSON of the database as it is.
type appender interface {
	appendJSON([]byte) []byte
}

var buffers = sync.Pool{New: func() any { return new([]byte) }}

// maxPooled is the largest buffer that is kept.
const maxPooled = 1 << 20

// marshal writes an answer. That the client has gone is no error: nobody is left to tell.
func marshal(w io.Writer, v any) error {
	if a, ok := v.(appender); ok {
		buffer := buffers.Get().(*[]byte)
		*buffer = append(a.appendJSON((*buffer)[:0]), '\n')
		writeAll(w, *buffer)
		if cap(*buffer) <= maxPooled {
			buffers.Put(buffer)
		}
		return nil
	}
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	writeAll(w, append(text, '\n'))
	return nil
}

// writeAll writes a body that is all there is.
func writeAll(w io.Writer, body []byte) {
	if whole, ok := w.(*response); ok {
		whole.writeAll(body)
		return
	}
	_, _ = w.Write(body)
}

// appendPage appends a page of a list.
func appendPage[T any](b []byte, items []T, appendItem func([]byte, *T) []byte, nextCursor string, total *int64) []byte {
	b = append(b, `{"items":[`...)
	for i := range items {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendItem(b, &items[i])
	}
	b = append(b, `],"next_cursor":`...)
	if nextCursor == "" {
		b = append(b, "null"...)
	} else {
		b = appendString(b, nextCursor)
	}
	if total != nil {
		b = append(b, `,"total":`...)
		b = strconv.AppendInt(b, *total, 10)
	}
	return append(b, '}')
}

func appendNullable(b []byte, text *string) []byte {
	if text == nil {
		return append(b, "null"...)
	}
	return appendString(b, *text)
}

// appendRaw appends JSON of the database byte for byte.
func appendRaw(b []byte, value json.RawMessage) []byte {
	if value == nil {
		return append(b, "null"...)
	}
	return append(b, value...)
}

func appendTime(b []byte, t time.Time) []byte {
	b = append(b, '"')
	b = t.UTC().AppendFormat(b, time.RFC3339Nano)
	return append(b, '"')
}

// appendString appends a JSON string as encoding/json does when it is told not to escape HTML.
func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	done := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			escape := ""
			switch {
			case r == utf8.RuneError && size == 1:
				escape = `\ufffd`
			case r == '\u2028': // ends a line of JavaScript
				escape = `\u2028`
			case r == '\u2029':
				escape = `\u2029`
			}
			if escape != "" {
				b = append(b, s[done:i]...)
				b = append(b, escape...)
				done = i + size
			}
			i += size
			continue
		}
		if c < ' ' || c == '"' || c == '\\' {
			b = append(b, s[done:i]...)
			switch c {
			case '"', '\\':
				b = append(b, '\\', c)
			case '\b':
				b = append(b, '\\', 'b')
			case '\f':
				b = append(b, '\\', 'f')
			case '\n':
				b = append(b, '\\', 'n')
			case '\r':
				b = append(b, '\\', 'r')
			case '\t':
				b = append(b, '\\', 't')
			default:
				b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
			}
			done = i + 1
		}
		i++
	}
	b = append(b, s[done:]...)
	return append(b, '"')
}
