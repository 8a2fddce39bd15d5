package portal

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Bounds of a PageRequest.
const (
	DefaultLimit = 50
	MaxLimit     = 1000
	// MaxOffset is as deep as an offset goes: the database reads and drops every row before it, and a cursor does not.
	MaxOffset = 100_000
)

// PageRequest says which part of a list is wanted.
type PageRequest struct {
	// Limit is the most items that are returned, 1 to MaxLimit. 0 means that of the cursor, or else DefaultLimit.
	Limit int

	// Offset is how many items are left out first, 0 to MaxOffset. Items that are added meanwhile shift the pages.
	Offset int

	// Cursor is the NextCursor of the page before. It carries the filter of the list, so that filters need not be
	// given again; one that is given has to be the same. It excludes Offset.
	Cursor string

	// Count says whether Total is wanted.
	Count CountMode
}

// Page is a part of a list.
type Page[T any] struct {
	Items      []T
	NextCursor string // where the next page begins; empty on the last one
	Total      *int64 // how many items all pages have, if PageRequest.Count asks for it
}

// cursor is a place in a list: behind the row with the time At and the key ID.
type cursor[F any] struct {
	List   string `json:"list"`
	Filter F      `json:"filter"`
	Limit  int    `json:"limit"`
	At     int64  `json:"at"` // microseconds since 1970, all that the database keeps
	ID     string `json:"id"`
}

// encode returns the cursor as opaque text that needs no escaping in a URL.
func (c cursor[F]) encode() string {
	text, err := json.Marshal(c)
	if err != nil {
		panic(err) // every field is plain data
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// decodeCursor reads what encode has returned for a cursor of the list.
func decodeCursor[F any](text, list string) (cursor[F], error) {
	var c cursor[F]
	decoded, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err == nil {
		err = json.Unmarshal(decoded, &c)
	}
	// What does not come out the same again was not made by encode.
	if err != nil || c.encode() != text || c.List != list || c.Limit < 1 || c.Limit > MaxLimit || !validTime(c.at()) {
		return c, errCursor
	}
	return c, nil
}

var errCursor = invalid("cursor is not one that this list has returned")

func (c cursor[F]) at() time.Time { return time.UnixMicro(c.At).UTC() }

// start is where a page of a list begins, from a checked PageRequest.
type start[F any] struct {
	list   string
	filter F
	limit  int
	offset int
	before *cursor[F] // nil on the first page
}

// first tells whether this is the first page.
func (s start[F]) first() bool { return s.before == nil && s.offset == 0 }

// whole is the list from its beginning to its end.
func (s start[F]) whole() start[F] {
	return start[F]{list: s.list, filter: s.filter, limit: everything}
}

// normalizer is a filter that checks itself and brings itself into the form that cursors carry.
type normalizer[F any] interface {
	*F
	normalize() error
}

// resume checks a filter and a page request for a list, and takes the filter from the cursor if there is one.
func resume[F any, N normalizer[F]](list string, filter F, page PageRequest) (start[F], error) {
	if err := N(&filter).normalize(); err != nil {
		return start[F]{}, err
	}
	s := start[F]{list: list, filter: filter, limit: page.Limit, offset: page.Offset}
	switch {
	case page.Limit < 0 || page.Limit > MaxLimit:
		return s, invalid(fmt.Sprintf("limit must be between 1 and %d", MaxLimit))
	case page.Offset < 0 || page.Offset > MaxOffset:
		return s, invalid(fmt.Sprintf("offset must be between 0 and %d; use the cursor to go further", MaxOffset))
	case page.Cursor != "" && page.Offset != 0:
		return s, invalid("cursor and offset exclude each other")
	}
	if page.Cursor != "" {
		c, err := decodeCursor[F](page.Cursor, list)
		if err != nil {
			return s, err
		}
		if N(&c.Filter).normalize() != nil {
			return s, errCursor
		}
		if !agrees(filter, c.Filter) {
			return s, invalid("cursor belongs to a list with other filters; leave them out or begin again without it")
		}
		s.filter, s.before = c.Filter, &c
		if s.limit == 0 {
			s.limit = c.Limit
		}
	}
	if s.limit == 0 {
		s.limit = DefaultLimit
	}
	return s, nil
}

// pageOf is the page of the rows that were fetched for it. key gives the place of a row in the list.
func pageOf[F, R, T any](s start[F], rows []R, key func(R) (time.Time, string), item func(R) T) Page[T] {
	var page Page[T]
	if len(rows) > s.limit {
		rows = rows[:s.limit]
		page.NextCursor = s.next(key(rows[len(rows)-1]))
	}
	page.Items = make([]T, len(rows))
	for i, row := range rows {
		page.Items[i] = item(row)
	}
	return page
}

// fetch is the number of rows to ask the database for: one more than the page has shows whether there is another page.
func (s start[F]) fetch() int64 { return int64(s.limit) + 1 }

// next returns the cursor behind the row with that time and key.
func (s start[F]) next(at time.Time, id string) string {
	return cursor[F]{List: s.list, Filter: s.filter, Limit: s.limit, At: at.UnixMicro(), ID: id}.encode()
}

// agrees says whether every filter that is given is the same in the cursor.
func agrees[F any](given, carried F) bool {
	var fields [2]map[string]json.RawMessage
	for i, filter := range []F{given, carried} {
		text, err := json.Marshal(filter)
		if err != nil {
			return false
		}
		if err := json.Unmarshal(text, &fields[i]); err != nil {
			return false
		}
	}
	for name, value := range fields[0] {
		if !bytes.Equal(value, fields[1][name]) {
			return false
		}
	}
	return true
}

// validTime says whether both RFC 3339 and PostgreSQL can express t.
func validTime(t time.Time) bool { return t.Year() >= 1 && t.Year() <= 9999 }

// instant returns t as the database keeps it, so that equal times look equal.
func instant(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	truncated := t.UTC().Truncate(time.Microsecond)
	return &truncated
}

// maxQuery is the longest text to search for, in bytes.
const maxQuery = 200

var escapePattern = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// containing returns the LIKE pattern of the texts that contain q.
func containing(q *string) *string {
	if q == nil {
		return nil
	}
	pattern := "%" + escapePattern.Replace(*q) + "%"
	return &pattern
}
