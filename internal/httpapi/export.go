package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"portaldb/internal/portal"
)

const (
	// DefaultExportTimeout is how long one export may take in all: until its end the database keeps what is deleted
	// meanwhile, and a migration that needs the table for itself waits.
	DefaultExportTimeout = 15 * time.Minute

	// DefaultExportStall is how long the client of an export may take no bytes.
	DefaultExportStall = 30 * time.Second
)

// exportChunk is how many bytes of an export are sent at once; what there is goes after exportPause in any case.
const (
	exportChunk = 64 << 10
	exportPause = time.Second
)

// exportFormat is how an export is written.
type exportFormat struct {
	ndjson    bool
	separator byte // of CSV
	bom       bool // before CSV
}

var separators = map[string]byte{"semicolon": ';', "comma": ',', "tab": '\t'}

// exportFormat returns the parameters that say how an export is written.
func (q *query) exportFormat() exportFormat {
	format := exportFormat{ndjson: q.oneOf("format", "csv", "csv", "ndjson") == "ndjson"}
	format.separator = separators[q.oneOf("separator", "semicolon", "semicolon", "comma", "tab")]
	format.bom = q.oneOf("bom", "true", "true", "false") == "true"
	if format.ndjson {
		for _, name := range []string{"separator", "bom"} {
			if _, given := q.values[name]; given {
				q.refuse(name, "is for format=csv")
			}
		}
	}
	return format
}

// exportParams document what exportFormat reads.
var exportParams = []*huma.Param{
	choiceParam("format", "CSV, or NDJSON: one object a line, as in the list. Default: csv.", "csv", "ndjson"),
	choiceParam("separator", "Between the cells of CSV. Default: semicolon, which a Brazilian Excel expects.", "semicolon", "comma", "tab"),
	choiceParam("bom", "Whether CSV begins with a byte order mark, by which Excel sees that it is UTF-8. Default: true.", "true", "false"),
}

const exportDescription = "All that the filters select, the newest first, as it is at one moment. " +
	"CSV has a line with the names of the fields, ends lines with CR LF and quotes as RFC 4180 does. Times are in UTC, like 2026-01-31 12:00:00. " +
	"Text that a spreadsheet would take for a formula, because it begins with =, +, -, @, a tab or CR, gets an apostrophe before it. " +
	"Absent and empty are the same. An export that fails after it has begun breaks the connection: what ends properly is whole."

type exportAudits struct {
	filter portal.AuditFilter
	format exportFormat
}

// Resolve reads the parameters.
func (e *exportAudits) Resolve(ctx huma.Context) []error {
	q := readQuery(ctx)
	e.filter, e.format = q.auditFilter(), q.exportFormat()
	return q.errs
}

type exportSubmissions struct {
	filter portal.SubmissionFilter
	format exportFormat
}

// Resolve reads the parameters.
func (e *exportSubmissions) Resolve(ctx huma.Context) []error {
	q := readQuery(ctx)
	e.filter, e.format = q.submissionFilter(), q.exportFormat()
	return q.errs
}

func (a *API) addExports() {
	register(a, huma.Operation{
		OperationID: "export-audits",
		Method:      http.MethodGet,
		Path:        "/v1/audits/export",
		Summary:     "Export audit events, however many",
		Description: exportDescription,
		Tags:        []string{"audits"},
		Parameters:  slices.Concat(auditFilterParams, exportParams),
		Responses:   exportResponses(a.huma.OpenAPI().Components.Schemas, reflect.TypeFor[audit]()),
	}, portal.RoleReader, a.exportAudits)
	register(a, huma.Operation{
		OperationID: "export-submissions",
		Method:      http.MethodGet,
		Path:        "/v1/submissions/export",
		Summary:     "Export submissions, however many",
		Description: exportDescription,
		Tags:        []string{"submissions"},
		Parameters:  slices.Concat(submissionFilterParams, exportParams),
		Responses:   exportResponses(a.huma.OpenAPI().Components.Schemas, reflect.TypeFor[submission]()),
	}, portal.RoleReader, a.exportSubmissions)
}

