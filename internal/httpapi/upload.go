package httpapi

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"portaldb/internal/portal"
)

// DefaultFileStall is how long the client of an upload or a download may take for fileChunk bytes.
const DefaultFileStall = 30 * time.Second

const (
	// fileChunk is how many bytes of a file are sent or received at once.
	fileChunk = 64 << 10

	// maxField is the longest text in a form, in bytes.
	maxField = 4 << 10

	// maxPartHeader is the longest header of a part of a form, in bytes, with what comes before it.
	maxPartHeader = 32 << 10
)

// createFile is a form, which is read as it comes.
type createFile struct {
	request *http.Request
	writer  http.ResponseWriter
}

// Resolve keeps the request.
func (c *createFile) Resolve(ctx huma.Context) []error {
	c.request, c.writer = humago.Unwrap(ctx)
	return nil
}

type createdFile struct {
	Location string `header:"Location"`
	Body     *file
}

func (a *API) addUpload(tags []string) {
	text, one := huma.TypeString, 1.0
	register(a, huma.Operation{
		OperationID: "create-file",
		Method:      http.MethodPost,
		Path:        "/v1/files",
		Summary:     "Upload a file",
		Description: "A form whose parts come in any order, each once. It may be of any size that the service is set to take, and take any time, " +
			"as long as " + strconv.Itoa(fileChunk>>10) + " KiB come within " + a.fileStall.String() + ". The file is there once the answer is 201; until then nothing is.",
		Tags:          tags,
		DefaultStatus: http.StatusCreated,
		Metadata: map[string]any{"body": &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"multipart/form-data": {
			Schema: &huma.Schema{Type: huma.TypeObject, Required: []string{"file"}, Properties: map[string]*huma.Schema{
				"file":          {Type: text, Format: "binary", Description: "The content; its name is the part's filename, any Unicode."},
				"ttl":           {Type: text, Enum: []any{"1d", "7d", "30d"}, Default: "7d", Description: "How long the file is kept."},
				"secret":        {Type: text, Description: "What the content is had with. Only a hash is kept."},
				"owner_id":      {Type: text, Description: "Whose file it is."},
				"owner_name":    {Type: text},
				"max_downloads": {Type: huma.TypeInteger, Minimum: &one, Description: "How often a download may be started."},
			}},
		}}}},
	}, portal.RoleWriter, a.createFile)
}

func (a *API) createFile(_ context.Context, in *createFile) (*createdFile, error) {
	// The timeout of requests is not for this one, but its end is that of the connection still.
	ctx, cancel := untimed(in.request.Context())
	defer cancel()
	control := http.NewResponseController(in.writer)
	defer func() { _ = control.SetWriteDeadline(time.Now().Add(a.fileStall)) }() // that of the server may be past
	in.request.Body = steadyBody(in.request.Body, control, a.fileStall)

	form := form{files: a.files}
	defer form.discard()
	if err := form.read(ctx, in.request); err != nil {
		return nil, err
	}
	_ = control.SetReadDeadline(time.Time{}) // it would end the context
	ctx, cancel = context.WithTimeout(ctx, a.requestTimeout)
	defer cancel()
	made, err := a.files.Create(ctx, exchangeOf(ctx).token, form.upload, form.file)
	if err != nil {
		return nil, err
	}
	answer := newFile(made)
	return &createdFile{Location: pathOf(answer.ID), Body: &answer}, nil
}

// form is what was read of the form that makes a file.
type form struct {
	files  *portal.Files
	file   portal.NewFile
	upload *portal.Upload
}

// read takes the parts as they come. The bytes of the file are stored, and have to be discarded if anything fails.
func (f *form) read(ctx context.Context, r *http.Request) error {
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return &portal.Error{Code: portal.CodeUnsupported, Message: "the body must not be compressed"}
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	body := &headerReader{ReadCloser: r.Body}
	r.Body = body
	parts, err := r.MultipartReader() // takes other kinds too
	if err != nil || kind != "multipart/form-data" {
		return &portal.Error{Code: portal.CodeUnsupported, Message: "the body must be multipart/form-data with a boundary"}
	}
	seen := make(map[string]bool)
	for {
		body.header = true
		body.left = maxPartHeader
		part, err := parts.NextPart()
		body.header = false
		if err == io.EOF { //nolint:errorlint // wrapped it means that the last boundary never came
			if f.upload == nil {
				return invalidForm("file is required")
			}
			return nil
		}
		if err != nil {
			return malformedForm(err)
		}
		name := part.FormName()
		switch {
		case name == "":
			return invalidForm("a part has no name")
		case seen[name]:
			return invalidForm("%s must be given once", printable(name))
		}
		seen[name] = true
		if name == "file" {
			f.upload, err = f.files.Upload(ctx, filenameOf(part), part)
		} else {
			err = f.field(name, part)
		}
		if err != nil {
			return err
		}
	}
}

