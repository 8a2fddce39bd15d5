package portal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"strings"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/gabriel-vasile/mimetype"

	"portaldb/db"
	"portaldb/internal/blob"
)

const (
	maxFilename  = 255  // characters
	maxOwner     = 200  // bytes of owner_id and of owner_name
	sniffed      = 3072 // bytes by which the type of a file is told
	settleWithin = 30 * time.Second
)

// Upload is a file whose bytes are stored, and that is no file yet.
type Upload struct {
	files       *Files
	ctx         context.Context // that of the request, which no end of the request ends
	id          string
	path        string
	filename    string
	contentType string
	size        int64
	sha256      []byte
	stop        func() // has nobody say any more that the upload lasts
	late        bool   // the bytes may turn up yet: the sweeper looks for them for a day
	tried       bool   // to make a file of it, with whatever outcome
	settled     bool
}

// Upload stores the bytes of a file while they come, with the memory of a buffer. They are gone again unless Create makes a
// file of them: Discard has to be called in the end. What dies before leaves them to the sweeper, which knows of them
// before the first one is stored.
//
// CodeTooLarge as soon as there are more than there may be, CodeUnsupported if the type that they show is not an allowed one,
// CodeInvalid if r fails otherwise than by an error of this package, CodeUnavailable if they cannot be stored.
func (f *Files) Upload(ctx context.Context, filename string, r io.Reader) (*Upload, error) {
	filename, err := cleanFilename(filename)
	if err != nil {
		return nil, err
	}
	body := &body{r: r, max: f.cfg.MaxSize, hash: sha256.New()}
	head := make([]byte, sniffed)
	n, _ := io.ReadFull(body, head)
	if body.err != nil {
		return nil, body.failure()
	}
	head = head[:n]
	u := &Upload{
		files:       f,
		ctx:         context.WithoutCancel(ctx),
		id:          newFileID(),
		filename:    filename,
		contentType: mimetype.Detect(head).String(),
	}
	if !f.allowed(u.contentType) {
		return nil, &Error{Code: CodeUnsupported, Message: "files of this type are not accepted, whatever their name says"}
	}
	if err := f.attachFirst(ctx); err != nil {
		return nil, err
	}
	u.path = f.cfg.Store.Path(u.id, f.now())
	if _, err := f.primary.CreateUpload(ctx, db.CreateUploadParams{FileID: u.id, Path: u.path}); err != nil {
		return nil, err
	}

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	u.stop = u.keepAlive(cancel)
	err = f.cfg.Store.Put(ctx, u.path, io.MultiReader(bytes.NewReader(head), body))
	if err == nil && body.err != nil {
		err = body.err // a store that takes a cut for the end
	}
	if err != nil {
		u.late = errors.Is(err, blob.ErrUnknown)
		u.Discard()
		switch cause := context.Cause(ctx); {
		case body.err != nil:
			return nil, body.failure()
		case errors.Is(cause, errAbandoned):
			return nil, errAbandoned
		case cause != nil:
			return nil, &Error{Code: CodeUnavailable, Message: "the upload was cancelled", Err: err}
		case errors.Is(err, syscall.ENOSPC):
			return nil, &Error{Code: CodeUnavailable, Message: "there is no room left for the file", Err: err}
		case errors.Is(err, blob.ErrTooLarge):
			return nil, &Error{Code: CodeTooLarge, Message: "the file is larger than the store can keep", Err: err}
		}
		return nil, &Error{Code: CodeUnavailable, Message: "the file cannot be stored at the moment", Err: err}
	}
	u.size, u.sha256 = body.size, body.hash.Sum(nil)
	return u, nil
}

var errAbandoned = &Error{Code: CodeUnavailable, Message: "the upload was given up because the database heard nothing of it for too long; send the file again"}

// allowed says whether files of the type are accepted.
func (f *Files) allowed(contentType string) bool {
	for _, prefix := range f.cfg.AllowedMIME {
		if strings.HasPrefix(contentType, prefix) {
			return true
		}
	}
	return len(f.cfg.AllowedMIME) == 0
}

