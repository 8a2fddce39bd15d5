package blob

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/s3utils"
)

const (
	// partSize is what is sent at a time, and held in memory; 10,000 parts make a file of 78 GiB at most.
	partSize = 8 << 20
	// maxParts is how many parts S3 takes.
	maxParts = 10_000
	// firstBuffer is what a small file takes of memory, and growth how many times that the next size is: few sizes leave little behind.
	firstBuffer, growth = 64 << 10, 16
	// requestTimeout bounds a request with its retries, a part in a body included.
	requestTimeout = 2 * time.Minute
	// tidyTimeout bounds what is done after a failure.
	tidyTimeout = 10 * time.Second
	// s3Retries is how often a request is sent in all before its failure is believed.
	s3Retries = 4
)

// bucket is a store in a bucket of S3, or below a prefix of its keys.
type bucket struct {
	setting string
	core    *minio.Core
	name    string
	prefix  string    // of keys: empty, or ends with a slash
	buffers sync.Pool // of *[]byte
}

// newS3 reads s3://bucket/prefix?endpoint=...&region=...
func newS3(setting, root string, env map[string]string) (*bucket, error) {
	wrong := fmt.Errorf("%s takes a folder, or s3://bucket?endpoint=https://host&region=name", setting)
	u, err := url.Parse(root)
	if err != nil || u.User != nil || u.Fragment != "" || s3utils.CheckValidBucketNameStrict(u.Host) != nil {
		return nil, wrong
	}
	prefix := strings.Trim(u.Path, "/")
	if prefix != "" {
		if _, ok := within("", prefix); !ok {
			return nil, wrong
		}
		prefix += "/"
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, wrong
	}
	for name, values := range query {
		if name != "endpoint" && name != "region" || len(values) != 1 {
			return nil, wrong
		}
	}
	endpoint, err := url.Parse(cmp.Or(query.Get("endpoint"), env["AWS_ENDPOINT_URL_S3"], env["AWS_ENDPOINT_URL"], "https://s3.amazonaws.com"))
	if err != nil || endpoint.Scheme != "http" && endpoint.Scheme != "https" || endpoint.Host == "" || endpoint.User != nil ||
		strings.Trim(endpoint.Path, "/") != "" || endpoint.RawQuery != "" {
		return nil, fmt.Errorf("%s: the endpoint is the URL of a host, such as https://s3.example.org; it is looked for in AWS_ENDPOINT_URL_S3 too", setting)
	}
	if env["AWS_ACCESS_KEY_ID"] == "" || env["AWS_SECRET_ACCESS_KEY"] == "" {
		return nil, fmt.Errorf("%s is in S3: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY", setting)
	}
	core, err := minio.NewCore(endpoint.Host, &minio.Options{
		Creds:      credentials.NewStaticV4(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], env["AWS_SESSION_TOKEN"]),
		Secure:     endpoint.Scheme == "https",
		Region:     cmp.Or(query.Get("region"), env["AWS_REGION"], env["AWS_DEFAULT_REGION"], "us-east-1"), // without one it would be asked for
		MaxRetries: s3Retries,
	})
	if err != nil {
		return nil, wrong
	}
	return &bucket{setting: setting, core: core, name: u.Host, prefix: prefix, buffers: sync.Pool{New: func() any {
		buf := make([]byte, partSize)
		return &buf
	}}}, nil
}

// String, see Root.
func (b *bucket) String() string { return "s3://" + b.name + "/" + b.prefix }

// Roots, see Store.
func (b *bucket) Roots() []Root { return []Root{b} }

// Expect, see Root.
func (b *bucket) Expect(string) {}

// Marker, see Root.
func (b *bucket) Marker(ctx context.Context) (marker string, err error) {
	err = b.within(ctx, func(ctx context.Context) error {
		body, _, _, err := b.core.GetObject(ctx, b.name, b.prefix+Marker, minio.GetObjectOptions{})
		if code(err) == minio.NoSuchKey {
			return b.there(ctx) // that is the answer too when the whole bucket is gone
		}
		if err != nil {
			return err
		}
		defer body.Close()
		marker, err = readMarker(body)
		return err
	})
	return marker, err
}

// Mark, see Root.
func (b *bucket) Mark(ctx context.Context, marker string) error {
	if there, err := b.exists(ctx, b.prefix+Marker); err != nil {
		return err
	} else if there {
		return fmt.Errorf("mark the store: %w", fs.ErrExist)
	}
	err := b.putObject(ctx, b.prefix+Marker, []byte(marker+"\n"))
	if code(err) == minio.AccessDenied {
		err = fmt.Errorf("%w: %w", err, fs.ErrPermission)
	}
	return err
}