func exportResponses(schemas huma.Registry, item reflect.Type) map[string]*huma.Response {
	return map[string]*huma.Response{"200": {
		Description: "The rows. Content-Disposition has a name for the file.",
		Content: map[string]*huma.MediaType{
			"text/csv":             {Schema: &huma.Schema{Type: huma.TypeString}},
			"application/x-ndjson": {Schema: schemas.Schema(item, true, "")},
		},
	}}
}

func (a *API) exportAudits(_ context.Context, in *exportAudits) (*huma.StreamResponse, error) {
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		a.export(ctx, "audits", in.format, auditColumns, func(ctx context.Context, e *exporter) error {
			return a.service.ExportAudits(ctx, in.filter, func(row *portal.Audit) error {
				item := audit(*row)
				if in.format.ndjson {
					e.buffer = append(item.appendJSON(e.buffer), '\n')
				} else {
					e.buffer = item.appendCSV(e.buffer, in.format.separator)
				}
				return e.row()
			})
		})
	}}, nil
}

func (a *API) exportSubmissions(_ context.Context, in *exportSubmissions) (*huma.StreamResponse, error) {
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		a.export(ctx, "submissions", in.format, submissionColumns, func(ctx context.Context, e *exporter) error {
			return a.service.ExportSubmissions(ctx, in.filter, func(row *portal.Submission) error {
				item := submission(*row)
				if in.format.ndjson {
					e.buffer = append(item.appendJSON(e.buffer), '\n')
				} else {
					e.buffer = item.appendCSV(e.buffer, in.format.separator)
				}
				return e.row()
			})
		})
	}}, nil
}

// export answers with the rows that read gives to an exporter. A failure is a problem document until the first byte is
// sent; after that it breaks the connection, so that the client does not take a part for the whole.
func (a *API) export(hctx huma.Context, name string, format exportFormat, columns []string, read func(context.Context, *exporter) error) {
	// The timeout of requests is not for this one, but its end is that of the connection still.
	x := exchangeOf(hctx.Context())
	ctx, cancel := context.WithTimeout(context.WithoutCancel(hctx.Context()), a.exportTimeout)
	defer cancel()
	defer context.AfterFunc(x.connected, cancel)()

	r, w := humago.Unwrap(hctx)
	e := &exporter{w: w, control: http.NewResponseController(w), stall: a.exportStall, flushed: time.Now()}
	e.end, _ = ctx.Deadline()
	e.header("Content-Type", "text/csv; charset=utf-8; header=present")
	extension := ".csv"
	if format.ndjson {
		e.header("Content-Type", "application/x-ndjson")
		extension = ".ndjson"
	}
	e.header("Content-Disposition", `attachment; filename="`+name+time.Now().UTC().Format("-20060102-150405")+extension+`"`)
	e.header("Cache-Control", "no-store")
	if r.Method == http.MethodHead {
		e.begin()
		return
	}
	_ = e.control.SetReadDeadline(time.Time{}) // that of the request's body would end the context
	if !format.ndjson {
		if format.bom {
			e.buffer = append(e.buffer, "\ufeff"...)
		}
		for _, column := range columns {
			e.buffer = appendCell(e.buffer, column, format.separator)
		}
		e.buffer = endLine(e.buffer)
	}
	err := read(ctx, e)
	if err == nil {
		err = e.flush()
	}
	switch {
	case err == nil:
	case e.begun:
		x.err = err
		panic(http.ErrAbortHandler)
	default:
		_ = e.control.SetWriteDeadline(time.Now().Add(a.exportStall)) // that of the server may be past
		if portal.ErrorCode(err) == portal.CodeTooMany {
			hctx.SetHeader("Retry-After", "10")
		}
		_ = huma.WriteErr(a.huma, hctx, http.StatusInternalServerError, "", err)
	}
}

// exporter sends rows in chunks.
type exporter struct {
	w       http.ResponseWriter
	control *http.ResponseController
	headers [][2]string
	stall   time.Duration
	end     time.Time // of the export, done or not
	buffer  []byte
	begun   bool // whether anything was sent
	flushed time.Time
}

// header sets a header of the answer once it begins: a problem document has others.
func (e *exporter) header(name, value string) {
	e.headers = append(e.headers, [2]string{name, value})
}

