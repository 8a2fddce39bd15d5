package httpapi

import (
	"context"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"portaldb/internal/portal"
)

// file is a portal.File on the wire.
type file struct {
	ID           string     `json:"id"`
	Filename     string     `json:"filename"`
	Size         int64      `json:"size" doc:"In bytes."`
	ContentType  *string    `json:"content_type" doc:"As the service found it, which need not be what the client called it."`
	OwnerID      *string    `json:"owner_id"`
	OwnerName    *string    `json:"owner_name"`
	CreatedAt    time.Time  `json:"created_at"`
	ExpiresAt    time.Time  `json:"expires_at" doc:"Nothing is sent from then on."`
	DeletedAt    *time.Time `json:"deleted_at"`
	Protected    bool       `json:"protected" doc:"Whether its content is had with a secret only."`
	Downloads    int32      `json:"downloads" doc:"How often a download was started."`
	MaxDownloads *int32     `json:"max_downloads" doc:"How often that may be; null: any number of times."`
	SHA256       *string    `json:"sha256" doc:"Of the content, in hexadecimal; null for files of the legacy code."`
}

func newFile(f portal.File) file {
	wire := file{
		ID: f.ID, Filename: f.Filename, Size: f.Size, ContentType: f.ContentType, OwnerID: f.OwnerID, OwnerName: f.OwnerName,
		CreatedAt: f.CreatedAt, ExpiresAt: f.ExpiresAt, DeletedAt: f.DeletedAt, Protected: f.Protected,
		Downloads: f.Downloads, MaxDownloads: f.MaxDownloads,
	}
	if f.SHA256 != nil {
		sum := hex.EncodeToString(f.SHA256)
		wire.SHA256 = &sum
	}
	return wire
}

func (f *file) appendJSON(b []byte) []byte {
	b = append(b, `{"id":`...)
	b = appendString(b, f.ID)
	b = append(b, `,"filename":`...)
	b = appendString(b, f.Filename)
	b = append(b, `,"size":`...)
	b = strconv.AppendInt(b, f.Size, 10)
	b = append(b, `,"content_type":`...)
	b = appendNullable(b, f.ContentType)
	b = append(b, `,"owner_id":`...)
	b = appendNullable(b, f.OwnerID)
	b = append(b, `,"owner_name":`...)
	b = appendNullable(b, f.OwnerName)
	b = append(b, `,"created_at":`...)
	b = appendTime(b, f.CreatedAt)
	b = append(b, `,"expires_at":`...)
	b = appendTime(b, f.ExpiresAt)
	b = append(b, `,"deleted_at":`...)
	b = appendNullableTime(b, f.DeletedAt)
	b = append(b, `,"protected":`...)
	b = strconv.AppendBool(b, f.Protected)
	b = append(b, `,"downloads":`...)
	b = strconv.AppendInt(b, int64(f.Downloads), 10)
	b = append(b, `,"max_downloads":`...)
	if f.MaxDownloads == nil {
		b = append(b, "null"...)
	} else {
		b = strconv.AppendInt(b, int64(*f.MaxDownloads), 10)
	}
	b = append(b, `,"sha256":`...)
	b = appendNullable(b, f.SHA256)
	return append(b, '}')
}

func appendNullableTime(b []byte, t *time.Time) []byte {
	if t == nil {
		return append(b, "null"...)
	}
	return appendTime(b, *t)
}

type filePage struct {
	Items      []file `json:"items"`
	NextCursor string `json:"next_cursor" nullable:"true" doc:"Where the next page begins; null on the last one."`
	Total      *int64 `json:"total,omitempty" doc:"How many items all pages have, where count asks for it."`
}

func (p *filePage) appendJSON(b []byte) []byte {
	return appendPage(b, p.Items, func(b []byte, f *file) []byte { return f.appendJSON(b) }, p.NextCursor, p.Total)
}

type (
	getFile struct {
		ID string `path:"id"`
	}
	oneFile   struct{ Body *file }
	manyFiles struct{ Body *filePage }
	noContent struct{}
)

type listFiles struct {
	filter portal.FileFilter
	page   portal.PageRequest
}

// Resolve reads the parameters.
func (l *listFiles) Resolve(ctx huma.Context) []error {
	q := readQuery(ctx)
	l.filter = portal.FileFilter{OwnerID: q.text("owner_id"), Q: q.text("q"), Expired: q.either("expired"), Deleted: q.either("deleted")}
	l.page = q.page()
	return q.errs
}

// either returns a parameter that is true or false, or nil if it is not given.
func (q *query) either(name string) *bool {
	if q.text(name) == nil {
		return nil
	}
	value := q.boolean(name)
	return &value
}

// fileFilterParams document what listFiles reads beside the page.
var fileFilterParams = []*huma.Param{
	textParam("owner_id", "Whose file it is."),
	textParam("q", "Part of filename or owner_name, whatever the case."),
	booleanParam("expired", "true: only what has expired; false: only what has not."),
	booleanParam("deleted", "true: only what was deleted; false: only what was not."),
}

func (a *API) addFiles() {
	tags := []string{"files"}
	a.addUpload(tags)
	register(a, huma.Operation{
		OperationID: "list-files",
		Method:      http.MethodGet,
		Path:        "/v1/files",
		Summary:     "List files, the newest first",
		Description: "Those that have expired or were deleted too, unless the filters leave them out.",
		Tags:        tags,
		Parameters:  slices.Concat(fileFilterParams, pageParams),
	}, portal.RoleReader, a.listFiles)
	register(a, huma.Operation{
		OperationID: "get-file",
		Method:      http.MethodGet,
		Path:        "/v1/files/{id}",
		Summary:     "Get what is known of a file",
		Tags:        tags,
	}, portal.RoleReader, a.getFile)
	register(a, huma.Operation{
		OperationID:   "delete-file",
		Method:        http.MethodDelete,
		Path:          "/v1/files/{id}",
		Summary:       "Delete a file",
		Description:   "From then on nothing is sent; its bytes are removed within minutes.",
		Tags:          tags,
		DefaultStatus: http.StatusNoContent,
		Errors:        []int{http.StatusGone},
	}, portal.RoleWriter, a.deleteFile)
	a.addDownload(tags)
}

func (a *API) listFiles(ctx context.Context, in *listFiles) (*manyFiles, error) {
	page, err := a.files.List(ctx, in.filter, in.page)
	if err != nil {
		return nil, err
	}
	answer := &filePage{Items: make([]file, len(page.Items)), NextCursor: page.NextCursor, Total: page.Total}
	for i, item := range page.Items {
		answer.Items[i] = newFile(item)
	}
	return &manyFiles{answer}, nil
}

func (a *API) getFile(ctx context.Context, in *getFile) (*oneFile, error) {
	found, err := a.files.Get(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	answer := newFile(found)
	return &oneFile{&answer}, nil
}

func (a *API) deleteFile(ctx context.Context, in *getFile) (*noContent, error) {
	return nil, a.files.Delete(ctx, exchangeOf(ctx).token, in.ID)
}

// pathOf is where a file is found.
func pathOf(id string) string { return "/v1/files/" + url.PathEscape(id) }