// key is that of a path, if Store.Owns it.
func (b *bucket) key(path string) (string, bool) {
	rel, ok := within(b.String(), path)
	return b.prefix + rel, ok
}

// Path, see Store.
func (b *bucket) Path(id string, at time.Time) string { return b.String() + dated(id, at) }

// Owns, see Store.
func (b *bucket) Owns(path string) bool {
	_, ok := b.key(path)
	return ok
}

// Put sends what fits into one part at once, and more in parts that become visible together.
func (b *bucket) Put(ctx context.Context, path string, r io.Reader) error {
	key, ok := b.key(path)
	if !ok {
		return ErrOutside
	}
	// Before the bytes are sent for nothing; and not every server knows the condition below.
	if there, err := b.exists(ctx, key); err != nil {
		return err
	} else if there {
		return fmt.Errorf("put a file: %w", fs.ErrExist)
	}
	part, release, err := b.firstPart(r)
	defer release()
	if err != nil && err != io.EOF { //nolint:errorlint // a reader ends with io.EOF itself
		return err
	}
	if err == nil {
		err = b.putParts(ctx, key, part, r)
	} else {
		err = b.putObject(ctx, key, part)
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		// The server may have kept it all the same, its answer being lost.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidyTimeout)
		defer cancel()
		_ = b.core.RemoveObject(ctx, b.name, key, minio.RemoveObjectOptions{})
	}
	return err
}

// firstPart reads a part, or all there is with io.EOF, into a buffer that grows with what comes. release gives it back.
func (b *bucket) firstPart(r io.Reader) (part []byte, release func(), err error) {
	release = func() {}
	buf := make([]byte, firstBuffer)
	n, err := fill(r, buf)
	for err == nil && len(buf) < partSize {
		var larger []byte
		if size := growth * len(buf); size < partSize {
			larger = make([]byte, size)
		} else {
			kept := b.buffers.Get().(*[]byte)
			larger, release = *kept, func() { b.buffers.Put(kept) }
		}
		copy(larger, buf)
		n, err = fill(r, larger[len(buf):])
		n, buf = n+len(buf), larger
	}
	return buf[:n], release, err
}

// unlessThere keeps an object from being overwritten.
func unlessThere() minio.PutObjectOptions {
	opts := minio.PutObjectOptions{DisableContentSha256: true}
	opts.SetMatchETagExcept("*")
	return opts
}

// explainPut is fs.ErrExist for what unlessThere refuses, and ErrUnknown for any other failure of the request that makes a
// file be seen.
func explainPut(err error) error {
	switch {
	case err == nil:
		return nil
	case code(err) == minio.PreconditionFailed:
		return fmt.Errorf("put a file: %w", fs.ErrExist)
	}
	return fmt.Errorf("%w: %w", err, ErrUnknown)
}

// putObject sends an object at once.
func (b *bucket) putObject(ctx context.Context, key string, content []byte) error {
	return explainPut(b.within(ctx, func(ctx context.Context) error {
		_, err := b.core.PutObject(ctx, b.name, key, bytes.NewReader(content), int64(len(content)), "", digest(content), unlessThere())
		return err
	}))
}

// digest is what a request says of its body, and the server holds the body against. The options beside it (DisableContentSha256)
// only turn off that the body is signed piece by piece instead, which not every server reads to its end.
func digest(body []byte) string { return fmt.Sprintf("%x", sha256.Sum256(body)) }

// putParts sends buf, which is full, and what r gives after it.
func (b *bucket) putParts(ctx context.Context, key string, buf []byte, r io.Reader) (err error) {
	var upload string
	if err := b.within(ctx, func(ctx context.Context) (err error) {
		upload, err = b.core.NewMultipartUpload(ctx, b.name, key, minio.PutObjectOptions{})
		return err
	}); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidyTimeout)
			defer cancel()
			_ = b.core.AbortMultipartUpload(ctx, b.name, key, upload)
		}
	}()
	var parts []minio.CompletePart
	for n, end := len(buf), error(nil); n > 0; {
		if len(parts) == maxParts {
			return ErrTooLarge
		}
		if err := b.within(ctx, func(ctx context.Context) error {
			part, err := b.core.PutObjectPart(ctx, b.name, key, upload, len(parts)+1, bytes.NewReader(buf[:n]), int64(n),
				minio.PutObjectPartOptions{Sha256Hex: digest(buf[:n]), DisableContentSha256: true})
			parts = append(parts, minio.CompletePart{PartNumber: len(parts) + 1, ETag: part.ETag})
			return err
		}); err != nil {
			return err
		}
		if end != nil {
			break
		}
		if n, end = fill(r, buf); end != nil && end != io.EOF { //nolint:errorlint // a reader ends with io.EOF itself
			return end
		}
	}
	return explainPut(b.within(ctx, func(ctx context.Context) error {
		_, err := b.core.CompleteMultipartUpload(ctx, b.name, key, upload, parts, unlessThere())
		return err
	}))
}