func (e *exporter) begin() {
	if e.begun {
		return
	}
	for _, header := range e.headers {
		e.w.Header().Set(header[0], header[1])
	}
	e.w.WriteHeader(http.StatusOK)
	e.begun = true
}

// row is called when a row is in the buffer.
func (e *exporter) row() error {
	if len(e.buffer) < exportChunk && time.Since(e.flushed) < exportPause {
		return nil
	}
	return e.flush()
}

// flush sends what is in the buffer. The client has the time of a stall to take it, and each chunk as long again.
func (e *exporter) flush() error {
	e.begin()
	deadline := time.Now().Add(e.stall)
	if e.end.Before(deadline) {
		deadline = e.end
	}
	_ = e.control.SetWriteDeadline(deadline) // what cannot set it has none either
	_, err := e.w.Write(e.buffer)
	if err == nil {
		err = e.control.Flush()
	}
	if cap(e.buffer) > maxPooled { // a row of megabytes need not stay
		e.buffer = nil
	}
	e.buffer, e.flushed = e.buffer[:0], time.Now()
	if err != nil {
		return &portal.Error{Code: portal.CodeUnavailable, Message: "the client took no more of the export", Err: err}
	}
	return nil
}

var auditColumns = []string{"id", "at", "actor_cpf", "actor_nome", "kind", "action", "meta"}

func (a *audit) appendCSV(b []byte, separator byte) []byte {
	b = strconv.AppendInt(b, a.ID, 10)
	b = append(b, separator)
	b = appendCSVTime(b, a.At, separator)
	b = appendNullableCell(b, a.ActorCPF, separator)
	b = appendNullableCell(b, a.ActorNome, separator)
	b = appendCell(b, a.Kind, separator)
	b = appendCell(b, a.Action, separator)
	b = appendJSONCell(b, a.Meta, separator)
	return endLine(b)
}

var submissionColumns = []string{
	"id", "kind", "version", "actor_cpf", "actor_nome", "actor_email", "payload", "status", "result", "error", "created_at", "updated_at",
}

func (s *submission) appendCSV(b []byte, separator byte) []byte {
	b = appendCell(b, s.ID, separator)
	b = appendCell(b, s.Kind, separator)
	b = appendCell(b, s.Version, separator)
	b = appendNullableCell(b, s.ActorCPF, separator)
	b = appendNullableCell(b, s.ActorNome, separator)
	b = appendNullableCell(b, s.ActorEmail, separator)
	b = appendJSONCell(b, s.Payload, separator)
	b = appendCell(b, s.Status, separator)
	b = appendJSONCell(b, s.Result, separator)
	b = appendNullableCell(b, s.Error, separator)
	b = appendCSVTime(b, s.CreatedAt, separator)
	b = appendCSVTime(b, s.UpdatedAt, separator)
	return endLine(b)
}

// appendCell appends text as a cell of CSV and the separator. A spreadsheet does not take it for a formula.
func appendCell(b []byte, text string, separator byte) []byte {
	defuse := text != "" && strings.IndexByte("=+-@\t\r\n", text[0]) >= 0
	if strings.IndexByte(text, separator) < 0 && !strings.ContainsAny(text, "\"\r\n") {
		if defuse {
			b = append(b, '\'')
		}
		b = append(b, text...)
		return append(b, separator)
	}
	b = append(b, '"')
	if defuse {
		b = append(b, '\'')
	}
	for i := range len(text) {
		if text[i] == '"' {
			b = append(b, '"')
		}
		b = append(b, text[i])
	}
	return append(b, '"', separator)
}

func appendNullableCell(b []byte, text *string, separator byte) []byte {
	if text == nil {
		return append(b, separator)
	}
	return appendCell(b, *text, separator)
}

// appendJSONCell leaves a number as it is: none begins a formula.
func appendJSONCell(b []byte, value json.RawMessage, separator byte) []byte {
	if len(value) > 1 && value[0] == '-' {
		b = append(b, value...)
		return append(b, separator)
	}
	return appendCell(b, string(value), separator)
}

func appendCSVTime(b []byte, t time.Time, separator byte) []byte {
	return append(t.UTC().AppendFormat(b, time.DateTime), separator)
}

// endLine ends a line after its last separator.
func endLine(b []byte) []byte { return append(b[:len(b)-1], "\r\n"...) }
