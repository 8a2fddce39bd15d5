package httpapi

import (
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// response counts what is sent, and holds back the status until it is known what follows: plain text with which
// http.ServeMux answers what no route takes is dropped, what the caller has already becomes a 304, and what is long is
// compressed.
type response struct {
	http.ResponseWriter
	request  *http.Request
	status   int   // 0 until there is one
	sent     bool  // the status is on its way
	bytes    int64 // of the body as it is sent
	unrouted int   // the status with which the mux refused
	encoder  encoder
}

// WriteHeader notes the status. It is sent with what follows.
func (w *response) WriteHeader(status int) {
	if status < http.StatusOK {
		w.ResponseWriter.WriteHeader(status)
		return
	}
	if w.unrouted == 0 && w.status == 0 && w.request.Pattern == "" && (status == http.StatusNotFound || status == http.StatusMethodNotAllowed) {
		w.unrouted = status
		return
	}
	w.status = status
}

// Write sends a part of the body.
func (w *response) Write(b []byte) (int, error) {
	if w.unrouted != 0 && w.status == 0 {
		return len(b), nil
	}
	w.beginStream()
	if w.encoder != nil {
		return w.encoder.Write(b)
	}
	return w.send(b)
}

// ReadFrom sends a part of the body out of src: by sendfile, without a copy in this process, if src is a file or a
// limited part of one.
func (w *response) ReadFrom(src io.Reader) (int64, error) {
	w.beginStream()
	to, ok := w.ResponseWriter.(io.ReaderFrom)
	if w.encoder != nil || !ok {
		return io.Copy(writerFunc(w.Write), src)
	}
	n, err := to.ReadFrom(src)
	w.bytes += n
	return n, err
}

// Flush sends what has been written so far.
func (w *response) Flush() { _ = w.FlushError() }

// FlushError is Flush for http.ResponseController.
func (w *response) FlushError() error {
	w.beginStream()
	if w.encoder != nil {
		if err := w.encoder.Flush(); err != nil {
			return err
		}
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Unwrap is for http.ResponseController.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// writeAll sends the whole body.
func (w *response) writeAll(body []byte) {
	if w.sent || w.unrouted != 0 && w.status == 0 {
		_, _ = w.Write(body)
		return
	}
	if w.status == 0 {
		w.status = http.StatusOK
	}
	header := w.Header()
	encoding := w.encoding()
	if len(body) < minCompressed {
		encoding = ""
	}
	if w.unchanged(body, encoding) {
		w.status = http.StatusNotModified
		header.Del("Content-Type")
		w.begin()
		return
	}
	if encoding != "" {
		compressed := compress(encoding, body)
		defer compressed.release()
		header.Set("Content-Encoding", encoding)
		if tag := header.Get("ETag"); tag != "" {
			header.Set("ETag", encodedTag(tag, encoding))
		}
		body = compressed.bytes
	}
	header.Set("Content-Length", strconv.Itoa(len(body)))
	w.begin()
	_, _ = w.send(body) // whoever has hung up need not know
}

// unchanged gives the answer to a GET an ETag, unless it has one or must not be kept, and says whether the caller has
// the same already, in whatever encoding: the ETag is then that of what the caller has. The tag is weak: it names what is
// meant, not the bytes, which compression changes.
func (w *response) unchanged(body []byte, encoding string) bool {
	header := w.Header()
	if w.status != http.StatusOK || w.request.Method != http.MethodGet && w.request.Method != http.MethodHead || header.Get("Cache-Control") == "no-store" {
		return false
	}
	tag := header.Get("ETag")
	if tag == "" {
		sum := sha256.Sum256(body)
		tag = `W/"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`
		header.Set("ETag", tag)
	}
	given := strings.Join(w.request.Header.Values("If-None-Match"), ",")
	for _, had := range [...]string{encoding, "", encodingZstd, encodingGzip} {
		if variant := encodedTag(tag, had); matchesTag(given, variant) {
			header.Set("ETag", variant)
			return true
		}
	}
	return false
}

// encodedTag returns the entity tag of an answer in an encoding: a strong one is that of the very bytes, so each encoding
// has its own.
func encodedTag(tag, encoding string) string {
	if encoding == "" || strings.HasPrefix(tag, "W/") {
		return tag
	}
	return strings.TrimSuffix(tag, `"`) + "-" + encoding + `"`
}

// matchesTag says whether a list of entity tags, or *, includes one, weak or not.
func matchesTag(list, tag string) bool {
	tag = strings.TrimPrefix(tag, "W/")
	for rest := list; ; {
		rest = strings.TrimLeft(rest, " \t,")
		if strings.HasPrefix(rest, "*") {
			return true
		}
		rest = strings.TrimPrefix(rest, "W/")
		if !strings.HasPrefix(rest, `"`) {
			return false
		}
		end := strings.IndexByte(rest[1:], '"')
		if end < 0 {
			return false
		}
		if rest[:end+2] == tag {
			return true
		}
		rest = rest[end+2:]
	}
}

// encoding returns how this answer is to be compressed, and tells caches that it depends on the request. What can be had
// in ranges is sent as it is.
func (w *response) encoding() string {
	header := w.Header()
	mediaType, _, _ := strings.Cut(header.Get("Content-Type"), ";")
	if header.Get("Content-Encoding") != "" || header.Get("Accept-Ranges") != "" || !compressible[mediaType] {
		return ""
	}
	header.Add("Vary", "Accept-Encoding")
	return negotiate(w.request.Header.Get("Accept-Encoding"))
}

// beginStream sends the status before the first of many parts, which are compressed one by one.
func (w *response) beginStream() {
	if w.sent {
		return
	}
	if w.status == 0 {
		w.status = http.StatusOK
	}
	if encoding := w.encoding(); encoding != "" && w.request.Method != http.MethodHead {
		w.Header().Set("Content-Encoding", encoding)
		w.Header().Del("Content-Length")
		w.encoder = newEncoder(encoding, writerFunc(w.send))
	}
	w.begin()
}

func (w *response) begin() {
	w.sent = true
	w.ResponseWriter.WriteHeader(w.status)
}

func (w *response) send(b []byte) (int, error) {
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// finish sends what is left once the handler has returned.
func (w *response) finish() {
	if !w.sent && w.status != 0 {
		w.begin()
	}
	if w.encoder != nil {
		_ = w.encoder.Close()
		w.encoder = nil
	}
}

// writerFunc is an io.Writer.
type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

var _ io.Writer = writerFunc(nil)
