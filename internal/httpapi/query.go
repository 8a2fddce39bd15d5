package httpapi

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"portaldb/internal/portal"
)

// query reads the parameters of a request that its operation documents. huma would read them too, but takes what is
// malformed or empty for absent, and so a filter that was meant for none.
type query struct {
	values url.Values
	errs   []error
}

// readQuery returns the parameters, having noted those that the operation does not document, that are given more than
// once (but for lists) or that are not text.
func readQuery(ctx huma.Context) *query {
	u := ctx.URL()
	values, err := url.ParseQuery(u.RawQuery)
	q := &query{values: values}
	if err != nil {
		q.errs = append(q.errs, &huma.ErrorDetail{Location: "query", Message: "is malformed"})
		return q
	}
	for name, given := range values {
		param := documented(ctx.Operation(), name)
		switch {
		case param == nil:
			q.refuse(printable(name), "is not known")
		case len(given) > 1 && param.Schema.Type != huma.TypeArray:
			q.refuse(name, "must be given once")
		}
		for _, text := range given {
			if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
				q.refuse(printable(name), "must be UTF-8 without U+0000")
			}
		}
	}
	return q
}

func documented(op *huma.Operation, name string) *huma.Param {
	for _, param := range op.Parameters {
		if param.In == "query" && param.Name == name {
			return param
		}
	}
	return nil
}

// printable returns a name that the caller made up if it looks like one, and else "?": what stands in the place of a name
// by mistake may be a value.
func printable(name string) string {
	const most = 40
	if len(name) > most || portal.MaskCPF(name) != name {
		return "?"
	}
	for i, c := range []byte(name) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '_':
		case i > 0 && ('0' <= c && c <= '9' || c == '-' || c == '.' || c == '[' || c == ']'):
		default:
			return "?"
		}
	}
	return name
}

func (q *query) refuse(name, message string) {
	q.errs = append(q.errs, &huma.ErrorDetail{Location: "query." + name, Message: message})
}

// text returns a parameter, which may be empty, or nil if it is not given.
func (q *query) text(name string) *string {
	given, ok := q.values[name]
	if !ok {
		return nil
	}
	return &given[0]
}

// required returns a parameter that has to be given.
func (q *query) required(name string) string {
	text := q.text(name)
	if text == nil {
		q.refuse(name, "is required")
		return ""
	}
	return *text
}

// boolean returns a parameter that is true or false, and false if it is not given.
func (q *query) boolean(name string) bool {
	text := q.text(name)
	if text != nil && *text != "true" && *text != "false" {
		q.refuse(name, "must be true or false")
	}
	return text != nil && *text == "true"
}

// list returns all values of a parameter that may be given several times or have several values between commas.
func (q *query) list(name string) []string {
	var all []string
	for _, given := range q.values[name] {
		all = append(all, strings.Split(given, ",")...)
	}
	return all
}

// number returns a parameter between lowest and highest, or 0 if it is not given.
func (q *query) number(name string, lowest, highest int) int {
	given, ok := q.values[name]
	if !ok {
		return 0
	}
	n, err := strconv.Atoi(given[0])
	if err != nil || n < lowest || n > highest {
		q.refuse(name, fmt.Sprintf("must be a number between %d and %d", lowest, highest))
	}
	return n
}

// time returns a parameter, or nil if it is not given.
func (q *query) time(name string) *time.Time {
	given, ok := q.values[name]
	if !ok {
		return nil
	}
	t, err := time.Parse(time.RFC3339, given[0])
	if err != nil {
		q.refuse(name, "must be a time like 2026-01-31T12:00:00Z or 2026-01-31T09:00:00-03:00, a + written as %2B")
	}
	return &t
}

// json returns a parameter that is JSON, or nil if it is not given.
func (q *query) json(name string) json.RawMessage {
	given, ok := q.values[name]
	if !ok {
		return nil
	}
	value := json.RawMessage(given[0])
	if err := checkJSON(value); err != nil {
		q.refuse(name, err.Error())
	} else if !json.Valid(value) {
		q.refuse(name, "must be JSON")
	}
	return value
}

// page returns the parameters that every list has.
func (q *query) page() portal.PageRequest {
	page := portal.PageRequest{
		Limit:  q.number("limit", 1, portal.MaxLimit),
		Offset: q.number("offset", 0, portal.MaxOffset),
	}
	if cursor := q.text("cursor"); cursor != nil {
		if *cursor == "" {
			q.refuse("cursor", "must not be empty; leave it out for the first page")
		}
		page.Cursor = *cursor
	}
	page.Count = portal.CountMode(q.oneOf("count", string(portal.CountNone), string(portal.CountExact), string(portal.CountEstimated)))
	return page
}

// oneOf returns a parameter that is one of the values, or otherwise if it is not given.
func (q *query) oneOf(name, otherwise string, values ...string) string {
	given, ok := q.values[name]
	if !ok {
		return otherwise
	}
	if !slices.Contains(values, given[0]) {
		q.refuse(name, "must be one of "+strings.Join(values, ", "))
	}
	return given[0]
}

// namesParams document what page reads of a list of names.
var namesParams = []*huma.Param{
	numberParam("limit", 1, portal.MaxLimit, "How many items at most. Default: that of the cursor, or else "+strconv.Itoa(portal.DefaultLimit)+"."),
	textParam("cursor", "next_cursor of the page before. It carries the filters: those given beside it must be the same."),
}

// pageParams document what page reads.
var pageParams = []*huma.Param{
	numberParam("limit", 1, portal.MaxLimit, "How many items at most. Default: that of the cursor, or else "+strconv.Itoa(portal.DefaultLimit)+"."),
	numberParam("offset", 0, portal.MaxOffset, "How many items to leave out first. Slow when large, and items that are added meanwhile shift the pages."),
	textParam("cursor", "next_cursor of the page before. It carries the filters: those given beside it must be the same."),
	choiceParam("count", "Adds total, the number of all items: counted (503 if that takes too long), or what the database expects, at once. "+
		"A cursor does not carry it.", string(portal.CountExact), string(portal.CountEstimated)),
}

// sinceParam and untilParam document the times that lists and counts are narrowed down by.
var (
	sinceParam = timeParam("since", "Only what happened then or later.")
	untilParam = timeParam("until", "Only what happened before.")
)

func queryParam(name, description string, schema *huma.Schema) *huma.Param {
	return &huma.Param{Name: name, In: "query", Description: description, Schema: schema, Example: parameterExample(name, schema)}
}

func textParam(name, description string) *huma.Param {
	return queryParam(name, description, &huma.Schema{Type: huma.TypeString})
}

func booleanParam(name, description string) *huma.Param {
	return queryParam(name, description, &huma.Schema{Type: huma.TypeBoolean})
}

// required marks a parameter as one that has to be given.
func required(param *huma.Param) *huma.Param {
	param.Required = true
	return param
}

func choiceParam(name, description string, values ...string) *huma.Param {
	choices := make([]any, len(values))
	for i, value := range values {
		choices[i] = value
	}
	return queryParam(name, description, &huma.Schema{Type: huma.TypeString, Enum: choices})
}

func timeParam(name, description string) *huma.Param {
	return queryParam(name, description, &huma.Schema{Type: huma.TypeString, Format: "date-time"})
}

func numberParam(name string, lowest, highest float64, description string) *huma.Param {
	return queryParam(name, description, &huma.Schema{Type: huma.TypeInteger, Minimum: &lowest, Maximum: &highest})
}