// Open, see Store. The file is asked for when it is read.
func (b *bucket) Open(ctx context.Context, path string) (io.ReadSeekCloser, Info, error) {
	key, ok := b.key(path)
	if !ok {
		return nil, Info{}, ErrOutside
	}
	var info minio.ObjectInfo
	err := b.within(ctx, func(ctx context.Context) (err error) {
		info, err = b.core.StatObject(ctx, b.name, key, minio.StatObjectOptions{})
		return err
	})
	if code(err) == minio.NoSuchKey {
		// That is the answer too when the whole bucket is gone.
		if err := b.within(ctx, b.there); err != nil {
			return nil, Info{}, err
		}
		return nil, Info{}, fmt.Errorf("open a file: %w", fs.ErrNotExist)
	}
	if err != nil {
		return nil, Info{}, err
	}
	return &object{ctx: ctx, bucket: b, key: key, etag: info.ETag, size: info.Size}, Info{Size: info.Size, ModTime: info.LastModified}, nil
}

// Remove ends the uploads first: one that is about to complete then fails instead of finishing behind its back.
func (b *bucket) Remove(ctx context.Context, path string) error {
	key, ok := b.key(path)
	if !ok {
		return ErrOutside
	}
	if err := b.abort(ctx, key); err != nil {
		return err
	}
	return b.within(ctx, func(ctx context.Context) error {
		err := b.core.RemoveObject(ctx, b.name, key, minio.RemoveObjectOptions{})
		if code(err) == minio.NoSuchKey {
			return nil
		}
		return err
	})
}

// abort ends the unfinished uploads to a key.
func (b *bucket) abort(ctx context.Context, key string) error {
	for upload, err := range b.uploads(ctx, key) {
		if err != nil {
			return err
		}
		if upload.Key != key {
			continue
		}
		if err := b.within(ctx, func(ctx context.Context) error {
			return b.core.AbortMultipartUpload(ctx, b.name, key, upload.UploadID)
		}); err != nil && code(err) != minio.NoSuchUpload { // others remove too
			return err
		}
	}
	return nil
}

// uploads are those unfinished ones whose keys begin with prefix.
func (b *bucket) uploads(ctx context.Context, prefix string) iter.Seq2[minio.ObjectMultipartInfo, error] {
	return func(yield func(minio.ObjectMultipartInfo, error) bool) {
		var page minio.ListMultipartUploadsResult
		for more := true; more; more = page.IsTruncated {
			if err := b.within(ctx, func(ctx context.Context) (err error) {
				page, err = b.core.ListMultipartUploads(ctx, b.name, prefix, page.NextKeyMarker, page.NextUploadIDMarker, "", 1000)
				return err
			}); err != nil {
				yield(minio.ObjectMultipartInfo{}, err)
				return
			}
			for _, upload := range page.Uploads {
				if !yield(upload, nil) {
					return
				}
			}
		}
	}
}

// SetAside, see Store. The server copies.
func (b *bucket) SetAside(ctx context.Context, path string) error {
	key, ok := b.key(path)
	if !ok {
		return ErrOutside
	}
	if err := b.abort(ctx, key); err != nil {
		return err
	}
	if there, err := b.exists(ctx, key); err != nil || !there {
		return err
	}
	aside := b.prefix + SetAside + "/" + strings.TrimPrefix(key, b.prefix)
	to := aside
	for i := 1; ; i++ {
		there, err := b.exists(ctx, to)
		if err != nil {
			return err
		}
		if !there {
			break
		}
		to = aside + "." + strconv.Itoa(i)
	}
	// A large file takes as long as it takes.
	_, err := b.core.ComposeObject(ctx, minio.CopyDestOptions{Bucket: b.name, Object: to}, minio.CopySrcOptions{Bucket: b.name, Object: key})
	if err != nil {
		return b.explain(err)
	}
	return b.within(ctx, func(ctx context.Context) error {
		return b.core.RemoveObject(ctx, b.name, key, minio.RemoveObjectOptions{})
	})
}