// cleanFilename returns the name without the folders that some browsers send along.
func cleanFilename(name string) (string, error) {
	if !utf8.ValidString(name) || strings.ContainsRune(name, 0) {
		return "", invalid("the file name must be UTF-8 without U+0000")
	}
	name = name[strings.LastIndexAny(name, `/\`)+1:]
	switch {
	case name == "" || name == "." || name == "..":
		return "", invalid("the file has no name")
	case utf8.RuneCountInString(name) > maxFilename:
		return "", invalid("the file name must not be longer than 255 characters")
	}
	return name, nil
}

// body is what is uploaded, counted and hashed while it is read.
type body struct {
	r    io.Reader
	max  int64
	size int64
	hash hash.Hash
	err  error // how it broke off
}

func (b *body) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.r.Read(p)
	b.size += int64(n)
	if b.max > 0 && b.size > b.max {
		b.err = &Error{Code: CodeTooLarge, Message: "the file is larger than files may be"}
		return 0, b.err
	}
	b.hash.Write(p[:n])
	if err != nil && err != io.EOF { //nolint:errorlint // a reader ends with io.EOF itself
		b.err = err
	}
	return n, err
}

func (b *body) failure() error {
	if _, ok := errors.AsType[*Error](b.err); ok {
		return b.err
	}
	return &Error{Code: CodeInvalid, Message: "the file broke off before its end", Err: b.err}
}

// keepAlive says now and then that the upload lasts, and cancels it when it is taken for abandoned. It returns what ends that.
func (u *Upload) keepAlive(cancel context.CancelCauseFunc) (stop func()) {
	ctx, end := context.WithCancel(u.ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(u.files.heartbeat)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			// That the database does not answer is for Create to find: the bytes may be through when it does again.
			if n, err := u.files.primary.TouchUpload(ctx, u.id); err == nil && n == 0 {
				cancel(errAbandoned)
				return
			}
		}
	}()
	return func() {
		end()
		<-ended
	}
}

// Discard removes the bytes, unless they have become a file. It may be called after Create, whatever that returned, and more
// than once. What it cannot do is left to the sweeper.
func (u *Upload) Discard() {
	if u.settled {
		return
	}
	u.settled = true
	u.stop()
	ctx, cancel := context.WithTimeout(u.ctx, settleWithin)
	defer cancel()
	// A statement of Create whose answer got lost may have made the file, or may do it yet: not after this one.
	n, err := u.files.primary.AbandonUpload(ctx, u.id)
	if err == nil && n == 0 || err != nil && u.tried {
		return
	}
	if u.files.cfg.Store.Remove(ctx, u.path) == nil && err == nil && !u.late {
		_, _ = u.files.primary.DeleteUploads(ctx, []string{u.id})
	}
}

// NewFile is what a file is besides its bytes.
type NewFile struct {
	OwnerID      *string // CPF; nil or empty: nobody owns it
	OwnerName    *string
	TTL          string // how long it lasts: 1d, 7d, which is the default, or 30d
	Secret       string // opens the file; empty: none is needed
	MaxDownloads *int32 // nil: any number
}

// ttlHours are the lifetimes of files and of links.
var ttlHours = map[string]int32{"": 7 * 24, "1d": 24, "7d": 7 * 24, "30d": 30 * 24}

func (n *NewFile) normalize() error {
	for _, field := range []struct {
		name string
		text **string
	}{{"owner_id", &n.OwnerID}, {"owner_name", &n.OwnerName}} {
		switch text := *field.text; {
		case text == nil:
		case *text == "":
			*field.text = nil
		case len(*text) > maxOwner || !utf8.ValidString(*text) || strings.ContainsRune(*text, 0):
			return invalid(field.name + " must be UTF-8 without U+0000 of at most 200 bytes")
		}
	}
	switch {
	case ttlHours[n.TTL] == 0:
		return invalid("ttl must be 1d, 7d or 30d")
	case len(n.Secret) > maxSecret:
		return errLongSecret
	case n.Secret != strings.Trim(n.Secret, " \t") || strings.ContainsFunc(n.Secret, unicode.IsControl):
		return invalid("secret must not begin or end with a blank, nor hold control characters: X-File-Secret could not carry it")
	case n.MaxDownloads != nil && *n.MaxDownloads < 1:
		return invalid("max_downloads must be 1 or more")
	}
	return nil
}

// Create makes a file of an upload, with an audit event that names the API token of that name: both and the end of the upload
// are one statement. CodeUnavailable if the upload was taken for abandoned. After any error the upload can be discarded only.
func (f *Files) Create(ctx context.Context, token string, u *Upload, n NewFile) (File, error) {
	if err := n.normalize(); err != nil {
		return File{}, err
	}
	params := db.CreateFileParams{
		ID:           u.id,
		Filename:     u.filename,
		Size:         u.size,
		ContentType:  u.contentType,
		OwnerID:      n.OwnerID,
		OwnerName:    n.OwnerName,
		TtlHours:     ttlHours[n.TTL],
		Sha256:       u.sha256,
		MaxDownloads: n.MaxDownloads,
		Token:        token,
	}
	if n.Secret != "" {
		hash, err := f.secrets.hash(ctx, n.Secret)
		if err != nil {
			return File{}, err
		}
		params.SecretHash = &hash
	}
	u.tried = true
	row, err := f.primary.CreateFile(ctx, params)
	if ErrorCode(err) == CodeNotFound {
		return File{}, errAbandoned
	}
	if err != nil {
		return File{}, err
	}
	u.settled = true
	u.stop()
	return newFile(db.FileshareItem(row)), nil
}
