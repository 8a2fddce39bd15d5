package httpapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"portaldb/internal/portal"
)

// filePolicy keeps a file that a browser shows all the same from running anything.
const filePolicy = "sandbox; default-src 'none'"

// retrySecret is how many seconds to wait after too many wrong secrets, at most.
const retrySecret = "900"

type downloadFile struct {
	ID     string `path:"id"`
	Secret string `header:"X-File-Secret" doc:"The secret of a protected file."`
	Range  string `header:"Range" doc:"Which bytes are wanted. What begins behind the first byte continues a download and does not count as another one."`
}

func (a *API) addDownload(tags []string) {
	register(a, huma.Operation{
		OperationID: "get-file-content",
		Method:      http.MethodGet,
		Path:        "/v1/files/{id}/content",
		Summary:     "Download a file",
		Description: "Counts as a download once the first byte is about to be sent; HEAD, 304 and the continuation by Range do not. " +
			"The client may take any time, as long as it takes some. A file that breaks off breaks the connection: what ends properly is whole.",
		Tags:      tags,
		Metadata:  map[string]any{"kept": true},
		Responses: contentResponses(a.huma.OpenAPI().Components.Schemas),
		Errors:    []int{http.StatusForbidden, http.StatusGone, http.StatusPreconditionFailed},
	}, portal.RoleReader, a.downloadFile)
}

// contentResponses describe the answers that hold a file, and that for a range which it does not have.
func contentResponses(schemas huma.Registry) map[string]*huma.Response {
	text := &huma.Schema{Type: huma.TypeString}
	answer := func(description string, headers map[string]*huma.Header) *huma.Response {
		headers["Content-Disposition"] = &huma.Header{Description: "The name of the file.", Schema: text}
		return &huma.Response{Description: description, Headers: headers, Content: map[string]*huma.MediaType{
			"*/*": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}, Example: "the bytes"},
		}}
	}
	contentRange := map[string]*huma.Header{"Content-Range": {Description: "Which bytes they are, of how many.", Schema: text}}
	unsatisfiable := problemResponse(schemas, portal.CodeInvalid)
	unsatisfiable.Description = "The file does not have the bytes that Range asks for; Content-Range says how many it has. `code` is `invalid`."
	maps.Copy(unsatisfiable.Headers, contentRange)
	unsatisfiable.Content["application/problem+json"].Example.(map[string]any)["title"] = http.StatusText(http.StatusRequestedRangeNotSatisfiable)
	unsatisfiable.Content["application/problem+json"].Example.(map[string]any)["status"] = http.StatusRequestedRangeNotSatisfiable
	return map[string]*huma.Response{
		"200": answer("The file.", map[string]*huma.Header{}),
		"206": answer("A part of the file.", contentRange),
		"416": unsatisfiable,
	}
}

func (a *API) downloadFile(_ context.Context, in *downloadFile) (*huma.StreamResponse, error) {
	return &huma.StreamResponse{Body: func(hctx huma.Context) {
		r, w := humago.Unwrap(hctx)
		x := exchangeOf(r.Context())
		a.send(w, r, func(ctx context.Context) (*portal.Download, error) {
			return a.files.Open(ctx, in.ID, portal.Access{Secret: secretOf(r), Address: x.address(), Token: x.token})
		}, func(p *problem, _ error) { p.write(w) })
	}}, nil
}

// secretOf returns the secret of a file that a request brings, or nil.
func secretOf(r *http.Request) *string {
	given := r.Header.Get("X-File-Secret")
	if given == "" {
		return nil
	}
	return &given
}

// send answers with the file that open returns, or fails with a problem. A failure after the first byte breaks the
// connection, so that the client does not take a part for the whole.
func (a *API) send(w http.ResponseWriter, r *http.Request, open func(context.Context) (*portal.Download, error), fail func(*problem, error)) {
	// The timeout of requests is not for this one, but its end is that of the connection still.
	x := exchangeOf(r.Context())
	ctx, cancel := untimed(r.Context())
	defer cancel()
	out := w.(*response)
	s := &sender{response: out, control: http.NewResponseController(w), stall: a.fileStall}
	refuse := func(p *problem, err error) {
		if p.Status == http.StatusTooManyRequests {
			out.Header().Set("Retry-After", retrySecret)
		}
		s.extend()
		fail(p, err)
	}

	opening := time.AfterFunc(a.requestTimeout, cancel)
	download, err := open(ctx)
	if err != nil {
		opening.Stop()
		refuse(failure(x, err), err)
		return
	}
	defer func() { _ = download.Close() }() // it was only read
	if !opening.Stop() {
		err := &portal.Error{Code: portal.CodeUnavailable, Message: "opening the file took too long"}
		refuse(failure(x, err), err)
		return
	}
	_ = s.control.SetReadDeadline(time.Time{}) // that of the request's body would end the context
	header := out.Header()
	before := header.Clone()
	s.refuse = func(p *problem, err error) {
		clear(header)
		maps.Copy(header, before)
		if p.Status == http.StatusRequestedRangeNotSatisfiable {
			header.Set("Content-Range", "bytes */"+strconv.FormatInt(download.File.Size, 10))
		}
		refuse(p, err)
	}
	s.start = func(continued int64) error {
		ctx, cancel := context.WithTimeout(ctx, a.requestTimeout)
		defer cancel()
		return download.Start(ctx, continued)
	}
	header.Set("Content-Type", "application/octet-stream")
	if download.File.ContentType != nil {
		header.Set("Content-Type", *download.File.ContentType)
	}
	header.Set("Content-Disposition", attachment(download.File.Filename))
	header.Set("Content-Security-Policy", filePolicy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "private, no-cache") // ask with If-None-Match
	header.Set("ETag", download.ETag)
	http.ServeContent(s, r, "", download.ModTime, download.Content)
	if s.err != nil {
		x.err = s.err
		panic(http.ErrAbortHandler)
	}
}