// All, see Store. What an unfinished upload has sent is not measured: its size is 0.
func (b *bucket) All(ctx context.Context) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		for upload, err := range b.uploads(ctx, b.prefix) {
			if err != nil {
				yield(Entry{}, err)
				return
			}
			entry := Entry{Path: "s3://" + b.name + "/" + upload.Key, ModTime: upload.Initiated, Unfinished: true}
			if b.Owns(entry.Path) && !yield(entry, nil) {
				return
			}
		}
		for info := range b.core.ListObjectsIter(ctx, b.name, minio.ListObjectsOptions{Prefix: b.prefix, Recursive: true}) {
			if info.Err != nil {
				yield(Entry{}, b.explain(info.Err))
				return
			}
			entry := Entry{Path: "s3://" + b.name + "/" + info.Key, Size: info.Size, ModTime: info.LastModified}
			if b.Owns(entry.Path) && !yield(entry, nil) {
				return
			}
		}
		if err := ctx.Err(); err != nil { // then the listing just ends
			yield(Entry{}, err)
		}
	}
}

// Check, see Store.
func (b *bucket) Check(ctx context.Context) error {
	key := b.prefix + ".portaldb-check-" + rand.Text()
	for _, step := range []func(context.Context) error{
		b.there,
		func(ctx context.Context) error {
			_, err := b.core.PutObject(ctx, b.name, key, bytes.NewReader(nil), 0, "", digest(nil), minio.PutObjectOptions{DisableContentSha256: true})
			return err
		},
		func(ctx context.Context) error {
			return b.core.RemoveObject(ctx, b.name, key, minio.RemoveObjectOptions{})
		},
	} {
		if err := b.within(ctx, step); err != nil {
			return fmt.Errorf("%s: %w: see whether the endpoint, the bucket and the region are right, and what the access key may do", b.setting, err)
		}
	}
	return nil
}

// there fails unless the bucket is there.
func (b *bucket) there(ctx context.Context) error {
	there, err := b.core.BucketExists(ctx, b.name)
	if err == nil && !there {
		err = errors.New("there is no such bucket")
	}
	return err
}

// exists tells whether there is an object under a key.
func (b *bucket) exists(ctx context.Context, key string) (there bool, err error) {
	err = b.within(ctx, func(ctx context.Context) error {
		_, err := b.core.StatObject(ctx, b.name, key, minio.StatObjectOptions{})
		if there = err == nil; code(err) == minio.NoSuchKey {
			return nil
		}
		return err
	})
	return there, err
}

// within does a request in bounded time.
func (b *bucket) within(ctx context.Context, request func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	return b.explain(request(ctx))
}

// explain names the bucket in front of an error. Its cause says what the server said, which has no secrets.
func (b *bucket) explain(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("bucket %s at %s: %w", b.name, b.core.EndpointURL().Host, err)
}

// code is what a server calls an error; empty for one of another kind.
func code(err error) string {
	if answer, ok := errors.AsType[minio.ErrorResponse](err); ok {
		return answer.Code
	}
	return ""
}

// object reads a file from where it was sought to, in one request until it is sought elsewhere.
type object struct {
	ctx    context.Context //nolint:containedctx // an io.Reader has no other way
	bucket *bucket
	key    string
	etag   string
	size   int64
	offset int64
	body   io.ReadCloser // at offset, if not nil
}

// Read fails when the file was removed, or ends before its size.
func (o *object) Read(p []byte) (int, error) {
	if o.offset >= o.size {
		return 0, io.EOF
	}
	if o.body == nil {
		var opts minio.GetObjectOptions
		if o.offset > 0 {
			if err := opts.SetRange(o.offset, 0); err != nil {
				return 0, err
			}
		}
		if err := opts.SetMatchETag(o.etag); err != nil {
			return 0, err
		}
		body, _, _, err := o.bucket.core.GetObject(o.ctx, o.bucket.name, o.key, opts)
		if err != nil {
			return 0, o.bucket.explain(err)
		}
		o.body = body
	}
	n, err := o.body.Read(p)
	o.offset += int64(n)
	if err == io.EOF && o.offset < o.size { //nolint:errorlint // a reader ends with io.EOF itself
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// Seek asks for nothing yet.
func (o *object) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += o.offset
	case io.SeekEnd:
		offset += o.size
	}
	if offset < 0 {
		return 0, errors.New("seek to before the beginning of a file")
	}
	if offset != o.offset {
		_ = o.Close() // what was not read of the answer does not matter
		o.offset = offset
	}
	return offset, nil
}

// Close ends the request.
func (o *object) Close() error {
	if o.body == nil {
		return nil
	}
	err := o.body.Close()
	o.body = nil
	return err
}
