package portal

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/google/uuid"

	"portaldb/db"
	"portaldb/internal/blob"
)

// Access is who wants to read a file.
type Access struct {
	Secret  *string // nil: none was given
	Address string  // of who asks: an IP address without a port
	Token   string  // the name of the API token; of no meaning for a link
}

// Download is a file that is open for reading. Start has to succeed before its first byte is sent.
type Download struct {
	File    File
	Content io.ReadSeekCloser // an *os.File where the store is a folder
	ModTime time.Time
	ETag    string    // strong, with its quotes
	Until   time.Time // when the link ends, or else the file

	files  *Files
	params db.StartDownloadParams
}

// Open opens a file for the API token that Access names. ErrNoFile, ErrFileExpired, ErrFileDeleted; for a protected file
// ErrSecretRequired, ErrSecretWrong, CodeTooMany. CodeInternal if its bytes are not there or not those that were stored, which
// Fsck tells more of.
func (f *Files) Open(ctx context.Context, id string, a Access) (*Download, error) {
	row, err := f.get(ctx, id)
	if err == nil {
		err = usable(row)
	}
	if err == nil {
		err = f.checkSecret(ctx, row.FileshareItem, a.Secret, a.Address)
	}
	if err != nil {
		return nil, err
	}
	return f.open(ctx, row.FileshareItem, db.StartDownloadParams{Action: "downloaded", Token: &a.Token, Address: network(a.Address)})
}

// openLinked is Open for what came by a link that ends then; link is nil for one of the legacy code.
func (f *Files) openLinked(ctx context.Context, file db.FileshareItem, link *uuid.UUID, until time.Time, address string) (*Download, error) {
	anonymous := "anonymous" // as the legacy code calls whoever follows a link
	d, err := f.open(ctx, file, db.StartDownloadParams{
		Action:   "downloaded_shared_link",
		ActorCpf: &anonymous,
		LinkID:   link,
		Address:  network(address),
	})
	if err == nil && until.Before(d.Until) {
		d.Until = until
	}
	return d, err
}

func (f *Files) open(ctx context.Context, file db.FileshareItem, params db.StartDownloadParams) (*Download, error) {
	content, info, err := f.cfg.Store.Open(ctx, file.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		// The sweeper may have come in between.
		if row, err := f.get(ctx, file.ID); err != nil {
			return nil, err
		} else if err := usable(row); err != nil {
			return nil, err
		}
		return nil, &Error{Code: CodeInternal, Message: "the bytes of the file are missing", Err: fmt.Errorf("file %s: %w", file.ID, err)}
	case errors.Is(err, blob.ErrOutside):
		return nil, &Error{Code: CodeNotFound, Message: "the bytes of the file lie where this service serves nothing from", Err: fmt.Errorf("file %s: %w", file.ID, err)}
	case err != nil:
		return nil, &Error{Code: CodeUnavailable, Message: "the file cannot be read at the moment", Err: fmt.Errorf("file %s: %w", file.ID, err)}
	case info.Size != file.Size:
		content.Close()
		return nil, &Error{Code: CodeInternal, Message: "the bytes of the file are damaged", Err: fmt.Errorf("file %s: %d bytes of %d", file.ID, info.Size, file.Size)}
	}
	params.ID = file.ID
	return &Download{
		File:    newFile(file),
		Content: content,
		ModTime: info.ModTime,
		ETag:    etag(file),
		Until:   file.ExpiresAt,
		files:   f,
		params:  params,
	}, nil
}

// etag names the bytes. They never change under one id, which stands in for the hash where there is none.
func etag(file db.FileshareItem) string {
	if file.Sha256 != nil {
		return `"` + hex.EncodeToString(file.Sha256) + `"`
	}
	return fmt.Sprintf(`"%s-%d"`, file.ID, file.Size)
}

// Start counts the download, with its audit event. continued, unless 0, is how many bytes are asked for, by Range, to go on with
// one that was started before: that counts only if nobody at this address has started one in the last 24 hours, or if what
// was asked for since to go on is more than ten times the file.
//
// ErrFileUsedUp, ErrFileExpired, ErrFileDeleted, ErrLinkExpired or ErrLinkRevoked if the file may not be downloaded any more.
func (d *Download) Start(ctx context.Context, continued int64) error {
	params := d.params
	params.Continued = continued
	n, err := d.files.primary.StartDownload(ctx, params)
	if ErrorCode(err) == CodeNotFound {
		return d.refused(ctx)
	}
	if err == nil {
		d.File.Downloads = n
	}
	return err
}

// refused tells why the download was not counted.
func (d *Download) refused(ctx context.Context) error {
	row, err := d.files.get(ctx, d.File.ID)
	if err != nil {
		return err
	}
	if err := usable(row); err != nil {
		return err
	}
	if row.FileshareItem.MaxDownloads != nil && row.FileshareItem.Downloads >= *row.FileshareItem.MaxDownloads {
		return ErrFileUsedUp
	}
	if !d.files.now().Before(d.Until) {
		return ErrLinkExpired
	}
	return ErrLinkRevoked
}

// Close closes Content.
func (d *Download) Close() error { return d.Content.Close() }