// sender is what http.ServeContent writes a file to. It counts the download when the first byte is about to be sent, and
// gives the client the time of a stall for each chunk.
type sender struct {
	*response
	control *http.ResponseController
	stall   time.Duration
	start   func(continued int64) error
	refuse  func(*problem, error)
	refused bool
	err     error // why not everything was sent
}

// WriteHeader decides, knowing the status, whether the file is sent.
func (s *sender) WriteHeader(status int) {
	x := exchangeOf(s.request.Context())
	var refusal *problem
	var err error
	switch status {
	case http.StatusOK, http.StatusPartialContent:
		if s.request.Method == http.MethodHead {
			break
		}
		if err = s.start(continued(s.Header().Get("Content-Range"))); err != nil {
			refusal = failure(x, err)
		}
	case http.StatusRequestedRangeNotSatisfiable:
		refusal = document(x, status, portal.CodeInvalid, "the file does not have the bytes that Range asks for")
	case http.StatusPreconditionFailed:
		refusal = document(x, status, portal.CodePreconditionFailed, "the file is not the one that the condition asks for")
	case http.StatusInternalServerError:
		err = errors.New("the file's size could not be told")
		refusal = failure(x, err)
	}
	if refusal != nil {
		s.refused = true
		s.refuse(refusal, err)
		return
	}
	s.response.WriteHeader(status)
}

// continued is how many bytes a range has that begins behind the first byte, and 0 for one that begins there. Several ranges
// have no Content-Range, and are a beginning.
func continued(contentRange string) int64 {
	var first, last, size int64
	if _, err := fmt.Sscanf(contentRange, "bytes %d-%d/%d", &first, &last, &size); err != nil || first == 0 {
		return 0
	}
	return last - first + 1
}

// Write sends a part of the body.
func (s *sender) Write(b []byte) (int, error) {
	if s.refused {
		return len(b), nil // what http.ServeContent says to it
	}
	s.extend()
	n, err := s.response.Write(b)
	s.note(err)
	return n, err
}

// ReadFrom sends a part of the body, chunk by chunk.
func (s *sender) ReadFrom(src io.Reader) (sent int64, err error) {
	if s.refused {
		return 0, http.ErrAbortHandler
	}
	whole, ok := src.(*io.LimitedReader)
	if !ok {
		return io.Copy(writerFunc(s.Write), src)
	}
	for whole.N > 0 {
		s.extend()
		part := &io.LimitedReader{R: whole.R, N: min(whole.N, 4*fileChunk)} // below it is the file itself, as sendfile needs it
		n, err := s.response.ReadFrom(part)
		sent, whole.N = sent+n, whole.N-n
		if err == nil && n == 0 {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			s.note(err)
			return sent, err
		}
	}
	return sent, nil
}

// extend gives the client the time of a stall from now on.
func (s *sender) extend() {
	_ = s.control.SetWriteDeadline(time.Now().Add(s.stall)) // what cannot set it has none either
}

// note keeps the first error.
func (s *sender) note(err error) {
	if s.err == nil && err != nil {
		s.err = &portal.Error{Code: portal.CodeUnavailable, Message: "not all of the file was sent", Err: err}
	}
}

// attachment returns the Content-Disposition of a file that is to be saved under a name (RFC 6266): as it is where it can
// stand between quotes, or else also in UTF-8, percent-encoded (RFC 8187), beside a name in ASCII for what does not know
// that.
func attachment(name string) string {
	if !utf8.ValidString(name) {
		name = strings.ToValidUTF8(name, "\ufffd")
	}
	ascii := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || strings.ContainsRune(`"\%/`, r) {
			return '_'
		}
		return r
	}, name)
	value := `attachment; filename="` + ascii + `"`
	if ascii == name {
		return value
	}
	const hex = "0123456789ABCDEF"
	encoded := []byte(value + "; filename*=UTF-8''")
	for _, c := range []byte(name) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("!#$&+-.^_`|~", c) >= 0:
			encoded = append(encoded, c)
		default:
			encoded = append(encoded, '%', hex[c>>4], hex[c&0xf])
		}
	}
	return string(encoded)
}