// field takes a part that is text.
func (f *form) field(name string, part *multipart.Part) error {
	var target any
	switch name {
	case "ttl":
		target = &f.file.TTL
	case "secret":
		target = &f.file.Secret
	case "owner_id":
		target = &f.file.OwnerID
	case "owner_name":
		target = &f.file.OwnerName
	case "max_downloads":
		target = &f.file.MaxDownloads
	default:
		return invalidForm("%s is not known", printable(name))
	}
	content, err := io.ReadAll(io.LimitReader(part, maxField+1))
	text := string(content)
	switch {
	case err != nil:
		return malformedForm(err)
	case text == "":
		return invalidForm("%s must not be empty; leave it out for none", name)
	case len(text) > maxField:
		return invalidForm("%s must not be longer than %d bytes", name, maxField)
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		return invalidForm("%s must be UTF-8 without U+0000", name)
	}
	switch target := target.(type) {
	case *string:
		*target = text
	case **string:
		*target = &text
	case **int32:
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil || n < 1 {
			return invalidForm("%s must be a number between 1 and %d", name, math.MaxInt32)
		}
		most := int32(n)
		*target = &most
	}
	return nil
}

// discard removes the bytes of the file unless it was made.
func (f *form) discard() {
	if f.upload != nil {
		f.upload.Discard()
	}
}

// filenameOf returns the name of a file as it was sent: what is done with folders in it is not for here.
func filenameOf(part *multipart.Part) string {
	_, params, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
	if err != nil {
		return ""
	}
	return params["filename"]
}

func invalidForm(format string, args ...any) error {
	return &portal.Error{Code: portal.CodeInvalid, Message: fmt.Sprintf(format, args...)}
}

// malformedForm is the error for what the parser found, which quotes what was sent, or for what the connection did.
func malformedForm(err error) error {
	if known, ok := errors.AsType[*portal.Error](err); ok {
		return known
	}
	return &portal.Error{Code: portal.CodeInvalid, Message: "the body is no whole multipart/form-data", Err: err}
}

// headerReader bounds what is read for the header of a part: package multipart takes 10 MiB of it into memory.
type headerReader struct {
	io.ReadCloser
	header bool
	left   int
}

// Read fails behind the longest header.
func (h *headerReader) Read(p []byte) (int, error) {
	if !h.header {
		return h.ReadCloser.Read(p)
	}
	if h.left <= 0 {
		return 0, invalidForm("the header of a part is too long")
	}
	n, err := h.ReadCloser.Read(p[:min(len(p), h.left)])
	h.left -= n
	return n, err
}

// steadyBody lets a body take any time, as long as each chunk of it comes within stall.
func steadyBody(body io.ReadCloser, control *http.ResponseController, stall time.Duration) io.ReadCloser {
	steady := &steadyReader{ReadCloser: body, control: control, stall: stall}
	return struct {
		io.Reader
		io.Closer
	}{bufio.NewReaderSize(steady, fileChunk), steady} // package multipart reads 4 KiB at a time
}

type steadyReader struct {
	io.ReadCloser
	control *http.ResponseController
	stall   time.Duration
	left    int           // of the chunk
	waited  time.Duration // for the chunk
}

// Read counts the time that the client takes, and not what is done with the bytes meanwhile.
func (s *steadyReader) Read(p []byte) (int, error) {
	if s.left <= 0 {
		s.left, s.waited = fileChunk, 0
	}
	began := time.Now()
	_ = s.control.SetReadDeadline(began.Add(s.stall - s.waited)) // what cannot set it has none either
	n, err := s.ReadCloser.Read(p)
	s.left -= n
	s.waited += time.Since(began)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = &portal.Error{Code: portal.CodeInvalid, Message: "the body did not arrive in time", Err: err}
	}
	return n, err
}
